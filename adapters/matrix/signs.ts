import type { AdapterContext } from '../../core/adapter.ts'
import type { Sender, UserId } from '../../core/event.ts'
import { object } from './native.ts'
import type { Room } from './rooms/room.ts'
import type { Rooms } from './rooms/rooms.ts'
import { localpart } from './text/words.ts'

/** Who is in our rooms and who writes: no facts, told as they come. */
export class Signs {
  readonly #tell: AdapterContext['signs']
  readonly #rooms: Rooms
  readonly #me: string
  /** Who was writing, by room: only who begins to is told. */
  readonly #writing = new Map<string, ReadonlySet<string>>()

  constructor(tell: AdapterContext['signs'], rooms: Rooms, me: string) {
    this.#tell = tell
    this.#rooms = rooms
    this.#me = me
  }

  #sender(room: Room, user: string): Sender {
    return { id: user as UserId, name: room.nameOf(user) ?? localpart(user), kind: 'person', verified: true }
  }

  /** Everybody who is in a room that somebody configured. */
  async roster(room: Room): Promise<void> {
    if (!this.#tell || !room.complete || !this.#rooms.isWanted(room.id)) return
    const present = [...room.members.keys()].filter(user => user !== this.#me).map(user => this.#sender(room, user))
    const place = this.#rooms.placeOf(room.id)
    await this.#tell([{ kind: 'roster', place, present, gone: [], whole: true, atMs: Date.now() }])
  }

  ephemeral(room: Room, events: readonly unknown[] | undefined): void {
    for (const one of Array.isArray(events) ? events : []) {
      const { type, content } = object(one)
      const listed = object(content)['user_ids']
      if (type === 'm.typing' && Array.isArray(listed)) this.#typing(room, listed)
    }
  }

  #typing(room: Room, listed: readonly unknown[]): void {
    const before = this.#writing.get(room.id)
    const now = new Set(listed.filter(user => typeof user === 'string' && user !== this.#me) as string[])
    if (now.size === 0) this.#writing.delete(room.id)
    else this.#writing.set(room.id, now)
    const begun = [...now].filter(user => !before?.has(user))
    if (begun.length === 0 || !this.#tell) return
    const at = { kind: 'life' as const, place: this.#rooms.placeOf(room.id), what: 'typing' as const, atMs: Date.now() }
    void this.#tell(begun.map(user => ({ ...at, sender: this.#sender(room, user) })))
  }
}
