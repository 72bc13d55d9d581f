/** Everything that the vault sealed and the ledger keeps. `boxes.test.ts` compares this list with the schema. */
import { states } from '../out/deliveries.ts'
import { sql } from '../sqlite.ts'
import type { Tx } from '../tx.ts'

export interface Box {
  /** What it was sealed for. */
  readonly name: string
  readonly sealed: Buffer
  /** Puts another in its place. */
  readonly replace: (sealed: Buffer) => void
}

/** Where boxes are: the names they are sealed for, and the row's key. Those in acts of deliveries are base64 in JSON. */
const columns = [
  { table: 'secret', name: "'secret:' || name", key: 'name' },
  { table: 'orders', name: "'order:' || key", key: 'id' },
  { table: 'claim', name: "CASE kind WHEN 'batch' THEN 'batch:' ELSE 'claim:' END || hash", key: 'hash' },
  { table: 'inbox', name: "'inbox'", key: 'id' },
  { table: 'hook_in', name: "'hook:' || name", key: 'name' },
  { table: 'hook_out', name: "'hook:' || name", key: 'name' },
] as const

export const boxTables: readonly string[] = columns.map(({ table }) => table)

export function boxes(tx: Tx): Box[] {
  return [...columns.flatMap(column => inColumn(tx, column)), ...inActs(tx)]
}

const inColumn = (tx: Tx, { table, name, key }: (typeof columns)[number]): Box[] =>
  sql(tx, `SELECT ${key} AS at, ${name} AS name, sealed FROM ${table} WHERE sealed IS NOT NULL`)
    .all()
    .map(row => ({
      name: row['name'] as string,
      sealed: row['sealed'] as Buffer,
      replace: sealed => void sql(tx, `UPDATE ${table} SET sealed = ? WHERE ${key} = ?`).run(sealed, row['at']),
    }))

const inActs = (tx: Tx): Box[] =>
  sql(
    tx,
    `SELECT id, act ->> '$.sealed' AS sealed FROM delivery
     WHERE state < ${states.sent} AND act ->> '$.sealed' IS NOT NULL`,
  )
    .all()
    .map(row => ({
      name: 'delivery',
      sealed: Buffer.from(row['sealed'] as string, 'base64'),
      replace: sealed =>
        void sql(tx, `UPDATE delivery SET act = json_set(act, '$.sealed', ?) WHERE id = ?`).run(
          sealed.toString('base64'),
          row['id'],
        ),
    }))
