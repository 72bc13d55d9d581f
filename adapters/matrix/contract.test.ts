import { after, before, describe } from 'node:test'
import { adapterContract, type ContractFixture } from '../../core/contract/adapter.ts'
import type { ChannelId, NetworkId } from '../../core/event.ts'
import { deadline, sleep } from '../../core/retry.ts'
import { matrixSchema } from './config.ts'
import { matrix } from './index.ts'
import type { Client } from './testing/client.ts'
import { Proxy } from './testing/proxy.ts'
import { seenOf } from './testing/seen.ts'
import { Synapse, synapseMissing } from './testing/synapse.ts'

const network = 'mx' as NetworkId
const missing = await synapseMissing()
const isSend = (method: string, url: string): boolean => method === 'PUT' && url.includes('/send/m.room.message/')

describe('matrix', { skip: missing ?? false }, () => {
  let synapse: Synapse
  let proxy: Proxy
  let alice: Client
  let opened = 0

  before(async () => {
    synapse = await Synapse.start(null)
    proxy = await Proxy.listen(() => synapse.port)
    alice = await synapse.register('alice')
  })
  after(async () => {
    await proxy?.stop()
    await synapse?.stop()
  })

  adapterContract('matrix', async () => {
    const bot = await synapse.register(`bot${opened++}`)
    const room = await alice.room({ invite: [bot.id] })
    const config = matrixSchema.parse({ kind: 'matrix', homeserver: proxy.url, token: 'env:TOKEN', channels: [room] })
    const newest = async (body?: string): Promise<string> => {
      const isEdit = (content: Readonly<Record<string, unknown>>): boolean => 'm.new_content' in content
      const mine = (await alice.timeline(room))
        .filter(({ content }) => !isEdit(content))
        .filter(({ type, sender }) => type === 'm.room.message' && sender === alice.id)
      return mine.findLast(({ content }) => body === undefined || content['body'] === body)?.event_id ?? ''
    }
    let entered = Promise.withResolvers<void>()
    const fixture: ContractFixture = {
      place: { network, channel: room as ChannelId },
      create: context => {
        entered = Promise.withResolvers()
        return matrix.create(config, {
          ...context,
          // Told once the room's first events are handed over: what a test does next comes behind them.
          signs: async () => entered.resolve(),
          network,
          personas: [],
          instance: 'abcdefghijkl',
          places: [],
          dataDir: '/nonexistent',
          secret: async () => bot.account.access_token,
        })
      },
      platform: {
        strangers: false,
        keepsHistory: true,
        slow: true,
        say: async said => void (await alice.say(room, said)),
        present: async () => {
          const signal = deadline(15_000)
          while (!signal.aborted) {
            if ((await alice.members(room)).includes(bot.id)) return entered.promise
            await sleep(20, signal)
          }
          throw new Error(`${bot.id} is not in the room`)
        },
        seen: () => seenOf(bot.id, room, alice),
        offline: work => proxy.offline(work),
        connections: () => proxy.connections(),
        loseAnswer: async () => proxy.once(isSend, 'lose'),
        refuseOnce: async () =>
          proxy.once(isSend, {
            status: 429,
            body: { errcode: 'M_LIMIT_EXCEEDED', error: 'Too Many', retry_after_ms: 50 },
          }),
        edit: async said => {
          const target = await newest()
          const body = { msgtype: 'm.text', body: said }
          const relates = { rel_type: 'm.replace', event_id: target }
          await alice.send(room, { ...body, body: `* ${said}`, 'm.new_content': body, 'm.relates_to': relates })
        },
        remove: async () => void (await alice.redact(room, await newest())),
        react: async key => {
          const relates = { rel_type: 'm.annotation', event_id: await newest(), key }
          await alice.send(room, { 'm.relates_to': relates }, 'm.reaction')
        },
        share: async (said, { name, bytes }) => {
          const url = await alice.upload(name, 'application/octet-stream', bytes)
          const info = { size: bytes.length, mimetype: 'application/octet-stream' }
          await alice.send(room, { msgtype: 'm.file', body: said, filename: name, url, info })
        },
        sayInThread: async (said, root) => {
          const event_id = await newest(root)
          const relates = { rel_type: 'm.thread', event_id, is_falling_back: true, 'm.in_reply_to': { event_id } }
          await alice.say(room, said, { 'm.relates_to': relates })
        },
      },
    }
    return fixture
  })
})
