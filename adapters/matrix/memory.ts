import type { Cursors } from '../../core/adapter.ts'
import { isRecord } from '../../core/loose.ts'
import { Recent } from '../../core/recent.ts'
import type { Given } from './inbound.ts'
import { object, string } from './native.ts'
import type { Rooms } from './rooms/rooms.ts'

const mostGiven = 5000
const keptGiven = 400

/**
 * What is known again after a restart: how far the ledger is, which room is which channel, and the newest reactions, since
 * what takes one back does not say which it was. Saved after the ledger took what it stands for.
 */
export class Memory {
  /** Where the next /sync goes on. */
  since: string | null = null
  readonly #cursors: Cursors
  readonly #rooms: Rooms
  /** How long ago, when we started, something was saved the last time. */
  awayMs = 0
  readonly #given = new Recent<string, Given>(mostGiven)
  #givenChanged = false

  constructor(cursors: Cursors, rooms: Rooms) {
    this.#cursors = cursors
    this.#rooms = rooms
  }

  async load(): Promise<void> {
    const [since, rooms, given, savedMs] = await Promise.all(
      ['since', 'rooms', 'reactions', 'savedMs'].map(name => this.#cursors.get(name)),
    )
    this.since = since ?? null
    this.awayMs = Date.now() - Number(savedMs ?? Date.now())
    this.#rooms.restore(rooms ?? null)
    for (const one of parsedList(given ?? null)) {
      const { id, by, target, emoji } = object(one)
      const [event, who] = [string(id), string(by)]
      if (event && who && string(target) && string(emoji))
        this.#given.set(event, { by: who, target: String(target), emoji: String(emoji) })
    }
  }

  /** The newest message of a channel that the ledger had when this was saved. */
  lastOf(channel: string): Promise<string | null> {
    return this.#cursors.get(`last/${channel}`)
  }

  given(event: string): Given | undefined {
    return this.#given.get(event)
  }

  gave(event: string, given: Given): void {
    this.#given.set(event, given)
    this.#givenChanged = true
  }

  /** Saves how far the ledger is; `last`: the newest message of each room that got some. */
  async save(since: string, last: ReadonlyMap<string, string>): Promise<void> {
    this.since = since
    const rooms = this.#rooms.changes()
    const set = (name: string, value: string): Promise<void> => this.#cursors.set(name, value)
    await Promise.all([
      ...[...last].map(([room, event]) => set(`last/${this.#rooms.channelOf(room)}`, event)),
      ...(rooms === null ? [] : [set('rooms', rooms)]),
      ...(this.#givenChanged ? [set('reactions', this.#newest())] : []),
      set('savedMs', String(Date.now())),
      set('since', since),
    ])
    this.#givenChanged = false
  }

  #newest(): string {
    const newest = [...this.#given.entries()].slice(-keptGiven)
    return JSON.stringify(newest.map(([id, given]) => ({ id, ...given })))
  }
}

function parsedList(saved: string | null): unknown[] {
  const value: unknown = saved === null ? [] : JSON.parse(saved)
  return Array.isArray(value) ? value.filter(isRecord) : []
}
