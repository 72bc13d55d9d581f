import type { Sink } from '../adapter.ts'
import type { ChatEvent, RosterSign } from '../event.ts'
import type { Log } from '../log.ts'
import { type Backoff, backoffMs, sleep } from '../retry.ts'

export interface FeedOptions {
  readonly sink: Sink
  readonly log: Log
  readonly signal: AbortSignal
  readonly backoff?: Backoff
}

const usual: Backoff = { firstMs: 100, maxMs: 10_000 }

/**
 * Offers the same events until the ledger has them: true from then on, when they may be acknowledged upstream; false when
 * we were told to stop before.
 */
export async function offer({ sink, log, signal, backoff = usual }: FeedOptions, events: readonly ChatEvent[]) {
  for (let attempt = 0; !signal.aborted; attempt++) {
    try {
      await sink(events)
      return true
    } catch (error) {
      log.warn({ error, events: events.length }, 'the ledger does not take events; they are offered again')
      await sleep(backoffMs(backoff, attempt), signal)
    }
  }
  return false
}

export interface FeedHooks {
  /** Too much waits for the ledger: stop reading from the network, or go on. */
  pause?(paused: boolean): void
  /** The ledger has these: they may be acknowledged. Rejects: they are offered again. */
  accepted?(events: readonly ChatEvent[]): Promise<void>
  roster?(sign: RosterSign): Promise<void>
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
  readonly #o: FeedOptions
  readonly #hooks: FeedHooks
  #queue: (ChatEvent | RosterSign)[] = []
  #busy: Promise<void> | null = null
  #paused = false

  constructor(options: FeedOptions, hooks: FeedHooks = {}) {
    this.#hooks = hooks
    const sink: Sink = async events => {
      await options.sink(events)
      await hooks.accepted?.(events)
    }
    this.#o = { ...options, sink }
  }

  push(events: readonly (ChatEvent | RosterSign)[]): void {
    for (const event of events) this.#queue.push(event)
    if (!this.#paused && this.#queue.length > pauseAt) this.#pause(true)
    if (!this.#busy && this.#queue.length > 0) this.#busy = this.#run()
  }

  #pause(paused: boolean): void {
    this.#paused = paused
    this.#hooks.pause?.(paused)
  }

  async #run(): Promise<void> {
    while (this.#queue.length > 0 && !this.#o.signal.aborted) {
      const [first] = this.#queue
      if (first?.kind === 'roster') {
        this.#queue.shift()
        await this.#hooks.roster?.(first)
        continue
      }
      await this.#offer()
      if (this.#paused && this.#queue.length < resumeAt) this.#pause(false)
    }
    this.#busy = null
  }

  /** What comes while the ledger takes nothing is offered with the rest: who offers it may have to say so. */
  async #offer(): Promise<void> {
    const { sink, log, signal, backoff = usual } = this.#o
    for (let attempt = 0; !signal.aborted; attempt++) {
      const batch = this.#facts()
      try {
        await sink(batch)
        this.#queue = this.#queue.slice(batch.length)
        return
      } catch (error) {
        log.warn({ error, events: batch.length }, 'the ledger does not take events; they are offered again')
        await sleep(backoffMs(backoff, attempt), signal)
      }
    }
  }

  /** The facts up to the next roster, as many as one call takes. */
  #facts(): ChatEvent[] {
    const roster = this.#queue.findIndex(one => one.kind === 'roster')
    return this.#queue.slice(0, roster === -1 ? mostPerCall : Math.min(roster, mostPerCall)).filter(isFact)
  }

  /** Resolves once no call of the sink is under way: whether all is taken. */
  async settled(): Promise<boolean> {
    await this.#busy
    return this.#queue.length === 0
  }
}
