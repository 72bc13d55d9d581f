import { sql } from './sqlite.ts'
import type { Tx } from './tx.ts'

/** What is deleted for its age once it is settled. Facts are not, nor is under which ids they stand where. */
export type Aging = 'delivery' | 'orders'

/**
 * What makes an order `up` to date may be asked for again under its key, as long as its network has not come up anew:
 * then it has to be known that this was done.
 */
const mayComeAgain = `kind IN ('place.keep', 'place.bring') AND created_ms >= coalesce(
  (SELECT standing ->> 'sinceMs' FROM standing WHERE standing.network = orders.network), 9e15)`

/** What stays although it is settled and old. A batch looks for all of its orders until it is told. */
const stays: Record<Aging, string> = {
  delivery: '0',
  orders: `(${mayComeAgain}) OR EXISTS (SELECT 1 FROM claim WHERE kind = 'batch')`,
}

/**
 * Looks at `limit` rows with an id above `afterId`, oldest first, and deletes those that were settled before `beforeMs`.
 * Returns the id after which to go on, null at the end of what is old: a table is never read whole, and needs no index.
 */
export function dropSettled(
  tx: Tx,
  table: Aging,
  { afterId, beforeMs, limit }: { readonly afterId: number; readonly beforeMs: number; readonly limit: number },
): { readonly dropped: number; readonly next: number | null } {
  const rows = sql(
    tx,
    `SELECT id, created_ms < ? AS old,
     state >= 10 AND coalesce(settled_ms, created_ms) < ? AND NOT (${stays[table]}) AS due
     FROM ${table} WHERE id > ? ORDER BY id LIMIT ?`,
  ).all(beforeMs, beforeMs, afterId, limit)
  const due = rows.filter(row => row['due'] === 1 && row['old'] === 1).map(row => Number(row['id']))
  if (due.length > 0) {
    sql(tx, `DELETE FROM ${table} WHERE id IN (SELECT value FROM json_each(?))`).run(JSON.stringify(due))
  }
  const last = rows.at(-1)
  const more = rows.length === limit && last?.['old'] === 1
  return { dropped: due.length, next: more ? Number(last['id']) : null }
}
