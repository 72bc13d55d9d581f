/** Numbers for who watches over the instance. Each comes from an index or a small table: they are asked for every few seconds. */

import { turnStates } from './oracle/turns.ts'
import { states } from './out/deliveries.ts'
import { type Row, sql } from './sqlite.ts'
import type { Tx } from './tx.ts'

/** How many of a kind are open, and how old the oldest is. */
export interface Open {
  readonly state: string
  readonly count: number
  readonly oldestMs: number
}

const openOf =
  (names: Readonly<Record<string, number>>) =>
  (row: Row): Open => ({
    state: Object.entries(names).find(([, value]) => value === Number(row['state']))?.[0] ?? '',
    count: Number(row['n']),
    oldestMs: Number(row['oldest']),
  })

export const openDeliveries = (tx: Tx): Open[] =>
  sql(tx, 'SELECT state, count(*) AS n, min(created_ms) AS oldest FROM delivery WHERE state < 10 GROUP BY state')
    .all()
    .map(openOf(states))

export const openTurnsByState = (tx: Tx): Open[] =>
  sql(tx, 'SELECT state, count(*) AS n, min(created_ms) AS oldest FROM turn WHERE state < 10 GROUP BY state')
    .all()
    .map(openOf(turnStates))

/** The number of the newest row: how many there ever were. */
export const everMade = (tx: Tx, what: 'delivery' | 'turn' | 'orders' | 'audit'): number =>
  Number(sql(tx, `SELECT coalesce(max(id), 0) AS n FROM ${what}`).get()?.['n'])

/** How many facts each consumer has not read yet. */
export const consumerLags = (tx: Tx): { readonly consumer: string; readonly facts: number }[] =>
  sql(tx, 'SELECT name, (SELECT coalesce(max(seq), 0) FROM event) - seq AS lag FROM consumer ORDER BY name')
    .all()
    .map(row => ({ consumer: row['name'] as string, facts: Math.max(0, Number(row['lag'])) }))
