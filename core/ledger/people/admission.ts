import type { Place, UserId } from '../../event.ts'
import { getMeta, setMeta } from '../meta.ts'
import { sql } from '../sqlite.ts'
import type { Tx } from '../tx.ts'

/** Accounts of a network whose person takes part in a room: a role of member or more, there or everywhere. */
export const participants = (tx: Tx, network: string, room: string, nowMs: number): UserId[] =>
  sql(
    tx,
    `SELECT DISTINCT i.user FROM role r JOIN identity i ON i.person = r.person
     WHERE i.network = ? AND r.room IN ('', ?) AND r.role IN ('owner', 'operator', 'member')
       AND (r.until_ms IS NULL OR r.until_ms > ?) ORDER BY i.user`,
  )
    .all(network, room, nowMs)
    .map(row => row['user'] as UserId)

/** How a channel of a managed network was last ordered to be. */
export interface Door {
  /** The room whose members may enter; `network:channel` of a channel that is in none. */
  readonly room: string
  readonly open: boolean
  /** What the order was made from: another one means that something has changed. */
  readonly digest: string
  /** Counts the orders. */
  readonly serial: number
}

const keyOf = ({ network, channel }: Pick<Place, 'network' | 'channel'>): string => `door ${network}:${channel}`

export function doorOf(tx: Tx, place: Pick<Place, 'network' | 'channel'>): Door | null {
  const kept = getMeta(tx, keyOf(place))
  return kept === null ? null : (JSON.parse(kept) as Door)
}

export const storeDoor = (tx: Tx, place: Pick<Place, 'network' | 'channel'>, door: Door): void =>
  setMeta(tx, keyOf(place), JSON.stringify(door))
