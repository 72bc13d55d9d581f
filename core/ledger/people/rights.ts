/** Whether what was looked up of who may see what still holds. */
import { sql } from '../sqlite.ts'
import type { Tx } from '../tx.ts'

/** Another number whenever a role, an identity, a membership, an engagement or a key has changed. */
export const rightsVersion = (tx: Tx): number => Number(sql(tx, 'SELECT version FROM rights').get()?.['version'])

/** When time alone changes it next, Unix ms: a role, an engagement or a key ends. Infinity: never. */
export function rightsEnd(tx: Tx, nowMs: number): number {
  const row = sql(
    tx,
    `SELECT min(ms) AS ms FROM (SELECT until_ms AS ms FROM role UNION ALL SELECT expires_ms FROM agent
     UNION ALL SELECT until_ms FROM api_key) WHERE ms > ?`,
  ).get(nowMs)
  return row?.['ms'] == null ? Infinity : Number(row['ms'])
}
