/** What the oracle remembers of its prompts: where the lines of a room begin, and how long each line is. */
import { eventColumns, type RecentMessage, recentOf } from '../record/events.ts'
import { sql } from '../sqlite.ts'
import type { Tx } from '../tx.ts'

export interface PromptStart {
  /** The first fact whose line is given. Moved in big steps: providers cache what stays the same from the beginning. */
  readonly fromSeq: number
  /** What was said before it, in few words; '' when nobody has put it so, or something of it was deleted or edited since. */
  readonly summary: string
  /** The last fact that the summary holds. */
  readonly summarisedSeq: number
}

export function promptStart(tx: Tx, room: string): PromptStart | null {
  const row = sql(tx, 'SELECT from_seq, summary, summarised_seq FROM prompt_start WHERE room = ?').get(room)
  if (!row) return null
  return {
    fromSeq: Number(row['from_seq']),
    summary: row['summary'] as string,
    summarisedSeq: Number(row['summarised_seq']),
  }
}

export function moveStart(tx: Tx, room: string, fromSeq: number): void {
  sql(
    tx,
    `INSERT INTO prompt_start (room, from_seq) VALUES (?, ?)
     ON CONFLICT (room) DO UPDATE SET from_seq = max(from_seq, excluded.from_seq)`,
  ).run(room, fromSeq)
}

export function keepSummary(tx: Tx, room: string, summary: string, summarisedSeq: number): void {
  sql(tx, 'UPDATE prompt_start SET summary = ?, summarised_seq = ? WHERE room = ?').run(summary, summarisedSeq, room)
}

/** The messages of a room, under all its names, from one fact on and before another, as they read now; the newest `limit`. */
export function linesFrom(
  tx: Tx,
  names: readonly string[],
  fromSeq: number,
  limit: number,
  beforeSeq = Number.MAX_SAFE_INTEGER,
): RecentMessage[] {
  // Of many rooms most is left out: bodies are read of the newest alone.
  const seqs = names.flatMap(name =>
    sql(
      tx,
      `SELECT seq FROM event WHERE room = ? AND seq >= ? AND seq < ? AND kind = 'message' ORDER BY seq DESC LIMIT ?`,
    )
      .all(name, fromSeq, beforeSeq, limit)
      .map(({ seq }) => Number(seq)),
  )
  const newest = seqs.sort((a, b) => a - b).slice(-limit)
  return sql(
    tx,
    `SELECT r.content AS revised, r.edits, ${eventColumns} LEFT JOIN revision r ON r.seq = e.seq
     WHERE e.seq IN (SELECT value FROM json_each(?)) ORDER BY e.seq`,
  )
    .all(JSON.stringify(newest))
    .map(recentOf)
}

/** Those of the rooms in which something was said, where that was last first; the first `limit`. */
export const latestRooms = (tx: Tx, names: readonly string[], limit: number): string[] =>
  sql(
    tx,
    `SELECT value AS room, (SELECT e.seq FROM event e WHERE e.room = value AND e.kind = 'message' ORDER BY e.seq DESC LIMIT 1) AS newest
     FROM json_each(?) WHERE newest IS NOT NULL ORDER BY newest DESC LIMIT ?`,
  )
    .all(JSON.stringify(names), limit)
    .map(row => row['room'] as string)

/** Tokens of a message as it reads after so many edits; null when nobody counted it yet. */
export function countedTokens(tx: Tx, seq: number, edits: number): number | null {
  const row = sql(tx, 'SELECT tokens FROM counted WHERE seq = ? AND edits = ?').get(seq, edits)
  return row ? Number(row['tokens']) : null
}

export function keepCount(tx: Tx, seq: number, edits: number, tokens: number): void {
  sql(
    tx,
    `INSERT INTO counted VALUES (?, ?, ?)
     ON CONFLICT (seq) DO UPDATE SET edits = excluded.edits, tokens = excluded.tokens`,
  ).run(seq, edits, tokens)
}
