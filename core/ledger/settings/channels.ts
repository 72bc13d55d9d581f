import type { ChannelId, NetworkId, Place } from '../../event.ts'
import { type Row, sql } from '../sqlite.ts'
import type { Tx } from '../tx.ts'

/** A channel of a managed network that somebody gave properties to. What it has none of comes from its type. */
export interface KeptChannel {
  readonly network: NetworkId
  /** As the network compares names: lower case. */
  readonly channel: ChannelId
  /** The prefix of its type in `channels.types`; '' without one. */
  readonly type: string
  readonly topic: string
  /** In the network's own notation, e.g. `+im`. */
  readonly modes: string
  /** Only operators may address agents there: read where a message calls them. */
  readonly locked: boolean
  /** Said privately to agents that enter, with `{nick}` and `{channel}`; '' is the type's. */
  readonly greeting: string
  /** When it is given up, Unix ms; null: never. */
  readonly untilMs: number | null
  readonly createdMs: number
  readonly createdBy: string
}

const keptOf = (row: Row): KeptChannel => ({
  network: row['network'] as NetworkId,
  channel: row['channel'] as ChannelId,
  type: row['type'] as string,
  topic: row['topic'] as string,
  modes: row['modes'] as string,
  locked: row['locked'] === 1,
  greeting: row['greeting'] as string,
  untilMs: row['until_ms'] === null ? null : Number(row['until_ms']),
  createdMs: Number(row['created_ms']),
  createdBy: row['created_by'] as string,
})

export const keptChannels = (db: Tx, network?: string): KeptChannel[] =>
  sql(db, 'SELECT * FROM channel WHERE ? IS NULL OR network = ? ORDER BY network, channel')
    .all(network ?? null, network ?? null)
    .map(keptOf)

export function keptChannel(db: Tx, { network, channel }: Pick<Place, 'network' | 'channel'>): KeptChannel | null {
  const row = sql(db, 'SELECT * FROM channel WHERE network = ? AND channel = ?').get(network, channel.toLowerCase())
  return row ? keptOf(row) : null
}

/** Writes a channel as it shall be from now on. */
export function storeChannel(db: Tx, kept: KeptChannel): void {
  sql(
    db,
    `INSERT INTO channel VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (network, channel) DO UPDATE SET
     type = excluded.type, topic = excluded.topic, modes = excluded.modes, locked = excluded.locked,
     greeting = excluded.greeting, until_ms = excluded.until_ms`,
  ).run(
    kept.network,
    kept.channel.toLowerCase(),
    kept.type,
    kept.topic,
    kept.modes,
    kept.locked ? 1 : 0,
    kept.greeting,
    kept.untilMs,
    kept.createdMs,
    kept.createdBy,
  )
}

/** Forgets a channel; false when nothing was known of it. */
export const dropChannel = (db: Tx, { network, channel }: Pick<Place, 'network' | 'channel'>): boolean =>
  sql(db, 'DELETE FROM channel WHERE network = ? AND channel = ?').run(network, channel.toLowerCase()).changes > 0
