import type { ChannelId, NetworkId, Place } from '../../event.ts'
import { sql } from '../sqlite.ts'
import type { Tx } from '../tx.ts'

/** Row ids of a channel with all its threads, when it is nobody's direct conversation. */
export const placeIdsOf = (tx: Tx, { network, channel }: Pick<Place, 'network' | 'channel'>): number[] =>
  sql(tx, 'SELECT id FROM place WHERE network = ? AND channel = ? AND private = 0')
    .all(network, channel)
    .map(row => Number(row['id']))

/** The row id of a direct conversation. */
export function directPlaceId(tx: Tx, { network, channel, thread }: Place): number | null {
  const row = sql(tx, 'SELECT id FROM place WHERE network = ? AND channel = ? AND thread = ? AND private = 1').get(
    network,
    channel,
    thread ?? '',
  )
  return row ? Number(row['id']) : null
}

/** Networks on which a channel of this name was met, direct conversations left out. */
export const networksWith = (tx: Tx, channel: string): NetworkId[] =>
  sql(tx, 'SELECT DISTINCT network FROM place WHERE channel = ? AND private = 0')
    .all(channel)
    .map(row => row['network'] as NetworkId)

/** Every channel we ever met, in that order; no direct conversations. */
export const publicPlaces = (tx: Tx): Place[] =>
  sql(tx, "SELECT network, channel FROM place WHERE private = 0 AND thread = '' ORDER BY id")
    .all()
    .map(row => ({ network: row['network'] as NetworkId, channel: row['channel'] as ChannelId }))

/** When we first met a place, Unix ms: what is older is recorded and never relayed. */
export const placeSince = (tx: Tx, id: number): number =>
  Number(sql(tx, 'SELECT since_ms FROM place WHERE id = ?').get(id)?.['since_ms'])
