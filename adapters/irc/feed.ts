import type { Sink } from '../../core/adapter.ts'
import type { ChatEvent, RosterSign } from '../../core/event.ts'
import type { Log } from '../../core/log.ts'
import { backoffMs, sleep } from '../../core/retry.ts'

export interface FeedHooks {
  /** Too much waits for the ledger: stop reading from the network, or go on. */
  pause(paused: boolean): void
  /** The ledger has these. */
  accepted(events: readonly ChatEvent[]): Promise<void>
  roster(sign: RosterSign): Promise<void>
}

const mostPerCall = 2_000
const pauseAt = 10_000
const resumeAt = 2_000

const isFact = (one: ChatEvent | RosterSign): one is ChatEvent => one.kind !== 'roster'

/**
 * Hands events to the sink in order, one call at a time: while it works the next batch gathers. What the sink rejects
 * is kept and offered again, for as long as it takes. A roster goes between the events it came between.
 */
export class Feed {
  readonly #sink: Sink
  readonly #signal: AbortSignal
  readonly #log: Log
  readonly #hooks: FeedHooks
  #queue: (ChatEvent | RosterSign)[] = []
  #busy: Promise<void> | null = null
  #paused = false

  constructor(sink: Sink, signal: AbortSignal, log: Log, hooks: FeedHooks) {
    this.#sink = sink
    this.#signal = signal
    this.#log = log
    this.#hooks = hooks
  }

  push(events: readonly (ChatEvent | RosterSign)[]): void {
    for (const event of events) this.#queue.push(event)
    if (!this.#paused && this.#queue.length > pauseAt) this.#pause(true)
    if (!this.#busy && this.#queue.length > 0) this.#busy = this.#run()
  }

  #pause(paused: boolean): void {
    this.#paused = paused
    this.#hooks.pause(paused)
  }

  async #run(): Promise<void> {
    while (this.#queue.length > 0 && !this.#signal.aborted) {
      const [first] = this.#queue
      if (first?.kind === 'roster') {
        this.#queue.shift()
        await this.#hooks.roster(first)
        continue
      }
      const batch = this.#facts()
      this.#queue = this.#queue.slice(batch.length)
      await this.#offer(batch)
      if (this.#paused && this.#queue.length < resumeAt) this.#pause(false)
    }
    this.#busy = null
  }

  /** The facts up to the next roster, as many as one call takes. */
  #facts(): ChatEvent[] {
    const roster = this.#queue.findIndex(one => one.kind === 'roster')
    return this.#queue.slice(0, roster === -1 ? mostPerCall : Math.min(roster, mostPerCall)).filter(isFact)
  }

  /** Resolves once no call of the sink is under way. */
  async settled(): Promise<void> {
    await this.#busy
  }

  async #offer(batch: readonly ChatEvent[]): Promise<void> {
    for (let attempt = 0; !this.#signal.aborted; attempt++) {
      try {
        await this.#sink(batch)
        await this.#hooks.accepted(batch)
        return
      } catch (error) {
        this.#log.warn({ error, events: batch.length }, 'the ledger does not take events; they are offered again')
        await sleep(backoffMs({ firstMs: 100, maxMs: 10_000 }, attempt), this.#signal)
      }
    }
  }
}
