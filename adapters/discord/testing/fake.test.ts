/** The fake as discord.js itself sees it: a second opinion on what was written from the documentation. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { Client, GatewayIntentBits, type Message, Partials, type TextChannel } from 'discord.js'
import { DiscordFake, token } from './fake.ts'

const intents = [
  GatewayIntentBits.Guilds,
  GatewayIntentBits.GuildMembers,
  GatewayIntentBits.GuildMessages,
  GatewayIntentBits.GuildMessageReactions,
  GatewayIntentBits.DirectMessages,
  GatewayIntentBits.MessageContent,
]

test('discord.js logs in, hears, speaks, edits, reacts, opens threads and uses webhooks', async t => {
  const fake = await DiscordFake.start()
  const { world } = fake
  const alice = world.user('alice', { global_name: 'Alice' })
  world.enter(alice)
  const room = world.channel('room')
  const makeRequest = ((url: string, init: RequestInit) => fetch(url, init)) as never
  const client = new Client({
    intents,
    partials: [Partials.Channel],
    rest: { api: fake.api, cdn: fake.cdn, makeRequest },
  })
  t.after(async () => {
    await client.destroy()
    await fake.stop()
  })
  const ready = once(client, 'clientReady')
  await client.login(token)
  await ready
  assert.equal(client.user?.username, 'chanop')
  const channel = client.channels.cache.get(room.id) as TextChannel
  assert.ok(channel.permissionsFor(client.user as never)?.has('ManageWebhooks'))
  const hears = (): Promise<Message> => once(client, 'messageCreate').then(([message]) => message as Message)

  const first = hears()
  const said = world.post(room, alice, { content: 'hello **there**' })
  assert.equal((await first).content, 'hello **there**')
  assert.equal((await first).member?.displayName, 'Alice')

  const answer = await channel.send({
    content: 'hi',
    reply: { messageReference: said.id },
    nonce: 'n1',
    enforceNonce: true,
  })
  const again = await channel.send({ content: 'hi', nonce: 'n1', enforceNonce: true })
  assert.equal(again.id, answer.id)
  await answer.edit('hi, edited')
  await answer.react('👍')
  const history = await channel.messages.fetch({ after: said.id, limit: 10 })
  assert.equal(history.get(answer.id)?.content, 'hi, edited')
  const thread = await answer.startThread({ name: 'a thread' })
  await thread.send('in it')
  assert.equal((await channel.threads.fetchActive()).threads.size, 1)
  const hook = await channel.createWebhook({ name: 'relay' })
  const face = await hook.send({
    content: 'as bob',
    username: 'Bob',
    files: [{ attachment: Buffer.from('x'), name: 'x.txt' }],
  })
  assert.equal(face.author.username, 'Bob')
  await assert.rejects(channel.send('x'.repeat(2_001)), { code: 50035 })
  await assert.rejects(channel.send(' '), { code: 50006 })
  const direct = hears()
  world.post(world.direct(alice), alice, { content: 'psst' })
  assert.equal((await direct).channel.isDMBased(), true)
  await answer.delete()
  // What discord.js asks is not ours to answer for.
  assert.deepEqual(
    fake.faults.filter(fault => !fault.startsWith('request ')),
    [],
  )
})
