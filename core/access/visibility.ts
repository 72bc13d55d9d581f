import { formatPlace, type Place, type Sender, type UserId } from '../event.ts'
import { agentNamed } from '../ledger/agents/agents.ts'
import { channelsWith } from '../ledger/people/members.ts'
import { type Account, identitiesOf, type Person } from '../ledger/people/people.ts'
import { roleIn } from '../ledger/people/roles.ts'
import type { Stored } from '../ledger/record/events.ts'
import { type ApiKey, keyOfAccount } from '../ledger/settings/api-keys.ts'
import { directPlaceId, placeIdsOf } from '../ledger/settings/places.ts'
import type { Tx } from '../ledger/tx.ts'
import { namesOf, type Room, type Rooms } from '../rooms.ts'
import { mayBeIn } from './admission.ts'
import { includes } from './role.ts'

/** Who asks, and where the answer is read. */
export interface Reader {
  readonly sender: Sender
  /** The person behind a verified sender. */
  readonly person: Person | null
  readonly place: Place
  /** `place`: everybody there reads the answer. `asker`: only who asked does. */
  readonly audience: 'place' | 'asker'
}

/** Who asks by a command whose answer goes there: `public` where it was said, `private` to the asker. */
export const readerOf = (
  { caller, event }: { readonly caller: Pick<Reader, 'person' | 'place'>; readonly event: Pick<Stored, 'event'> },
  reply: 'public' | 'private',
): Reader => ({
  sender: event.event.sender,
  person: caller.person,
  place: caller.place,
  audience: reply === 'private' || caller.place.private ? 'asker' : 'place',
})

/** What may be shown. Private places are never in `rooms` or `places`. */
export interface Visible {
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
 * open rooms, and the room the question was asked in; for an answer to the asker alone also the rooms they are in (by a key
 * those that are closed only while its owner may be there), or every room for an operator; their own private conversation
 * only when asked in it. A sender nobody vouches for has open rooms and the room they speak in.
 */
export function visibleTo(tx: Tx, reader: Reader, rooms: Rooms, nowMs: number): Visible {
  const { place, sender, person, audience } = reader
  const shown = { rooms: new Set<string>(), places: new Set<number>() }
  for (const room of rooms.all()) if (room.open) shown.rooms.add(room.name)
  if (!place.private) addHere(tx, shown, place, rooms)
  if (audience === 'place' && !place.private) return { ...shown, all: false, direct: null }
  if (!sender.verified) return { ...shown, all: false, direct: null }
  const key = keyOfAccount(tx, place.network, sender.id)
  for (const channel of channelsWith(tx, accountsOf(tx, reader, key))) {
    if (key === null || counts(tx, rooms, channel, reader, nowMs)) addPlace(tx, shown, channel, rooms)
  }
  for (const name of operatedRooms(tx, person, rooms, nowMs)) shown.rooms.add(name)
  const all = person !== null && includes(roleIn(tx, person, '', nowMs), 'operator')
  const visible = { ...shown, all, direct: place.private ? directPlaceId(tx, place) : null }
  return key?.rooms ? within(tx, visible, key.rooms, rooms) : visible
}

/**
 * Whether a key may look into a place where its owner is: into a room that is closed as long as they may be there,
 * whether or not their network has put them out yet, or can.
 */
const counts = (tx: Tx, rooms: Rooms, place: Place, { place: { network }, sender }: Reader, nowMs: number): boolean =>
  rooms.of(place) === undefined || mayBeIn(tx, rooms, place, { network, sender }, nowMs)

/** By which accounts somebody may be in a room: all of theirs; of a key that acts for an agent, the agent's. */
function accountsOf(tx: Tx, { place, sender, person }: Reader, key: ApiKey | null): Account[] {
  const agent = key?.agent == null ? null : agentNamed(tx, key.agent)
  return [
    { network: place.network, user: sender.id },
    ...(person ? identitiesOf(tx, person) : []),
    ...(agent ? [{ network: agent.network, user: agent.name as UserId }] : []),
  ]
}

function within(tx: Tx, visible: Visible, names: readonly string[], rooms: Rooms): Visible {
  const only = names.flatMap(name => rooms.meant(name) ?? [])
  const shownNames = only.flatMap(namesOf).filter(name => visible.all || visible.rooms.has(name))
  const ids = only.flatMap(room => room.places.flatMap(place => placeIdsOf(tx, place)))
  return {
    all: false,
    rooms: new Set(shownNames),
    places: new Set(ids.filter(id => visible.all || visible.places.has(id))),
    direct: visible.direct,
  }
}

interface Shown {
  readonly rooms: Set<string>
  readonly places: Set<number>
}

/**
 * The room somebody speaks in. In a place that is joined with others everybody there reads the answer: what was said
 * before they were joined is not theirs.
 */
function addHere(tx: Tx, shown: Shown, place: Place, rooms: Rooms): void {
  const room = rooms.from(place)
  shown.rooms.add(room.name)
  if (room.places.length === 1) addPlace(tx, shown, place, rooms)
}

function addPlace(tx: Tx, shown: Shown, place: Place, rooms: Rooms): void {
  shown.rooms.add(rooms.from(place).name)
  shown.rooms.add(formatPlace(place))
  for (const id of placeIdsOf(tx, place)) shown.places.add(id)
}

/** Rooms in which somebody is an operator although they are none everywhere. */
function operatedRooms(tx: Tx, person: Person | null, rooms: Rooms, nowMs: number): string[] {
  if (!person) return []
  const names = rooms.all().map(({ name }) => name)
  return names.filter(name => includes(roleIn(tx, person, name, nowMs), 'operator'))
}

/**
 * Which rooms the asker, and everybody who reads the answer, may know to be there: those of which they may read something
 * and, for an answer to the asker alone, those they may enter. Nothing is told of any other: name, topic, members.
 */
export function knownTo(
  tx: Tx,
  reader: Reader,
  rooms: Rooms,
  nowMs: number,
): (room: Pick<Room, 'name' | 'places'>) => boolean {
  const visible = visibleTo(tx, reader, rooms, nowMs)
  const { place, sender, person } = reader
  const alone = sender.verified && (reader.audience === 'asker' || place.private === true)
  const limited = alone ? keyOfAccount(tx, place.network, sender.id)?.rooms : null
  const only = limited ? new Set(limited.map(name => rooms.meant(name)?.name)) : null
  const enters = ({ name, places }: Pick<Room, 'name' | 'places'>): boolean =>
    (person !== null && includes(roleIn(tx, person, name, nowMs), 'member')) ||
    places.some(each => mayBeIn(tx, rooms, each, { network: place.network, sender }, nowMs))
  return room =>
    visible.all || visible.rooms.has(room.name) || (alone && (only === null || only.has(room.name)) && enters(room))
}

/** Whether one fact may be shown. */
export function maySee(visible: Visible, { event, placeId, room }: Stored): boolean {
  if (event.place.private) return placeId === visible.direct
  return visible.all || visible.rooms.has(room) || visible.places.has(placeId)
}
