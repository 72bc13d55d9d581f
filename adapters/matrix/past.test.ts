import { strict as assert } from 'node:assert'
import { after, before, describe, test } from 'node:test'
import type { ChatEvent, MessageEvent } from '../../core/event.ts'
import { plain } from '../../core/text/text.ts'
import type { Client } from './testing/client.ts'
import { eventually } from './testing/eventually.ts'
import { Synapse, synapseMissing } from './testing/synapse.ts'
import { say, Trial } from './testing/trial.ts'

const missing = await synapseMissing()
const kinds = (facts: readonly ChatEvent[]): string[] => facts.map(({ kind }) => kind)
const words = ({ content }: MessageEvent): string => plain({ segments: content.segments })

describe('what was missed on Matrix', { skip: missing ?? false }, () => {
  let synapse: Synapse
  let alice: Client

  before(async () => {
    synapse = await Synapse.start(null)
    alice = await synapse.register('alice')
  })
  after(() => synapse?.stop())

  const within = async (t: Parameters<typeof Trial.open>[0], options: object = {}) => {
    const trial = await Trial.open(t, synapse, { alice, ...options })
    const run = await trial.start()
    return { ...run, trial, book: trial.book, room: trial.room }
  }

  test('more than a batch holds is fetched in order with its time, what happened to it as well', async t => {
    const { book, room, trial } = await within(t)
    await alice.say(room, 'before')
    await book.hears('before')
    const said = Array.from({ length: 120 }, (_, n) => `n ${n}`)
    const ids: string[] = []
    await trial.proxy.offline(async () => {
      for (const each of said) ids.push(await alice.say(room, each))
      await alice.redact(room, ids[7] as string)
      await alice.say(room, '* changed', {
        'm.new_content': { msgtype: 'm.text', body: 'changed' },
        'm.relates_to': { rel_type: 'm.replace', event_id: ids[3] },
      })
    })
    await alice.say(room, 'after')
    await book.hears('after')
    const there = book.messages().map(words)
    assert.deepEqual(there, ['before', ...said.filter((_, n) => n !== 7), 'after'])
    const timeline = await alice.timeline(room)
    const atMs = timeline.find(({ event_id: id }) => id === ids[0])?.origin_server_ts
    assert.deepEqual([book.message('n 0')?.origin, book.message('n 0')?.atMs], ['backfill', atMs])
    const done = book.facts.filter(({ kind }) => kind === 'delete' || kind === 'edit')
    assert.deepEqual(
      done.map(fact => 'target' in fact && [fact.kind, fact.target]),
      [
        ['delete', ids[7]],
        ['edit', ids[3]],
      ],
    )
    assert.equal(kinds(book.facts).includes('gap'), false)
  })

  /** What a proxy answers whose server is not there. */
  const passing = { status: 502, body: {}, headers: { 'retry-after': '0' } }

  test('history that a fault of a proxy keeps from us is asked for until it is there', async t => {
    const { book, room, trial } = await within(t)
    await alice.say(room, 'before')
    await book.hears('before')
    const said = Array.from({ length: 110 }, (_, n) => `n ${n}`)
    let faults = 12
    await trial.proxy.offline(async () => {
      for (const each of said) await alice.say(room, each)
      trial.proxy.judge((_, url) => (url.includes('/messages?') && faults-- > 0 ? passing : null))
    })
    await book.until(() => book.messages().length > said.length || kinds(book.facts).includes('gap'), 'them all')
    assert.deepEqual(book.messages().map(words), ['before', ...said])
    assert.equal(kinds(book.facts).includes('gap'), false)
  })

  test('an empty page of history is not its end: others may be behind it', async t => {
    const { book, room, trial } = await within(t)
    await alice.say(room, 'before')
    await book.hears('before')
    const said = Array.from({ length: 110 }, (_, n) => `n ${n}`)
    await trial.proxy.offline(async () => {
      for (const each of said) await alice.say(room, each)
      let pages = 0
      trial.proxy.judge((_, url) => {
        const from = new URL(url, 'http://x').searchParams.get('from') ?? ''
        // The same point, written otherwise.
        const body = { chunk: [], start: from, end: from.replace(/^s/, 's0') }
        return url.includes('/messages?') && pages++ === 0 ? { status: 200, body } : null
      })
    })
    await book.until(() => book.message('n 109'), 'the last')
    assert.deepEqual(book.messages().map(words), ['before', ...said])
  })

  test('history that a proxy fails at each time is a gap in the end, and asked for in smaller pages before', async t => {
    const { book, room, trial, adapter } = await within(t)
    await alice.say(room, 'before')
    await book.hears('before')
    const limits = new Set<string | null>()
    await trial.proxy.offline(async () => {
      for (let n = 0; n < 101; n++) await alice.say(room, `n ${n}`)
      trial.proxy.judge((_, url) => {
        if (!url.includes('/messages?')) return null
        limits.add(new URL(url, 'http://x').searchParams.get('limit'))
        return passing
      })
    })
    await book.until(() => /502/.test(adapter.status().reason ?? ''), 'it to say what fails')
    t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 600_001 })
    await book.until(() => adapter.status().state === 'up', 'it to be up')
    const gap = book.facts.find(({ kind }) => kind === 'gap')
    assert.match(gap?.kind === 'gap' ? gap.reason : '', /can not be fetched/)
    assert.equal(book.texts().at(-1), 'n 100')
    assert.deepEqual([limits.has('500'), limits.has('10')], [true, true])
  })

  test('history that we may not ask for any more is there once we may again', async t => {
    const { book, room, trial, stop } = await within(t)
    await alice.say(room, 'before')
    await book.hears('before')
    await stop()
    const said = Array.from({ length: 110 }, (_, n) => `n ${n}`)
    for (const each of said) await alice.say(room, each)
    const revoked = { status: 401, body: { errcode: 'M_UNKNOWN_TOKEN', error: 'revoked' } }
    trial.proxy.once((_, url) => url.includes('/messages?'), revoked)
    await assert.rejects((await trial.begin()).ended, { code: 'network-refused' })
    await trial.start()
    await alice.say(room, 'after')
    await book.hears('after')
    assert.deepEqual(book.messages().map(words), ['before', ...said, 'after'])
    assert.equal(kinds(book.facts).includes('gap'), false)
  })

  test('a fault while the point is looked for where we were does not end the network', async t => {
    const { book, room, trial, stop } = await within(t)
    await alice.say(room, 'before')
    await book.hears('before')
    await stop()
    await alice.say(room, 'meanwhile')
    let faults = 12
    let lost = 1
    trial.proxy.judge((_, url) => {
      if (url.includes('/context/') && faults-- > 0) return passing
      const unknown = { status: 400, body: { errcode: 'M_UNKNOWN', error: 'no such token' } }
      return url.includes('/sync?') && url.includes('since=') && lost-- > 0 ? unknown : null
    })
    await trial.start()
    await alice.say(room, 'after')
    await book.hears('after')
    assert.ok(faults < 1, 'the point was asked for')
    assert.deepEqual(book.messages().map(words), ['before', 'meanwhile', 'after'])
    assert.equal(kinds(book.facts).includes('gap'), false)
  })

  test('last words of rooms that nobody configured, before we were put out of them while we were away, are there', async t => {
    const trial = await Trial.open(t, synapse, { alice, in: null, config: { invites: [alice.id] } })
    const { book, bot } = trial
    const isIn = async (room: string) => (await alice.members(room)).includes(bot.id)
    const { stop } = await trial.start()
    const bob = await synapse.register('bob')
    const group = await alice.room({ invite: [bot.id, bob.id] })
    await bob.join(group)
    const talk = await alice.room({ invite: [bot.id], is_direct: true })
    const silent = await alice.room({ name: 'silent', invite: [bot.id] })
    const foreign = await alice.room({ name: 'foreign' })
    for (const room of [group, talk]) await alice.say(room, `hello ${room}`)
    for (const room of [group, talk]) await book.hears(`hello ${room}`)
    await eventually(() => isIn(silent), 'our account in the silent room')
    await stop()
    await alice.state(foreign, 'm.room.history_visibility', { history_visibility: 'invited' })
    await alice.invite(foreign, bot.id)
    for (const room of [foreign, silent, group, talk]) {
      await alice.say(room, `last of ${room}`)
      await alice.ask('POST', `client/v3/rooms/${encodeURIComponent(room)}/kick`, { user_id: bot.id })
    }
    const still = await alice.room({ name: 'still there', invite: [bot.id] })
    await trial.start()
    await eventually(() => isIn(still), 'our account in the room that is still there')
    await alice.say(still, 'the end')
    await book.hears('the end')
    const last = book.messages().filter(message => words(message).startsWith('last of'))
    assert.deepEqual(
      last.map(({ place, origin }) => `${place.channel} ${place.private === true} ${origin}`).sort(),
      [`${group} false backfill`, `${silent} false backfill`, `${talk} true backfill`].sort(),
    )
  })

  test('what was said in the replacement of a room before we came into it is there, however much', async t => {
    const { book, room, trial, stop } = await within(t)
    await alice.say(room, 'before')
    await book.hears('before')
    await stop()
    await alice.say(room, 'in the old one')
    const at = `client/v3/rooms/${encodeURIComponent(room)}/upgrade`
    const { replacement_room: next } = await alice.ask<{ replacement_room: string }>('POST', at, { new_version: '11' })
    await alice.invite(next, trial.bot.id)
    const said = Array.from({ length: 130 }, (_, n) => `n ${n}`)
    for (const each of said) await alice.say(next, each)
    await trial.begin()
    await book.hears('n 129')
    assert.deepEqual(book.messages().map(words), ['before', 'in the old one', ...said])
    assert.ok(book.messages().every(({ place }) => place.channel === room))
  })

  test('what answers every poll with nothing is no homeserver: it is asked less and less, and nothing is lost', async t => {
    const { book, room, trial, adapter } = await within(t)
    await alice.say(room, 'before')
    await book.hears('before')
    const polls = (): number => trial.proxy.asked.filter(asked => asked.includes('/sync?')).length
    const before = polls()
    trial.proxy.judge((_, url) => (url.includes('/sync?') ? { status: 200, body: {} } : null))
    await alice.say(room, 'meanwhile')
    await book.until(() => adapter.status().state === 'down', 'it to be down')
    assert.ok(polls() - before < 10, `${polls() - before} polls`)
    assert.match(adapter.status().reason ?? '', /`homeserver`/)
    trial.proxy.judge(() => null)
    await book.hears('meanwhile')
    await book.until(() => adapter.status().state === 'up', 'it to be up again')
  })

  test('an invitation is followed after a fault that passes, and a talk with a name is private from its first word', async t => {
    const trial = await Trial.open(t, synapse, { alice, in: null })
    const { adapter } = await trial.start()
    const isIn = async (room: string) => (await alice.members(room)).includes(trial.bot.id)
    const invited = async (fate: Parameters<typeof trial.proxy.once>[1]): Promise<string> => {
      trial.proxy.once((_, url) => url.includes('/join/'), fate)
      const talk = await alice.room({ name: 'a talk', invite: [trial.bot.id], is_direct: true })
      await eventually(() => isIn(talk), 'our account in the talk')
      await alice.say(talk, `psst ${talk}`)
      return talk
    }
    for (const fate of [passing, 'lose'] as const) {
      const talk = await invited(fate)
      const { place } = await trial.book.hears(`psst ${talk}`)
      assert.deepEqual([place.channel, place.private], [talk, true])
    }
    assert.equal(adapter.status().troubles, undefined)
  })

  test('what was said before a crash is found in the room that was replaced since', async t => {
    const { book, room, trial, adapter, stop } = await within(t)
    await alice.say(room, 'before')
    await book.hears('before')
    const act = { do: 'send', ...say('said once') } as const
    const ids = await adapter.send(trial.place, act, 'crash-1')
    await stop()
    const at = `client/v3/rooms/${encodeURIComponent(room)}/upgrade`
    const { replacement_room: next } = await alice.ask<{ replacement_room: string }>('POST', at, { new_version: '11' })
    await alice.invite(next, trial.bot.id)
    const again = await trial.begin()
    await alice.say(next, 'in the new one')
    await book.hears('in the new one')
    assert.deepEqual(await again.adapter.find(trial.place, 'crash-1', act), ids)
    assert.equal(await again.adapter.find(trial.place, 'crash-2', act), 'not-sent')
  })

  test('an invitation that was not followed is still named after a restart, and followed once it may be', async t => {
    const invites: string[] = []
    const trial = await Trial.open(t, synapse, { alice, in: null, config: { invites } })
    const troubles = (run: Awaited<ReturnType<typeof trial.start>>) => run.adapter.status().troubles?.[0]?.reason ?? ''
    const first = await trial.start()
    const room = await alice.room({ name: 'waiting', invite: [trial.bot.id] })
    await trial.book.until(() => /add @alice.* to invites/.test(troubles(first)), 'the trouble')
    await alice.say(await alice.room({ invite: [trial.bot.id], is_direct: true }), 'the batch is taken')
    await trial.book.until(() => trial.book.message('the batch is taken'), 'the next batch')
    await first.stop()
    const second = await trial.start()
    await trial.book.until(() => /add @alice.* to invites/.test(troubles(second)), 'the trouble again')
    await second.stop()
    invites.push(alice.id)
    await trial.start()
    await eventually(async () => (await alice.members(room)).includes(trial.bot.id), 'our account in the room')
  })
})
