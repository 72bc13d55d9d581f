import type { NetworkId, UserId } from '../../event.ts'
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

/** The newest message of somebody in a room about which it was decided; null: there is none. */
export function lastDecided(tx: Tx, room: string, network: NetworkId, user: UserId): number | null {
  const row = sql(
    tx,
    `SELECT d.seq FROM decision d JOIN event e ON e.seq = d.seq JOIN place p ON p.id = e.place
     WHERE e.room = ? AND e.sender = ? AND p.network = ? ORDER BY d.seq DESC LIMIT 1`,
  ).get(room, user, network)
  return row ? Number(row['seq']) : null
}

export function decisionOf(tx: Tx, seq: number): Decision | null {
  const row = sql(tx, 'SELECT answers, reason FROM decision WHERE seq = ?').get(seq)
  return row ? { answers: row['answers'] === 1, reason: row['reason'] as string } : null
}
