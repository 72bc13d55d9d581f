import { formatPlace, type MessageEvent, type Place } from '../../../core/event.ts'
import type { Turn } from '../../../core/ledger/oracle/turns.ts'
import type { Stored } from '../../../core/ledger/record/events.ts'
import { networkStatuses } from '../../../core/ledger/settings/networks.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import type { Rooms } from '../../../core/rooms.ts'

export interface Stage {
  readonly turn: Turn
  readonly asked: Stored<MessageEvent>
  /** Where it was asked: there it is said while it is made. */
  readonly place: Place
  /** The other places of the room: they hear the whole. */
  readonly others: readonly Place[]
  /** The name of the room, as facts carry it. */
  readonly room: string
  /** Whether a message can grow there; where it can't, an answer is said in lines. */
  readonly grows: (place: Place) => boolean
}

export function stageOf(tx: Tx, turn: Turn, asked: Stored<MessageEvent>, rooms: Rooms): Stage {
  const { place } = asked.event
  const editable = new Set(networkStatuses(tx).flatMap(({ network, can }) => (can?.edits ? [network] : [])))
  const here = formatPlace(place)
  return {
    turn,
    asked,
    place,
    others: place.private ? [] : rooms.with(place).filter(other => formatPlace(other) !== here),
    room: asked.room,
    grows: ({ network }) => editable.has(network),
  }
}
