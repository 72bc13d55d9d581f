/** Groups that were asked something, until all have answered or the time is over. */
import { sql } from '../sqlite.ts'
import type { Tx } from '../tx.ts'

/** A group was addressed, or told to stop, pause or go on. */
export type CallKind = 'mention' | 'stop' | 'pause' | 'resume'

export interface CallRecord {
  /** The fact that called. */
  readonly seq: number
  readonly kind: CallKind
  /** Labels of those who were asked: `irc:worker-003`, `person:bob`. */
  readonly asked: readonly string[]
  readonly answered: readonly string[]
  readonly untilMs: number
}

export function addCall(
  tx: Tx,
  call: Omit<CallRecord, 'answered'> & { readonly placeId: number; readonly selector: string },
): void {
  sql(
    tx,
    `INSERT INTO call (seq, place, selector, kind, asked, answered, until_ms) VALUES (?, ?, ?, ?, ?, '[]', ?)
     ON CONFLICT DO NOTHING`,
  ).run(call.seq, call.placeId, call.selector, call.kind, JSON.stringify(call.asked), call.untilMs)
}

/** A call whose answers are still counted. */
export function openCallAt(tx: Tx, seq: number): CallRecord | null {
  const row = sql(tx, 'SELECT kind, asked, answered, until_ms FROM call WHERE seq = ? AND closed = 0').get(seq)
  if (!row) return null
  return {
    seq,
    kind: row['kind'] as CallKind,
    asked: JSON.parse(row['asked'] as string) as string[],
    answered: JSON.parse(row['answered'] as string) as string[],
    untilMs: Number(row['until_ms']),
  }
}

/** All whose answers are still counted, by number. */
export const openCallSeqs = (tx: Tx): number[] =>
  sql(tx, 'SELECT seq FROM call WHERE closed = 0 ORDER BY +seq')
    .all()
    .map(row => Number(row['seq']))

export function keepAnswers(tx: Tx, seq: number, answered: Iterable<string>): void {
  sql(tx, 'UPDATE call SET answered = ? WHERE seq = ? AND closed = 0').run(JSON.stringify([...answered]), seq)
}

/** Nobody is waited for any more; false when it was so already. */
export const endCall = (tx: Tx, seq: number, answered: Iterable<string>): boolean =>
  sql(tx, 'UPDATE call SET answered = ?, closed = 1 WHERE seq = ? AND closed = 0').run(
    JSON.stringify([...answered]),
    seq,
  ).changes > 0

/** Whom a call asked, open or not. */
export function askedBy(tx: Tx, seq: number): string[] | null {
  const row = sql(tx, 'SELECT asked FROM call WHERE seq = ?').get(seq)
  return row ? (JSON.parse(row['asked'] as string) as string[]) : null
}

/** Whom somebody called last by a mention in a place, after a time. */
export function lastCallOf(
  tx: Tx,
  { placeId, sender, sinceMs }: { readonly placeId: number; readonly sender: string; readonly sinceMs: number },
): { readonly seq: number; readonly asked: readonly string[] } | null {
  const row = sql(
    tx,
    `SELECT c.seq, c.asked FROM call c JOIN event e ON e.seq = c.seq
     WHERE c.place = ? AND e.sender = ? AND e.at_ms > ? AND c.kind = 'mention' ORDER BY c.seq DESC LIMIT 1`,
  ).get(placeId, sender, sinceMs)
  return row ? { seq: Number(row['seq']), asked: JSON.parse(row['asked'] as string) as string[] } : null
}

/** The call that asked somebody last before a fact, if it went on after a time. */
export function lastCallAsking(tx: Tx, label: string, beforeSeq: number, afterMs: number): number | null {
  const row = sql(
    tx,
    `SELECT seq FROM call WHERE +seq < ? AND until_ms > ? AND kind = 'mention'
     AND EXISTS (SELECT 1 FROM json_each(asked) WHERE value = ?) ORDER BY +seq DESC LIMIT 1`,
  ).get(beforeSeq, afterMs, label)
  return row ? Number(row['seq']) : null
}
