import type { Standing } from '../../core/adapter.ts'
import { type Db, sql } from '../../core/ledger/sqlite.ts'
import { duration } from '../../core/text.ts'

/** How a network was when the bridge last said so. */
export interface NetworkStanding extends Standing {
  readonly network: string
  readonly toldMs: number
}

export const standings = (db: Db): NetworkStanding[] =>
  sql(db, 'SELECT network, standing, at_ms FROM standing ORDER BY network')
    .all()
    .map(row => ({
      ...(JSON.parse(row['standing'] as string) as Standing),
      network: row['network'] as string,
      toldMs: Number(row['at_ms']),
    }))

/** `irc up 2h · Ergo 2.19.1` */
export function networkLine({ network, state, sinceMs, server, reason }: NetworkStanding, nowMs: number): string {
  const parts = [`${network} ${state} ${duration(Math.max(0, nowMs - sinceMs))}`, server, reason]
  return parts.filter(part => part !== undefined && part !== '').join(' · ')
}
