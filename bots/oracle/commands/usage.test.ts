import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addSpend } from '../../../core/ledger/oracle/spend.ts'
import { temporaryLedger } from '../../../core/ledger/testing.ts'
import { chartOf, daysOf, type Figures, sharesOf, sumsOf } from './usage-figures.ts'

const none = { reservedMicroUsd: 0, tries: 1, inputTokens: 0, cachedTokens: 0, outputTokens: 0 }

test('the days of a month end today, or with the month; a day stands at the end of two weeks', async t => {
  const ledger = temporaryLedger(t)
  await ledger.write(tx => {
    addSpend(tx, { ...none, period: '2026-02-27', scope: 'all', costMicroUsd: 5 })
    addSpend(tx, { ...none, period: '2026-03-01', scope: 'all', costMicroUsd: 7 })
  })
  const days = (period: string) => ledger.read(tx => daysOf(tx, period, '2026-03-02'))
  const [month, past, day] = [await days('2026-03'), await days('2026-02'), await days('2026-03-01')]
  assert.deepEqual(month, [
    { day: '2026-03-01', costMicroUsd: 7 },
    { day: '2026-03-02', costMicroUsd: 0 },
  ])
  assert.deepEqual(
    [past.length, past[26], past.at(-1)?.day],
    [28, { day: '2026-02-27', costMicroUsd: 5 }, '2026-02-28'],
  )
  assert.deepEqual(
    [day.length, day[0]?.day, day.at(-3)?.costMicroUsd, day.at(-1)?.costMicroUsd],
    [14, '2026-02-16', 5, 7],
  )
})

test('a chart shows what was spent, and there is none of nothing', async t => {
  const ledger = temporaryLedger(t)
  const figures = (): Promise<Figures> =>
    ledger.read(tx => {
      const of = (scope: string) => sumsOf(tx, '2026-03-01', scope)
      const [all, you, unasked] = [of('all'), of('person:1'), of('unasked')]
      const by = sharesOf(tx, '2026-03-01', () => true)
      return { period: '2026-03-01', all, you, unasked, by, days: daysOf(tx, '2026-03-01', '2026-03-01') }
    })
  assert.equal(chartOf(await figures()), null)
  await ledger.write(tx => {
    for (const scope of ['all', 'model:mini', 'room:general'])
      addSpend(tx, { ...none, period: '2026-03-01', scope, costMicroUsd: 420_000 })
    addSpend(tx, { ...none, period: '2026-03-01', scope: 'model:free', costMicroUsd: 0 })
    addSpend(tx, { ...none, period: '2026-03-01', scope: 'agent:idle', costMicroUsd: 0 })
  })
  const chart = chartOf(await figures())
  assert.equal(chart?.title, '2026-03-01: $0.42')
  assert.deepEqual(
    chart?.parts.map(({ title, bars }) => [title, bars.at(-1)?.shown, bars.length]),
    [
      ['what models cost a day', '$0.42', 14],
      ['models', '$0', 2],
      ['rooms', '$0.42', 1],
    ],
  )
})
