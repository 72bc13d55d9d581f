/** What the ledger keeps by a name, and what it knows of itself: this instance, this run of the machine. */
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { sql } from './sqlite.ts'
import type { Tx } from './tx.ts'

export const getMeta = (db: Tx, key: string): string | null =>
  (sql(db, 'SELECT value FROM meta WHERE key = ?').get(key)?.['value'] as string | undefined) ?? null

export const setMeta = (db: Tx, key: string, value: string): void => {
  // A start that changes nothing writes nothing: it works on a full disk too.
  sql(
    db,
    `INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value
     WHERE value <> excluded.value`,
  ).run(key, value)
}

/** Drops a value, unless it is another one by now. */
export const dropMeta = (tx: Tx, key: string, value: string): void => {
  sql(tx, 'DELETE FROM meta WHERE key = ? AND value = ?').run(key, value)
}

/** This instance's own id, made once: 12 letters and digits. */
export function instanceId(db: Tx): string {
  sql(db, "INSERT OR IGNORE INTO meta VALUES ('instance', ?)").run(randomBytes(6).toString('hex'))
  return getMeta(db, 'instance') as string
}

/** Changes with every commit, of this connection or another. */
export function changeStamp(tx: Tx): string {
  const own = sql(tx, 'SELECT total_changes() AS n').get()?.['n']
  const others = sql(tx, 'PRAGMA data_version').get()?.['data_version']
  return `${String(others)}.${String(own)}`
}

/** Names this run of the machine. Linux tells; elsewhere every start of a process counts as one. */
export function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  } catch {
    return `unknown-${process.pid}-${Date.now()}`
  }
}

/**
 * Whether the machine was restarted since the last call: marks made by `mark` may then be missing, and what stands as
 * queued may have been sent.
 */
export function rebooted(db: Tx): boolean {
  const boot = bootId()
  const before = getMeta(db, 'boot')
  setMeta(db, 'boot', boot)
  return before !== null && before !== boot
}
