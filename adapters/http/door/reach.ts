import { mayBeIn } from '../../../core/access/admission.ts'
import { type Visible, visibleTo } from '../../../core/access/visibility.ts'
import type { NetworkId, Place, Sender } from '../../../core/event.ts'
import { formatPlace } from '../../../core/event.ts'
import { mayBe } from '../../../core/ledger/agents/agents.ts'
import { channelsWith } from '../../../core/ledger/people/members.ts'
import { identitiesOf } from '../../../core/ledger/people/people.ts'
import { placeIdsOf } from '../../../core/ledger/settings/places.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import type { Interior } from '../../../core/process/interior.ts'
import { namesOf, type Room } from '../../../core/rooms.ts'
import { ownPlace, senderOf } from '../place.ts'
import { Problem } from '../problem.ts'
import type { Holder } from './access.ts'

type Rooms = Interior['rooms']

const sender = ({ account, name, agent }: Holder): Sender => senderOf(account, name, agent ? 'bot' : 'person')

/** What a key may see: what its owner may, in its rooms alone where it has such, and its own conversation. */
export const visibleFor = (tx: Tx, holder: Holder, rooms: Rooms, nowMs: number): Visible =>
  visibleTo(
    tx,
    {
      sender: sender(holder),
      person: holder.person,
      place: ownPlace(holder.key.network, holder.account),
      audience: 'asker',
    },
    rooms,
    nowMs,
  )

/** Whether a key may read a room. */
export const maySeeRoom = ({ all, rooms }: Visible, room: Room): boolean =>
  all || namesOf(room).some(name => rooms.has(name))

/** The rooms of the configuration that a key may read, and the places in no room where its owner is. */
export function roomsOf(tx: Tx, holder: Holder, rooms: Rooms, visible: Visible): Room[] {
  const { agent, person } = holder
  const accounts = [
    ...(person ? identitiesOf(tx, person) : []),
    ...(agent ? [{ network: agent.network, user: agent.name as never }] : []),
  ]
  const lone = channelsWith(tx, accounts)
    .map(place => rooms.from(place))
    .filter(({ name }) => !rooms.named(name))
  const all = [...rooms.all(), ...lone]
  return [...new Map(all.map(room => [room.name, room])).values()].filter(room => maySeeRoom(visible, room))
}

/** Whether there is such a room, or such a channel was ever met. */
const isThere = (tx: Tx, rooms: Rooms, { name, places }: Room): boolean =>
  rooms.named(name) !== undefined || places.some(place => placeIdsOf(tx, place).length > 0)

/** The room that a path names: `general`, `#general`, `irc:#general`. Throws 404 alike when it is none and when it may not be seen. */
export function roomMeant(tx: Tx, holder: Holder, rooms: Rooms, written: string, nowMs: number): Room {
  const room = rooms.meant(written) ?? rooms.named(written.replace(/^#/, ''))
  if (!room || !isThere(tx, rooms, room) || !maySeeRoom(visibleFor(tx, holder, rooms, nowMs), room))
    throw new Problem(404, 'not-found', 'there is no such channel, or this key may not see it: GET /v1/channels')
  return room
}

/** Why a key may not speak in a room; null: it may. */
export function silenced(tx: Tx, holder: Holder, room: Room, rooms: Rooms, nowMs: number): string | null {
  const who = { network: holder.key.network as NetworkId, sender: sender(holder) }
  const { agent } = holder
  if (agent && !room.places.some(place => mayBe(agent, place)))
    return `the engagement of ${agent.name} does not name it`
  const may = room.places.some((place: Place) => mayBeIn(tx, rooms, place, who, nowMs))
  return may ? null : `${holder.name} is no member of it`
}

/** Whether the owner of a key is neither relayed nor obeyed now, under whichever of their accounts. */
export function isMuted(
  tx: Tx,
  holder: Holder,
  ignore: Readonly<Record<string, number | null>>,
  nowMs: number,
): boolean {
  const { agent, person, key, account } = holder
  const accounts = [
    `${key.network}:${account}`,
    ...(agent ? [`${agent.network}:${agent.name}`] : []),
    ...(person ? identitiesOf(tx, person).map(({ network, user }) => `${network}:${user}`) : []),
  ]
  return accounts.some(each => {
    const until = ignore[each]
    return until === null || (until !== undefined && until > nowMs)
  })
}

export const shownPlaces = ({ places }: Room): string[] => places.map(formatPlace)
