/** What chat changed of the configuration. */
import { sql } from '../sqlite.ts'
import type { Tx } from '../tx.ts'

export interface Override {
  readonly key: string
  readonly value: unknown
  readonly by: string
  readonly atMs: number
}

/** Oldest first. */
export const overrides = (tx: Tx): Override[] =>
  sql(tx, 'SELECT key, value, by, at_ms FROM setting ORDER BY at_ms, key')
    .all()
    .map(row => ({
      key: row['key'] as string,
      value: JSON.parse(row['value'] as string) as unknown,
      by: row['by'] as string,
      atMs: Number(row['at_ms']),
    }))

/** Changes whenever a setting is stored or dropped: how a process notices that hears no signal. */
export const settingsMark = (tx: Tx): string =>
  JSON.stringify(sql(tx, 'SELECT count(*) AS n, max(at_ms) AS newest FROM setting').get())

/** Whether another key is this one or below it, where no name in between holds a dot: else `Settings.covers`. */
const isBelow =
  (key: string) =>
  (other: string): boolean =>
    other === key || other.startsWith(`${key}.`)

/** Stores a checked value, in place of any at the key or below it; part of a command's effect. Tell the other processes with the signal `settings`. */
export function storeSetting(
  tx: Tx,
  key: string,
  value: unknown,
  by: string,
  nowMs: number,
  covers: (other: string) => boolean = isBelow(key),
): void {
  dropSetting(tx, key, covers)
  sql(tx, 'INSERT INTO setting VALUES (?, ?, ?, ?)').run(key, JSON.stringify(value), by, nowMs)
}

/** Drops what chat changed at `key` and below; how many values. */
export function dropSetting(tx: Tx, key: string, covers: (other: string) => boolean = isBelow(key)): number {
  const gone = overrides(tx).filter(each => covers(each.key))
  for (const each of gone) sql(tx, 'DELETE FROM setting WHERE key = ?').run(each.key)
  return gone.length
}
