import { adapterContract, type ContractFixture } from '../../core/contract/adapter.ts'
import type { Seen } from '../../core/contract/harness.ts'
import { FakeSlack } from './testing/server.ts'
import { adapterFor, placeOf } from './testing/trial.ts'
import { app, type Channel, type Message, shown } from './testing/workspace.ts'

const people = { alice: 'U0000ALICE', stranger: 'U000STRANG' } as const

function seenIn(fake: FakeSlack, channel: Channel): Seen[] {
  const { workspace } = fake
  const one = (message: Message): Seen => {
    const root = message.thread_ts === undefined ? undefined : workspace.find(channel, message.thread_ts)
    return {
      text: shown(message),
      reactions: (message.reactions ?? []).map(({ name }) => ({ '+1': '👍' })[name] ?? name),
      files: (message.files ?? []).map(({ id }) => workspace.files.get(String(id))?.bytes ?? new Uint8Array()),
      ...(root && root !== message ? { thread: shown(root) } : {}),
    }
  }
  const only = workspace.ephemeral
    .filter(each => each.channel === channel.id && each.user === people.alice)
    .map(({ message }) => ({ ...one(message), ephemeral: true }))
  return [...channel.messages.filter(({ bot_id: bot }) => bot === app.bot).map(one), ...only]
}

adapterContract('slack', async t => {
  const fake = new FakeSlack({ ackMs: 30_000 })
  await fake.start()
  t.after(() => fake.stop())
  const { workspace } = fake
  workspace.person(people.alice, 'alice')
  workspace.person(people.stranger, 'stranger', { team: 'T0000OTHER' })
  const channel = workspace.channel('general', { members: [people.alice, people.stranger] })
  channel.shared = true
  const last = (): Message => channel.messages.findLast(({ user }) => user === people.alice) as Message
  const fixture: ContractFixture = {
    place: placeOf(channel),
    create: context => adapterFor(fake, context, [channel.id]),
    platform: {
      strangers: true,
      keepsHistory: true,
      say: async (said, who = 'alice') => void workspace.say(channel, people[who], said),
      present: () => fake.until(() => channel.members.has(app.user) && fake.sockets > 0, 'the app to be there'),
      seen: async () => seenIn(fake, channel),
      offline: work => fake.offline(work),
      connections: async () => {
        await fake.until(() => fake.underWay === 0, 'connections to end', 3000).catch(() => undefined)
        return fake.underWay
      },
      loseAnswer: async () => fake.loseAnswer('chat.postMessage'),
      refuseOnce: async () => fake.limit('chat.postMessage', { seconds: 1 }),
      edit: async said => workspace.editText(channel, last().ts, said, people.alice),
      remove: async () => workspace.remove(channel, last().ts),
      react: async (emoji, who = 'alice') =>
        void workspace.react(channel, last().ts, people[who], emoji === '👍' ? '+1' : emoji),
      unreact: async (emoji, who = 'alice') =>
        void workspace.unreact(channel, last().ts, people[who], emoji === '👍' ? '+1' : emoji),
      share: async (said, file) => void workspace.share(channel, people.alice, said, file),
      sayInThread: async (said, root) => {
        const thread = channel.messages.find(message => shown(message) === root)?.ts
        workspace.say(channel, people.alice, said, thread === undefined ? {} : { thread_ts: thread })
      },
    },
  }
  return fixture
})
