/** One room over Telegram and a network in memory, with the bots that answer in it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileFields } from '../adapters/telegram/testing/methods.ts'
import { type ServerOptions, TelegramServer } from '../adapters/telegram/testing/server.ts'
import type { Room, User } from '../adapters/telegram/testing/world.ts'
import { runAdmin } from '../bots/admin/admin.ts'
import { runBridge } from '../bots/bridge/run.ts'
import { settled, until } from '../bots/bridge/testing.ts'
import { ScriptedModels } from '../bots/oracle/models/testing.ts'
import { runOracle } from '../bots/oracle/oracle.ts'
import { questionOf } from '../bots/oracle/testing.ts'
import { within } from '../core/contract/harness.ts'
import { seeded, seedOf } from '../core/contract/random.ts'
import { House } from './house.ts'

interface Trial {
  readonly house: House
  readonly server: TelegramServer
  readonly room: Room
  readonly alice: User
  readonly texts: () => string[]
}

async function open(t: { after(done: () => unknown): void }, options: ServerOptions = {}, more = ''): Promise<Trial> {
  const server = await TelegramServer.start(options)
  const room = server.world.group('Room')
  const config = `
owner: tg:${1_000_001}
networks:
  chat: { kind: memory, server: '{server}-a', channels: ['#general'] }
  tg: { kind: telegram, token: 'env:T', api: '${server.url}', rate: null ${more} }
rooms:
  general: { places: ['chat:#general', 'tg:${room.chat.id}'], open: true }
`
  const house = new House({ after: done => t.after(done) }, { config, env: { T: server.token } })
  t.after(() => server.stop())
  const texts = (): string[] =>
    room.messages
      .filter(({ from, deleted }) => from?.id === server.world.me.id && !deleted)
      .map(({ message }) => (message['text'] ?? message['caption'] ?? '') as string)
  return { house, server, room, alice: server.world.user('alice'), texts }
}

const seen = (house: House): string[] =>
  house
    .server()
    .channel('#general')
    .messages.filter(({ by }) => by === 'chanop')
    .map(({ name, text, deleted }) => `${name}: ${deleted ? '-' : text}`)

test('what is said, changed, answered and taken back in one is so in the other', async t => {
  const { house, server, room, alice, texts } = await open(t)
  await house.bridge()
  await within(server.listening(), 'Telegram to be listened to')
  const bob = house.server().user('bob')
  bob.join('#general')
  const first = server.world.say(room, alice, { text: 'hello from Telegram' })
  await until(() => seen(house).length === 1, 'the first copy')
  await settled(house)
  const answer = bob.say('#general', 'hello back', {
    replyTo: house.server().channel('#general').messages[0]?.id as never,
  })
  await until(() => texts().length === 1, 'the answer')
  assert.match(texts()[0] ?? '', /^bob.*: hello back$/)
  const copy = room.messages.at(-1)
  const answered = copy?.message['reply_to_message'] as { message_id: number } | undefined
  assert.equal(answered?.message_id, first.message.message_id)
  await settled(house)
  server.world.edit(first, { text: 'hello again' })
  await until(() => seen(house)[0]?.includes('hello again') === true, 'the edit')
  bob.edit(answer.id, 'hello to you')
  await until(() => texts()[0]?.includes('hello to you') === true, 'the other edit')
  bob.react(answer.id, '👍')
  await until(() => copy?.reactions.length === 1, 'the reaction')
  bob.remove(answer.id)
  await until(() => texts().length === 0, 'the removal')
})

test('commands are obeyed by account, in the group and in private, and the list of them is Telegram’s', async t => {
  const { house, server, room, alice, texts } = await open(t)
  await house.run('bridge', runBridge)
  await house.run('admin', runAdmin)
  await within(server.listening(), 'Telegram to be listened to')
  server.world.say(room, alice, { text: '/whoami', entities: [{ type: 'bot_command', offset: 0, length: 7 }] })
  const own = server.world.rooms.get(alice.id)
  assert.ok(own)
  own.bot.status = 'member'
  server.world.say(own, alice, { text: '!whoami' })
  const answered = () =>
    own.messages.filter(({ from }) => from?.id === server.world.me.id).map(({ message }) => message['text'])
  await until(() => answered().length >= 2 || (answered().length === 1 && texts().length === 1), 'answers')
  assert.match(String(answered()[0]), /owner/)
  await until(() => server.world.commands.size === 3, 'the list of commands')
})

test('in a direct conversation an answer is a draft while it grows, and one message in the end, whoever dies or stops it', async t => {
  const { house, server, alice } = await open(t)
  const own = server.world.rooms.get(alice.id)
  assert.ok(own)
  own.bot.status = 'member'
  const models = new ScriptedModels(request => {
    const question = questionOf(request)
    const slow = ['One ', { waitMs: 400 }, 'two ', { waitMs: 800 }, 'three.']
    return question === 'dies' && models.requests.length === 2
      ? ['Half ', { hang: true }]
      : question === 'long'
        ? ['Never ', { hang: true }]
        : slow
  })
  const openOracle = () => house.run('oracle', context => runOracle(context, { models, mindFolder: house.dataDir }))
  let stopBridge = await house.run('bridge', runBridge)
  let stopOracle = await openOracle()
  const texts = (): unknown[] =>
    own.messages
      .filter(({ from, deleted }) => from?.id === server.world.me.id && !deleted)
      .map(({ message }) => message['text'])
  const ask = async (text: string, shown: RegExp): Promise<void> => {
    await within(server.listening(), 'Telegram to be listened to')
    server.world.say(own, alice, { text })
    await until(() => shown.test(server.world.shownIn(alice.id) ?? ''), `a draft of ${text}`)
  }
  await ask('grows', /^One two …$/)
  assert.deepEqual(texts(), [])
  await until(() => texts().length === 1, 'the whole')
  await ask('dies', /^Half …$/)
  await stopOracle()
  await stopBridge()
  stopBridge = await house.run('bridge', runBridge)
  stopOracle = await openOracle()
  await until(() => texts().length === 2, 'the whole after all')
  await ask('long', /^Never …$/)
  server.world.say(own, alice, { text: 'stop' })
  await until(() => texts().length === 4, 'what was stopped')
  await settled(house)
  assert.deepEqual(texts().slice(0, 2), ['One two three.', 'One two three.'])
  assert.ok(texts().includes('Never\n(stopped by alice)'), texts().join('|'))
  assert.equal(server.world.shownIn(alice.id), null)
  assert.equal(server.asked('editMessageText').length, 0)
})

test('files go both ways', async t => {
  const { house, server, room, alice } = await open(t)
  await house.bridge()
  await within(server.listening(), 'Telegram to be listened to')
  const bytes = Buffer.from('the plan')
  const fields = fileFields(server.world, 'document', 'plan.txt', bytes, 'text/plain')
  server.world.say(room, alice, { ...fields, caption: 'have a look' })
  const channel = house.server().channel('#general')
  const copy = await until(() => channel.messages.find(({ text }) => text.includes('have a look')), 'the copy')
  const [file] = copy.content.attachments ?? []
  assert.equal(Buffer.from(house.server().files.read(file?.ref ?? '')).toString(), 'the plan')
  const bob = house.server().user('bob')
  bob.say('#general', 'and this', { attachments: [house.server().files.keep(Buffer.from('reply'), { name: 'r.txt' })] })
  const sent = await until(() => room.messages.find(({ file }) => file !== undefined), 'the file')
  assert.equal(Buffer.from(sent.file ?? []).toString(), 'reply')
  assert.match(String(sent.message['caption']), /and this/)
})

test('lost answers, lost requests and broken connections: nothing is lost, nothing doubled without a word, and order is kept', async t => {
  const { house, server, room, alice, texts } = await open(t)
  await house.bridge()
  await within(server.listening(), 'Telegram to be listened to')
  const seed = seedOf()
  const random = seeded(seed)
  const bob = house.server().user('bob')
  const numbers = Array.from({ length: 25 }, (_, n) => n)
  server.chaos = method => {
    const dice = method.startsWith('send') ? random() : 1
    if (dice < 0.05) setImmediate(() => server.cut())
    return dice < 0.15 ? 'lose-answer' : dice < 0.2 ? 'lose-request' : null
  }
  for (const n of numbers) {
    bob.say('#general', `out ${n}`)
    server.world.say(room, alice, { text: `in ${n}` })
    await new Promise(resolve => setImmediate(resolve))
  }
  await until(() => seen(house).length >= numbers.length, 'what came in', 20_000)
  await until(() => texts().some(text => text.endsWith('out 24')), 'the last that went out', 40_000)
  await settled(house)
  const came = seen(house).map(line => Number(/in (\d+)$/.exec(line)?.[1]))
  assert.deepEqual(came, numbers, `CHANOP_SEED=${seed}`)
  const went = texts().map(text => ({
    n: Number(/out (\d+)$/.exec(text)?.[1]),
    labelled: text.includes('may be a repeat'),
  }))
  const firsts = went.filter(({ n }, at) => went.findIndex(each => each.n === n) === at).map(({ n }) => n)
  assert.deepEqual(firsts, numbers, `CHANOP_SEED=${seed}`)
  const again = went.filter(({ n }, at) => went.findIndex(each => each.n === n) !== at)
  assert.ok(
    again.every(({ labelled }) => labelled),
    `CHANOP_SEED=${seed}: ${JSON.stringify(again)}`,
  )
  t.diagnostic(`${again.length} labelled repeats, ${went.filter(({ labelled }) => labelled).length} labels`)
})

test('a restart goes on where it was: what waited at Telegram comes in order and marked as late, and once', async t => {
  const { house, server, room, alice } = await open(t)
  const stop = await house.run('bridge', runBridge)
  await within(server.listening(), 'Telegram to be listened to')
  server.world.say(room, alice, { text: 'before' })
  await until(() => seen(house).length === 1, 'the first')
  await stop()
  for (const n of [1, 2, 3]) server.world.say(room, alice, { text: `while away ${n}` })
  const opened = server.world.say(room, alice, { forum_topic_created: { name: 'Food', icon_color: 1 } })
  const topic = { message_thread_id: opened.message.message_id, is_topic_message: true }
  server.world.say(room, alice, { text: 'in a new topic', ...topic })
  await house.run('bridge', runBridge)
  await until(() => seen(house).length >= 6, 'the rest')
  await settled(house)
  assert.deepEqual(
    seen(house).map(line => line.replace(/^\w+: /, '')),
    ['before', 'while away 1', 'while away 2', 'while away 3', '[topic: Food]', 'in a new topic'],
  )
})
