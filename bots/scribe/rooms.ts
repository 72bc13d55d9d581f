import { formatPlace, type Place, parsePlace } from '../../core/event.ts'

/** What the scribe needs to know of a configured room. */
export type RoomsConfig = Readonly<Record<string, { readonly places: readonly string[]; readonly open: boolean }>>

/**
 * A conversation as people name it. Facts carry the name of the room of their time, so that a room's history stands
 * under its own name and, from before its places were joined, under the names of these.
 */
export interface Room {
  readonly name: string
  /** Names of its places, `network:channel`; just its own name for a place that is in no room. */
  readonly places: readonly string[]
  readonly open: boolean
}

/** `network:channel` of a place; a thread belongs to its channel. */
export const roomKey = (place: Place): string => formatPlace(place)

/** The room a place belongs to now. */
export function roomOf(config: RoomsConfig, place: Place): Room {
  const here = roomKey(place)
  const found = Object.entries(config).find(([, room]) => room.places.includes(here))
  return found ? { name: found[0], places: found[1].places, open: found[1].open } : loneRoom(here)
}

const loneRoom = (name: string): Room => ({ name, places: [name], open: false })

/**
 * The room somebody means by its name, by `network:channel`, or by a channel alone; null when there is none in the
 * configuration and the word is no place. A channel alone is looked for first on the network where it was written.
 */
export function roomNamed(config: RoomsConfig, word: string, near?: Place): Room | null {
  const own = config[word]
  if (own && Object.hasOwn(config, word)) return { name: word, places: own.places, open: own.open }
  const place = parsePlace(word)
  if (place && !word.startsWith('#')) return roomOf(config, place)
  if (near) {
    const here = roomOf(config, { network: near.network, channel: word as Place['channel'] })
    if (here.name !== here.places[0] || near.channel === word) return here
  }
  const all = Object.entries(config).find(([, room]) => room.places.some(written => written.endsWith(`:${word}`)))
  if (all) return { name: all[0], places: all[1].places, open: all[1].open }
  return near && word.startsWith('#') ? loneRoom(`${near.network}:${word}`) : null
}

/** Every name under which facts of a room may stand. */
export const namesOf = (room: Room): string[] => [...new Set([room.name, ...room.places])]
