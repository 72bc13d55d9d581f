/** How each network is, as the process that holds the connections last said. */
import type { NetworkStatus } from '../../adapter.ts'
import { type Backlog, backlog } from '../out/deliveries.ts'
import { sql } from '../sqlite.ts'
import type { Tx } from '../tx.ts'

export interface StoredStatus extends NetworkStatus {
  readonly network: string
  readonly toldMs: number
}

export const networkStatuses = (tx: Tx): StoredStatus[] =>
  sql(tx, 'SELECT network, standing, at_ms FROM standing ORDER BY network')
    .all()
    .map(row => ({
      ...(JSON.parse(row['standing'] as string) as NetworkStatus),
      network: row['network'] as string,
      toldMs: Number(row['at_ms']),
    }))

export function saveStatus(tx: Tx, network: string, status: NetworkStatus, nowMs: number): void {
  sql(
    tx,
    `INSERT INTO standing VALUES (?, ?, ?) ON CONFLICT (network) DO UPDATE SET standing = excluded.standing,
     at_ms = excluded.at_ms`,
  ).run(network, JSON.stringify(status), nowMs)
}

export function dropStatus(tx: Tx, network: string): void {
  sql(tx, 'DELETE FROM standing WHERE network = ?').run(network)
}

/** What goes out within that time is under way. */
const promptMs = 2000

/** How much waits for each network: all that is not out while it is away, what is late while it is up. */
export function waiting(tx: Tx, nowMs: number): Backlog[] {
  const up = new Set(networkStatuses(tx).flatMap(({ network, state }) => (state === 'up' ? [network] : [])))
  const late = backlog(tx, nowMs - promptMs).filter(({ network }) => up.has(network))
  return [...backlog(tx).filter(({ network }) => !up.has(network)), ...late]
}
