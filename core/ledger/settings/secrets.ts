/** Sealed values by name; the vault alone can open them. */
import { sql } from '../sqlite.ts'
import type { Tx } from '../tx.ts'

export interface SecretInfo {
  readonly name: string
  readonly by: string
  readonly atMs: number
}

/** In place of one of that name. */
export function keepSealed(tx: Tx, name: string, sealed: Buffer, by: string, nowMs: number): void {
  sql(
    tx,
    `INSERT INTO secret VALUES (?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET sealed = excluded.sealed,
     by = excluded.by, at_ms = excluded.at_ms`,
  ).run(name, sealed, by, nowMs)
}

export const sealedNamed = (tx: Tx, name: string): Buffer | null =>
  (sql(tx, 'SELECT sealed FROM secret WHERE name = ?').get(name)?.['sealed'] as Buffer | undefined) ?? null

export const dropSecret = (tx: Tx, name: string): boolean =>
  sql(tx, 'DELETE FROM secret WHERE name = ?').run(name).changes > 0

export const listSecrets = (tx: Tx): SecretInfo[] =>
  sql(tx, 'SELECT name, by, at_ms FROM secret ORDER BY name')
    .all()
    .map(row => ({ name: row['name'] as string, by: row['by'] as string, atMs: Number(row['at_ms']) }))
