import { strict as assert } from 'node:assert'
import { describe, test } from 'node:test'
import { draft, upload } from '../../core/contract/harness.ts'
import { stopwatch } from '../../core/contract/stopwatch.ts'
import { ChanopError } from '../../core/error.ts'
import type { Draft, MessageId, UserId } from '../../core/event.ts'
import { placeOf, Trial } from './testing/trial.ts'
import { app, shown } from './testing/workspace.ts'

const alice = 'U0000ALICE'
const relayed = (said: string, name = 'bob', avatar?: string): Draft => ({
  ...draft(said),
  as: { name, relayed: true, ...(avatar ? { avatar } : {}) },
})
/** What stands there of ours, as one text. */
const saidIn = (fake: Trial['fake'], channel: Trial['general']): string =>
  fake.said(channel).join(' ').replace(/\s+/g, ' ')
const isCode = (code: string) => (error: unknown) => error instanceof ChanopError && error.code === code

describe('what goes out', { concurrency: 4 }, () => {
  test('faces, threads, replies, labels; nothing pings by accident', async t => {
    const trial = await Trial.open(t)
    const { adapter } = await trial.up()
    const { fake, general } = trial
    const place = placeOf(general)
    await adapter.send(place, relayed('hi <!channel> @here', 'bob', 'https://a.example/b.png'), 'd1')
    const [call] = fake.callsOf('chat.postMessage')
    assert.equal(call?.args['username'], 'bob')
    assert.equal(call?.args['icon_url'], 'https://a.example/b.png')
    assert.equal(call?.args['text'], 'hi &lt;!channel&gt; @here')
    assert.deepEqual(JSON.parse(String(call?.args['metadata'])), {
      event_type: 'chanop_delivery',
      event_payload: { instance: 'abcdefghijkl', delivery: 'd1', part: 0, parts: 1, hops: 1 },
    })
    const root = fake.workspace.say(general, alice, 'root')
    await adapter.send(
      place,
      { ...relayed('an answer'), content: { ...draft('an answer').content, replyTo: root.ts as MessageId } },
      'd2',
    )
    await adapter.send(placeOf(general, root.ts), draft('in the thread'), 'd3')
    assert.deepEqual(
      fake
        .callsOf('chat.postMessage')
        .slice(1)
        .map(({ args }) => args['thread_ts']),
      [root.ts, root.ts],
    )
  })

  test('without the scope for faces the name stands before the words', async t => {
    const trial = await Trial.open(t)
    trial.fake.scopes.delete('chat:write.customize')
    const { adapter } = await trial.up()
    await adapter.send(placeOf(trial.general), relayed('hello'), 'd1')
    assert.deepEqual(trial.fake.said(trial.general), ['bob: hello'])
    assert.match(adapter.status().lacks.join('\n'), /chat:write\.customize: no faces/)
    const long = relayed(`${'x'.repeat(3_800)}\n${'alice: I resign. '.repeat(300)}`)
    const ids = await adapter.send(placeOf(trial.general), long, 'd2')
    const saidLong = (): string[] => trial.fake.said(trial.general).slice(1)
    assert.deepEqual(
      saidLong().map(text => text.slice(0, 5)),
      ['bob: ', 'bob: ', 'bob: '],
    )
    assert.deepEqual(await adapter.find?.(placeOf(trial.general), 'd2', { do: 'send', ...long }), ids)
    assert.deepEqual(await adapter.edit?.(placeOf(trial.general), ids, long, 'd3'), ids)
    assert.ok(saidLong().every(text => text.startsWith('bob: ')))
  })

  test('a storm of 429 on one channel delays no other, and its wait is obeyed', async t => {
    const trial = await Trial.open(t)
    const { adapter } = await trial.up()
    const { fake, general } = trial
    const calm = fake.workspace.channel('calm', { members: [app.user] })
    fake.limit('chat.postMessage', { channel: general.id, seconds: 3 })
    const refused = await adapter.send(placeOf(general), draft('later'), 'd1').catch((error: unknown) => error)
    assert.ok(refused instanceof ChanopError && refused.code === 'send-later')
    assert.ok((refused.afterMs ?? 0) > 1500 && (refused.afterMs ?? 0) <= 3000, String(refused.afterMs))
    for (let n = 0; n < 20; n++)
      await assert.rejects(adapter.send(placeOf(general), draft('later'), 'd1'), isCode('send-later'))
    assert.equal(fake.callsOf('chat.postMessage').length, 1, 'while it lasts Slack is not asked again')
    const tookMs = stopwatch()
    for (let n = 0; n < 10; n++) await adapter.send(placeOf(calm), draft(`c ${n}`), `c${n}`)
    assert.ok(tookMs() < 1500)
    assert.equal(fake.said(calm).length, 10)
  })

  test('a limit that asks for an absurd time is believed for a day, and one that says nothing for a second', async t => {
    const trial = await Trial.open(t)
    const { adapter } = await trial.up()
    const { fake } = trial
    const limits: [Record<string, string>, number][] = [
      [{ 'retry-after': '999999999999999' }, 86_400_000],
      [{ 'retry-after': 'Fri, 31 Dec 9999 23:59:59 GMT' }, 86_400_000],
      [{ 'retry-after': '-7' }, 1000],
      [{ 'retry-after': 'soon' }, 1000],
      [{}, 1000],
    ]
    for (const [at, [headers, afterMs]] of limits.entries()) {
      const room = fake.workspace.channel(`limited${at}`, { members: [app.user] })
      fake.odd.set('chat.postMessage', { status: 429, body: '<html>slow down</html>', headers })
      const refused = await adapter.send(placeOf(room), draft('x'), `l${at}`).catch((error: unknown) => error)
      assert.ok(refused instanceof ChanopError && refused.code === 'send-later', String(refused))
      assert.equal(refused.afterMs, afterMs, JSON.stringify(headers))
    }
  })

  test('a limit in the middle of a long text is waited for: no part is lost or said twice', async t => {
    const trial = await Trial.open(t)
    const { adapter } = await trial.up()
    const { fake, general } = trial
    fake.rate = { perSecond: 1, burst: 2 }
    const long = Array.from({ length: 2000 }, (_, n) => `w${n}`).join(' ')
    const ids = await adapter.send(placeOf(general), draft(long), 'd1')
    assert.equal(ids.length, fake.said(general).length)
    assert.equal(fake.said(general).join(' ').replace(/\s+/g, ' '), long)
    assert.ok(ids.length >= 3)
  })

  test('a private answer in parts goes to the asker alone, each part once, however slow Slack takes them', async t => {
    const trial = await Trial.open(t)
    const { adapter } = await trial.up()
    const { fake, general } = trial
    const long = Array.from({ length: 2000 }, (_, n) => `w${n}`).join(' ')
    const only = (): string[] => fake.workspace.ephemeral.map(({ message }) => shown(message))
    fake.rate = { perSecond: 1, burst: 1 }
    const ids = await adapter.sendEphemeral?.(placeOf(general), alice as UserId, draft(long), 'd1')
    assert.ok((ids?.length ?? 0) >= 3)
    assert.equal(only().join(' ').replace(/\s+/g, ' '), long)
    // They leave after the first part: the rest goes to nobody else, and the whole is said elsewhere.
    fake.workspace.ephemeral.length = 0
    const den = fake.workspace.channel('den', { members: [app.user, alice] })
    const saying = adapter.sendEphemeral?.(placeOf(den), alice as UserId, draft(long), 'd2')
    await fake.until(() => fake.workspace.ephemeral.length > 0, 'the first part')
    den.members.delete(alice)
    await assert.rejects(async () => saying, isCode('unsupported'))
    assert.ok(only().length < 3)
    assert.ok(fake.workspace.ephemeral.every(({ user }) => user === alice))
    fake.rate = null
    assert.deepEqual([...fake.said(general), ...fake.said(den)], [])
    const direct = fake.workspace.channel('direct', { members: [app.user, alice] })
    await adapter.send(placeOf(direct), draft(long), 'd2')
    assert.equal(fake.said(direct).join(' ').replace(/\s+/g, ' '), long)
  })

  test('an answer that was lost in the middle is found, and the rest is said behind it', async t => {
    const trial = await Trial.open(t)
    const { adapter } = await trial.up()
    const { fake, general, book } = trial
    const place = placeOf(general)
    const long = Array.from({ length: 2000 }, (_, n) => `w${n}`).join(' ')
    const act = { do: 'send' as const, ...draft(long) }
    for (const round of [1, 2, 3]) {
      const opened = fake.callsOf('apps.connections.open').length
      fake.loseAnswer('chat.postMessage')
      await assert.rejects(adapter.send(place, draft(long), 'd1'), isCode('network-down'))
      // The broken connection says `up` until it is noticed.
      await fake.until(() => fake.callsOf('apps.connections.open').length > opened, 'another connection')
      await book.until(() => adapter.status().state === 'up', 'up')
      const found = await adapter.find?.(place, 'd1', act)
      assert.equal(typeof found === 'string' ? found : found?.length, round < 3 ? 'not-sent' : 3)
    }
    assert.equal(fake.said(general).join(' ').replace(/\s+/g, ' '), long)
    const { adapter: restarted } = await trial.up()
    assert.equal((await restarted.find?.(place, 'd1', act))?.length, 3)
    assert.equal(await restarted.find?.(place, 'd2', act), 'not-sent')
  })

  test('an answer to a message, and one to that, are found in the thread they opened', async t => {
    const trial = await Trial.open(t)
    const first = await trial.up()
    const { fake, general } = trial
    const place = placeOf(general)
    const root = fake.workspace.say(general, alice, 'root')
    const answer = (said: string, to: string): Draft => ({
      ...relayed(said),
      content: { ...draft(said).content, replyTo: to as MessageId },
    })
    const [one = ''] = await first.adapter.send(place, answer('one', root.ts), 'd1')
    fake.loseAnswer('chat.postMessage')
    await assert.rejects(first.adapter.send(place, answer('two', one), 'd2'), isCode('network-down'))
    await first.stop()
    const { adapter } = await trial.up()
    const find = (said: string, to: string, id: string) =>
      adapter.find?.(place, id, { do: 'send', ...answer(said, to) })
    assert.deepEqual(await find('one', root.ts, 'd1'), [one])
    assert.deepEqual(await find('two', one, 'd2'), [general.messages.at(-1)?.ts])
    assert.equal(await find('three', root.ts, 'd3'), 'not-sent')
    assert.equal(await find('four', '1.000001', 'd4'), 'cannot-tell', 'what it answers is gone')
  })

  test('files: the lost answer of the last step is found after a restart; text and file keep apart at an edit', async t => {
    const trial = await Trial.open(t)
    const first = await trial.up()
    const { fake, general } = trial
    const place = placeOf(general)
    const file: Draft = { ...relayed('look'), uploads: [upload('a.bin', new Uint8Array(1000))] }
    const cat = { ...upload('cat.png', new Uint8Array(9)), type: 'image/png', caption: 'a cat' }
    await first.adapter.send(
      placeOf(fake.workspace.channel('cats', { members: [app.user] })),
      { ...file, uploads: [cat] },
      'd0',
    )
    assert.equal(fake.callsOf('files.getUploadURLExternal')[0]?.args['alt_txt'], 'a cat')
    fake.loseAnswer('files.completeUploadExternal')
    await assert.rejects(first.adapter.send(place, file, 'd1'), isCode('network-down'))
    await first.stop()
    const { adapter } = await trial.up()
    const found = await adapter.find?.(place, 'd1', {
      do: 'send',
      ...relayed('look'),
      content: { ...draft('look').content, attachments: [{ ref: 'r', name: 'a.bin' }] },
    })
    assert.ok(found && typeof found !== 'string' && found.length === 2, JSON.stringify(found))
    assert.equal(general.messages.filter(({ files }) => files).length, 1)
    assert.match(general.messages.find(({ files }) => files)?.text ?? '', /^\*bob\*$/)
    const edited = await adapter.edit?.(place, found, relayed('look here'), 'd2')
    assert.deepEqual(edited, found)
    assert.equal(general.messages.filter(({ files }) => files).length, 1, 'the file stays')
    const wordless = await adapter.edit?.(place, found, { ...relayed(''), content: { segments: [] } }, 'd3')
    assert.deepEqual([wordless, general.messages.length], [found.slice(1), 1], 'words that are gone are')
    assert.equal(
      await adapter.find?.(place, 'd9', {
        do: 'send',
        content: { segments: [], attachments: [{ ref: 'r', name: 'a.bin' }] },
      }),
      'not-sent',
    )
  })

  test('a file that is given up behind its words is named once, and a restart finds that it is', async t => {
    const trial = await Trial.open(t)
    const first = await trial.up()
    const { fake, general } = trial
    const place = placeOf(general)
    const attachments = [{ ref: 'r', name: 'a.bin' }]
    const given: Draft = { ...relayed('look'), uploads: [upload('a.bin', new Uint8Array(1000))] }
    const named: Draft = { ...relayed('look'), content: { ...draft('look').content, attachments } }
    const find = async ({ adapter } = first) => adapter.find?.(place, 'd1', { do: 'send', ...named })
    fake.limit('files.getUploadURLExternal', { seconds: 60 })
    for (let n = 0; n < 2; n++) {
      await assert.rejects(first.adapter.send(place, given, 'd1'), isCode('network-down'))
      assert.equal(await find(), 'not-sent', 'words alone are not all of it')
    }
    fake.loseAnswer('chat.postMessage')
    await assert.rejects(first.adapter.send(place, named, 'd1'), isCode('network-down'))
    await first.stop()
    const found = await find(await trial.up())
    assert.deepEqual([found?.length, fake.said(general)], [2, ['look', '[a.bin]']])
  })

  test('an edit that grows adds parts once, one that shrinks takes them away', async t => {
    const trial = await Trial.open(t)
    const { adapter } = await trial.up()
    const { fake, general } = trial
    const place = placeOf(general)
    const long = Array.from({ length: 2000 }, (_, n) => `w${n}`).join(' ')
    const ids = await adapter.send(place, draft('short'), 'd1')
    fake.loseAnswer('chat.postMessage')
    await assert.rejects(Promise.resolve(adapter.edit?.(place, ids, draft(long), 'd2')), { retry: 'later' })
    await trial.book.until(() => adapter.status().state === 'up', 'up')
    const grown = await adapter.edit?.(place, ids, draft(long), 'd2')
    assert.equal(saidIn(fake, general), long)
    const shrunk = await adapter.edit?.(place, grown as MessageId[], draft('short again'), 'd3')
    assert.deepEqual([shrunk, fake.said(general)], [ids, ['short again']])
  })

  test('what an edit added reads as the text does by the time that it is tried again', async t => {
    const trial = await Trial.open(t)
    const { adapter } = await trial.up()
    const { fake, general } = trial
    const place = placeOf(general)
    const long = Array.from({ length: 900 }, (_, n) => `w${n}`).join(' ')
    const ids = await adapter.send(place, draft('short'), 'd1')
    fake.loseAnswer('chat.postMessage')
    await assert.rejects(Promise.resolve(adapter.edit?.(place, ids, draft(long), 'd2')), { retry: 'later' })
    await trial.book.until(() => adapter.status().state === 'up', 'up')
    assert.equal(fake.said(general).length, 2)
    const grown = await adapter.edit?.(place, ids, draft(`${long} to its end`), 'd2')
    assert.deepEqual([grown?.length, saidIn(fake, general)], [2, `${long} to its end`])
  })

  test('an edit that grows again and again under one name adds each part', async t => {
    const trial = await Trial.open(t)
    const { adapter } = await trial.up()
    const { fake, general } = trial
    const place = placeOf(general)
    const text = (count: number) => Array.from({ length: count }, (_, n) => `w${n}`).join(' ')
    let ids = await adapter.send(place, draft('short'), 'd1')
    for (const count of [900, 1700, 2600]) {
      ids = (await adapter.edit?.(place, ids, draft(text(count)), 'd2')) ?? []
      assert.deepEqual([new Set(ids).size, saidIn(fake, general)], [ids.length, text(count)])
    }
  })

  test('what an edit added behind what it had added before is found in a thread of many pages', async t => {
    const trial = await Trial.open(t, { pageMost: 3 })
    const { adapter } = await trial.up()
    const { fake, general } = trial
    const place = placeOf(general, fake.workspace.say(general, alice, 'root').ts)
    const text = (count: number) => Array.from({ length: count }, (_, n) => `w${n}`).join(' ')
    let ids = await adapter.send(place, draft('short'), 'd1')
    ids = (await adapter.edit?.(place, ids, draft(text(900)), 'd2')) ?? []
    for (let n = 0; n < 5; n++) fake.workspace.say(general, alice, 'and I', { thread_ts: place.thread as string })
    fake.loseAnswer('chat.postMessage')
    await assert.rejects(Promise.resolve(adapter.edit?.(place, ids, draft(text(1700)), 'd2')), { retry: 'later' })
    await trial.book.until(() => adapter.status().state === 'up', 'up')
    ids = (await adapter.edit?.(place, ids, draft(text(1700)), 'd2')) ?? []
    assert.deepEqual([ids.length, saidIn(fake, general)], [3, text(1700)])
  })

  test('everybody is called only where a room lets them be', async t => {
    const trial = await Trial.open(t)
    const { adapter } = await trial.up()
    const said = draft('hey @here and @everyone, not a@here.example')
    await adapter.send(placeOf(trial.general), said, 'd1')
    await adapter.send(placeOf(trial.general), { ...said, everyone: true }, 'd2')
    const [closed, open] = trial.fake.callsOf('chat.postMessage').map(({ args }) => args)
    assert.doesNotMatch(JSON.stringify(closed), /<!|broadcast/)
    assert.equal(open?.['text'], 'hey <!here> and <!channel>, not a@here.example')
    assert.equal(String(open?.['blocks']).split('"broadcast"').length - 1, 2)
  })

  test('blocks that Slack refuses are said as text, files that it refuses as words', async t => {
    const trial = await Trial.open(t)
    const { adapter } = await trial.up()
    const { fake, general } = trial
    const place = placeOf(general)
    fake.refuseBlocks = true
    await adapter.send(place, draft('a <b>'), 'd1')
    assert.equal(general.messages.at(-1)?.text, 'a &lt;b&gt;')
    fake.refuseBlocks = false
    const uploads = [upload('a.bin', new Uint8Array(0))]
    const ids = await adapter.send(place, { ...relayed('look'), uploads }, 'd2')
    assert.deepEqual([ids.length, fake.said(general).slice(1)], [2, ['look', '[a.bin]']])
    fake.scopes.delete('files:write')
    const { adapter: without } = await trial.up()
    assert.equal(without.limits.fileBytes, undefined, 'the bridge gives links then')
  })

  test('a limit that says no time, an empty answer and one without an id are none of them a success', async t => {
    const trial = await Trial.open(t)
    const { adapter } = await trial.up()
    const { fake, general } = trial
    const odd: [number, string, string][] = [
      [429, '', 'send-later'],
      [200, '', 'network-down'],
      [200, '{"ok":true}', 'network-down'],
      [200, '{"ok":false}', 'network-down'],
      [200, '<html>proxy</html>', 'network-down'],
      [503, 'busy', 'network-down'],
    ]
    for (const [at, [status, body, code]] of odd.entries()) {
      const calm = fake.workspace.channel(`odd${at}`, { members: [app.user] })
      fake.odd.set('chat.postMessage', { status, body })
      await assert.rejects(adapter.send(placeOf(calm), draft('x'), `o${at}`), isCode(code), `${status} ${body}`)
    }
    await adapter.send(placeOf(general), draft('fine'), 'd1')
    assert.deepEqual(fake.said(general), ['fine'])
  })

  test('what Slack refuses says why, and in which channel', async t => {
    const trial = await Trial.open(t)
    const { adapter } = await trial.up()
    const { fake, general } = trial
    const place = placeOf(general)
    general.archived = true
    await assert.rejects(adapter.send(place, draft('x'), 'd1'), { code: 'send-refused', message: /archived/ })
    assert.match(adapter.status().troubles?.[0]?.reason ?? '', /archived/)
    general.archived = false
    general.members.delete(app.user)
    await assert.rejects(adapter.send(place, draft('x'), 'd2'), { code: 'send-refused', message: /\/invite/ })
    general.members.add(app.user)
    await adapter.send(place, draft('x'), 'd3')
    assert.equal(adapter.status().troubles, undefined)
    fake.scopes.delete('reactions:write')
    const { ts } = fake.workspace.say(general, alice, 'y')
    await assert.rejects(Promise.resolve(adapter.react?.(place, ts as MessageId, { emoji: '👍' }, 'd4')), {
      message: /scope reactions:write/,
    })
    await assert.rejects(Promise.resolve(adapter.react?.(place, ts as MessageId, { emoji: 'no emoji' }, 'd5')), {
      code: 'unsupported',
    })
    await assert.rejects(Promise.resolve(adapter.direct?.('UNOBODY' as UserId)), { code: 'not-found' })
    assert.equal(adapter.status().state, 'up')
  })
})
