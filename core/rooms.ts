import { formatPlace, type Place, parsePlace } from './event.ts'

/** The section `rooms` of the configuration. */
export type RoomsConfig = Readonly<
  Record<string, { readonly places: readonly string[]; readonly open: boolean; readonly joins: boolean }>
>

export interface Room {
  readonly name: string
  readonly places: readonly Place[]
  readonly open: boolean
  readonly joins: boolean
}

/** Which places are one conversation. Made anew whenever the settings change. */
export class Rooms {
  readonly #byPlace = new Map<string, Room>()
  readonly #byName = new Map<string, Room>()

  constructor(rooms: RoomsConfig) {
    for (const [name, { places, open, joins }] of Object.entries(rooms)) {
      const parsed = places.map(parsePlace).filter(place => place !== null)
      const room = { name, places: parsed, open, joins }
      this.#byName.set(name, room)
      for (const place of parsed) this.#byPlace.set(formatPlace(place), room)
    }
  }

  /** The room of a place; a thread belongs to the room of its channel. */
  of(place: Place): Room | undefined {
    return this.#byPlace.get(formatPlace(place))
  }

  named(name: string): Room | undefined {
    return this.#byName.get(name)
  }

  all(): Room[] {
    return [...this.#byName.values()]
  }

  /** All places of a place's room, itself first; itself alone when it is in none. */
  with(place: Place): Place[] {
    return [place, ...this.others(place)]
  }

  /** The other places of a place's room: where a copy of what is said there goes. */
  others(place: Place): Place[] {
    const here = formatPlace(place)
    return this.of(place)?.places.filter(other => formatPlace(other) !== here) ?? []
  }

  /** Every place of one network that is in some room. */
  onNetwork(network: string): Place[] {
    return this.all().flatMap(room => room.places.filter(place => place.network === network))
  }
}
