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

/** Stores a checked value, in place of any at the key or below it; part of a command's effect. Tell the other processes with the signal `settings`. */
export function storeSetting(tx: Tx, key: string, value: unknown, by: string, nowMs: number): void {
  dropSetting(tx, key)
  sql(tx, 'INSERT INTO setting VALUES (?, ?, ?, ?)').run(key, JSON.stringify(value), by, nowMs)
}

/** Drops what chat changed at `key` and below; how many values. */
export const dropSetting = (tx: Tx, key: string): number =>
  sql(tx, "DELETE FROM setting WHERE key = ? OR substr(key, 1, length(?) + 1) = ? || '.'").run(key, key, key).changes
