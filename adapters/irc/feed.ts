import type { Sink } from '../../core/adapter.ts'
import type { ChatEvent } from '../../core/event.ts'
import type { Log } from '../../core/log.ts'
import { backoffMs, sleep } from '../../core/retry.ts'

export interface FeedHooks {
  /** Too much waits for the ledger: stop reading from the network, or go on. */
  pause(paused: boolean): void
  /** The ledger has these. */
  accepted(events: readonly ChatEvent[]): Promise<void>
}

const mostPerCall = 2_000
const pauseAt = 10_000
const resumeAt = 2_000

/**
 * Hands events to the sink in order, one call at a time: while it works the next batch gathers. What the sink rejects
 * is kept and offered again, for as long as it takes.
 */
export class Feed {
  readonly #sink: Sink
  readonly #signal: AbortSignal
  readonly #log: Log
  readonly #hooks: FeedHooks
  #queue: ChatEvent[] = []
  #busy: Promise<void> | null = null
  #paused = false

  constructor(sink: Sink, signal: AbortSignal, log: Log, hooks: FeedHooks) {
    this.#sink = sink
    this.#signal = signal
    this.#log = log
    this.#hooks = hooks
  }

  push(events: readonly ChatEvent[]): void {
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
      const batch = this.#queue.length <= mostPerCall ? this.#queue : this.#queue.slice(0, mostPerCall)
      this.#queue = this.#queue.length <= mostPerCall ? [] : this.#queue.slice(mostPerCall)
      await this.#offer(batch)
      if (this.#paused && this.#queue.length < resumeAt) this.#pause(false)
    }
    this.#busy = null
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
