import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { MessageId } from '../../../core/event.ts'
import { states } from '../../../core/ledger/out/deliveries.ts'
import { storeSetting } from '../../../core/ledger/settings/settings.ts'
import { sql } from '../../../core/ledger/sqlite.ts'
import { House } from '../../../test/house.ts'
import { runBridge } from '../run.ts'
import { copies, copyOf, deliveries, hall, hallConfig, settled, until } from '../testing.ts'

const parked = (house: House): Promise<number> =>
  house.ledger.read(db => Number(sql(db, 'SELECT count(*) AS n FROM parked').get()?.['n']))

/** A room in `a` and in `b`, where nothing can be edited. */
const config = hallConfig('ab').replace("{server}-b',", "{server}-b', edits: false, answerMs: 300,")

async function openTwo(t: TestContext, ignored = 'nothing') {
  const house = new House(t, {
    config: config.replace('joins: true', `joins: true, ignore: { texts: ['${ignored}'] }`),
  })
  const [a, b] = [house.server('a'), house.server('b')]
  const start = async () => {
    const stop = await house.run('bridge', runBridge)
    await Promise.all([a.ready(), b.ready()])
    return stop
  }
  return { house, a, b, start, stop: await start() }
}

test('edits, deletes and reactions wait in the ledger for their message, over the end of the process', async t => {
  const { house, a, b, start, stop } = await openTwo(t)
  a.faults.drop(3)
  const alice = a.user('alice')
  const [draft, oops, nice] = ['draft', 'oops', 'nice'].map(words => alice.say(hall, words).id)
  alice.edit(draft as MessageId, 'final')
  alice.remove(oops as MessageId)
  a.user('bob').react(nice as MessageId, '👍')
  await until(async () => (await parked(house)) === 3, 'all three')
  await stop()
  await start()
  await until(() => copyOf(b, 'nice')?.reactions.length === 1, 'the reaction')
  await settled(house)
  assert.deepEqual(copies(b), ['alice: final', 'alice: nice'])
  assert.equal(b.channel(hall).messages.length, 2, 'what was deleted was never said')
  assert.equal(await parked(house), 0)
})

test('an edit that is told behind what overtook it changes no copy, and says nothing of what was deleted', async t => {
  const { house, a, b } = await openTwo(t)
  const alice = a.user('alice')
  const [first, second] = ['first', 'second'].map(words => alice.say(hall, words).id)
  await until(() => copyOf(b, 'second'), 'both')
  const overtaken = (id: MessageId, overtake: () => void): void => {
    a.faults.reorder()
    alice.edit(id, 'older words')
    a.faults.clockSkewMs += 10
    overtake()
  }
  overtaken(first as MessageId, () => alice.edit(first as MessageId, 'first, newest'))
  overtaken(second as MessageId, () => alice.remove(second as MessageId))
  alice.say(hall, 'third')
  await until(() => copyOf(b, 'third'), 'what came last')
  await settled(house)
  assert.deepEqual(copies(b), ['alice: first', 'alice: (edited) first, newest', 'alice: third'])
})

test('who deletes what a copy alone was deleted of before deletes it everywhere', async t => {
  const three = hallConfig('abc').replace('joins: true', `joins: true, direction: { 'c:${hall}': out }`)
  const house = new House(t, { config: three })
  await house.run('bridge', runBridge)
  const [a, b, c] = [house.server('a'), house.server('b'), house.server('c')]
  await Promise.all([a, b, c].map(server => server.ready()))
  const said = a.user('alice').say(hall, 'oops')
  const [inB, inC] = await Promise.all([b, c].map(server => until(() => copyOf(server, 'oops'), 'the copies')))
  assert.ok(inB && inC)
  await settled(house)
  // Of this place nothing goes out.
  c.user('carol').remove(inC.id)
  await c.quiet()
  await settled(house)
  assert.ok(!inB.deleted)
  a.user('alice').remove(said.id)
  await until(() => inB.deleted, 'it is gone')
})

test('what waits for its message does so for ten minutes', async t => {
  const { house, a, b, start, stop } = await openTwo(t)
  a.faults.drop(1)
  const said = a.user('alice').say(hall, 'draft')
  a.user('alice').edit(said.id, 'final')
  await until(async () => (await parked(house)) === 1, 'the edit')
  const left = await house.ledger.read(
    db => Number(sql(db, 'SELECT until_ms FROM parked').get()?.['until_ms']) - Date.now(),
  )
  assert.ok(left > 590_000 && left <= 600_000, `${left} ms`)
  await stop()
  await house.ledger.write(db => sql(db, 'UPDATE parked SET until_ms = ?').run(Date.now()))
  await start()
  await until(() => copyOf(b, 'draft'), 'the message as it was')
  await settled(house)
  assert.deepEqual(copies(b), ['alice: draft'])
})

test('an edit is one short line where nothing can be edited, and nothing when it changes nothing', async t => {
  const { house, a, b } = await openTwo(t)
  const said = a.user('alice').say(hall, 'helo')
  await until(() => copyOf(b, 'helo'), 'the copy')
  a.user('alice').edit(said.id, 'hello')
  a.user('alice').edit(said.id, { segments: [{ kind: 'text', text: 'hello', marks: ['bold'] }] })
  a.user('alice').say(hall, 'mark')
  await until(() => copyOf(b, 'mark'), 'the mark')
  await settled(house)
  assert.deepEqual(copies(b).toSorted(), ['alice: (edited) hello', 'alice: helo', 'alice: mark'])
})

test('nothing is done in a place where a message never was', async t => {
  const { house, a, b } = await openTwo(t, 'secret')
  const alice = a.user('alice')
  const quiet = alice.say(hall, 'a secret')
  await a.quiet()
  alice.edit(quiet.id, 'harmless')
  a.user('bob').react(quiet.id, '👍')
  alice.remove(quiet.id)
  alice.say(hall, 'mark')
  await until(() => copyOf(b, 'mark'), 'the mark')
  await settled(house)
  assert.deepEqual(copies(b), ['alice: mark'])
  const acts = await house.ledger.read(db => sql(db, 'SELECT count(*) AS n FROM delivery').get()?.['n'])
  assert.equal(acts, 1)
})

test('what was missed says when it was said, when that is long ago', async t => {
  const { house, a, b, start, stop } = await openTwo(t)
  a.user('alice').say(hall, 'live')
  await until(() => copyOf(b, 'live'), 'live')
  await stop()
  // We have been here for long.
  await house.ledger.write(db => sql(db, 'UPDATE place SET since_ms = 1').run())
  a.faults.clockSkewMs = -600_000
  a.user('alice').say(hall, 'ten minutes ago')
  a.user('alice').say(hall, { segments: [{ kind: 'text', text: 'and this', marks: ['bold'] }] })
  const at = new Date(a.nowMs).toISOString()
  a.faults.clockSkewMs = 0
  a.user('alice').say(hall, 'just now')
  await start()
  await until(() => copyOf(b, 'just now'), 'the last')
  await settled(house)
  const [, first, second] = copies(b)
  assert.match(first ?? '', /^alice: \[(?:\d{4}-\d\d-\d\d )?\d\d:\d\d UTC\] ten minutes ago$/)
  assert.ok(first?.includes(at.slice(11, 15)))
  assert.match(second ?? '', /UTC\] and this$/)
})

test('what is done to a copy before its id is known is done once it is', async t => {
  const { house, a, b } = await openTwo(t)
  const alice = a.user('alice')
  b.user('bob').join(hall)
  b.faults.loseAnswer('silence')
  const said = alice.say(hall, 'seen at once')
  const copy = await until(() => copyOf(b, 'seen at once'), 'the copy')
  b.user('bob').react(copy.id, '👍')
  await until(() => a.channel(hall).messages.find(({ id }) => id === said.id)?.reactions.length === 1, 'the reaction')
  await settled(house)
  assert.equal(await parked(house), 0)
  assert.deepEqual(copies(b), ['alice: seen at once'])
})

test('what was changed or taken back while its copy waited is said as it reads then, or never', async t => {
  const { house, a, b } = await openTwo(t)
  const alice = a.user('alice')
  b.down()
  const [typo, oops] = ['helo', 'my password'].map(words => alice.say(hall, words).id) as [MessageId, MessageId]
  await a.quiet()
  alice.edit(typo, 'hello')
  alice.remove(oops)
  alice.say(hall, 'mark')
  await a.quiet()
  b.up()
  await until(() => copyOf(b, 'mark'), 'the mark')
  await settled(house)
  assert.deepEqual(
    b.channel(hall).messages.map(({ text }) => text),
    ['hello', 'mark'],
  )
})

test('what waited and was edited while we were not there says once when that was', async t => {
  const { house, a, b, stop } = await openTwo(t)
  b.down()
  const { id } = a.user('alice').say(hall, 'helo')
  await a.quiet()
  await stop()
  const agoMs = 600_000
  await house.ledger.write(db => {
    sql(db, 'UPDATE place SET since_ms = 1').run()
    sql(db, 'UPDATE delivery SET created_ms = created_ms - ?').run(agoMs)
  })
  a.faults.clockSkewMs = -agoMs
  a.user('alice').edit(id, 'hello')
  a.faults.clockSkewMs = 0
  await house.run('bridge', runBridge)
  await a.ready()
  await a.quiet()
  b.up()
  await settled(house)
  assert.match(copies(b).join('\n'), /^alice: \[[^\]]+ UTC\] hello$/)
})

test('of many edits that waited for a network the last one is told', async t => {
  const { house, a, b } = await openTwo(t)
  const alice = a.user('alice')
  const { id } = alice.say(hall, 'helo')
  const gone = alice.say(hall, 'draft').id
  await until(() => copyOf(b, 'draft'), 'the copies')
  await settled(house)
  b.down()
  for (const words of ['hell', 'hello', 'hello there']) {
    alice.edit(id, words)
    alice.edit(gone, words)
    await a.quiet()
  }
  alice.remove(gone)
  await a.quiet()
  b.up()
  await settled(house)
  assert.deepEqual(copies(b), ['alice: helo', 'alice: (edited) hello there'])
})

test('what waits for a place that leaves the room is never said there', async t => {
  const { house, a, b } = await openTwo(t)
  await house.grant('a', 'olga', 'operator')
  const olga = a.user('olga')
  const alice = a.user('alice')
  b.down()
  const { id } = alice.say(hall, 'for us alone')
  await a.quiet()
  await olga.shouldReply(hall, `!room unlink hall b:${hall}`, `hall: a:${hall}`)
  await olga.shouldReply(hall, `!room link hall b:${hall}`, `hall: a:${hall} ⇄ b:${hall}`)
  alice.edit(id, 'for us two')
  alice.say(hall, 'mark')
  await a.quiet()
  b.up()
  await until(() => copyOf(b, 'mark'), 'the mark')
  await settled(house)
  const shown = b.channel(hall).messages.map(({ text }) => text)
  assert.ok(shown.includes(`hall: a:${hall}`), 'what a bot said before is said')
  assert.deepEqual(
    shown.filter(text => text.includes('for us')),
    [],
  )
})

test('what was lost on its way to a place that leaves the room is not said there again', async t => {
  const { house, a, b } = await openTwo(t)
  await house.grant('a', 'olga', 'operator')
  const release = b.faults.hold()
  a.user('alice').say(hall, 'for us alone')
  await until(async () => (await deliveries(house)).some(({ state }) => state === states.sending), 'a departure')
  b.down()
  await until(async () => (await deliveries(house)).some(({ state }) => state === states.unknown), 'its loss')
  b.faults.refuseSends(1, 'network-refused')
  release()
  const olga = a.user('olga')
  await olga.shouldReply(hall, `!room unlink hall b:${hall}`, `hall: a:${hall}`)
  b.up()
  await b.ready()
  await settled(house)
  assert.deepEqual(
    copies(b).filter(text => text.includes('alone')),
    [],
  )
})

test('what waits for a place that left the room while we were not there is never said there', async t => {
  const { house, a, b, stop } = await openTwo(t)
  b.down()
  a.user('alice').say(hall, 'for us alone')
  await a.quiet()
  await stop()
  const room = { places: [`a:${hall}`], open: true, joins: true }
  await house.ledger.write(db => storeSetting(db, 'rooms.hall', room, 'olga', Date.now()))
  await house.run('bridge', runBridge)
  b.up()
  await b.ready()
  await settled(house)
  assert.deepEqual(copies(b), [])
})
