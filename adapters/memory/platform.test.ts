import { strict as assert } from 'node:assert'
import { type TestContext, test } from 'node:test'
import { RecordBook } from '../../core/contract/record.ts'
import { type Draft, formatPlace, type MessageId, type NetworkId, type Place, text } from '../../core/event.ts'
import { silentLog } from '../../core/log.ts'
import type { MemoryAdapter } from './adapter.ts'
import type { MemoryConfig } from './config.ts'
import { placeFor } from './inbound.ts'
import { memory } from './index.ts'
import { postsOf } from './outbound.ts'
import { type MemoryPlatform, memoryServer } from './platform.ts'

const network = 'mem' as NetworkId
const general: Place = placeFor(network, '#general')
const say = (said: string): Draft => ({ content: text(said) })
let opened = 0

interface World {
  readonly platform: MemoryPlatform
  readonly adapter: MemoryAdapter
  readonly book: RecordBook
  readonly ended: Promise<void>
  readonly stop: () => Promise<void>
}

async function start(t: TestContext, config: Partial<MemoryConfig> = {}, before?: MemoryPlatform): Promise<World> {
  const platform = before ?? memoryServer(`platform-${opened++}`)
  const book = new RecordBook()
  const written = memory.schema.parse({ kind: 'memory', server: platform.name, channels: ['#general'], ...config })
  const adapter = (await memory.create(written, {
    network,
    log: silentLog(),
    cursors: book.cursors,
    personas: ['oracle'],
    instance: 'abcdefghijkl',
    places: [placeFor(network, '#ops')],
    dataDir: '/nonexistent',
    secret: () => Promise.reject(new Error('no secrets here')),
    changed: () => book.changed(),
  })) as MemoryAdapter
  const controller = new AbortController()
  const ended = adapter.run(book.sink, controller.signal)
  ended.catch(() => undefined)
  const stop = async (): Promise<void> => {
    controller.abort()
    await ended
  }
  t.after(() => stop().catch(() => undefined))
  await platform.ready(written.account)
  return { platform, adapter, book, ended, stop }
}

test('the configuration names the server, and unknown keys are errors', () => {
  assert.equal(memory.schema.safeParse({ kind: 'memory' }).success, true)
  assert.equal(memory.schema.safeParse({ kind: 'memory', sever: 'x' }).success, false)
  assert.equal(memory.schema.safeParse({ kind: 'memory', channels: ['general'] }).success, false)
})

test('people do everything and the ledger hears of it', async t => {
  const { platform, book } = await start(t)
  const alice = platform.user('alice')
  alice.join('#general')
  const { id } = alice.say('#general', 'hi', {
    attachments: [platform.files.keep(new Uint8Array(3), { name: 'a.txt' })],
  })
  const reply = alice.say('#general', 'in a thread', { thread: id, replyTo: id })
  alice.edit(id, 'hi all')
  alice.react(id, '👍')
  alice.unreact(id, '👍')
  alice.topic('#general', 'weather')
  alice.rename('alice2')
  alice.remove(id, 'wrong')
  alice.leave('#general', 'bye', { split: true })
  await platform.quiet()
  assert.deepEqual(
    book.facts.map(({ kind }) => kind),
    ['member', 'message', 'message', 'edit', 'reaction', 'reaction', 'topic', 'member', 'delete', 'member'],
  )
  const thread = book.messages()[1]
  assert.equal(thread?.place.thread, id)
  assert.equal(thread?.content.replyTo, id)
  assert.equal(thread?.id, reply.id)
  assert.equal(book.messages()[0]?.content.attachments?.[0]?.name, 'a.txt')
  assert.equal(book.facts.at(-1)?.sender.name, 'alice2')
  assert.equal(book.facts.at(-1)?.sender.id, 'alice')
})

test('a private talk stays private and is answered there', async t => {
  const { platform, adapter, book } = await start(t)
  const alice = platform.user('alice')
  alice.dm('oracle', 'psst')
  const { place } = await book.hears('psst')
  assert.deepEqual(place, { network, channel: '@alice', private: true })
  assert.deepEqual(await adapter.direct('alice' as never), place)
  assert.equal(await adapter.secure(place), true)
  assert.equal(await adapter.secure(general), false)
  await adapter.send(place, { ...say('yes?'), as: { name: 'oracle' }, secret: true }, 'd1')
  const heard = await alice.hears('@oracle', 'yes?')
  assert.deepEqual([heard.name, heard.secret, heard.deliveryId], ['oracle', true, 'd1'])
  assert.deepEqual(platform.channel('#general').messages, [])
  await assert.rejects(adapter.direct('nobody' as never), { code: 'not-found' })
})

test('a private message that arrives while we are away is fetched', async t => {
  const { platform, book } = await start(t)
  platform.down()
  platform.user('bob').dm('oracle', 'are you there?')
  platform.up()
  assert.equal((await book.hears('are you there?')).origin, 'backfill')
})

test('a missing answer fails with the transcript, a wanted silence with what was said', async t => {
  const { platform, adapter, book } = await start(t)
  const alice = platform.user('alice')
  await assert.rejects(alice.shouldReply('#general', '!version', /chanop/, { deadlineMs: 20 }), (error: Error) => {
    assert.match(error.message, /to hear \/chanop\/ in #general/)
    assert.match(error.message, /<alice> !version/)
    return true
  })
  const answering = async (said: string, answer: string): Promise<void> => {
    await book.hears(said)
    await adapter.send(general, say(answer), `answer-${said}`)
  }
  const first = answering('!a', 'pong a')
  await alice.shouldStayQuiet('#general', 'hm', '!a', 'pong a')
  const second = answering('!d', 'pong d').then(() => answering('!e', 'pong e'))
  await assert.rejects(alice.shouldStayQuiet('#general', '!d', '!e', 'pong e'), /"!d" was answered with "pong d"/)
  await Promise.all([first, second])
})

test('long drafts keep their marks, every part and one reply', async t => {
  const { platform, adapter } = await start(t, { textBytes: 40 })
  const bold = { kind: 'text', text: 'bold words '.repeat(9), marks: ['bold'] } as const
  const link = { kind: 'link', url: 'https://a.example/path' } as const
  const attachments = [{ ref: 'gone', name: 'a' }]
  const replyTo = 'm0' as MessageId
  const ids = await adapter.send(general, { content: { segments: [bold, link], attachments, replyTo } }, 'd1')
  const { messages } = platform.channel('#general')
  assert.deepEqual(
    messages.map(({ id }) => id),
    ids,
  )
  assert.ok(messages.every(({ text: said }) => Buffer.byteLength(said) <= 40))
  assert.deepEqual(
    messages.map(({ content }) => content.replyTo ?? null),
    [replyTo, ...Array(ids.length - 1).fill(null)],
  )
  assert.equal(messages.filter(({ content }) => content.attachments).length, 1)
  const shorter = await adapter.edit(general, ids, say('short now'), 'd2')
  assert.deepEqual(shorter, ids.slice(0, 1))
  assert.deepEqual(
    messages.filter(({ deleted }) => !deleted).map(({ text: said }) => said),
    ['short now'],
  )
  assert.equal(messages[0]?.edits[0]?.deliveryId, 'd2')
})

test('a repeat says so, a relayed person keeps their name, another instance sees the copy as one', async t => {
  const { platform, adapter } = await start(t)
  const other = await start(t, { account: 'other' }, platform)
  await adapter.send(general, { ...say('again'), repeat: true }, 'd1')
  await adapter.send(general, { ...say('hello'), as: { name: 'zoe', relayed: true } }, 'd2')
  const copy = await other.book.hears('hello')
  assert.deepEqual([copy.hops, copy.sender.name, copy.sender.kind], [1, 'zoe', 'bot'])
  assert.match(platform.channel('#general').messages[0]?.text ?? '', /^\(perhaps said before\) again$/)
})

test('parts that were lost are sent by the next send, those that arrived are not', async t => {
  const { platform, adapter } = await start(t, { textBytes: 16 })
  platform.faults.loseAnswer('cut', 1)
  const long = say('aaaa bbbb cccc dddd eeee ffff gggg hhhh')
  const parts = postsOf(long, 16).length
  await assert.rejects(adapter.send(general, long, 'd1'), { code: 'network-down' })
  assert.equal(platform.channel('#general').messages.length, 2)
  await platform.ready()
  assert.equal(await adapter.find(general, 'd1', { do: 'send', ...long }), 'not-sent')
  const ids = await adapter.send(general, long, 'd1')
  assert.equal(ids.length, parts)
  assert.equal(platform.channel('#general').messages.length, parts)
  assert.deepEqual(await adapter.find(general, 'd1', { do: 'send', ...long }), ids)
})

test('each fault happens once, as often as asked', async t => {
  const { platform, adapter, book } = await start(t, { answerMs: 30 })
  const { faults } = platform
  const alice = platform.user('alice')
  faults.duplicate()
  alice.say('#general', 'twice')
  faults.reorder()
  alice.say('#general', 'second')
  alice.say('#general', 'first')
  await platform.quiet()
  assert.deepEqual(book.texts(), ['twice', 'first', 'second'])
  assert.equal(book.offered.length, 4)
  faults.refuseSends(1, 'send-later', 1500)
  await assert.rejects(adapter.send(general, say('x'), 'd1'), { code: 'send-later', afterMs: 1500 })
  faults.refuseSends(1, 'send-refused')
  await assert.rejects(adapter.send(general, say('x'), 'd2'), { code: 'send-refused' })
  const ids = await adapter.send(general, say('x'), 'd3')
  faults.refuseEdits(1)
  await assert.rejects(adapter.edit(general, ids, say('y'), 'd4'), { code: 'send-refused' })
  await adapter.edit(general, ids, say('y'), 'd4')
  faults.clockSkewMs = 3_600_000
  assert.ok(alice.say('#general', 'late').atMs > Date.now() + 3_000_000)
  faults.loseAnswer('silence')
  await assert.rejects(adapter.send(general, say('unheard'), 'd5'), { code: 'network-down' })
  await platform.ready()
  assert.equal((await adapter.find(general, 'd5', { do: 'send', ...say('unheard') })).length, 1)
})

test('a crash between acceptance and answer leaves the message and no connection', async t => {
  const { platform, adapter, stop } = await start(t)
  const { promise, resolve } = Promise.withResolvers<void>()
  platform.faults.acceptThenCrash(resolve)
  await assert.rejects(adapter.send(general, say('last words'), 'd1'), { code: 'network-down' })
  await promise
  await stop()
  assert.equal(platform.connections, 0)
  assert.equal(platform.channel('#general').messages[0]?.deliveryId, 'd1')
})

test('held acts wait in order, and end when the connection does', async t => {
  const { platform, adapter } = await start(t)
  const release = platform.faults.hold()
  const sends = ['a', 'b'].map(said => adapter.send(general, say(said), said))
  assert.equal(platform.channel('#general').messages.length, 0)
  release()
  await Promise.all(sends)
  assert.deepEqual(
    platform.channel('#general').messages.map(({ text: said }) => said),
    ['a', 'b'],
  )
  platform.faults.hold()
  const stuck = adapter.send(general, say('c'), 'c')
  platform.cut()
  await assert.rejects(stuck, { code: 'network-down' })
})

test('history that the platform forgot is a named gap', async t => {
  const { platform, book } = await start(t)
  const alice = platform.user('alice')
  alice.say('#general', 'old')
  await book.hears('old')
  platform.down()
  alice.say('#general', 'lost')
  platform.forget('#general')
  alice.say('#general', 'kept')
  platform.up()
  await book.hears('kept')
  const gap = book.facts.find(({ kind }) => kind === 'gap')
  assert.equal(gap && formatPlace(gap.place), 'mem:#general')
})

test('a refused login ends run; an outage does not', async t => {
  const { platform, adapter, ended } = await start(t)
  platform.down('maintenance')
  await assert.rejects(adapter.send(general, say('hm'), 'd1'), { code: 'network-down' })
  assert.equal(adapter.status().state, 'connecting')
  platform.faults.loginRefused = 'no such account'
  await assert.rejects(ended, { code: 'network-refused' })
  assert.equal(adapter.status().state, 'down')
})

test('channels are entered and left at run time, and shown states come and go', async t => {
  const { platform, adapter, book } = await start(t)
  const alice = platform.user('alice')
  const side = placeFor(network, '#side')
  alice.say('#side', 'too early')
  await adapter.channels.join(side)
  alice.say('#side', 'in time')
  await book.hears('in time')
  await adapter.channels.part(side, 'done')
  alice.say('#side', 'too late')
  alice.say('#ops', 'still here')
  await book.hears('still here')
  assert.deepEqual(book.texts(), ['in time', 'still here'])
  adapter.typing(general, 'oracle', true)
  assert.ok(platform.channel('#general').typing.has('oracle'))
  adapter.away('oracle', 'not running')
  assert.equal(platform.away.get('oracle'), 'not running')
})

test('accounts are made, closed and taken away, each as often as one likes', async t => {
  const { platform, adapter } = await start(t)
  const { accounts } = adapter
  await accounts.create('bob', 'first')
  await assert.rejects(accounts.create('bob', 'other'), { code: 'account-exists' })
  await accounts.setPassword('bob', 'second')
  assert.throws(() => platform.login('bob', 'first'), { code: 'denied' })
  const bob = platform.login('bob', 'second')
  bob.join('#general')
  assert.deepEqual(await accounts.get('bob'), { account: 'bob', suspended: false, sessions: 1 })
  await accounts.suspend('bob', 'spam')
  await accounts.suspend('bob', 'spam')
  assert.deepEqual(await accounts.get('bob'), { account: 'bob', suspended: true, sessions: 0 })
  assert.throws(() => bob.say('#general', 'hi'), { code: 'denied' })
  assert.throws(() => platform.login('bob', 'second'), { code: 'denied' })
  await accounts.restore('bob')
  await accounts.addCertificate('bob', 'ab12')
  platform.login('bob', 'ab12')
  assert.equal(await accounts.endSessions('bob', 'rotation'), 1)
  assert.equal(await accounts.endSessions('bob', 'rotation'), 0)
  await accounts.drop('bob')
  await accounts.drop('bob')
  assert.equal(await accounts.get('bob'), null)
  platform.faults.refuseAccounts()
  await assert.rejects(accounts.create('eve', 'x'), { code: 'account-failed' })
  await assert.rejects(accounts.setPassword('nobody', 'x'), { code: 'account-unknown' })
})
