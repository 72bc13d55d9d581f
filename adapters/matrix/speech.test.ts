import { strict as assert } from 'node:assert'
import { after, before, describe, type TestContext, test } from 'node:test'
import { upload } from '../../core/contract/harness.ts'
import type { ChanopError } from '../../core/error.ts'
import type { ChannelId, Content, Draft, MessageId, UserId } from '../../core/event.ts'
import { deadline, sleep } from '../../core/retry.ts'
import { object } from './native.ts'
import type { Client, Shown } from './testing/client.ts'
import { Synapse, synapseMissing } from './testing/synapse.ts'
import { say, Trial, type TrialOptions } from './testing/trial.ts'

const missing = await synapseMissing()
const isSend = (method: string, url: string): boolean => method === 'PUT' && url.includes('/send/m.room.message/')
const limited = { status: 429, body: { errcode: 'M_LIMIT_EXCEEDED', error: 'Too Many Requests', retry_after_ms: 1234 } }

describe('what is said by us on Matrix', { skip: missing ?? false }, () => {
  let synapse: Synapse
  let alice: Client

  before(async () => {
    synapse = await Synapse.start(null)
    alice = await synapse.register('alice')
  })
  after(() => synapse?.stop())

  const within = async (t: TestContext, options: Partial<TrialOptions> = {}) => {
    const trial = await Trial.open(t, synapse, { alice, ...options })
    const run = await trial.start()
    const ours = async (): Promise<Shown[]> =>
      (await alice.timeline(trial.room)).filter(
        ({ type, sender }) => type === 'm.room.message' && sender === trial.bot.id,
      )
    return { ...run, trial, ours, room: trial.room, place: trial.place }
  }
  const bodies = (events: readonly Shown[]): unknown[] => events.map(({ content }) => content['body'])

  test('relayed people have their name as a profile and in the words; everything says whom it means', async t => {
    const { adapter, place, ours } = await within(t)
    const as = { name: 'Bob <b>', relayed: true as const }
    const mention = { kind: 'mention' as const, id: alice.id as UserId, name: 'alice' }
    const text = (words: string): Content['segments'] => [{ kind: 'text', text: words }]
    await adapter.send(place, { content: { segments: [...text('hi @room '), mention] }, as }, 'f-1')
    await adapter.send(place, { content: { segments: text('plainly') }, as }, 'f-2')
    await adapter.send(place, { content: { segments: text('of a bot') }, as: { name: 'oracle' } }, 'f-3')
    await adapter.send(place, { content: { segments: [] }, as, uploads: [upload('cat.png', new Uint8Array(5))] }, 'f-4')
    const told = { ...upload('dog.png', new Uint8Array(4)), caption: 'a dog' }
    await adapter.send(place, { content: { segments: [] }, as, uploads: [told] }, 'f-5')
    const [first, second, third, file, described] = (await ours()).map(({ content }) => content)
    assert.deepEqual([described?.['body'], described?.['filename']], ['Bob <b>: a dog', 'dog.png'])
    const pill = `<a href="https://matrix.to/#/${encodeURIComponent(alice.id)}">alice</a>`
    assert.equal(first?.['body'], 'Bob <b>: hi @room @alice')
    assert.equal(first?.['formatted_body'], `<strong data-mx-profile-fallback>Bob &lt;b&gt;: </strong>hi @room ${pill}`)
    assert.deepEqual(first?.['m.mentions'], { user_ids: [alice.id] })
    assert.equal(object(first?.['com.beeper.per_message_profile'])['displayname'], 'Bob <b>')
    assert.deepEqual([second?.['body'], second?.['m.mentions']], ['Bob <b>: plainly', {}])
    assert.equal(object(second?.['chanop.copy'])['hops'], 1)
    assert.deepEqual([third?.['body'], third?.['format']], ['of a bot', undefined])
    assert.deepEqual([file?.['body'], file?.['filename'], file?.['msgtype']], ['Bob <b>: cat.png', 'cat.png', 'm.file'])
  })

  test('an edit changes the words, ends no file, and wakes nobody again', async t => {
    const { adapter, place, ours, room } = await within(t)
    const mention = { kind: 'mention' as const, id: alice.id as UserId, name: 'alice' }
    const both = { ...say('look'), uploads: [upload('a.txt', new Uint8Array(3))] }
    const ids = await adapter.send(place, both, 'e-1')
    const edited = await adapter.edit(place, ids, { content: { segments: [mention] } }, 'e-2')
    assert.deepEqual(edited, ids)
    const last = (await ours()).at(-1)
    assert.deepEqual(last?.content['m.mentions'], {})
    assert.deepEqual(object(last?.content['m.new_content'])['m.mentions'], { user_ids: [alice.id] })
    assert.deepEqual(last?.content['m.relates_to'], { rel_type: 'm.replace', event_id: ids[0] })
    const gone = (await alice.timeline(room)).filter(({ unsigned }) => unsigned?.['redacted_because'])
    assert.deepEqual(gone, [])
  })

  test('a text that grows beyond one message goes on in new ones, and is one again when it shrinks', async t => {
    const { adapter, place, ours } = await within(t)
    const long = Array.from({ length: 9000 }, (_, n) => `w${n}`).join(' ')
    const ids = await adapter.send(place, say('short'), 'g-1')
    const grown = await adapter.edit(place, ids, say(long), 'g-2')
    assert.ok(grown.length > 1 && grown[0] === ids[0])
    const small = await adapter.edit(place, grown, say('short again'), 'g-3')
    assert.deepEqual(small, ids)
    const left = (await ours()).filter(
      ({ unsigned, content }) => !unsigned?.['redacted_because'] && !('m.new_content' in content),
    )
    assert.deepEqual(
      left.map(({ event_id: id }) => id),
      ids,
    )
  })

  test('a long text can be edited: an edit holds it twice', async t => {
    const { adapter, place, ours } = await within(t)
    const long = (word: string): Draft => ({
      content: { segments: [{ kind: 'text', text: `${word} `.repeat(3500), marks: ['bold'] }] },
      as: { name: 'bob', relayed: true },
    })
    const ids = await adapter.send(place, long('слово'), 't-1')
    const edited = await adapter.edit(place, ids, long('иначе'), 't-2')
    assert.equal(edited.length, ids.length)
    const said = (await ours()).map(({ content }) => object(content['m.new_content'])['body'])
    assert.equal(said.join('').match(/иначе/g)?.length, 3500)
  })

  test('what has to wait says for how long, and is said once when it is said again', async t => {
    const { adapter, place, ours, trial } = await within(t)
    trial.proxy.once(isSend, limited)
    await assert.rejects(adapter.send(place, say('patience'), 'w-1'), (error: ChanopError) => {
      assert.deepEqual([error.code, error.afterMs], ['send-later', 1234])
      return true
    })
    const long = `${'a '.repeat(16_000)}${'b '.repeat(16_000)}`
    let sends = 0
    trial.proxy.judge((method, url) => (isSend(method, url) && ++sends === 2 ? limited : null))
    await assert.rejects(adapter.send(place, say(long), 'w-2'), { code: 'send-later' })
    const ids = await adapter.send(place, say(long), 'w-2')
    assert.deepEqual(
      (await ours()).map(({ event_id: id }) => id),
      ids,
      'no part is there twice',
    )
  })

  test('an answer that is lost is found, by another process too, and of what is half out the rest is said', async t => {
    const { adapter, place, ours, trial, stop } = await within(t)
    const long = `${'a '.repeat(16_000)}${'b '.repeat(16_000)}${'c '.repeat(16_000)}`
    let sends = 0
    trial.proxy.judge((method, url) => (isSend(method, url) && ++sends === 2 ? 'lose' : null))
    await assert.rejects(adapter.send(place, say(long), 'l-1'), { code: 'network-down' })
    await stop()
    const { adapter: second } = await trial.start()
    assert.equal(await second.find(place, 'l-1', { do: 'send', ...say(long) }), 'not-sent')
    const ids = await second.send(place, say(long), 'l-1')
    assert.ok(ids.length >= 3)
    assert.deepEqual(
      (await ours()).map(({ event_id: id }) => id),
      ids,
    )
    assert.deepEqual(await second.find(place, 'l-1', { do: 'send', ...say(long) }), ids)
    trial.proxy.once(isSend, 'lose')
    await assert.rejects(second.edit(place, ids.slice(0, 1), say('changed'), 'l-2'), { code: 'network-down' })
    const target = { do: 'edit' as const, seq: 1, draft: say('changed') }
    assert.equal(await second.find(place, 'l-2', target), 'not-sent')
    assert.deepEqual(await second.edit(place, ids.slice(0, 1), say('changed'), 'l-2'), ids.slice(0, 1))
    assert.equal((await ours()).filter(({ content }) => content['body'] === '* changed').length, 1)
  })

  test('an edit that is broken off is done to its end, whatever it became longer or shorter by', async t => {
    const { adapter, place, ours, room, trial, stop } = await within(t)
    const long = `${'a '.repeat(16_000)}${'b '.repeat(16_000)}`
    const file = { ...say(long), uploads: [upload('kept.txt', new Uint8Array(3))] }
    const ids = await adapter.send(place, file, 'b-1')
    const short = say('short')
    const cut = { status: 502, body: {} }
    trial.proxy.judge((method, url) => (method === 'PUT' && url.includes('/redact/') ? cut : null))
    await assert.rejects(adapter.edit(place, ids, short, 'b-2'), { code: 'network-down' })
    await stop()
    trial.proxy.judge(() => null)
    const { adapter: second } = await trial.start()
    assert.equal(await second.find(place, 'b-2', { do: 'edit', seq: 1, draft: short }), 'not-sent')
    const left = await second.edit(place, ids, short, 'b-2')
    assert.deepEqual(left, [ids[0], ids.at(-1)])
    const gone = (await alice.timeline(room)).filter(({ unsigned }) => unsigned?.['redacted_because'])
    assert.deepEqual(
      gone.map(({ event_id: id }) => id),
      ids.slice(1, -1),
    )
    let sends = 0
    trial.proxy.judge((method, url) => (isSend(method, url) && ++sends === 3 ? 'lose' : null))
    const longer = say(`${long}${'c '.repeat(16_000)}`)
    await assert.rejects(second.edit(place, left, longer, 'b-3'), { code: 'network-down' })
    assert.equal(await second.find(place, 'b-3', { do: 'edit', seq: 1, draft: longer }), 'not-sent')
    // Amended meanwhile.
    const grown = await second.edit(place, left, say(`${long}${'d '.repeat(16_000)}`), 'b-3')
    const said = (await ours()).filter(({ content }) => !('m.new_content' in content)).map(({ event_id: id }) => id)
    assert.deepEqual(grown.toSorted(), said.filter(id => !ids.slice(1, -1).includes(id as MessageId)).toSorted())
  })

  test('a ledger that was put back gives a number again, and its message is said all the same', async t => {
    const { adapter, place, ours } = await within(t)
    await adapter.send(place, say('before the backup was put back'), '7')
    await adapter.send(place, say('after it'), '7')
    assert.deepEqual(bodies(await ours()), ['before the backup was put back', 'after it'])
  })

  test('a file is uploaded once however often its message is tried, and the homeserver says how large one may be', async t => {
    const { adapter, place, trial } = await within(t)
    const uploads = [upload('once.bin', new Uint8Array(2000).fill(7))]
    trial.proxy.once(isSend, limited)
    await assert.rejects(adapter.send(place, { content: { segments: [] }, uploads }, 'u-1'), { code: 'send-later' })
    await adapter.send(place, { content: { segments: [] }, uploads }, 'u-1')
    assert.equal(trial.proxy.asked.filter(asked => asked.includes('/upload')).length, 1)
    assert.equal(adapter.limits.fileBytes, 52_428_800)
  })

  test('a file that a proxy before the homeserver takes for too large is refused, before anything is said', async t => {
    const { adapter, place, ours, trial } = await within(t)
    const uploads = [upload('big.bin', new Uint8Array(20))]
    trial.proxy.judge((method, url) =>
      method === 'POST' && url.includes('/upload')
        ? { status: 413, body: {}, headers: { 'content-type': 'text/html' } }
        : null,
    )
    await assert.rejects(adapter.send(place, { ...say('look'), uploads }, 'big-1'), { code: 'send-refused' })
    assert.deepEqual(await ours(), [])
  })

  test('media take the token in the header alone, and only from where it is asked for', async t => {
    const { adapter, trial } = await within(t)
    const mxc = await alice.upload('x', 'text/plain', new TextEncoder().encode('secret plans'))
    const bare = await fetch(`${synapse.url}/_matrix/client/v1/media/download/${mxc.slice(6)}`)
    assert.equal(bare.status, 401, 'the homeserver wants a token')
    const chunks: Uint8Array[] = []
    for await (const chunk of await adapter.open({ ref: mxc, name: 'x' }, AbortSignal.timeout(5000))) chunks.push(chunk)
    assert.equal(Buffer.concat(chunks).toString(), 'secret plans')
    assert.ok(trial.proxy.asked.every(asked => !asked.includes(trial.bot.account.access_token)))
    for (const ref of [
      'mxc://evil.example/../../admin',
      'mxc://a/b?x=1',
      'https://a.example/x',
      'mxc:///x',
      'mxc://test.local/',
    ])
      await assert.rejects(adapter.open({ ref, name: 'x' }, AbortSignal.timeout(5000)), { code: 'not-found' }, ref)
  })

  test('where a thread is not to be had, its message is an answer', async t => {
    const { adapter, place, ours, trial } = await within(t)
    const root = await alice.say(trial.room, 'root')
    const inner = await alice.say(trial.room, 'inner', { 'm.relates_to': { rel_type: 'm.thread', event_id: root } })
    await adapter.send({ ...place, thread: inner as MessageId }, say('deeper'), 't-1')
    const [said] = await ours()
    assert.deepEqual(said?.content['m.relates_to'], { 'm.in_reply_to': { event_id: inner } })
  })

  const failing = {
    homeserver: { status: 500, body: { errcode: 'M_UNKNOWN', error: 'Internal server error' } },
    'proxy before it': { status: 403, body: {}, headers: { 'content-type': 'text/html' } },
  }
  for (const [who, answer] of Object.entries(failing)) {
    test(`a message that the ${who} always fails at is given up; one that comes while nothing is taken is not`, async t => {
      const { adapter, place, trial, ours } = await within(t)
      const tries = async (key: string): Promise<Set<string>> => {
        const codes = new Set<string>()
        for (let n = 0; n < 6; n++) {
          const code = await adapter.send(place, say('poison'), key).catch((error: ChanopError) => error.code)
          codes.add(String(code))
        }
        return codes
      }
      trial.proxy.judge(method => (method === 'PUT' ? answer : null))
      assert.deepEqual([...(await tries('p-0'))], ['network-down'])
      trial.proxy.judge((method, url) => (isSend(method, url) && url.includes('.p-1.') ? answer : null))
      assert.deepEqual([...(await tries('p-1'))], ['network-down'])
      t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 600_001 })
      assert.deepEqual([...(await tries('p-1'))], ['send-refused'])
      await adapter.send(place, say('next'), 'p-2')
      assert.deepEqual(bodies(await ours()), ['next'])
    })
  }

  test('a homeserver in trouble is no reason to give up, and says why in the status', async t => {
    const { adapter, trial, book } = await within(t).then(world => ({ ...world, book: world.trial.book }))
    trial.proxy.judge((_method, url) =>
      url.includes('/sync') ? { status: 502, body: {}, headers: { 'content-type': 'text/html' } } : null,
    )
    trial.proxy.cut()
    await book.until(() => adapter.status().state !== 'up' && /502/.test(adapter.status().reason ?? ''), 'the trouble')
    await alice.say(trial.room, 'meanwhile')
    trial.proxy.judge(() => null)
    await book.hears('meanwhile')
    await book.until(() => adapter.status().state === 'up', 'the adapter to be up')
  })

  test('a point of /sync that the homeserver does not know is no end, and nothing is lost over it', async t => {
    const { trial, stop } = await within(t)
    const { book, room } = trial
    await alice.say(room, 'known')
    await book.hears('known')
    await stop()
    await alice.say(room, 'unknown to the ledger')
    await book.cursors.set('since', 'not-a-token')
    await trial.start()
    await book.hears('unknown to the ledger')
    assert.deepEqual(book.texts(), ['known', 'unknown to the ledger'])
  })

  test('names, files and signs that are cut or forged break nothing', async t => {
    const { adapter, place, ours } = await within(t)
    const as = { name: `${'x'.repeat(199)}😀`, relayed: true as const }
    const file = { ...upload(`${'y'.repeat(254)}😀`, new Uint8Array(4)), type: 'text/plain\r\nx-evil: 1' }
    const [id] = await adapter.send(place, { ...say('hi'), as, uploads: [file] }, 'c-1')
    await adapter.react(place, id as MessageId, { emoji: `${'z'.repeat(199)}😀` }, 'c-2')
    const forged = { kind: 'mention' as const, id: '@\ud800:x' as UserId, name: 'nobody' }
    await adapter.send(place, { content: { segments: [forged, { kind: 'text', text: ' ok' }] } }, 'c-3')
    assert.deepEqual(bodies(await ours()).slice(2), ['@nobody ok'])
    assert.equal(object((await ours())[1]?.content['info'])['mimetype'], undefined)
    await assert.rejects(adapter.direct('@\ud800:x' as UserId), { code: 'not-found' })
  })

  for (const answer of ['heard', 'lost'])
    test(`a secret is taken back after a minute, also by the next run (its answer is ${answer})`, async t => {
      const { adapter, trial, stop } = await within(t)
      const room = await alice.room({ invite: [trial.bot.id], is_direct: true, preset: 'trusted_private_chat' })
      const seen = async (isSo: () => Promise<boolean>): Promise<void> => {
        for (const signal = deadline(10_000); !(await isSo()); signal.throwIfAborted()) await sleep(20)
      }
      await seen(async () => (await alice.members(room)).includes(trial.bot.id))
      await alice.say(room, 'psst')
      await trial.book.hears('psst')
      const place = { ...trial.place, channel: room as ChannelId, private: true as const }
      const draft = { ...say('hunter2'), secret: true as const }
      if (answer === 'lost') {
        trial.proxy.once(isSend, 'lose')
        await assert.rejects(adapter.send(place, draft, 's-9'), { code: 'network-down' })
      }
      const said =
        answer === 'lost' ? adapter.find(place, 's-9', { do: 'send', ...draft }) : adapter.send(place, draft, 's-9')
      const [id] = await said
      await stop()
      t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 61_000 })
      await trial.start()
      const at = `client/v3/rooms/${encodeURIComponent(room)}/event/${encodeURIComponent(id ?? '')}`
      await seen(async () => Object.keys((await alice.ask<Shown>('GET', at)).content).length === 0)
    })

  test('what may be a repeat says so; a secret is never said in a room', async t => {
    const { adapter, place, ours } = await within(t)
    const draft: Draft = { ...say('again'), repeat: true }
    await adapter.send(place, draft, 'r-1')
    await assert.rejects(adapter.send(place, { ...say('hunter2'), secret: true }, 'r-2'), { code: 'send-refused' })
    assert.deepEqual(bodies(await ours()), ['(may be a repeat) again'])
  })
})
