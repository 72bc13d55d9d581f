import { strict as assert } from 'node:assert'
import type { Cursors, Sink } from '../adapter.ts'
import type { ChatEvent, MessageEvent, MessageId, Place } from '../event.ts'
import { plain } from '../text/text.ts'
import { Watch } from './watch.ts'

const samePlace = (a: Place, b: Place): boolean =>
  a.network === b.network && a.channel === b.channel && a.thread === b.thread

/**
 * Stands in for the ledger in the adapters' contract: takes events once each by their key, knows the newest message of
 * a place, and refuses or hangs on demand. It outlives an adapter as the ledger outlives a process.
 */
export class RecordBook {
  /** Facts in the order in which they were taken, each key once. */
  readonly facts: ChatEvent[] = []
  /** Every event that was ever offered, repeats included. */
  readonly offered: ChatEvent[] = []
  readonly #values = new Map<string, string>()
  readonly #watch = new Watch(() => `; taken: ${JSON.stringify(this.facts.map(shown), null, 1)}`)
  #rejections = 0
  #held: Promise<void> | null = null

  readonly sink: Sink = async events => {
    this.offered.push(...events)
    this.changed()
    await this.#held
    if (this.#rejections > 0) {
      this.#rejections--
      throw new Error('the disk of the test is full')
    }
    for (const event of events) if (!this.facts.some(({ key }) => key === event.key)) this.facts.push(event)
    this.changed()
  }

  readonly cursors: Cursors = {
    newest: async place => {
      const found = this.facts.findLast(
        event => event.kind === 'message' && !event.unlisted && samePlace(event.place, place),
      )
      return found?.kind === 'message' ? { id: found.id, atMs: found.atMs } : null
    },
    get: async name => this.#values.get(name) ?? null,
    set: async (name, value) => void this.#values.set(name, value),
  }

  /** The next `count` calls of the sink reject. */
  reject(count: number): void {
    this.#rejections = count
  }

  /** The sink hangs until the returned function is called, which makes it take or reject what it holds. */
  hold(): (outcome: 'take' | 'reject') => void {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    promise.catch(() => undefined)
    this.#held = promise
    return outcome => {
      this.#held = null
      if (outcome === 'take') resolve()
      else reject(new Error('the test refuses these events'))
    }
  }

  /** Forgets what came after the `count`-th message, as a backup that was put back does. */
  rewind(count: number): ChatEvent[] {
    const messages = this.messages()
    const last = messages[count - 1]
    assert.ok(last, `there are ${messages.length} messages, ${count} should stay`)
    return this.facts.splice(this.facts.indexOf(last) + 1)
  }

  messages(): MessageEvent[] {
    return this.facts.filter(event => event.kind === 'message')
  }

  /** Texts of the messages taken, in order. */
  texts(): string[] {
    return this.messages().map(words)
  }

  message(text: string): MessageEvent | undefined {
    return this.messages().find(message => words(message) === text)
  }

  idOf(text: string): MessageId {
    const found = this.message(text)
    assert.ok(found, `no message says ${JSON.stringify(text)}`)
    return found.id
  }

  /** Looks again at everything that waits. */
  changed(): void {
    this.#watch.look()
  }

  /** Resolves once `find` answers something; looked at whenever an event is offered or taken, or a status changes. */
  until<T>(find: () => T | undefined | null | false, what: string): Promise<T> {
    return this.#watch.until(find, what)
  }

  /** Resolves with the message of this text once it is taken. */
  async hears(text: string): Promise<MessageEvent> {
    return this.until(() => this.message(text), `the message ${JSON.stringify(text)}`)
  }
}

/** What a message says, its files left out. */
const words = ({ content: { segments } }: MessageEvent): string => plain({ segments })

const shown = (event: ChatEvent): string =>
  `${event.kind} ${event.key} ${event.origin} ${event.kind === 'message' ? plain(event.content).slice(0, 60) : ''}`
