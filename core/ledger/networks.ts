/** How each network is, as the process that holds the connections last said. */
import type { Standing } from '../adapter.ts'
import { sql } from './sqlite.ts'
import type { Tx } from './tx.ts'

export interface NetworkStanding extends Standing {
  readonly network: string
  readonly toldMs: number
}

export const standings = (tx: Tx): NetworkStanding[] =>
  sql(tx, 'SELECT network, standing, at_ms FROM standing ORDER BY network')
    .all()
    .map(row => ({
      ...(JSON.parse(row['standing'] as string) as Standing),
      network: row['network'] as string,
      toldMs: Number(row['at_ms']),
    }))

export function saveStanding(tx: Tx, network: string, standing: Standing, nowMs: number): void {
  sql(
    tx,
    `INSERT INTO standing VALUES (?, ?, ?) ON CONFLICT (network) DO UPDATE SET standing = excluded.standing,
     at_ms = excluded.at_ms`,
  ).run(network, JSON.stringify(standing), nowMs)
}

export function dropStanding(tx: Tx, network: string): void {
  sql(tx, 'DELETE FROM standing WHERE network = ?').run(network)
}
