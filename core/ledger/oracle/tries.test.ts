import assert from 'node:assert/strict'
import { it } from 'node:test'
import { sql } from '../sqlite.ts'
import { temporaryLedger } from '../testing.ts'
import { passMark, spendBy, spendOf } from './spend.ts'
import { bookTry, costOf, type Limit, type NewTry, noteOutput, openTries, reserveTry } from './tries.ts'

const wanted: NewTry = {
  turn: 1,
  task: 'answer',
  room: 'general',
  person: 'person:1',
  model: 'mini',
  service: 'openai/gpt-4.1-mini',
  owner: 'boot 1 1',
  day: '2026-11-28',
  month: '2026-11',
  price: { input: 1, cached: 0.5, output: 4 },
  inputTokens: 100,
  mostMicroUsd: 1000,
}
const used = { inputTokens: 100, cachedTokens: 40, outputTokens: 20, estimated: false, outcome: 'stop', error: null }
const daily = (microUsd: number, more: Partial<Limit> = {}): Limit => ({
  period: '2026-11-28',
  scope: 'all',
  microUsd,
  hard: true,
  ...more,
})

it('reserves the most, then books what it was, once', async t => {
  const ledger = temporaryLedger(t)
  await ledger.write(tx => {
    const id = reserveTry(tx, wanted, [], 5) as number
    assert.equal(spendOf(tx, '2026-11', 'all').reservedMicroUsd, 1000)
    assert.deepEqual(
      openTries(tx).map(open => open.id),
      [id],
    )
    assert.equal(bookTry(tx, id, used, 6)?.costMicroUsd, 60 + 20 + 80)
    assert.equal(bookTry(tx, id, used, 7), null)
    for (const period of ['2026-11-28', '2026-11']) {
      for (const scope of ['all', 'person:1', 'room:general', 'model:mini', 'task:answer']) {
        const { costMicroUsd, reservedMicroUsd, tries, cachedTokens } = spendOf(tx, period, scope)
        assert.deepEqual([costMicroUsd, reservedMicroUsd, tries, cachedTokens], [160, 0, 1, 40], `${period} ${scope}`)
      }
    }
    assert.equal(spendOf(tx, '2026-11', 'unasked').tries, 0)
    assert.deepEqual(openTries(tx), [])
  })
})

it('sums are those of the rows, whatever happens to them', async t => {
  const ledger = temporaryLedger(t)
  await ledger.write(tx => {
    for (let at = 0; at < 200; at++) {
      const turn = at % 3 === 0 ? null : at
      const one = { ...wanted, turn, person: `person:${at % 4}`, room: `r${at % 5}`, mostMicroUsd: at * 7 }
      const id = reserveTry(tx, one, [], at) as number
      if (at % 7 !== 0) bookTry(tx, id, { ...used, outputTokens: at }, at)
      if (at % 11 === 0) bookTry(tx, id, used, at)
    }
    const rows = sql(
      tx,
      `SELECT person, sum(cost_micro_usd) AS cost, sum(iif(booked, 0, reserved_micro_usd)) AS reserved, sum(booked) AS n
       FROM try GROUP BY person`,
    ).all()
    for (const row of rows) {
      const spend = spendOf(tx, '2026-11', row['person'] as string)
      const sums = [spend.costMicroUsd, spend.reservedMicroUsd, spend.tries]
      assert.deepEqual(sums, [Number(row['cost']), Number(row['reserved']), Number(row['n'])])
    }
    assert.equal(rows.length, 4)
    assert.ok(spendOf(tx, '2026-11', 'unasked').tries > 0)
    assert.equal(spendBy(tx, '2026-11', 'room').length, 5)
  })
})

it('refuses at a hard limit, and tells what is spent from what is held', async t => {
  const ledger = temporaryLedger(t)
  await ledger.write(tx => {
    const id = reserveTry(tx, wanted, [daily(1000)], 1)
    assert.equal(typeof id, 'number', 'up to the limit one may begin')
    const held = reserveTry(tx, wanted, [daily(1000)], 1)
    assert.ok(typeof held !== 'number' && held.held)
    assert.equal(typeof reserveTry(tx, wanted, [daily(1000, { scope: 'person:2' })], 1), 'number', 'of somebody else')
    assert.equal(typeof reserveTry(tx, wanted, [daily(1000, { hard: false })], 1), 'number', 'only told')
    bookTry(tx, id as number, { ...used, outputTokens: 1000 }, 2)
    const spent = reserveTry(tx, wanted, [daily(1000)], 3)
    assert.ok(typeof spent !== 'number' && !spent.held && spent.spend.costMicroUsd === 4080)
  })
})

it('what was answered so far is noted until it is booked', async t => {
  const ledger = temporaryLedger(t)
  await ledger.write(tx => {
    const id = reserveTry(tx, wanted, [], 1) as number
    noteOutput(tx, id, 33)
    assert.equal(openTries(tx)[0]?.outputTokens, 33)
    bookTry(tx, id, used, 2)
    noteOutput(tx, id, 99)
    assert.equal(sql(tx, 'SELECT output_tokens AS n FROM try').get()?.['n'], 20)
  })
})

it('a mark is passed once', async t => {
  const ledger = temporaryLedger(t)
  await ledger.write(tx => {
    assert.deepEqual([passMark(tx, '2026-11', 'all', 50), passMark(tx, '2026-11', 'all', 50)], [true, false])
    assert.equal(passMark(tx, '2026-12', 'all', 50), true)
  })
})

it('costs are millionths of a dollar, rounded up but not by what binary fractions add', () => {
  const price = { input: 0.1, cached: 0.1, output: 0.3 }
  const cost = (inputTokens: number, outputTokens: number): number =>
    costOf(price, { inputTokens, cachedTokens: 0, outputTokens })
  assert.deepEqual([cost(0, 0), cost(1, 0), cost(10, 0), cost(10, 10), cost(1000, 1000)], [0, 1, 1, 4, 400])
})
