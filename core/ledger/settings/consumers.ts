import { sql } from '../sqlite.ts'
import type { Tx } from '../tx.ts'

/** How far a consumer has read. A new one starts at `from` (0: the beginning), which is looked for only then. */
export function cursorOf(db: Tx, consumer: string, from: number | (() => number)): number {
  const known = sql(db, 'SELECT seq FROM consumer WHERE name = ?').get(consumer)
  if (known) return Number(known['seq'])
  const seq = typeof from === 'number' ? from : from()
  sql(db, 'INSERT INTO consumer VALUES (?, ?)').run(consumer, seq)
  return seq
}

/** Moves a consumer on, in the same transaction as the effects of what it read. */
export function advanceTo(db: Tx, consumer: string, seq: number): void {
  sql(db, 'UPDATE consumer SET seq = max(seq, ?) WHERE name = ?').run(seq, consumer)
}

export const getCursor = (db: Tx, network: string, name: string): string | null =>
  (sql(db, 'SELECT value FROM cursor WHERE network = ? AND name = ?').get(network, name)?.['value'] as
    | string
    | undefined) ?? null

export function setCursor(db: Tx, network: string, name: string, value: string): void {
  sql(db, 'INSERT INTO cursor VALUES (?, ?, ?) ON CONFLICT (network, name) DO UPDATE SET value = excluded.value').run(
    network,
    name,
    value,
  )
}

/** Forgets how far a network was read: another account may come under its name. */
export const dropCursors = (tx: Tx, network: string): void => {
  sql(tx, 'DELETE FROM cursor WHERE network = ?').run(network)
}

/** Notes that one fact is done with, out of turn. */
export function markHandled(db: Tx, consumer: string, seq: number): void {
  sql(db, 'INSERT OR IGNORE INTO handled VALUES (?, ?)').run(consumer, seq)
}

export const isHandled = (db: Tx, consumer: string, seq: number): boolean =>
  sql(db, 'SELECT 1 AS yes FROM handled WHERE consumer = ? AND seq = ?').get(consumer, seq) !== undefined

/** Drops what the cursor has passed. */
export function forgetHandled(db: Tx, consumer: string, seq: number): void {
  sql(db, 'DELETE FROM handled WHERE consumer = ? AND seq <= ?').run(consumer, seq)
}
