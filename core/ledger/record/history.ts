import type { Content, MessageEvent, UserId } from '../../event.ts'
import { sql } from '../sqlite.ts'
import type { Tx } from '../tx.ts'
import { currentOf, eventColumns, messageOf, type RecentMessage, recentOf, type Stored, storedOf } from './events.ts'

/** The key of a fact: whether two ledgers have the same history up to there. */
export const keyOf = (tx: Tx, seq: number): string | null =>
  (sql(tx, 'SELECT key FROM event WHERE seq = ?').get(seq)?.['key'] as string | undefined) ?? null

export const newestSeq = (tx: Tx): number =>
  Number(sql(tx, 'SELECT coalesce(max(seq), 0) AS seq FROM event').get()?.['seq'])

/** The first fact that came in at or after a time: facts come in in the order of their numbers. */
export function firstReceivedSince(tx: Tx, sinceMs: number): number {
  let low = 1
  let high = newestSeq(tx) + 1
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    const row = sql(tx, 'SELECT seq, received_ms FROM event WHERE seq >= ? ORDER BY seq LIMIT 1').get(middle)
    if (row && Number(row['received_ms']) < sinceMs) low = Number(row['seq']) + 1
    else high = middle
  }
  return low
}

/** Current contents of the messages in a span of numbers that were changed: null where one was deleted. */
export function revisionsBetween(tx: Tx, first: number, last: number): Map<number, Content | null> {
  const rows = sql(tx, 'SELECT seq, content FROM revision WHERE seq BETWEEN ? AND ?').all(first, last)
  return new Map(
    rows.map(row => [
      Number(row['seq']),
      row['content'] === null ? null : (JSON.parse(row['content'] as string) as Content),
    ]),
  )
}

/** When an account last said or did anything, by any network: walks the whole history of those who are long gone. */
export function lastHeard(tx: Tx, user: string): number | null {
  const atMs = sql(tx, 'SELECT max(at_ms) AS at FROM event WHERE sender = ?').get(user)?.['at']
  return atMs == null ? null : Number(atMs)
}

export interface Said {
  readonly room: string
  readonly sender: UserId
  /** Both exclusive. */
  readonly afterSeq: number
  readonly beforeSeq: number
  readonly sinceMs: number
}

/** What somebody said in a room, newest first. */
export const messagesOf = (tx: Tx, { room, sender, afterSeq, beforeSeq, sinceMs }: Said, limit: number) =>
  sql(
    tx,
    `SELECT ${eventColumns} WHERE e.room = ? AND e.seq < ? AND e.seq > ? AND e.kind = 'message' AND e.sender = ?
     AND e.at_ms > ? ORDER BY e.seq DESC LIMIT ?`,
  )
    .all(room, beforeSeq, afterSeq, sender, sinceMs, limit)
    .map(row => storedOf(row) as Stored<MessageEvent>)

/** Cuts facts by room, place and time; private places are never in it. */
export interface Span {
  /** Names of rooms as facts carry them; undefined: every room. */
  readonly rooms?: readonly string[]
  /** Only of this place, `network:channel`. */
  readonly place?: { readonly network: string; readonly channel: string }
  readonly sinceMs?: number
  /** Exclusive. */
  readonly untilMs?: number
}

/** Facts from number `low` to `high` as they read now, oldest first. */
export function currentBetween(tx: Tx, low: number, high: number, span: Span): (Stored | RecentMessage)[] {
  const rows = sql(
    tx,
    `SELECT r.content AS revised, r.edits, ${eventColumns} LEFT JOIN revision r ON r.seq = e.seq
     WHERE e.seq BETWEEN @low AND @high AND p.private = 0 AND e.at_ms >= @since AND e.at_ms < @until
     AND (@rooms IS NULL OR e.room IN (SELECT value FROM json_each(@rooms)))
     AND (@network IS NULL OR p.network = @network AND p.channel = @channel) ORDER BY e.seq`,
  ).all({
    low,
    high,
    since: span.sinceMs ?? Number.MIN_SAFE_INTEGER,
    until: span.untilMs ?? Number.MAX_SAFE_INTEGER,
    rooms: span.rooms ? JSON.stringify(span.rooms) : null,
    network: span.place?.network ?? null,
    channel: span.place?.channel ?? null,
  })
  return rows.map(row => (row['kind'] === 'message' ? recentOf(row) : storedOf(row)))
}

/** When a message was changed last. */
export function revisedMs(tx: Tx, seq: number): number | null {
  const atMs = sql(tx, 'SELECT at_ms FROM revision WHERE seq = ?').get(seq)?.['at_ms']
  return atMs == null ? null : Number(atMs)
}

/** Facts after a number and up to another, oldest first: rooms by these names, and one direct conversation. */
export function factsFor(
  tx: Tx,
  { names, direct, after, limit }: { names: readonly string[]; direct: number | null; after: number; limit: number },
): RecentMessage[] {
  const columns = `SELECT r.content AS revised, r.edits, ${eventColumns} LEFT JOIN revision r ON r.seq = e.seq`
  const rows = names.flatMap(name =>
    sql(tx, `${columns} WHERE e.room = ? AND e.seq > ? AND e.kind = 'message' ORDER BY e.seq LIMIT ?`).all(
      name,
      after,
      limit,
    ),
  )
  return [...rows]
    .map(recentOf)
    .filter(({ placeId, event }) => !event.place.private || placeId === direct)
    .sort((a, b) => a.seq - b.seq)
    .slice(0, limit)
}

/** A fact as it reads now; what is done to a message says to which, where we have that. */
export type Current = (Stored | RecentMessage) & { readonly target?: number }

/** All facts after a number and up to another, oldest first: of what was deleted no words are left, in its edits neither. */
export const currentAfter = (tx: Tx, seq: number, upTo: number, limit: number): Current[] =>
  sql(
    tx,
    `SELECT r.content AS revised, r.edits, ${eventColumns} LEFT JOIN revision r ON r.seq = e.seq
     WHERE e.seq > ? AND e.seq <= ? ORDER BY e.seq LIMIT ?`,
  )
    .all(seq, upTo, limit)
    .map(row => (row['kind'] === 'message' ? recentOf(row) : aimed(tx, storedOf(row))))

function aimed(tx: Tx, stored: Stored): Current {
  const { event } = stored
  if (!('target' in event)) return stored
  const target = messageOf(tx, event.place, event.target)?.seq
  if (target === undefined) return stored
  const isGone = event.kind === 'edit' && currentOf(tx, target)?.content === null
  return { ...stored, target, ...(isGone ? { event: { ...event, content: { segments: [] } } } : {}) }
}
