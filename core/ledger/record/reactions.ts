import type { ReactionEvent } from '../../event.ts'
import { sql } from '../sqlite.ts'
import type { Tx } from '../tx.ts'
import { channelId } from './events.ts'

/** Notes that somebody reacts to the message `seq`, or does not any more. `place`: the row id of where they did. */
export function noteReaction(tx: Tx, seq: number, { emoji, sender, removed }: ReactionEvent, place: number): void {
  const key = [seq, emoji, channelId(tx, place), sender.id]
  if (removed) sql(tx, 'DELETE FROM reaction WHERE seq = ? AND emoji = ? AND place = ? AND user = ?').run(...key)
  else sql(tx, 'INSERT INTO reaction VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING').run(...key, sender.name)
}

/** Whether anybody reacts so to a message anywhere but in the channel of a place. */
export const isReactedElsewhere = (tx: Tx, seq: number, emoji: string, place: number): boolean =>
  sql(tx, 'SELECT 1 FROM reaction WHERE seq = ? AND emoji = ? AND place != ? LIMIT 1').get(
    seq,
    emoji,
    channelId(tx, place),
  ) !== undefined
