import assert from 'node:assert/strict'
import { after, afterEach, before, test } from 'node:test'
import { upload } from '../../core/contract/harness.ts'
import type { RecordBook } from '../../core/contract/record.ts'
import { stopwatch } from '../../core/contract/stopwatch.ts'
import { ChanopError } from '../../core/error.ts'
import type { Content, Draft, MessageId, Place, UserId } from '../../core/event.ts'
import { text } from '../../core/event.ts'
import { DiscordFake } from './testing/fake.ts'
import type { Channel, Message, User } from './testing/objects.ts'
import { placeAt, shown, Trial } from './testing/trial.ts'

let fake: DiscordFake
let alice: User
let room: Channel
const trials: Trial[] = []

before(async () => {
  fake = await DiscordFake.start()
  alice = fake.world.user('alice', { global_name: 'Alice' })
  fake.world.enter(alice)
})
afterEach(async () => {
  for (const trial of trials.splice(0)) await trial.stop()
  fake.storms.clear()
  fake.odd = null
})
after(async () => {
  await fake.stop()
  assert.deepEqual(fake.faults, [])
})

async function start(more: object = {}, given: { book?: RecordBook; keep?: true } = {}): Promise<Trial> {
  if (!given.keep) room = fake.world.channel('room')
  const trial = await Trial.start(fake, { channels: [room.id], ...more }, given.book ? { book: given.book } : {})
  trials.push(trial)
  return trial
}

const as = (name: string, said: string | Content, more: Partial<Draft> = {}): Draft => ({
  content: typeof said === 'string' ? text(said) : said,
  as: { name, relayed: true, avatar: 'https://pictures.example/a.png' },
  ...more,
})
const own = (said: string | Content, more: Partial<Draft> = {}): Draft => ({
  content: typeof said === 'string' ? text(said) : said,
  ...more,
})
const said = (where: Channel = room): Message[] => fake.world.messages.get(where.id) ?? []
const lines = (where: Channel = room): string[] =>
  said(where).map(({ author, content }) => `${author.username}: ${shown(content)}`)
const place = (thread?: string): Place => ({
  ...placeAt(room.id),
  ...(thread === undefined ? {} : { thread: thread as MessageId }),
})
let serial = 0
const key = (): string => `k${serial++}`

test('relayed people have their name and picture, whatever they are called, and nobody is pinged by accident', async () => {
  const { adapter } = await start()
  const from = fake.requests.length
  for (const name of ['Bob', 'Discord Fan', 'clyde', '  ', '@everyone', 'x'.repeat(200), 'adm\u200bin', '名前 🙂'])
    await adapter.send(place(), as(name, 'hi @everyone <@100000000000000001>'), key())
  assert.deepEqual(
    said()
      .map(({ author }) => author.username)
      .slice(0, 5),
    ['Bob', 'Dis-cord Fan', 'cly-de', 'nameless', '·everyone'],
  )
  assert.ok(said().every(({ allowed }) => allowed?.parse?.length === 0 && allowed.users?.length === 0))
  assert.ok(said().every(({ webhook }) => webhook !== undefined))
  assert.equal(fake.requests.slice(from).filter(each => each === `POST /channels/${room.id}/webhooks`).length, 1)
  assert.equal(fake.routes.avatars.get(said()[0]?.id ?? ''), 'https://pictures.example/a.png')
  const mention: Content = {
    segments: [
      { kind: 'mention', id: alice.id as UserId, name: 'Alice' },
      { kind: 'text', text: ' look' },
    ],
  }
  await adapter.send(place(), as('Bob', mention), key())
  assert.deepEqual(said().at(-1)?.allowed?.users, [alice.id])
  await adapter.send(place(), own('all @everyone', { everyone: true }), key())
  assert.deepEqual(said().at(-1)?.allowed?.parse, ['everyone'])
})

test('a webhook has no replies: what is answered is quoted; our own words reply', async () => {
  const { adapter, book } = await start()
  const root = fake.world.post(room, alice, { content: 'what **time** is it?' })
  await book.hears('what time is it?')
  const answer: Content = { ...text('noon'), replyTo: root.id as MessageId }
  await adapter.send(place(), as('Bob', answer), key())
  assert.equal(said().at(-1)?.content, '> Alice: what time is it?\nnoon')
  await adapter.send(place(), own(answer), key())
  assert.equal(said().at(-1)?.reference?.message_id, root.id)
  assert.equal(said().at(-1)?.allowed?.replied_user, false)
  fake.world.remove(root)
  await adapter.send(place(), own(answer), key())
  await adapter.send(place(), as('Bob', { ...text('late'), replyTo: '100000000000000002' as MessageId }), key())
  assert.equal(said().at(-1)?.content, 'late')
})

test('without Manage Webhooks the name stands before the words, and with it again people have faces', async () => {
  const { adapter, book } = await start()
  fake.world.deny(room, 1n << 29n)
  await book.until(
    () => adapter.status().troubles?.some(({ reason }) => reason.includes('Manage Webhooks')),
    'the trouble',
  )
  await adapter.send(place(), as('B*b', 'hi'), key())
  await adapter.send(place(), as('Bob', { ...text('waves'), style: 'action' }), key())
  assert.deepEqual(
    said().map(({ content }) => content),
    ['**B\\*b**: hi', '\\* **Bob** *waves*'],
  )
  fake.world.deny(room, 0n)
  await book.until(() => (adapter.status().troubles ?? []).length === 0, 'no trouble')
  await adapter.send(place(), as('Bob', 'again'), key())
  assert.equal(said().at(-1)?.author.username, 'Bob')
  // Somebody deletes the webhook: nothing is lost.
  fake.world.hooks.clear()
  await adapter.send(place(), as('Bob', 'and again'), key())
  assert.equal(lines().at(-1), 'Bob: and again')
})

test('without faces each message of a long text has its name, an edit keeps their count, and they are found again', async () => {
  const { adapter } = await start({ webhooks: false })
  const long = as('Mallory', `${'x'.repeat(1_900)}\n${'alice: I resign. '.repeat(150)}`)
  const ids = await adapter.send(place(), long, 'long')
  assert.equal(ids.length, 3)
  const names = (): (string | undefined)[] => said().map(({ content }) => /^\*\*(.*?)\*\*: /.exec(content)?.[1])
  assert.deepEqual(names(), ['Mallory', 'Mallory', 'Mallory'])
  assert.ok(said().every(({ content }) => content.length <= 2_000))
  assert.deepEqual(await adapter.find?.(place(), 'long', { do: 'send', ...long }), ids)
  assert.deepEqual(await adapter.edit?.(place(), ids, long, key()), ids)
  assert.equal((await adapter.edit?.(place(), ids, as('Mallory', 'y'.repeat(7_000)), key()))?.length, 4)
  assert.deepEqual(names(), ['Mallory', 'Mallory', 'Mallory', 'Mallory'])
})

test('edits, deletions and reactions find what a webhook said and what we said, after a restart too, and tell nothing back', async () => {
  const first = await start()
  const hooked = await first.adapter.send(place(), as('Bob', 'first'), key())
  const ours = await first.adapter.send(place(), own('second'), key())
  await first.stop()
  const { adapter, book } = await start({}, { book: first.book, keep: true })
  await adapter.edit?.(place(), hooked, as('Bob', 'first, @everyone edited'), key())
  await adapter.edit?.(place(), ours, own('second, edited'), key())
  assert.deepEqual(lines(), ['Bob: first, @everyone edited', 'chanop: second, edited'])
  assert.deepEqual(said()[0]?.allowed?.parse, [])
  const longer = await adapter.edit?.(place(), hooked, as('Bob', 'x'.repeat(4_500)), 'grow')
  assert.equal(longer?.length, 3)
  const again = await adapter.edit?.(place(), longer ?? [], as('Bob', 'x'.repeat(4_500)), 'grow')
  assert.deepEqual(again, longer)
  assert.equal(said().filter(({ author }) => author.username === 'Bob').length, 3)
  await adapter.edit?.(place(), longer ?? [], as('Bob', 'short'), key())
  assert.deepEqual(lines(), ['Bob: short', 'chanop: second, edited'])
  await adapter.react?.(place(), hooked[0] as MessageId, { emoji: '👍' }, key())
  await adapter.react?.(place(), hooked[0] as MessageId, { emoji: '👍' }, key())
  assert.deepEqual(
    said()[0]?.reactions.map(({ users }) => users),
    [[fake.world.self.id]],
  )
  await assert.rejects(async () => adapter.react?.(place(), hooked[0] as MessageId, { emoji: ':none:' }, key()), {
    code: 'unsupported',
  })
  await assert.rejects(async () => adapter.react?.(place(), hooked[0] as MessageId, { emoji: 'no emoji' }, key()), {
    code: 'send-refused',
  })
  await adapter.remove?.(place(), [...hooked, ...ours], undefined, key())
  await adapter.remove?.(place(), [...hooked, ...ours], undefined, key())
  assert.deepEqual(lines(), [])
  fake.world.post(room, alice, { content: 'mark' })
  await book.hears('mark')
  assert.deepEqual(
    book.facts.map(({ kind }) => kind),
    ['message'],
  )
})

test('a change of the words takes no file away, however many messages there were, and words that are gone are', async () => {
  const first = await start()
  const many = Array.from({ length: 12 }, (_, n) => upload(`f${n}.bin`, Uint8Array.of(n)))
  const twelve = await first.adapter.send(place(), as('Bob', 'twelve', { uploads: many }), key())
  const one = [upload('one.bin', Uint8Array.of(1))]
  const long = await first.adapter.send(place(), as('Bob', 'y'.repeat(3_000), { uploads: one }), key())
  await first.stop()
  const { adapter } = await start({}, { book: first.book, keep: true })
  assert.deepEqual(await adapter.edit?.(place(), twelve, as('Bob', 'a dozen'), key()), twelve)
  assert.deepEqual(await adapter.edit?.(place(), long, as('Bob', 'short'), key()), long)
  const shown = (): unknown[] => said().map(({ content, files }) => [content, files.length])
  assert.deepEqual(shown(), [
    ['a dozen', 10],
    ['', 2],
    ['short', 0],
    ['', 1],
  ])
  const none = { segments: [] }
  assert.deepEqual(await adapter.edit?.(place(), twelve, as('Bob', none), key()), twelve)
  assert.deepEqual(await adapter.edit?.(place(), long, as('Bob', none), key()), long.slice(1))
  assert.deepEqual(shown(), [
    ['', 10],
    ['', 2],
    ['', 1],
  ])
  const words = await adapter.send(place(), as('Bob', 'words alone'), key())
  await assert.rejects(async () => adapter.edit?.(place(), words, as('Bob', none), key()), { code: 'send-refused' })
})

test('threads: faces speak in them, a message opens one, and where none can be it is an answer', async () => {
  const { adapter, book } = await start()
  const root = fake.world.post(room, alice, { content: 'a root' })
  await book.hears('a root')
  const hooked = await adapter.send(place(root.id), as('Bob', 'in it'), key())
  const thread = fake.world.channels.get(root.id) as Channel
  assert.equal(thread.name, 'a root')
  assert.deepEqual(lines(thread), ['Bob: in it'])
  await adapter.edit?.(place(root.id), hooked, as('Bob', 'in it, edited'), key())
  await adapter.react?.(place(root.id), root.id as MessageId, { emoji: '👀' }, key())
  assert.equal(root.reactions.length, 1)
  await adapter.remove?.(place(root.id), hooked, undefined, key())
  assert.deepEqual(lines(thread), [])
  thread.archived = true
  await adapter.send(place(root.id), own('wakes it'), key())
  assert.deepEqual(lines(thread), ['chanop: wakes it'])

  const system = fake.world.post(room, alice, { type: 7 })
  await adapter.send({ ...place(), thread: system.id as MessageId }, own('no thread here'), key())
  assert.equal(said().at(-1)?.content, 'no thread here')
  assert.equal(said().at(-1)?.reference?.message_id, system.id)
})

test('a webhook’s message whose answer was lost is found in the history, never said twice, after a restart too', async () => {
  const first = await start()
  await first.adapter.send(place(), as('Bob', 'same'), 'w-1')
  fake.loses = (method, path) => method === 'POST' && path.startsWith('/webhooks/')
  await assert.rejects(first.adapter.send(place(), as('Bob', 'same'), 'w-2'), { code: 'network-down' })
  assert.equal(lines().filter(line => line === 'Bob: same').length, 2)
  await first.stop()
  const second = await start({}, { book: first.book, keep: true })
  const act = { do: 'send' as const, ...as('Bob', 'same') }
  assert.deepEqual(await second.adapter.find?.(place(), 'w-2', act), [said()[1]?.id])
  assert.deepEqual(await second.adapter.find?.(place(), 'w-1', act), [said()[0]?.id])
  assert.equal(await second.adapter.find?.(place(), 'w-3', act), 'not-sent')
  await second.adapter.send(place(), as('Bob', 'same'), 'w-3')
  assert.equal(lines().length, 3)
})

test('of a long text whose second part was lost only what is missing is said', async () => {
  const trial = await start()
  const { adapter } = trial
  const long = as('Bob', Array.from({ length: 900 }, (_, n) => `w${n}`).join(' '))
  let posts = 0
  fake.loses = (method, path) => method === 'POST' && path.startsWith('/webhooks/') && ++posts === 2
  await assert.rejects(adapter.send(place(), long, 'long-1'), { code: 'network-down' })
  await trial.back(fake)
  const found = await adapter.find?.(place(), 'long-1', { do: 'send', ...long })
  assert.equal(found, 'not-sent')
  const before = said().length
  const ids = await adapter.send(place(), long, 'long-1')
  assert.equal(before, 2)
  assert.deepEqual(
    said().map(({ id }) => id),
    ids,
  )
  assert.equal(
    said()
      .map(({ content }) => content)
      .join(' ')
      .replace(/\s+/g, ' '),
    long.content.segments.map(segment => ('text' in segment ? segment.text : '')).join(''),
  )
})

test('our own message that is sent again after a lost answer is one, by its key', async () => {
  const trial = await start()
  fake.loses = (method, path) => method === 'POST' && path === `/channels/${room.id}/messages`
  await assert.rejects(trial.adapter.send(place(), own('once'), 'n-1'), { code: 'network-down' })
  await trial.back(fake)
  const ids = await trial.adapter.send(place(), own('once'), 'n-1')
  assert.deepEqual(
    said().map(({ id }) => id),
    ids,
  )
})

test('a storm of 429 on one channel delays no other, and is waited for as the platform says', async () => {
  const { adapter } = await start()
  const calm = fake.world.channel('calm')
  await adapter.channels?.join(placeAt(calm.id))
  await adapter.send(place(), own('before'), key())
  fake.storms.set(`/channels/${room.id}/messages`, { retryAfter: 5, scope: 'user' })
  const tookMs = stopwatch()
  const stormed = adapter.send(place(), own('must wait'), key())
  await assert.rejects(stormed, (error: unknown) => {
    assert.ok(error instanceof ChanopError && error.code === 'send-later')
    assert.ok((error.afterMs ?? 0) >= 4_000 && (error.afterMs ?? 0) <= 6_000, String(error.afterMs))
    return true
  })
  for (let n = 0; n < 20; n++) await adapter.send(placeAt(calm.id), own(`calm ${n}`), key())
  assert.equal(said(calm).length, 20)
  assert.ok(tookMs() < 4_000)
  const asked = fake.requests.filter(each => each === `POST /channels/${room.id}/messages`).length
  await assert.rejects(adapter.send(place(), own('must wait'), key()), { code: 'send-later' })
  assert.equal(
    fake.requests.filter(each => each === `POST /channels/${room.id}/messages`).length,
    asked,
    'it is not even asked before its time',
  )
})

test('a limit that says no time, one that says an absurd one, and a page instead of an answer lose nothing', async () => {
  const { adapter } = await start()
  await adapter.send(place(), own('before'), key())
  const html = { 'content-type': 'text/html' }
  const json = { 'content-type': 'application/json' }
  const odd: [number, Record<string, string>, string, 'send-later' | 'network-down', number?][] = [
    [429, html, '<html>error 1015</html>', 'send-later', 5_000],
    [429, { ...html, 'retry-after': 'soon' }, '<html>', 'send-later', 5_000],
    [429, json, '{"message":"slow","retry_after":7.5,"global":false}', 'send-later', 7_500],
    [429, { ...json, 'retry-after': '99999999999999999999' }, '{"message":"slow"}', 'send-later', 86_400_000],
    [429, { ...json, 'x-ratelimit-remaining': '0', 'x-ratelimit-reset-after': '1e30' }, '{}', 'send-later', 5_000],
    [403, html, '<html>error 1020</html>', 'send-later'],
    [404, html, '<html>nginx</html>', 'send-later'],
    [200, html, '<html>log in to the wireless</html>', 'network-down'],
    [429, { ...json, 'retry-after': '9' }, '{"message":"slow","retry_after":8.2,"global":true}', 'send-later', 9_000],
  ]
  const rooms = odd.map((_, at) => fake.world.channel(`odd-${at}`))
  for (const { id } of rooms) await adapter.channels?.join(placeAt(id))
  for (const [at, [status, headers, body, code, afterMs]] of odd.entries()) {
    const calm = rooms[at] as Channel
    let asked = 0
    fake.odd = (method, path) =>
      method === 'POST' && path === `/channels/${calm.id}/messages` && ++asked > 0 ? { status, headers, body } : null
    await assert.rejects(adapter.send(placeAt(calm.id), own('x'), key()), (error: unknown) => {
      assert.ok(error instanceof ChanopError && error.code === code, `${status} ${body}: ${String(error)}`)
      if (afterMs !== undefined) assert.ok(Math.abs((error.afterMs ?? 0) - afterMs) < 1_000, String(error.afterMs))
      return true
    })
    assert.equal(asked, 1, 'it is asked once')
    fake.odd = null
  }
})

test('a bucket that is used up is waited for without a single 429', async () => {
  const { adapter } = await start()
  fake.limits.set('POST /channels/:id/messages', { limit: 5, perMs: 400 })
  let refused = 0
  const bucket = fake.requests.length
  for (let n = 0; n < 12; n++) await adapter.send(place(), own(`paced ${n}`), key()).catch(() => refused++)
  fake.limits.clear()
  assert.equal(refused, 0)
  assert.equal(said().length, 12)
  assert.equal(fake.requests.slice(bucket).filter(each => each === `POST /channels/${room.id}/messages`).length, 12)
})

test('what the platform refuses says why and what to do, and is final; what it fails at is asked about', async () => {
  const { adapter, book } = await start()
  fake.fails = (method, path) => (method === 'POST' && path.endsWith('/messages') ? 503 : null)
  await assert.rejects(adapter.send(place(), own('x'), key()), { code: 'network-down' })
  fake.fails = null
  fake.world.deny(room, 1n << 11n)
  await assert.rejects(adapter.send(place(), own('x'), key()), { code: 'send-refused', message: /lacks a permission/ })
  await book.until(
    () => adapter.status().troubles?.some(({ reason }) => reason.includes('Send Messages')),
    'the trouble',
  )
  fake.closed.add(alice.id)
  await assert.rejects(async () => adapter.direct?.(alice.id as UserId), {
    code: 'send-refused',
    message: /no direct messages/,
  })
  await assert.rejects(async () => adapter.direct?.('100000000000000001' as UserId), { code: 'not-found' })
  await assert.rejects(adapter.send(placeAt('100000000000000009'), own('x'), key()), { code: 'not-found' })
  await assert.rejects(adapter.send(place(), own('s', { secret: true }), key()), { code: 'send-refused' })
})

test('files: more than ten become several messages, a face sends them too, and what is too large is refused before anything is said', async () => {
  const { adapter } = await start()
  const many = Array.from({ length: 12 }, (_, n) => upload(`f${n}.bin`, Uint8Array.of(n)))
  const ids = await adapter.send(place(), as('Bob', 'twelve', { uploads: many }), key())
  assert.deepEqual(
    said().map(({ files }) => files.length),
    [10, 2],
  )
  assert.equal(ids.length, 2)
  const told = { ...upload('cat.png', Uint8Array.of(1)), caption: 'a cat on a wall' }
  await adapter.send(place(), as('Bob', 'see', { uploads: [told] }), key())
  assert.deepEqual(said().at(-1)?.files[0]?.more, { description: 'a cat on a wall' })
  const odd = upload('a/b\n"c"\u0000 ü.txt', new TextEncoder().encode('x'))
  await adapter.send(place(), own('odd', { uploads: [odd] }), key())
  assert.match(said().at(-1)?.files[0]?.filename ?? '', /ü\.txt$/)
  assert.equal(adapter.limits.fileBytes, 10 * 1024 * 1024)
})
