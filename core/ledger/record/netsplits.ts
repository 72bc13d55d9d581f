/** Netsplits: who left in one is told in one line a place, and who comes back soon is not told at all. */
import type { MemberEvent } from '../../event.ts'
import { sql } from '../sqlite.ts'
import type { Tx } from '../tx.ts'
import { bySeq, type Stored } from './events.ts'

/** Who comes back within that time was never away. */
const returnMs = 600_000

/** Notes who left in a netsplit. Those of a place are told together, at the time given with the first of them. */
export function noteSplit(tx: Tx, { seq, placeId, event }: Stored<MemberEvent>, tellMs: number, nowMs: number): void {
  sql(tx, 'DELETE FROM split_member WHERE place = ? AND until_ms <= ?').run(placeId, nowMs)
  sql(tx, 'INSERT OR REPLACE INTO split_member VALUES (?, ?, ?)').run(placeId, event.sender.id, nowMs + returnMs)
  sql(tx, 'INSERT INTO netsplit VALUES (?, ?, 1, ?) ON CONFLICT (place) DO UPDATE SET left = left + 1').run(
    placeId,
    seq,
    tellMs,
  )
}

/** Whether somebody comes back who left in a netsplit; from now on they are as others. */
export const endSplit = (tx: Tx, { placeId, event }: Stored<MemberEvent>, nowMs: number): boolean => {
  const row = sql(tx, 'DELETE FROM split_member WHERE place = ? AND user = ? RETURNING until_ms').get(
    placeId,
    event.sender.id,
  )
  return Number(row?.['until_ms'] ?? 0) > nowMs
}

export interface Netsplit {
  readonly first: Stored<MemberEvent>
  readonly left: number
}

/** What is to be told now, each once. */
export const takeSplits = (tx: Tx, nowMs: number): Netsplit[] =>
  sql(tx, 'DELETE FROM netsplit WHERE tell_ms <= ? RETURNING first, left')
    .all(nowMs)
    .map(row => ({ first: bySeq(tx, Number(row['first'])) as Stored<MemberEvent>, left: Number(row['left']) }))

/** When the next one is to be told, Unix ms; null: there is none. */
export function nextSplitMs(tx: Tx): number | null {
  const at = sql(tx, 'SELECT min(tell_ms) AS at FROM netsplit').get()?.['at']
  return at == null ? null : Number(at)
}
