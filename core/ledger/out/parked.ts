/** Edits, deletes and reactions whose message has not come yet: some platforms tell them in that order. */
import type { DeleteEvent, EditEvent, MessageId, Place, ReactionEvent } from '../../event.ts'
import { channelId, channelOf, eventColumns, knownPlaceId, type Stored, storedOf } from '../record/events.ts'
import { sql } from '../sqlite.ts'
import type { Tx } from '../tx.ts'

/** For so long they wait. */
const waitMs = 600_000

export type Parked = Stored<EditEvent | DeleteEvent | ReactionEvent>

/** Keeps one until its message comes; those that waited in vain are forgotten. */
export function park(tx: Tx, { seq, placeId, event }: Parked, nowMs: number): void {
  sql(tx, 'DELETE FROM parked WHERE until_ms <= ?').run(nowMs)
  sql(tx, 'INSERT INTO parked VALUES (?, ?, ?, ?)').run(seq, channelId(tx, placeId), event.target, nowMs + waitMs)
}

/** What waits for a message that has come now, oldest first; it waits no longer. */
export function takeParked(tx: Tx, place: Place, id: MessageId, nowMs: number): Parked[] {
  // Asked for every message: hardly ever does one wait at all.
  if (!sql(tx, 'SELECT 1 FROM parked WHERE until_ms > ? LIMIT 1').get(nowMs)) return []
  const at = knownPlaceId(tx, channelOf(place))
  if (at === null) return []
  const rows = sql(
    tx,
    `SELECT ${eventColumns} WHERE e.seq IN (SELECT seq FROM parked WHERE place = ? AND native = ? AND until_ms > ?)
     ORDER BY e.seq`,
  ).all(at, id, nowMs)
  if (rows.length > 0) sql(tx, 'DELETE FROM parked WHERE place = ? AND native = ?').run(at, id)
  return rows.map(row => storedOf(row) as Parked)
}
