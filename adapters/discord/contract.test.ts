import assert from 'node:assert/strict'
import { after, before } from 'node:test'
import type { Adapter } from '../../core/adapter.ts'
import { adapterContract, type ContractFixture } from '../../core/contract/adapter.ts'
import { Watch } from '../../core/contract/watch.ts'
import { DiscordFake } from './testing/fake.ts'
import { type Channel, type Message, snowflake, type User } from './testing/objects.ts'
import { createOn, placeAt, shown } from './testing/trial.ts'

let fake: DiscordFake

before(async () => {
  fake = await DiscordFake.start()
})
after(async () => {
  await fake.stop()
  assert.deepEqual(fake.faults, [], 'what is asked and answered agrees with the description of the platform')
})

function person(name: string): User {
  const user = fake.world.user(name, { global_name: name })
  if (!fake.world.guild.members.has(user.id)) fake.world.enter(user)
  return user
}

adapterContract('discord', async t => {
  const { world } = fake
  const channel = world.channel(`room-${world.channels.size}`)
  const alice = person('alice')
  t.after(() => world.channels.delete(channel.id))
  let adapter: Adapter | undefined
  const mine = (): Message => world.messages.get(channel.id)?.findLast(({ author }) => author === alice) as Message
  const reactor = (who?: string): User => (who === undefined || who === 'alice' ? alice : person('stranger'))
  const watch = new Watch()
  fake.gateway.onConnection = () => watch.look()
  const fixture: ContractFixture = {
    place: placeAt(channel.id),
    create: async context => {
      const changed = (): void => {
        context.changed()
        watch.look()
      }
      adapter = await createOn(fake, { ...context, changed }, { channels: [channel.id] })
      return adapter
    },
    platform: {
      strangers: false,
      keepsHistory: true,
      say: async (said, who) => void world.post(channel, reactor(who), { content: escaped(said) }),
      present: async () => {
        await watch.until(
          () => fake.gateway.sockets.size > 0 && adapter?.status().state === 'up',
          'the bot to be there',
        )
      },
      seen: async () => seenIn(channel),
      offline: work => fake.offline(work),
      connections: async () => {
        await watch.until(() => fake.gateway.sockets.size === 0, 'the connections to be closed')
        return fake.gateway.sockets.size
      },
      loseAnswer: async () => {
        fake.loses = (method, path) => method === 'POST' && path === `/channels/${channel.id}/messages`
      },
      edit: async said => world.edit(mine(), said),
      remove: async () => world.remove(mine()),
      react: async (emoji, who) => world.react(mine(), reactor(who), { id: null, name: emoji }),
      unreact: async (emoji, who) => world.react(mine(), reactor(who), { id: null, name: emoji }, true),
      share: async (content, { name, bytes }) => {
        const file = { id: snowflake(), filename: name, content_type: 'application/octet-stream', bytes }
        world.post(channel, alice, { content, files: [file] })
      },
      sayInThread: async (content, root) => {
        const opened = world.messages.get(channel.id)?.find(message => message.content === root) as Message
        const thread = world.channels.get(opened.id) ?? world.thread(channel, { id: opened.id, owner: alice.id })
        world.post(thread, alice, { content })
      },
    },
  }
  return fixture
})

/** What people write there is Markdown; the suite means its letters. An address is left as it is. */
const escaped = (said: string): string =>
  said
    .split(/(https?:\/\/[\w./()]+)/)
    .map((part, at) => (at % 2 === 1 ? part : part.replace(/[\\*_~|`[\]<>#-]/g, '\\$&')))
    .join('')

function seenIn(channel: Channel) {
  const { world } = fake
  const threads = [...world.channels.values()].filter(({ parent_id }) => parent_id === channel.id)
  const messages = [channel, ...threads].flatMap(({ id }) => world.messages.get(id) ?? [])
  return messages
    .filter(({ author }) => author === world.self)
    .toSorted((a, b) => (BigInt(a.id) > BigInt(b.id) ? 1 : -1))
    .map(message => ({
      text: shown(message.content),
      reactions: message.reactions.filter(({ users }) => users.length > 0).map(({ emoji }) => emoji.name),
      files: message.files.map(({ bytes }) => bytes),
      ...(message.channel_id === channel.id
        ? {}
        : { thread: world.find(channel.id, message.channel_id)?.content ?? '' }),
      ...(message.only === undefined ? {} : { ephemeral: true }),
    }))
}
