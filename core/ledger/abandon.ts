/** What waits for a network that is not there any more. */
import type { NetworkId } from '../event.ts'
import { states } from './out/deliveries.ts'
import { sql } from './sqlite.ts'
import type { Tx } from './tx.ts'

export interface Abandoned {
  readonly count: number
  /** The newest of them: no other removal gives up the same ones. */
  readonly lastId: number
}

/** Gives up all that is open for one network, for good; secrets among it are emptied. What waits on an order ends with that. */
export function abandon(tx: Tx, network: NetworkId, reason: string, nowMs: number): Abandoned {
  const rows = sql(
    tx,
    `UPDATE delivery SET state = ${states.failed}, error = ?, settled_ms = ?,
     act = CASE secret WHEN 1 THEN '{}' ELSE act END
     WHERE state < 10 AND state > ${states.held} AND place IN (SELECT id FROM place WHERE network = ?) RETURNING id`,
  ).all(reason, nowMs, network)
  return { count: rows.length, lastId: rows.reduce((last, row) => Math.max(last, Number(row['id'])), 0) }
}
