import assert from 'node:assert/strict'
import { test } from 'node:test'
import { upload, within } from '../../core/contract/harness.ts'
import { stopwatch } from '../../core/contract/stopwatch.ts'
import { ChanopError } from '../../core/error.ts'
import type { Draft } from '../../core/event.ts'
import { sleep } from '../../core/retry.ts'
import { telegramsSpeeds } from './testing/limits.ts'
import { Refused } from './testing/text.ts'
import { placeOf, Trial, words } from './testing/trial.ts'

const codeOf = (thrown: unknown): string => (thrown instanceof ChanopError ? thrown.code : String(thrown))

test('a chat that has to wait keeps up no other', async t => {
  const trial = await Trial.open(t, { speeds: { ...telegramsSpeeds, all: { most: 1000, windowMs: 1000 } } })
  const quiet = trial.server.world.group('Quiet')
  const { adapter } = await trial.start(t, { channels: [trial.room.chat.id, quiet.chat.id] })
  const storm = Array.from({ length: 12 }, (_, n) =>
    trial.send(adapter, words(`storm ${n}`)).catch((error: unknown) => error),
  )
  const tookMs = stopwatch()
  for (let n = 0; n < 5; n++) await trial.send(adapter, words(`calm ${n}`), placeOf(quiet))
  assert.ok(tookMs() < 2000, 'the other chat goes on')
  const refused = (await Promise.all(storm)).filter(result => result instanceof ChanopError)
  assert.ok(refused.length > 0, 'Telegram refused some')
  for (const error of refused) {
    assert.equal(error.code, 'send-later')
    assert.ok((error.afterMs ?? 0) > 0, 'with the time to wait')
  }
  const asked = trial.server.asked('sendMessage').filter(({ answer }) => answer['error_code'] === 429)
  assert.equal(asked.length, 1, 'nothing is asked of a chat that has to wait')
  assert.deepEqual(
    trial.texts,
    Array.from({ length: 5 }, (_, n) => `storm ${n}`),
    'in order, and none twice',
  )
})

test('a limit is obeyed however it says its time, and what is no answer of the Bot API is no refusal', async t => {
  const trial = await Trial.open(t)
  const { server } = trial
  const rooms = Array.from({ length: 7 }, (_, n) => server.world.group(`Odd ${n}`))
  const { adapter } = await trial.start(t, { channels: rooms.map(({ chat }) => chat.id) })
  const answers: [object | string, number, string, number?][] = [
    [{ error_code: 429, description: 'Too Many Requests: retry after 4' }, 429, 'send-later', 4000],
    [{ error_code: 429, description: 'Too Many', parameters: { retry_after: 'x' } }, 429, 'send-later', 1000],
    [{ error_code: 429, description: 'Too Many', parameters: { retry_after: 1e15 } }, 429, 'send-later', 86_400_000],
    [{ message: 'API rate limit exceeded' }, 429, 'network-down'],
    [{ error_code: '400', description: 'x' }, 400, 'network-down'],
    [{ ok: true }, 200, 'network-down'],
    ['null', 200, 'network-down'],
  ]
  for (const [at, [answer, status, code, afterMs]] of answers.entries()) {
    server.fault({ raw: typeof answer === 'string' ? answer : JSON.stringify({ ok: false, ...answer }), status })
    const place = placeOf(rooms[at] as (typeof rooms)[number])
    const thrown = await adapter.send(place, words('x'), `odd${at}`).catch((error: unknown) => error)
    assert.ok(thrown instanceof ChanopError && thrown.code === code, `${JSON.stringify(answer)}: ${String(thrown)}`)
    assert.equal(thrown.afterMs, afterMs)
  }
})

test('our own pace keeps Telegram from ever refusing', async t => {
  const trial = await Trial.open(t, {
    speeds: {
      chat: { most: 5, windowMs: 150 },
      group: { most: 20, windowMs: 60_000 },
      all: { most: 30, windowMs: 1000 },
    },
  })
  const { adapter } = await trial.start(t, { rate: { chatPerSecond: 20, groupPerMinute: 20, perSecond: 30 } })
  const all = Array.from({ length: 24 }, (_, n) => trial.send(adapter, words(`n ${n}`)).catch(codeOf))
  const results = await Promise.all(all)
  assert.equal(results.filter(result => typeof result !== 'string').length, 20)
  assert.deepEqual(new Set(results.filter(result => typeof result === 'string')), new Set(['send-later']))
  assert.equal(trial.server.asked('sendMessage').filter(({ answer }) => answer['ok'] !== true).length, 0)
})

test('a token that Telegram does not know ends it for good, and is said nowhere', async t => {
  const trial = await Trial.open(t, { token: '7000000001:AAanotherTokenAltogether-0123456789' })
  const secret = '7000000001:AAsecretTokenThatIsWrong-0123456789'
  const adapter = await trial.create({}, secret)
  await assert.rejects(within(adapter.run(trial.book.sink, new AbortController().signal), 'run'), (thrown: unknown) => {
    assert.equal(codeOf(thrown), 'network-refused')
    assert.match((thrown as Error).message, /@BotFather/)
    return true
  })
  assert.equal(adapter.status().state, 'down')
  assert.doesNotMatch(JSON.stringify(adapter.status()), /AAsecret/)
})

test('no answer of a gateway brings the token out', async t => {
  const trial = await Trial.open(t)
  const { adapter } = await trial.start(t)
  const html = { raw: '<html>502</html>', status: 200 }
  for (const does of [html, { ...html, status: 502 }, { ...html, status: 404 }, 'lose-request' as const]) {
    trial.server.fault(does)
    await assert.rejects(trial.send(adapter, words('x')), (thrown: unknown) => {
      assert.equal((thrown as ChanopError).code, 'network-down', (thrown as Error).message)
      assert.ok(
        !JSON.stringify([thrown, (thrown as Error).message, (thrown as Error).stack]).includes(trial.server.token),
      )
      return true
    })
  }
})

test('two programs with one token: it says what to do, and goes on by itself', async t => {
  const trial = await Trial.open(t)
  const { adapter } = await trial.start(t)
  const url = `${trial.server.url}/bot${trial.server.token}/getUpdates`
  await fetch(url, { method: 'POST', body: '{}' })
  await trial.book.until(() => adapter.status().state === 'down', 'the conflict')
  assert.match(adapter.status().reason ?? '', /another program .*\/revoke/)
  await trial.book.until(() => adapter.status().state === 'up', 'it to be up again')
  trial.server.webhook = true
  trial.server.cut()
  await trial.book.until(() => /webhook/.test(adapter.status().reason ?? ''), 'the webhook')
})

test('a group that puts us out is named, others go on, and it is well again when we are let in', async t => {
  const trial = await Trial.open(t)
  const { server, room } = trial
  const other = server.world.group('Other')
  const { adapter } = await trial.start(t, { channels: [room.chat.id, other.chat.id] })
  room.bot.status = 'kicked'
  await assert.rejects(trial.send(adapter, words('x')), { code: 'send-refused' })
  assert.match(adapter.status().troubles?.[0]?.reason ?? '', /was put out of it: let it in again \(.*kicked/)
  await trial.send(adapter, words('y'), placeOf(other))
  assert.equal(adapter.status().state, 'up')
  room.bot.status = 'member'
  await trial.send(adapter, words('z'))
  assert.equal(adapter.status().troubles, undefined)
})

test('privacy mode is named with the switch to turn', async t => {
  const trial = await Trial.open(t, { privacy: true })
  trial.room.bot.status = 'member'
  const { adapter } = await trial.start(t)
  await trial.book.until(
    () => adapter.status().lacks.some(line => /privacy mode.*Trial.*\/setprivacy/.test(line)),
    'it',
  )
})

test('a group that becomes a supergroup keeps its place', async t => {
  const trial = await Trial.open(t, {}, { type: 'group' })
  const { server, room } = trial
  const alice = server.world.user('alice')
  const { adapter } = await trial.start(t)
  const before = await trial.send(adapter, words('before'))
  const moved = server.world.group('Trial')
  room.movedTo = moved.chat.id
  await assert.rejects(adapter.send(trial.place, words('after'), 'm'), { code: 'send-later' })
  const ids = await adapter.send(trial.place, words('after'), 'm')
  assert.equal(moved.messages.length, 1)
  server.world.say(moved, alice, { text: 'hello there' })
  const heard = await trial.book.hears('hello there')
  assert.equal(heard.place.channel, trial.place.channel)
  await adapter.edit?.(trial.place, ids, words('changed'), 'e')
  assert.equal(moved.messages[0]?.message['text'], 'changed')
  assert.equal(await trial.book.cursors.get('moved'), JSON.stringify({ [room.chat.id]: moved.chat.id }))
  const old = async () => adapter.edit?.(trial.place, before, words('changed'), 'old')
  await assert.rejects(old, { code: 'send-refused', message: /before the group became a supergroup/ })
})

test('a group that became a supergroup is known by the first word of that in the new one', async t => {
  const trial = await Trial.open(t, {}, { type: 'group' })
  const { server, room } = trial
  const alice = server.world.user('alice')
  const { adapter } = await trial.start(t)
  const moved = server.world.group('Trial')
  server.world.say(moved, alice, { migrate_from_chat_id: room.chat.id })
  server.world.say(moved, alice, { text: 'hello there' })
  assert.equal((await trial.book.hears('hello there')).place.channel, trial.place.channel)
  assert.equal(adapter.status().troubles, undefined)
})

test('a file that a proxy before Telegram takes for too large is named, and keeps up nothing', async t => {
  const trial = await Trial.open(t)
  const { adapter } = await trial.start(t)
  const page = { raw: '<html><title>413 Request Entity Too Large</title></html>', status: 413 }
  trial.server.fault(page, /^send(Photo|Document)$/, 2)
  const uploads = [upload('big.png', new Uint8Array(9))]
  await adapter.send(trial.place, { ...words('look'), uploads }, 'p')
  assert.match(trial.texts.join('\n'), /look\n\[big\.png\]/)
})

test('words of a file that are gone are, and the file stays', async t => {
  const trial = await Trial.open(t)
  const { adapter } = await trial.start(t)
  const as = { name: 'bob', relayed: true as const }
  const both = { ...words('look'), as, uploads: [upload('a.txt', new Uint8Array(3))] }
  const ids = await adapter.send(trial.place, both, 'w')
  const shown = (): unknown[] =>
    trial.seen.map(({ message, file }) => [message['caption'], file !== undefined] as const)
  assert.match(JSON.stringify(shown()), /bob.*: look",true/)
  assert.deepEqual(await adapter.edit?.(trial.place, ids, { content: { segments: [] }, as }, 'x'), ids)
  assert.match(JSON.stringify(shown()), /bob[^a-z]*",true/)
})

test('what is gone at Telegram is a gap, and what is not is none', async t => {
  const trial = await Trial.open(t)
  const { server, room, book } = trial
  const alice = server.world.user('alice')
  const first = await trial.start(t)
  server.world.say(room, alice, { text: 'one' })
  await book.hears('one')
  await server.listening()
  await first.stop()
  server.world.say(room, alice, { text: 'two' })
  server.world.expire()
  server.world.say(room, alice, { text: 'three' })
  const second = await trial.start(t)
  await book.hears('three')
  const gaps = book.facts.filter(({ kind }) => kind === 'gap')
  assert.equal(gaps.length, 1)
  assert.ok(
    book.facts.findIndex(({ kind }) => kind === 'gap') < book.facts.findIndex(fact => fact === book.message('three')),
  )
  await second.stop()
  server.world.say(room, alice, { text: 'four' })
  await trial.start(t)
  await book.hears('four')
  assert.equal(book.facts.filter(({ kind }) => kind === 'gap').length, 1, 'no second one')
})

test('more than a day away is a gap although nothing waits', async t => {
  const trial = await Trial.open(t)
  const longAgo = Date.now() - 30 * 3_600_000
  await trial.book.cursors.set('updates', JSON.stringify({ next: 100_000_001, updateMs: longAgo, askedMs: longAgo }))
  await trial.start(t)
  const gap = trial.book.facts.find(fact => fact.kind === 'gap')
  assert.ok(gap?.kind === 'gap')
  assert.equal(gap.fromMs, longAgo)
  assert.match(gap.reason, /30 hours/)
})

test('a refusal for a reason of today is tried later, a permanent one is not', async t => {
  const trial = await Trial.open(t)
  const { adapter } = await trial.start(t)
  trial.server.fault(new Refused(500, 'Internal Server Error'))
  await assert.rejects(trial.send(adapter, words('x')), { code: 'network-down' })
  trial.server.fault(new Refused(400, 'Bad Request: TOPIC_CLOSED'))
  await assert.rejects(trial.send(adapter, words('x')), { code: 'send-refused', message: 'Telegram: TOPIC_CLOSED' })
  trial.server.fault(new Refused(401, 'Unauthorized'))
  await assert.rejects(trial.send(adapter, words('x')), { code: 'send-later' })
})

test('what one person alone may see is shown to nobody else, whatever the server knows of such messages', async t => {
  for (const ephemeral of ['10.2', '10.3', null] as const) {
    const trial = await Trial.open(t, { ephemeral })
    const { server, room, book } = trial
    const alice = server.world.user('alice')
    const { adapter } = await trial.start(t)
    const say = (text: string) =>
      within(adapter.sendEphemeral?.(trial.place, String(alice.id) as never, words(text), text) as never, 'it')
    if (ephemeral === null) await assert.rejects(say('secret'), { code: 'unsupported' })
    else assert.equal(((await say('secret')) as string[]).length, 1)
    const public_ = room.messages.filter(({ only }) => only === undefined)
    assert.deepEqual(
      public_.map(({ message }) => message['text']),
      [],
      ephemeral ?? 'none',
    )
    const message = { message_id: 0, ephemeral_message_id: 7, from: alice, chat: room.chat, date: 1, text: 'just us' }
    server.world.push('message', message)
    const heard = await book.hears('just us')
    assert.deepEqual(heard.place, { network: 'tg', channel: String(alice.id), private: true })
  }
})

test('a private answer in parts goes on where it was when Telegram takes no more for a while', async t => {
  const trial = await Trial.open(t, { ephemeral: '10.3' })
  const { server, room } = trial
  const alice = server.world.user('alice')
  const { adapter } = await trial.start(t)
  const say = (text: string, id: string) =>
    within(adapter.sendEphemeral?.(trial.place, String(alice.id) as never, words(text), id) as never, 'it')
  await say('a first word', 'e0')
  const window = { most: 2, windowMs: 1500 }
  server.limits.speeds = { chat: window, group: window, all: window }
  const long = Array.from({ length: 3000 }, (_, n) => `w${n}`).join(' ')
  let refused = 0
  for (let done = false; !done; ) {
    done = await say(long, 'e1').then(
      () => true,
      async (error: ChanopError) => {
        assert.equal(error.code, 'send-later')
        refused++
        await sleep(error.afterMs ?? 100)
        return false
      },
    )
  }
  assert.ok(refused > 0)
  const seen = room.messages.filter(({ message }) => String(message['text']).startsWith('w'))
  assert.ok(seen.every(({ only }) => only === alice.id))
  assert.equal(
    seen
      .map(({ message }) => message['text'])
      .join(' ')
      .replace(/\s+/g, ' '),
    long,
  )
})

test('files that Telegram refuses are words, and the words that came with them are said', async t => {
  const trial = await Trial.open(t)
  const { adapter } = await trial.start(t)
  const odd = { ...upload('a.png', Buffer.from('not a picture at all')), type: 'image/png' }
  await trial.send(adapter, { ...words('odd'), uploads: [odd] })
  assert.ok('document' in (trial.seen[0]?.message ?? {}))
  await trial.send(adapter, { ...words('empty'), uploads: [upload('e.bin', Buffer.alloc(0))] })
  trial.server.fault(new Refused(400, 'Bad Request: not enough rights to send documents to the chat'), /sendDocument/)
  await trial.send(adapter, { ...words('forbidden'), uploads: [upload('f.bin', Buffer.from('x'))] })
  assert.deepEqual(trial.texts, ['odd', 'empty\n[e.bin]', 'forbidden\n[f.bin]'])
})

test('a file that can not be read any more hurts nobody', async t => {
  const trial = await Trial.open(t)
  const { adapter } = await trial.start(t)
  const broken = { ...upload('a.bin', Buffer.alloc(100_000)), open: () => ReadableStream.from(failing()) }
  await assert.rejects(trial.send(adapter, { ...words('x'), uploads: [broken] }), { name: 'ChanopError' })
  await trial.send(adapter, words('still here'))
  assert.equal(trial.texts.at(-1), 'still here')
})

test('a file that is given up behind its words is named, once', async t => {
  const trial = await Trial.open(t)
  const { adapter } = await trial.start(t)
  const long = 'word '.repeat(300).trim()
  const broken = { ...upload('a.bin', Buffer.alloc(100_000)), open: () => ReadableStream.from(failing()) }
  const given = { ...words(long), uploads: [broken] }
  const say = (draft: Draft) => adapter.send(trial.place, draft, 'd1')
  for (let n = 0; n < 2; n++) await assert.rejects(say(given), { code: 'network-down' })
  const { content } = words(long)
  trial.server.fault(new Refused(429, 'Too Many Requests', { retry_after: 1 }), /sendMessage/)
  const ids = await say({ ...words(long), content: { ...content, attachments: [{ ref: 'r', name: 'a.bin' }] } })
  assert.deepEqual([trial.texts, ids.length], [[long, '[a.bin]'], 2])
})

async function* failing(): AsyncGenerator<Uint8Array> {
  yield Buffer.alloc(10)
  throw new Error('the disk is gone')
}

test('what never gets an answer is tried again by and by, not at once', async t => {
  const trial = await Trial.open(t)
  const { adapter } = await trial.start(t)
  trial.server.fault(new Refused(502, 'Bad Gateway'), /sendMessage/, 1000)
  const startedMs = performance.now()
  let tries = 0
  while (performance.now() - startedMs < 1500) {
    tries++
    const failed = await trial.send(adapter, words('x')).then(
      () => null,
      (error: ChanopError) => error,
    )
    if (failed?.afterMs !== undefined) break
  }
  assert.ok(tries <= 6, `${tries} tries`)
})

test('what was asked of Telegram before a stop is answered', async t => {
  const trial = await Trial.open(t)
  const { adapter, stop } = await trial.start(t)
  const sending = trial.send(adapter, words('last words'))
  await stop()
  assert.equal((await sending).length, 1)
  assert.equal(await trial.server.connections(), 0)
})
