import { createHash } from 'node:crypto'
import { type Row, sql } from '../sqlite.ts'
import type { Tx } from '../tx.ts'

/** Lines of the audit that were taken out, one after the other: the chain goes on from `previous` to `hash`. */
export interface AuditRun {
  readonly first: number
  readonly last: number
  /** What the first of them stood on. */
  readonly previous: string
  /** Of the last of them. */
  readonly hash: string
}

/** The command in the line that vouches for runs; nobody gives it, so no fact asked for it. */
export const pruneCommand = 'audit prune'

const runOf = (row: Row): AuditRun => ({
  first: Number(row['first']),
  last: Number(row['last']),
  previous: row['previous'] as string,
  hash: row['hash'] as string,
})

/** What the vouching line says of its runs: a run that is changed, added or missing does not fit it. */
export function vouching(runs: readonly AuditRun[]): string {
  const lines = runs.reduce((sum, { first, last }) => sum + last - first + 1, 0)
  const list = runs.map(({ first, last, previous, hash }) => [first, last, previous, hash])
  return `${lines} lines, ${createHash('sha256').update(JSON.stringify(list)).digest('hex')}`
}

export const keepRun = (tx: Tx, { first, last, previous, hash }: AuditRun, line: number): void => {
  sql(tx, 'INSERT INTO audit_run VALUES (?, ?, ?, ?, ?)').run(first, last, previous, hash, line)
}

/** The runs for which a line vouches. */
export const runsOf = (tx: Tx, line: number): AuditRun[] =>
  sql(tx, 'SELECT * FROM audit_run WHERE line = ? ORDER BY first').all(line).map(runOf)

/** Runs that begin after one id and up to another, in order; those for which no line vouches are left out. */
export const runsBetween = (tx: Tx, after: number, until: number): AuditRun[] =>
  sql(
    tx,
    `SELECT r.* FROM audit_run r JOIN audit a ON a.id = r.line AND a.event IS NULL AND a.command = '${pruneCommand}'
     WHERE r.first > ? AND r.first <= ? AND r.line > r.last ORDER BY r.first`,
  )
    .all(after, until)
    .map(runOf)
