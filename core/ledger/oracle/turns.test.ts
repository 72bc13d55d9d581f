import assert from 'node:assert/strict'
import { it, type TestContext } from 'node:test'
import type { UserId } from '../../event.ts'
import type { Ledger } from '../ledger.ts'
import { append } from '../record/events.ts'
import { messageNumber, placeNamed, temporaryLedger } from '../testing.ts'
import {
  answerTurn,
  endLapsedStops,
  endTurn,
  freeTurns,
  keepTurns,
  mergeTurns,
  openTurns,
  queueTurn,
  stopTurns,
  type TurnState,
  takeTurn,
  turnById,
  turnOfFact,
} from './turns.ts'

const place = placeNamed('#general')
const by = { network: place.network, user: 'alice' as UserId, person: 1, name: 'Alice' }

/** A ledger with as many questions as there are lanes, each with its turn: ids from 1. */
async function asked(t: TestContext, ...lanes: readonly string[]): Promise<Ledger> {
  const ledger = temporaryLedger(t)
  await ledger.write(db => {
    for (const [n, lane] of lanes.entries()) {
      const fact = append(db, messageNumber(n + 1), 'general', 0)
      assert.ok(fact)
      assert.equal(queueTurn(db, { asked: fact.seq, place, lane, by }, n), n + 1)
    }
  })
  return ledger
}

const states = (ledger: Ledger): Promise<(TurnState | undefined)[]> =>
  ledger.read(db => [1, 2, 3].map(id => turnById(db, id)?.state))

it('one question has one turn, whoever writes it', async t => {
  const ledger = await asked(t, 'a')
  const again = await ledger.write(db => queueTurn(db, { asked: 1, place, lane: 'b', by }, 5))
  assert.equal(again, null)
  assert.equal((await ledger.read(openTurns)).length, 1)
})

it('turns of one lane are taken up in their order, those of others side by side', async t => {
  const ledger = await asked(t, 'a', 'a', 'b')
  const take = (id: number) => ledger.write(db => takeTurn(db, id, 'me', 100, 1)?.id ?? null)
  assert.equal(await take(2), null, 'behind the first')
  assert.deepEqual([await take(1), await take(3)], [1, 3])
  assert.equal(await take(2), null, 'the first runs')
  assert.equal(await ledger.write(db => endTurn(db, 1, 'me', { state: 'done' }, 2)), true)
  assert.equal(await take(2), 2)
})

it('a turn has one holder: another takes it up when the lease is over, or when its holder is known to be gone', async t => {
  const ledger = await asked(t, 'a', 'b')
  const take = (id: number, holder: string, nowMs: number) =>
    ledger.write(db => takeTurn(db, id, holder, nowMs + 100, nowMs)?.tries ?? null)
  assert.equal(await take(1, 'one', 0), 1)
  assert.equal(await take(1, 'two', 99), null)
  await ledger.write(db => keepTurns(db, 'one', [1], 300))
  assert.equal(await take(1, 'two', 299), null, 'it was kept')
  assert.equal(await take(1, 'two', 300), 2)
  assert.equal(
    await ledger.write(db => endTurn(db, 1, 'one', { state: 'done' }, 301)),
    false,
    'it is not its own any more',
  )
  assert.equal(await take(2, 'one', 300), 1)
  await ledger.write(db => freeTurns(db, 'one', 301))
  assert.equal(await take(2, 'two', 301), 2)
})

it('what is answered together with one that is stopped ends with it, also when nobody worked on it any more', async t => {
  for (const end of ['stop', 'lapse', 'free'] as const) {
    const ledger = await asked(t, 'a', 'a', 'b')
    await ledger.write(db => takeTurn(db, 1, 'me', 100, 1))
    await ledger.write(db => mergeTurns(db, 1, [2]))
    await ledger.write(db => stopTurns(db, { fact: 1 }, 'bob', end === 'stop' ? 200 : 2))
    if (end === 'lapse') await ledger.write(db => endLapsedStops(db, 200))
    if (end === 'free') await ledger.write(db => freeTurns(db, 'me', 3))
    assert.deepEqual(await states(ledger), ['stopped', 'stopped', 'queued'], end)
  }
})

it('what was stopped ends as stopped and never comes back', async t => {
  const ledger = await asked(t, 'a', 'b', 'c')
  await ledger.write(db => takeTurn(db, 1, 'me', 100, 1))
  await ledger.write(db => takeTurn(db, 3, 'gone', 100, 1))
  const stopped = await ledger.write(db => stopTurns(db, 'all', 'bob', 2))
  assert.deepEqual(
    stopped.map(({ id, state }) => [id, state]),
    [
      [1, 'running'],
      [2, 'queued'],
      [3, 'running'],
    ],
  )
  assert.deepEqual(await states(ledger), ['stopping', 'stopped', 'stopping'])
  assert.equal(await ledger.write(db => endTurn(db, 1, 'me', { state: 'done' }, 3)), false)
  assert.deepEqual(await ledger.write(db => keepTurns(db, 'me', [1, 2], 200).stopping), [1])
  assert.equal(await ledger.write(db => endTurn(db, 1, 'me', { state: 'stopped' }, 3)), true)
  assert.equal(await ledger.write(db => takeTurn(db, 3, 'me', 999, 500)), null, 'although its lease is over')
  await ledger.write(db => endLapsedStops(db, 501))
  assert.deepEqual(await states(ledger), ['stopped', 'stopped', 'stopped'])
  assert.deepEqual(await ledger.write(db => stopTurns(db, 'all', 'bob', 502)), [])
})

it('what was stopped in the middle of its words is left to the next process, which marks it', async t => {
  for (const end of ['stopped later', 'lapse', 'free'] as const) {
    const ledger = await asked(t, 'a')
    await ledger.write(db => takeTurn(db, 1, 'gone', 100, 1))
    await ledger.write(db => answerTurn(db, 1, 1))
    await ledger.write(db => stopTurns(db, 'all', 'bob', end === 'stopped later' ? 200 : 2))
    if (end === 'free') await ledger.write(db => freeTurns(db, 'gone', 3))
    else await ledger.write(db => endLapsedStops(db, 200))
    assert.equal((await states(ledger))[0], 'stopping', end)
    assert.equal(await ledger.write(db => takeTurn(db, 1, 'me', 999, 500)?.state), 'stopping')
    assert.equal(await ledger.write(db => endTurn(db, 1, 'me', { state: 'stopped' }, 501)), true)
  }
})

it('means those of one person in one room, by any account of theirs, or the one of a fact', async t => {
  const ledger = await asked(t, 'a', 'b', 'c')
  const of = { network: place.network, user: 'another' as UserId, person: null }
  const stop = (scope: Parameters<typeof stopTurns>[1]) =>
    ledger.write(db => stopTurns(db, scope, 'x', 1).map(({ id }) => id))
  assert.deepEqual(await stop({ of, room: 'general' }), [])
  assert.deepEqual(await stop({ of: by, room: 'ops' }), [])
  await ledger.write(db => answerTurn(db, 2, 3))
  assert.deepEqual(await stop({ fact: 1 }), [1])
  assert.deepEqual(await stop({ of: { ...of, person: 1 }, room: 'general' }), [2, 3])
})

it('turns answered together end together, with one answer', async t => {
  const ledger = await asked(t, 'a', 'a', 'a')
  await ledger.write(db => takeTurn(db, 1, 'me', 100, 1))
  await ledger.write(db => mergeTurns(db, 1, [2]))
  await ledger.write(db => {
    endTurn(db, 1, 'me', { state: 'done' }, 2)
    answerTurn(db, 1, 3)
  })
  assert.deepEqual(await states(ledger), ['done', 'done', 'queued'])
  const second = await ledger.read(db => turnById(db, 2))
  assert.deepEqual([second?.merged, second?.answer], [1, 3])
  assert.equal((await ledger.read(db => turnOfFact(db, 2)))?.id, 2)
})
