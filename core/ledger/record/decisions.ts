import { sql } from '../sqlite.ts'
import type { Tx } from '../tx.ts'

/** Whether the oracle answers a message that was, or may have been, said to it, and why. */
export interface Decision {
  readonly answers: boolean
  /** One line: `you named it`, `the oracle is off in this room`. */
  readonly reason: string
}

/** Keeps the first decision about a fact; a message is decided once. */
export function keepDecision(tx: Tx, seq: number, { answers, reason }: Decision, nowMs: number): void {
  sql(tx, 'INSERT INTO decision VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING').run(seq, answers ? 1 : 0, reason, nowMs)
}

export function decisionOf(tx: Tx, seq: number): Decision | null {
  const row = sql(tx, 'SELECT answers, reason FROM decision WHERE seq = ?').get(seq)
  return row ? { answers: row['answers'] === 1, reason: row['reason'] as string } : null
}
