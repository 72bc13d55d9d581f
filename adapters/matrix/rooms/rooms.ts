import type { ChannelId, MessageId, NetworkId, Place } from '../../../core/event.ts'
import { isRecord } from '../../../core/loose.ts'
import { Room } from './room.ts'

/**
 * The rooms that we are in, and by which channel each is known to the rest of Chanop: the alias or id under which somebody
 * configured it, and its own id else. A room that is upgraded keeps its channel.
 */
export class Rooms {
  readonly network: NetworkId
  readonly #rooms = new Map<string, Room>()
  readonly #roomOf = new Map<string, string>()
  readonly #channelOf = new Map<string, string>()
  /** Channels that somebody wants us in: never a direct conversation, however few are there. */
  readonly #wanted = new Set<string>()
  /** Our direct conversations as the account has them (`m.direct`): room → person. */
  #direct = new Map<string, string>()
  #changed = false

  constructor(network: NetworkId) {
    this.network = network
  }

  get all(): Iterable<Room> {
    return this.#rooms.values()
  }

  get wanted(): ReadonlySet<string> {
    return this.#wanted
  }

  get(id: string): Room | undefined {
    return this.#rooms.get(id)
  }

  /** The room of that id, from now on one we are in. */
  enter(id: string): Room {
    const room = this.#rooms.get(id) ?? new Room(id)
    this.#rooms.set(id, room)
    return room
  }

  leave(id: string): void {
    this.#rooms.delete(id)
  }

  /** The next batch of /sync begins anew. */
  forgetSeen(): void {
    for (const room of this.#rooms.values()) room.seen = false
  }

  want(channel: string): void {
    this.#wanted.add(channel)
  }

  unwant(channel: string): void {
    this.#wanted.delete(channel)
  }

  // ---- channels ---------------------------------------------------------------------------------------------------

  /** From now on `channel` is this room, and what it was before is heard there as well. */
  bind(channel: string, id: string): void {
    if (this.#roomOf.get(channel) === id && this.#channelOf.get(id) === channel) return
    this.#roomOf.set(channel, id)
    // The newest room of a channel comes last.
    this.#channelOf.delete(id)
    this.#channelOf.set(id, channel)
    this.#changed = true
  }

  channelOf(id: string): ChannelId {
    return (this.#channelOf.get(id) ?? id) as ChannelId
  }

  /** Null while nobody knows which room an alias names. */
  roomOf(channel: string): string | null {
    return this.#roomOf.get(channel) ?? (channel.startsWith('!') ? channel : null)
  }

  /** Whether other rooms are the same channel: what it replaced, or was replaced by. */
  isShared(id: string): boolean {
    const channel = this.channelOf(id)
    return [...this.#channelOf].filter(([, named]) => named === channel).length > 1
  }

  /** Whether a room is what another one of the same channel went on in. */
  isReplacement({ id, predecessor }: Room): boolean {
    return predecessor !== null && this.#channelOf.get(predecessor) === this.channelOf(id)
  }

  /** Rooms that a channel was before, as far as we are still in them, the newest first. */
  before(channel: string): string[] {
    const now = this.roomOf(channel)
    return [...this.#channelOf]
      .flatMap(([id, named]) => (named === channel && id !== now && this.#rooms.has(id) ? [id] : []))
      .toReversed()
  }

  isWanted(id: string): boolean {
    return this.#wanted.has(this.channelOf(id)) || this.#wanted.has(id)
  }

  placeOf(id: string, thread?: string): Place {
    return {
      network: this.network,
      channel: this.channelOf(id),
      ...(thread === undefined ? {} : { thread: thread as MessageId }),
      ...(this.isDirect(id) ? { private: true as const } : {}),
    }
  }

  // ---- direct conversations ---------------------------------------------------------------------------------------

  set direct(content: unknown) {
    this.#direct = new Map()
    for (const [user, rooms] of Object.entries(isRecord(content) ? content : {}))
      for (const room of Array.isArray(rooms) ? rooms : []) if (typeof room === 'string') this.#direct.set(room, user)
  }

  /** As the account data has them. */
  get direct(): Record<string, string[]> {
    const people = Map.groupBy(this.#direct, ([, user]) => user)
    return Object.fromEntries([...people].map(([user, rooms]) => [user, rooms.map(([room]) => room)]))
  }

  noteDirect(room: string, user: string): boolean {
    if (this.#direct.get(room) === user) return false
    this.#direct.set(room, user)
    return true
  }

  directRooms(user: string): string[] {
    return [...this.#direct].filter(([, other]) => other === user).map(([room]) => room)
  }

  /**
   * Whether what is said there is between one person and us: nobody else reads it, and nobody configured it as a room. Where
   * nobody marked it as a direct conversation, two people in a room without a name have one.
   */
  isDirect(id: string): boolean {
    const room = this.#rooms.get(id)
    if (this.isWanted(id) || !room || room.size > 2) return false
    return this.#direct.has(id) || (room.name === null && room.alias === null)
  }

  // ---- kept between runs ------------------------------------------------------------------------------------------

  /** What of this has to be known when we start again; null when it was saved already. */
  changes(): string | null {
    if (!this.#changed) return null
    this.#changed = false
    return JSON.stringify(Object.fromEntries([...this.#channelOf].map(([id, channel]) => [id, channel])))
  }

  restore(saved: string | null): void {
    for (const [id, channel] of Object.entries(parsed(saved))) {
      if (typeof channel !== 'string') continue
      this.#channelOf.set(id, channel)
      this.#roomOf.set(channel, id)
    }
  }
}

function parsed(saved: string | null): Record<string, unknown> {
  if (saved === null) return {}
  const value: unknown = JSON.parse(saved)
  return isRecord(value) ? { ...value } : {}
}
