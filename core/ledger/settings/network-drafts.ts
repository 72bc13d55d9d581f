/** Networks that are being set up in chat: not configured yet. */
import { sql } from '../sqlite.ts'
import type { Tx } from '../tx.ts'

export interface NetworkDraft {
  readonly name: string
  /** As it is to stand in the configuration, as far as it was given. */
  readonly config: Readonly<Record<string, unknown>> & { readonly kind: string }
  readonly by: string
  readonly atMs: number
}

export const networkDrafts = (tx: Tx): NetworkDraft[] =>
  sql(tx, 'SELECT name, config, by, at_ms FROM network_draft ORDER BY name')
    .all()
    .map(row => ({
      name: row['name'] as string,
      config: JSON.parse(row['config'] as string) as NetworkDraft['config'],
      by: row['by'] as string,
      atMs: Number(row['at_ms']),
    }))

/** In place of one of that name. */
export function keepNetworkDraft(tx: Tx, { name, config, by, atMs }: NetworkDraft): void {
  sql(
    tx,
    `INSERT INTO network_draft VALUES (?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET config = excluded.config,
     by = excluded.by, at_ms = excluded.at_ms`,
  ).run(name, JSON.stringify(config), by, atMs)
}

export const dropNetworkDraft = (tx: Tx, name: string): boolean =>
  sql(tx, 'DELETE FROM network_draft WHERE name = ?').run(name).changes > 0
