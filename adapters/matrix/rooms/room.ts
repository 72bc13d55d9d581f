import { count, type Json, object, type RoomEvent, string } from '../native.ts'
import { hostOf, oneLine } from '../text/words.ts'

/** More people than these are known by their ids alone until they speak. */
const mostNames = 20_000
const mostHosts = 5

/** One room that we are in, as far as it is known. */
export class Room {
  readonly id: string
  /** Who is in it, and what they are called there. */
  readonly #names = new Map<string, string | null>()
  /** Whether everybody was asked for. */
  complete = false
  /** Whether /sync has shown it. */
  seen = false
  /** Who made it an encrypted one: the homeserver by itself does so in the name of who made the room. */
  encryptedBy: string | null = null
  /** The room that it was replaced by. */
  successor: string | null = null
  /** The room that it says to replace. */
  predecessor: string | null = null
  alias: string | null = null
  name: string | null = null
  #joined = 0
  #invited = 0

  constructor(id: string) {
    this.id = id
  }

  get members(): ReadonlyMap<string, string | null> {
    return this.#names
  }

  /** Homeservers of people in it, those of most first. */
  get hosts(): string[] {
    const by = Map.groupBy(this.#names.keys(), hostOf)
    const most = [...by].sort(([, some], [, others]) => others.length - some.length)
    return most.flatMap(([host]) => host || []).slice(0, mostHosts)
  }

  get encrypted(): boolean {
    return this.encryptedBy !== null
  }

  /** People in it, with those who are invited. */
  get size(): number {
    return Math.max(this.#joined, this.#names.size) + this.#invited
  }

  /** What somebody is called in this room; null when nobody said. */
  nameOf(user: string): string | null {
    return this.#names.get(user) ?? null
  }

  /** Replaces what is known of the people. */
  people(all: ReadonlyMap<string, string | null>): void {
    this.#names.clear()
    for (const [user, name] of all) if (this.#names.size < mostNames) this.#names.set(user, name)
    this.#joined = all.size
    this.complete = true
  }

  summary(summary: Json): void {
    this.#joined = count(summary['m.joined_member_count']) ?? this.#joined
    this.#invited = count(summary['m.invited_member_count']) ?? this.#invited
  }

  follow({ type, state_key: key, content, sender }: RoomEvent): void {
    if (type === 'm.room.member' && key !== undefined) this.#member(key, content)
    if (key !== '') return
    if (type === 'm.room.encryption') this.encryptedBy = sender
    if (type === 'm.room.tombstone') this.successor = string(content['replacement_room']) ?? null
    if (type === 'm.room.create') this.predecessor = string(object(content['predecessor'])['room_id']) ?? null
    if (type === 'm.room.canonical_alias') this.alias = string(content['alias']) ?? null
    if (type === 'm.room.name') this.name = oneLine(string(content['name']) ?? '') || null
  }

  #member(user: string, content: Json): void {
    const name = oneLine(string(content['displayname']) ?? '') || null
    if (content['membership'] !== 'join') this.#names.delete(user)
    else if (this.#names.has(user) || this.#names.size < mostNames) this.#names.set(user, name)
  }
}
