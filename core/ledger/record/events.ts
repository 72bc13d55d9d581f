import type {
  ChannelId,
  ChatEvent,
  Content,
  MessageEvent,
  MessageId,
  NetworkId,
  Place,
  Sender,
  UserId,
} from '../../event.ts'
import { type Row, sql } from '../sqlite.ts'
import type { Tx } from '../tx.ts'

/** A fact as the ledger holds it. */
export interface Stored<E extends ChatEvent = ChatEvent> {
  readonly seq: number
  /** The room the place belonged to at that time; `network:channel` when it was in none. */
  readonly room: string
  readonly receivedMs: number
  readonly placeId: number
  readonly event: E
}

const verified = 1
const bot = 2
const self = 4
/** Of an event `e`: what a bot of ours said. */
export const isOurs = `e.flags & ${self} <> 0`
const backfill = 8

/** How the ids begin that facts of ours have in the ledger: no platform knows them. */
export const coined = 'say:'

export const placeKey = (place: Place): string => `${place.network}\n${place.channel}\n${place.thread ?? ''}`

/** The row id of a place; null when nothing was ever said or heard there. */
export function knownPlaceId(db: Tx, place: Place): number | null {
  const known = sql(db, 'SELECT id FROM place WHERE network = ? AND channel = ? AND thread = ?').get(
    place.network,
    place.channel,
    place.thread ?? '',
  )
  return known ? Number(known['id']) : null
}

/** The row id of a place, made when it is new; with that of its channel when it is a thread. */
export function placeId(db: Tx, place: Place): number {
  const known = knownPlaceId(db, place)
  if (known !== null) return known
  if (place.thread !== undefined) placeId(db, channelOf(place))
  const made = sql(db, 'INSERT INTO place (network, channel, thread, private, since_ms) VALUES (?, ?, ?, ?, ?)').run(
    place.network,
    place.channel,
    place.thread ?? '',
    place.private ? 1 : 0,
    Date.now(),
  )
  return Number(made.lastInsertRowid)
}

/** A place without its thread. */
export function channelOf(place: Place): Place {
  if (place.thread === undefined) return place
  const { thread: _thread, ...channel } = place
  return channel
}

/** The row id of the channel that a place is, or is a thread of. */
export function channelId(db: Tx, place: number): number {
  const row = sql(
    db,
    `SELECT c.id FROM place p JOIN place c ON c.network = p.network AND c.channel = p.channel AND c.thread = ''
     WHERE p.id = ?`,
  ).get(place)
  return row ? Number(row['id']) : place
}

/** A place from the columns network, channel, thread and private. */
export const placeOf = (row: Row): Place => ({
  network: row['network'] as NetworkId,
  channel: row['channel'] as ChannelId,
  ...(row['thread'] ? { thread: row['thread'] as MessageId } : {}),
  ...(row['private'] ? { private: true as const } : {}),
})

function flagsOf(event: ChatEvent): number {
  const kind = event.sender.kind === 'bot' ? bot : event.sender.kind === 'self' ? self : 0
  return (event.sender.verified ? verified : 0) | kind | (event.origin === 'backfill' ? backfill : 0)
}

/** What the kind adds to the common columns, and the picture of the moment, as one JSON object. */
function bodyOf(event: ChatEvent): string {
  const { key: _key, place: _place, sender, atMs: _atMs, origin: _origin, kind: _kind, ...rest } = event
  return JSON.stringify(sender.avatar === undefined ? rest : { ...rest, avatar: sender.avatar })
}

const nativeOf = (event: ChatEvent): string | null =>
  event.kind === 'message' ? event.id : 'target' in event ? event.target : null

/**
 * Writes a fact; null when it was known already (its key exists). `room` names the room of its place, or nothing.
 * Returns the stored fact with its sequence number.
 */
export function append(db: Tx, event: ChatEvent, room: string | undefined, receivedMs: number): Stored | null {
  const place = placeId(db, event.place)
  const named = room ?? `${event.place.network}:${event.place.channel}`
  const done = sql(
    db,
    `INSERT INTO event (key, kind, place, channel, room, native, sender, name, flags, at_ms, received_ms, body)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING`,
  ).run(
    event.key,
    event.kind,
    place,
    event.place.thread === undefined ? null : placeId(db, channelOf(event.place)),
    named,
    nativeOf(event),
    event.sender.id,
    event.sender.name,
    flagsOf(event),
    event.atMs,
    receivedMs,
    bodyOf(event),
  )
  if (done.changes === 0) return null
  return { seq: Number(done.lastInsertRowid), room: named, receivedMs, placeId: place, event }
}

/** Remembers the newest message of a place: where the next backfill goes on. */
export function advance(db: Tx, place: number, id: MessageId, atMs: number): void {
  sql(db, 'UPDATE place SET newest_id = ?, newest_ms = ? WHERE id = ?').run(id, atMs, place)
}

export function newest(db: Tx, place: Place): { id: MessageId; atMs: number } | null {
  const row = sql(db, 'SELECT newest_id, newest_ms FROM place WHERE network = ? AND channel = ? AND thread = ?').get(
    place.network,
    place.channel,
    place.thread ?? '',
  )
  return row?.['newest_id'] ? { id: row['newest_id'] as MessageId, atMs: Number(row['newest_ms']) } : null
}

/**
 * Notes the current text of an edited message; `null` content: deleted, for good. The newest edit wins, not the last told: false,
 * it was overtaken and changes nothing.
 */
export function revise(db: Tx, seq: number, content: Content | null, atMs: number): boolean {
  const done = sql(
    db,
    `INSERT INTO revision VALUES (?, ?, ?, 1)
     ON CONFLICT (seq) DO UPDATE SET content = excluded.content, at_ms = excluded.at_ms, edits = edits + 1
     WHERE revision.content IS NOT NULL AND (excluded.content IS NULL OR excluded.at_ms >= revision.at_ms)`,
  ).run(seq, content && JSON.stringify(content), atMs)
  return done.changes > 0
}

function senderOf(row: Row, avatar: string | undefined): Sender {
  const flags = Number(row['flags'])
  return {
    id: row['sender'] as UserId,
    name: row['name'] as string,
    ...(avatar === undefined ? {} : { avatar }),
    kind: flags & self ? 'self' : flags & bot ? 'bot' : 'person',
    verified: (flags & verified) !== 0,
  }
}

/** A stored fact from a row of `eventColumns`. */
export function storedOf(row: Row): Stored {
  const { avatar, ...body } = JSON.parse(row['body'] as string) as { avatar?: string }
  const event = {
    ...body,
    kind: row['kind'],
    key: row['key'],
    place: placeOf(row),
    sender: senderOf(row, avatar),
    atMs: Number(row['at_ms']),
    origin: Number(row['flags']) & backfill ? 'backfill' : 'live',
  } as ChatEvent
  return {
    seq: Number(row['seq']),
    room: row['room'] as string,
    receivedMs: Number(row['received_ms']),
    placeId: Number(row['place']),
    event,
  }
}

/** SELECT … FROM event e JOIN place p: the columns `storedOf` reads. */
export const eventColumns = `e.seq, e.key, e.kind, e.place, e.room, e.sender, e.name, e.flags, e.at_ms, e.received_ms, e.body,
  p.network, p.channel, p.thread, p.private FROM event e JOIN place p ON p.id = e.place`

/** Facts after `seq`, oldest first. */
export const after = (db: Tx, seq: number, limit: number): Stored[] =>
  sql(db, `SELECT ${eventColumns} WHERE e.seq > ? ORDER BY e.seq LIMIT ?`).all(seq, limit).map(storedOf)

/** The newest fact that was received before a time; 0: there is none. Walks back from the newest. */
export const newestBefore = (db: Tx, ms: number): number =>
  Number(sql(db, 'SELECT seq FROM event WHERE received_ms < ? ORDER BY seq DESC LIMIT 1').get(ms)?.['seq'] ?? 0)

export function bySeq(db: Tx, seq: number): Stored | null {
  const row = sql(db, `SELECT ${eventColumns} WHERE e.seq = ?`).get(seq)
  return row ? storedOf(row) : null
}

/** When the newest fact was received whose key begins so, and goes on; null: there is none. */
export function newestOfKey(db: Tx, beginning: string): number | null {
  const row = sql(db, 'SELECT received_ms FROM event WHERE key > ? AND key < ? ORDER BY key DESC LIMIT 1').get(
    beginning,
    `${beginning}\u{10ffff}`,
  )
  return row ? Number(row['received_ms']) : null
}

/**
 * The message a native id stands for: the fact itself, or the fact whose copy it is. An id is unique in its channel: the
 * thread of `place` does not matter.
 */
export function messageOf(db: Tx, place: Place, id: MessageId): Stored<MessageEvent> | null {
  const at = knownPlaceId(db, channelOf(place))
  if (at === null) return null
  const own = sql(
    db,
    `SELECT ${eventColumns} WHERE e.kind = 'message' AND ifnull(e.channel, e.place) = ? AND e.native = ?`,
  ).get(at, id)
  if (own) return storedOf(own) as Stored<MessageEvent>
  const copied = sql(db, 'SELECT source FROM copy WHERE place = ? AND native = ?').get(at, id)
  if (copied?.['source'] == null) return null
  return bySeq(db, Number(copied['source'])) as Stored<MessageEvent> | null
}

/** The message that opened the thread a place is; undefined when it is none, or nobody told us of that message. */
export const rootOf = (db: Tx, place: Place): number | undefined =>
  place.thread === undefined ? undefined : messageOf(db, place, place.thread)?.seq

export interface RecentMessage extends Stored<MessageEvent> {
  /** The text as it is now: null when it was deleted. */
  readonly content: Content | null
  readonly edits: number
}

/** The newest messages of a room, oldest first, as they read now; `before` pages back. */
export function recent(db: Tx, room: string, limit: number, before = Number.MAX_SAFE_INTEGER): RecentMessage[] {
  const rows = sql(
    db,
    `SELECT r.content AS revised, r.edits, ${eventColumns} LEFT JOIN revision r ON r.seq = e.seq
     WHERE e.room = ? AND e.seq < ? AND e.kind = 'message' ORDER BY e.seq DESC LIMIT ?`,
  ).all(room, before, limit)
  return rows.map(recentOf).reverse()
}

/** A message with its current text, from `eventColumns` with `r.content AS revised, r.edits`. */
export function recentOf(row: Row): RecentMessage {
  const stored = storedOf(row) as Stored<MessageEvent>
  if (row['edits'] === null) return { ...stored, content: stored.event.content, edits: 0 }
  const revised = row['revised'] as string | null
  return { ...stored, content: revised === null ? null : (JSON.parse(revised) as Content), edits: Number(row['edits']) }
}

/** The message of `seq` with its current text. */
export function currentOf(db: Tx, seq: number): RecentMessage | null {
  const row = sql(
    db,
    `SELECT r.content AS revised, r.edits, ${eventColumns} LEFT JOIN revision r ON r.seq = e.seq
     WHERE e.seq = ? AND e.kind = 'message'`,
  ).get(seq)
  return row ? recentOf(row) : null
}
