/** What `!usage` tells: as numbers, and as a chart. */
import type { Chart, ChartPart } from '../../../core/event.ts'
import { type Spend, spendBy, spendOf } from '../../../core/ledger/oracle/spend.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import { dayMs, safeName } from '../../../core/text/text.ts'
import { labelOf } from '../models/budget/limits.ts'
import { usd } from '../models/budget/money.ts'

export type Sums = Omit<Spend, 'period' | 'scope'>
export type Named = Sums & { readonly name: string }

/** Who and what it was for, the dearest first: for operators. */
export interface Shares {
  readonly people: readonly Named[]
  readonly agents: readonly Named[]
  readonly rooms: readonly Named[]
  readonly models: readonly Named[]
  readonly tasks: readonly Named[]
}

export interface Figures {
  /** `2026-11-28` or `2026-11`. */
  readonly period: string
  readonly all: Sums
  readonly you: Sums
  readonly here?: Sums
  readonly unasked: Sums
  readonly by?: Shares
  /** Of the month, or the two weeks up to the day; the oldest first. */
  readonly days: readonly { readonly day: string; readonly costMicroUsd: number }[]
}

const daysShown = 14

export function sumsOf(tx: Tx, period: string, scope: string): Sums {
  const { period: _period, scope: _scope, ...sums } = spendOf(tx, period, scope)
  return sums
}

function named(tx: Tx, period: string, kinds: readonly string[], tells: (scope: string) => boolean): Named[] {
  const all = kinds.flatMap(kind => spendBy(tx, period, kind)).filter(({ tries, scope }) => tries > 0 && tells(scope))
  all.sort((a, b) => b.costMicroUsd - a.costMicroUsd || b.tries - a.tries)
  return all.map(({ period: _period, scope, ...sums }) => ({ name: labelOf(tx, scope), ...sums }))
}

/** Scopes that `tells` refuses are left out: rooms that not everybody who reads it may know of. */
export const sharesOf = (tx: Tx, period: string, tells: (scope: string) => boolean): Shares => ({
  people: named(tx, period, ['person', 'account', 'strangers'], tells),
  agents: named(tx, period, ['agent'], tells),
  rooms: named(tx, period, ['room'], tells),
  models: named(tx, period, ['model'], tells),
  tasks: named(tx, period, ['task'], tells),
})

/** `today` ends the month that holds. */
export function daysOf(tx: Tx, period: string, today: string): Figures['days'] {
  const isMonth = period.length === 7
  const first = Date.parse(isMonth ? `${period}-01` : period) - (isMonth ? 0 : (daysShown - 1) * dayMs)
  const days = Array.from({ length: isMonth ? 31 : daysShown }, (_, at) =>
    new Date(first + at * dayMs).toISOString().slice(0, 10),
  )
  return days
    .filter(day => !isMonth || (day.startsWith(period) && (day <= today || !today.startsWith(period))))
    .map(day => ({ day, costMicroUsd: spendOf(tx, day, 'all').costMicroUsd }))
}

/** So many of a list are shown; the data has all. */
export const most = 6

const bars = (list: readonly Named[]): ChartPart['bars'] =>
  list.slice(0, most).map(({ name, costMicroUsd }) => ({
    name: safeName(name),
    value: costMicroUsd,
    shown: usd(costMicroUsd),
  }))

/** Null: there is nothing to be seen. */
export function chartOf({ period, all, by, days }: Figures): Chart | null {
  if (all.costMicroUsd === 0 && days.every(({ costMicroUsd }) => costMicroUsd === 0)) return null
  const columns = days.map(({ day, costMicroUsd }) => ({
    name: day.slice(5),
    value: costMicroUsd,
    shown: usd(costMicroUsd),
  }))
  const shares = by
    ? [part('models', by.models), part('people', by.people), part('agents', by.agents), part('rooms', by.rooms)]
    : []
  return {
    title: `${period}: ${usd(all.costMicroUsd)}`,
    parts: [{ title: 'what models cost a day', columns: true, bars: columns }, ...shares.flat()],
  }
}

const part = (title: string, list: readonly Named[]): ChartPart[] =>
  list.some(({ costMicroUsd }) => costMicroUsd > 0) ? [{ title, bars: bars(list) }] : []
