import type { Place, ReactionEvent, UserId } from '../../event.ts'
import { sql } from '../sqlite.ts'
import type { Tx } from '../tx.ts'
import { channelId, placeOf } from './events.ts'

/** Notes that somebody reacts to the message `seq`, or does not any more. `place`: the row id of where they did. */
export function noteReaction(tx: Tx, seq: number, { emoji, sender, removed }: ReactionEvent, place: number): void {
  const key = [seq, emoji, channelId(tx, place), sender.id]
  if (removed) sql(tx, 'DELETE FROM reaction WHERE seq = ? AND emoji = ? AND place = ? AND user = ?').run(...key)
  else sql(tx, 'INSERT INTO reaction VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING').run(...key, sender.name)
}

export interface Reactor {
  readonly user: UserId
  readonly name: string
  readonly place: Place
}

/** Who reacts so to a message anywhere but in the channel of a place. */
export const reactorsElsewhere = (tx: Tx, seq: number, emoji: string, place: number): Reactor[] =>
  sql(
    tx,
    `SELECT r.user, r.name, p.network, p.channel, p.thread, p.private FROM reaction r JOIN place p ON p.id = r.place
     WHERE r.seq = ? AND r.emoji = ? AND r.place != ?`,
  )
    .all(seq, emoji, channelId(tx, place))
    .map(row => ({ user: row['user'] as UserId, name: row['name'] as string, place: placeOf(row) }))
