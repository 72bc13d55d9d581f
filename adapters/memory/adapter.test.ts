import { adapterContract, type ContractFixture } from '../../core/contract/adapter.ts'
import type { NetworkId } from '../../core/event.ts'
import { placeFor } from './inbound.ts'
import { memory } from './index.ts'
import { type MemoryPlatform, memoryServer } from './platform.ts'

const network = 'mem' as NetworkId
let opened = 0

async function open(): Promise<ContractFixture> {
  const server = `contract-${opened++}`
  const platform = memoryServer(server)
  const alice = platform.user('alice')
  const stranger = platform.user('stranger', { verified: false })
  alice.join('#general')
  return {
    place: placeFor(network, '#general'),
    create: context =>
      memory.create(
        memory.schema.parse({
          kind: 'memory',
          server,
          channels: ['#general'],
          textBytes: 128,
          answerMs: 500,
          ephemeral: true,
          streams: true,
        }),
        {
          ...context,
          network,
          personas: [],
          instance: 'abcdefghijkl',
          places: [],
          dataDir: '/nonexistent',
          secret: () => Promise.reject(new Error('the memory network has no secrets')),
        },
      ),
    platform: contractPlatform(platform, { alice, stranger }),
  }
}

type People = Record<'alice' | 'stranger', ReturnType<MemoryPlatform['user']>>

function contractPlatform(platform: MemoryPlatform, people: People): ContractFixture['platform'] {
  const { messages } = platform.channel('#general')
  const last = () => messages.findLast(({ by }) => by === 'alice')?.id ?? (undefined as never)
  return {
    strangers: true,
    keepsHistory: true,
    say: async (said, who = 'alice') => void people[who].say('#general', said),
    present: () => platform.ready(),
    seen: async () =>
      messages
        .filter(({ by }) => by === 'chanop')
        .map(({ text, deleted, reactions, content, thread, only }) => ({
          text,
          deleted: deleted !== null,
          reactions: reactions.map(({ emoji }) => emoji),
          files: (content.attachments ?? []).flatMap(({ ref, url }) => (url ? [] : [platform.files.read(ref)])),
          ...(thread === undefined ? {} : { thread: platform.message(thread)?.text ?? '' }),
          ...(only === undefined ? {} : { ephemeral: only === 'alice' }),
        })),
    direct: async () => {
      const { messages: own, shown } = platform.channel('@alice')
      return { said: own.filter(({ by }) => by === 'chanop').map(({ text }) => text), shown }
    },
    offline: async work => {
      platform.down()
      await work()
      platform.up()
    },
    connections: async () => platform.connections,
    loseAnswer: async () => platform.faults.loseAnswer(),
    refuseOnce: async () => platform.faults.refuseSends(1),
    edit: async said => people.alice.edit(last(), said),
    remove: async () => people.alice.remove(last()),
    react: async (emoji, who = 'alice') => people[who].react(last(), emoji),
    unreact: async (emoji, who = 'alice') => people[who].unreact(last(), emoji),
    share: async (said, { name, bytes }) =>
      void people.alice.say('#general', said, { attachments: [platform.files.keep(bytes, { name })] }),
    sayInThread: async (said, root) => {
      const thread = messages.find(({ text }) => text === root)?.id
      people.alice.say('#general', said, thread === undefined ? {} : { thread })
    },
  }
}

adapterContract('memory', open)
