import type { NetworkId, Place, Sender } from '../../core/event.ts'
import { identitiesOf, includes, type Person, roleIn } from '../../core/identity.ts'
import type { Stored } from '../../core/ledger/events.ts'
import { type Db, sql } from '../../core/ledger/sqlite.ts'
import { type RoomsConfig, roomOf } from './rooms.ts'

/** Who asks, and where the answer is read. */
export interface Caller {
  readonly sender: Sender
  /** The person behind a verified sender. */
  readonly person: Person | null
  /** Where it was asked. */
  readonly place: Place
  /** `place`: everybody there reads the answer. `asker`: only who asked does. */
  readonly audience: 'place' | 'asker'
}

/** What may be shown. Private places are never in `rooms` or `places`. */
export interface Visible {
  /** Every place that is not private. */
  readonly all: boolean
  /** Rooms, by the name that facts carry. */
  readonly rooms: ReadonlySet<string>
  /** Row ids of places whose facts may be seen whatever room they carried. */
  readonly places: ReadonlySet<number>
  /** The asker's own private conversation, when that is where they ask. */
  readonly direct: number | null
}

/**
 * What the asker may see and everybody who reads the answer may see too:
 * open rooms, and the room the question was asked in; for an answer to the asker alone also the rooms they are in, or
 * every room for an operator; their own private conversation only when asked in it. A sender nobody vouches for has
 * open rooms and the room they speak in.
 */
export function visibleRooms(db: Db, caller: Caller, rooms: RoomsConfig, nowMs: number): Visible {
  const seen = { rooms: new Set<string>(), places: new Set<number>() }
  for (const [name, room] of Object.entries(rooms)) if (room.open) seen.rooms.add(name)
  if (!caller.place.private) addHere(db, seen, caller, rooms)
  if (caller.audience === 'place' && !caller.place.private) return { ...seen, all: false, direct: null }
  if (!caller.sender.verified) return { ...seen, all: false, direct: null }
  for (const { network, channel } of memberships(db, caller)) addPlace(db, seen, network, channel, rooms)
  for (const name of operatedRooms(db, caller, rooms, nowMs)) seen.rooms.add(name)
  const all = caller.person !== null && includes(roleIn(db, caller.person, '', nowMs), 'operator')
  return { ...seen, all, direct: caller.place.private ? directOf(db, caller) : null }
}

interface Seen {
  readonly rooms: Set<string>
  readonly places: Set<number>
}

/**
 * The room somebody speaks in. In a place that is joined with others everybody there reads the answer: what was said
 * before they were joined is not theirs.
 */
function addHere(db: Db, seen: Seen, { place }: Caller, rooms: RoomsConfig): void {
  const room = roomOf(rooms, place)
  seen.rooms.add(room.name)
  if (room.places.length === 1) addPlace(db, seen, place.network, place.channel, rooms)
}

function addPlace(db: Db, seen: Seen, network: string, channel: string, rooms: RoomsConfig): void {
  seen.rooms.add(roomOf(rooms, { network, channel } as Place).name)
  seen.rooms.add(`${network}:${channel}`)
  const rows = sql(db, 'SELECT id FROM place WHERE network = ? AND channel = ? AND private = 0').all(network, channel)
  for (const row of rows) seen.places.add(Number(row['id']))
}

/** Channels somebody is in now, by every identity of theirs. */
function memberships(db: Db, { sender, person, place }: Caller): { network: string; channel: string }[] {
  const ids = [{ network: place.network as NetworkId, user: sender.id }, ...(person ? identitiesOf(db, person) : [])]
  return sql(
    db,
    `SELECT DISTINCT p.network, p.channel FROM json_each(?) j
     JOIN place p ON p.network = j.value ->> 'network' AND p.private = 0
     JOIN member m ON m.place = p.id AND m.user = j.value ->> 'user' AND m.verified = 1`,
  ).all(JSON.stringify(ids)) as { network: string; channel: string }[]
}

/** Rooms in which somebody is an operator although they are none everywhere. */
function operatedRooms(db: Db, { person }: Caller, rooms: RoomsConfig, nowMs: number): string[] {
  if (!person) return []
  return Object.keys(rooms).filter(name => includes(roleIn(db, person, name, nowMs), 'operator'))
}

function directOf(db: Db, { place }: Caller): number | null {
  const row = sql(db, 'SELECT id FROM place WHERE network = ? AND channel = ? AND thread = ? AND private = 1').get(
    place.network,
    place.channel,
    place.thread ?? '',
  )
  return row ? Number(row['id']) : null
}

/** Whether one fact may be shown. */
export function maySee(visible: Visible, { event, placeId, room }: Stored): boolean {
  if (event.place.private) return placeId === visible.direct
  return visible.all || visible.rooms.has(room) || visible.places.has(placeId)
}
