import { type ChannelId, formatPlace, type NetworkId, type Place, parsePlace } from './event.ts'

/** How what is said in one place of a room comes to the others. */
export interface Bridging {
  /** By `network:channel`, where it is not both ways: `in` only gives what is said there, `out` only hears the others. */
  readonly direction: Readonly<Record<string, 'in' | 'out'>>
  readonly files: 'copy' | 'link' | 'off'
  /** When a name is shown with its network: where it could be mistaken for another's, always or never. */
  readonly names: 'auto' | 'always' | 'never'
  /** `@everyone`, `@here` and the like may leave their network. */
  readonly everyone: boolean
  /** Patterns (RE2): of a name or `network:account`, and of a text. Nothing of what fits is passed on. */
  readonly ignore: { readonly names: readonly string[]; readonly texts: readonly string[] }
  /** In this order, in every text that is passed on. */
  readonly replace: readonly { readonly find: string; readonly with: string }[]
}

/** The section `rooms` of the configuration. */
export type RoomsConfig = Readonly<
  Record<
    string,
    { readonly places: readonly string[]; readonly open: boolean; readonly joins: boolean } & Partial<Bridging>
  >
>

const plainBridging: Bridging = {
  direction: {},
  files: 'copy',
  names: 'auto',
  everyone: false,
  ignore: { names: [], texts: [] },
  replace: [],
}

/** Types of channels, by the prefix of their names: selectors of agents that each makes enter. */
type Callers = Readonly<Record<string, { readonly join: readonly string[] }>>

interface Followable {
  readonly rooms: RoomsConfig
  readonly channels?: { readonly types: Callers }
}

/** Settings that tell when they change. */
interface Followed {
  readonly current: Followable
  onChange(listener: (config: Followable) => void): unknown
}

/**
 * A conversation as people name it. Facts carry the name of the room of their time, so that a room's history stands
 * under its own name and, from before its places were joined, under the names of these.
 */
export interface Room {
  /** `network:channel` for a place that is in no room. */
  readonly name: string
  readonly places: readonly Place[]
  readonly open: boolean
  readonly joins: boolean
  readonly bridging: Bridging
}

/** Where a bot speaks: the places, and the name under which that is kept. */
export type Hall = Pick<Room, 'name' | 'places'>

/** A place that is in no room. */
export const loneRoom = (place: Place): Room => ({
  name: formatPlace(place),
  places: [place],
  open: false,
  joins: false,
  bridging: plainBridging,
})

const doorSign = '='

/**
 * From where somebody speaks into a room, or into a place that is in none, without being there: a program of a network that has
 * no places of its own. What is said at a door goes to all places of the room, and nothing of theirs comes to it.
 */
export const doorTo = (network: NetworkId, { name }: Pick<Room, 'name'>): Place => ({
  network,
  channel: `${doorSign}${name}` as ChannelId,
})

export const isDoor = ({ channel }: Pick<Place, 'channel'>): boolean => channel.startsWith(doorSign)

/** Which places are one conversation. */
export class Rooms {
  readonly #byPlace = new Map<string, Room>()
  readonly #byName = new Map<string, Room>()
  #callers: Callers = {}

  constructor(rooms: RoomsConfig, callers: Callers = {}) {
    this.#take({ rooms, channels: { types: callers } })
  }

  /** The rooms of settings, whatever these become. */
  static of(settings: Followed): Rooms {
    const rooms = new Rooms({})
    rooms.#take(settings.current)
    settings.onChange(config => rooms.#take(config))
    return rooms
  }

  #take({ rooms, channels }: Followable): void {
    this.#callers = channels?.types ?? {}
    this.#byName.clear()
    this.#byPlace.clear()
    for (const [name, { places, open, joins, ...bridging }] of Object.entries(rooms)) {
      const parsed = places.map(parsePlace).filter(place => place !== null)
      const room = { name, places: parsed, open, joins, bridging: { ...plainBridging, ...bridging } }
      this.#byName.set(name, room)
      for (const place of parsed) this.#byPlace.set(formatPlace(place), room)
    }
  }

  /** Selectors of agents that channels of a type make enter. */
  calledBy(type: string): readonly string[] {
    return Object.hasOwn(this.#callers, type) ? (this.#callers[type]?.join ?? []) : []
  }

  /** Prefixes of the types of channels that make agents enter. */
  callingTypes(): readonly string[] {
    return Object.keys(this.#callers).filter(type => this.calledBy(type).length > 0)
  }

  /** The room of a place; a thread belongs to the room of its channel. */
  of(place: Place): Room | undefined {
    return isDoor(place) ? this.#behind(place) : this.#byPlace.get(formatPlace(place))
  }

  #behind({ channel }: Place): Room | undefined {
    const name = channel.slice(doorSign.length)
    const place = parsePlace(name)
    return this.named(name) ?? (place ? loneRoom(place) : undefined)
  }

  /** The room as it is from one of its places: that comes first, with its thread. Alone: what is private or in no room. */
  from(place: Place): Room {
    const room = place.private ? undefined : this.of(place)
    return room ? { ...room, places: this.with(place) } : loneRoom(place)
  }

  named(name: string): Room | undefined {
    return this.#byName.get(name)
  }

  /**
   * The room somebody means by its name, by `network:channel`, or by a channel alone; null when there is none in the
   * configuration and the word is no place. A channel alone is looked for first on the network where it was written.
   */
  meant(word: string, near?: Place): Room | null {
    const named = this.named(word)
    if (named) return named
    const place = parsePlace(word)
    if (place && !word.startsWith('#')) return this.from(place)
    const channel = word as Place['channel']
    const here = near && { network: near.network, channel }
    const own = here && (this.of(here) ?? (near.channel === word ? this.from(here) : undefined))
    if (own) return own
    const elsewhere = this.all().find(room => room.places.some(each => each.channel === channel))
    return elsewhere ?? (here && word.startsWith('#') ? this.from(here) : null)
  }

  all(): Room[] {
    return [...this.#byName.values()]
  }

  /** All places of a place's room, itself first; itself alone when it is in none. */
  with(place: Place): Place[] {
    return [place, ...this.others(place)]
  }

  /** The other places of a place's room where a copy of what is said there goes: none of those that only give. */
  others(place: Place): Place[] {
    const here = formatPlace(place)
    const room = this.of(place)
    if (!room || room.bridging.direction[here] === 'out') return []
    return room.places.filter(other => {
      const there = formatPlace(other)
      return there !== here && room.bridging.direction[there] !== 'in'
    })
  }

  /** Whether a copy of what is said in one place goes to another. */
  passes(from: Place, to: Place): boolean {
    const there = formatPlace(to)
    return this.others(from).some(other => formatPlace(other) === there)
  }

  /** Every place of one network that is in some room. */
  onNetwork(network: string): Place[] {
    return this.all().flatMap(room => room.places.filter(place => place.network === network))
  }
}

/** Every name under which facts of a room may stand. */
export const namesOf = (room: Room): string[] => [...new Set([room.name, ...room.places.map(formatPlace)])]

/**
 * The place somebody means by `network:channel`, or by a channel alone on the network where they ask; channels with a sign
 * are compared without case. Null: there is no such network, or no channel in it.
 */
export function placeMeant(
  written: string,
  near: NetworkId,
  networks: Readonly<Record<string, unknown>>,
): Place | null {
  const place = parsePlace(/^[#&+!]/.test(written) ? `${near}:${written}` : written)
  if (!place || !Object.hasOwn(networks, place.network)) return null
  const { network, channel } = place
  return { network, channel: (/^[#&+]/.test(channel) ? channel.toLowerCase() : channel) as Place['channel'] }
}

interface Alerting {
  readonly fleet: { readonly alertRoom: string | null }
  readonly networks: Readonly<Record<string, unknown>>
}

/**
 * The room that hears what operators should know (`fleet.alertRoom`): one of that name, the place that it names, or the
 * channel of that name on the first network that has it. Null: nobody hears it.
 */
export function alertRoomOf(rooms: Rooms, { fleet, networks }: Alerting): Room | null {
  const { alertRoom } = fleet
  if (alertRoom === null) return null
  const named = rooms.named(alertRoom)
  if (named) return named
  const place = placeMeant(alertRoom, '' as NetworkId, networks)
  if (place) return place.channel.startsWith('@') ? null : rooms.from(place)
  if (/[:#]/.test(alertRoom)) return null
  const channel = `#${alertRoom}` as Place['channel']
  const network = Object.entries(networks).find(([, config]) =>
    (config as { channels?: readonly string[] }).channels?.includes(channel),
  )?.[0]
  return network === undefined ? null : rooms.from({ network: network as NetworkId, channel })
}
