/** What became of a message that asked for something, for who waits for it. */
import type { Place } from '../../event.ts'
import type { AuditEntry } from '../audit/audit.ts'
import { bySeq, placeId, type Stored } from '../record/events.ts'
import { sql } from '../sqlite.ts'
import type { Tx } from '../tx.ts'

/** The fact of a key. */
export function factOf(tx: Tx, key: string): Stored | null {
  const row = sql(tx, 'SELECT seq FROM event WHERE key = ?').get(key)
  return row ? bySeq(tx, Number(row['seq'])) : null
}

/** How a command ended, as its line of the audit says; null: it has not. */
export function endingOf(tx: Tx, seq: number): Pick<AuditEntry, 'decision' | 'result'> | null {
  const row = sql(tx, 'SELECT decision, result FROM audit WHERE event = ? ORDER BY id DESC LIMIT 1').get(seq)
  if (!row) return null
  return { decision: row['decision'] as AuditEntry['decision'], result: row['result'] as string }
}

/** Whether something that answers a fact in its own place is still to be said. */
export const isAnswerOpen = (tx: Tx, place: Place, seq: number): boolean =>
  sql(tx, `SELECT 1 FROM delivery d WHERE d.place = ? AND d.state < 10 AND d.act ->> 'replySeq' = ? LIMIT 1`).get(
    placeId(tx, place),
    seq,
  ) !== undefined
