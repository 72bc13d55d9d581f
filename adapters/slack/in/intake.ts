import type { Sink } from '../../../core/adapter.ts'
import type { ChatEvent } from '../../../core/event.ts'
import type { Log } from '../../../core/log.ts'
import { Feed } from '../../../core/process/feed.ts'
import { Lanes } from '../../../core/process/lanes.ts'
import { sleep } from '../../../core/retry.ts'

/** More than that is not kept waiting: what is left out is not acknowledged, and is fetched once there is room. */
const usualMost = 5000

const asideMs = 1_000

export interface IntakeOptions {
  readonly sink: Sink
  readonly log: Log
  readonly signal: AbortSignal
  readonly mostWaiting?: number
  /** Live events of this channel were left out: it is to be fetched. */
  readonly leftOut: (channel: string) => void
}

/**
 * Brings events to the ledger in the order of their channel, and says of each when the ledger has it. What is missing of
 * a channel is fetched before anything newer of it gets in; other channels don't wait for that.
 */
export class Intake {
  readonly #feed: Feed
  readonly #log: Log
  readonly #signal: AbortSignal
  readonly #lanes = new Lanes<string>()
  /** Told of once the ledger has the event. */
  readonly #taken = new Map<ChatEvent, () => void>()
  readonly #entering = new Set<Promise<void>>()
  #held: Promise<void> = Promise.resolve()
  readonly #mostWaiting: number
  #waiting = 0
  readonly #leftOut = new Set<string>()
  readonly #tell: (channel: string) => void

  constructor({ sink, log, signal, leftOut, mostWaiting = usualMost }: IntakeOptions) {
    this.#tell = leftOut
    this.#mostWaiting = mostWaiting
    this.#log = log
    this.#signal = signal
    this.#feed = new Feed(
      { sink, log, signal },
      {
        accepted: async events => {
          for (const event of events) {
            this.#taken.get(event)?.()
            this.#taken.delete(event)
          }
        },
      },
    )
  }

  /** Nothing live gets in until the returned function is called: what was missed is put before it. */
  hold(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#held = promise
    return resolve
  }

  /** A live event of a channel, read when its turn comes. `taken` is told once the ledger has all that it is; never rejects. */
  live(channel: string, read: () => Promise<readonly ChatEvent[]>, taken: () => void): void {
    if (this.#waiting >= this.#mostWaiting) {
      this.#leftOut.add(channel)
      return
    }
    this.#waiting++
    const work = async (): Promise<void> => {
      try {
        if (!this.#signal.aborted) this.#push(await read(), taken)
      } finally {
        this.#waiting--
        if (this.#waiting === 0) this.#catchUp()
      }
    }
    // Gets into its lane only then, behind what was missed.
    const entered = this.#held.then(() => void this.#chain(channel, work))
    this.#entering.add(entered)
    void entered.then(() => this.#entering.delete(entered))
  }

  /** What stands in no history, in the order of who asked: it waits for no past, and not long for what channels there are. */
  aside(user: string, read: () => Promise<readonly ChatEvent[]>, taken: () => void): void {
    void this.#chain(`aside/${user}`, async () => {
      await Promise.race([this.#held, sleep(asideMs, this.#signal)])
      if (!this.#signal.aborted) this.#push(await read(), taken)
    })
  }

  #catchUp(): void {
    for (const channel of this.#leftOut) this.#tell(channel)
    this.#leftOut.clear()
  }

  /** What was missed of a channel. */
  missed(channel: string, fetch: () => Promise<readonly ChatEvent[]>): Promise<void> {
    return this.#chain(channel, async () => this.#push(await fetch(), () => undefined))
  }

  #push(events: readonly ChatEvent[], taken: () => void): void {
    const last = events.at(-1)
    if (!last) return taken()
    this.#taken.set(last, taken)
    this.#feed.push(events)
  }

  #chain(channel: string, work: () => Promise<void>): Promise<void> {
    return this.#lanes.run(channel, work).catch((error: unknown) => {
      this.#log.error({ error, channel }, 'an event could not be read; it comes again, or is fetched')
    })
  }

  /** Resolves once nothing is being read and no call of the sink is under way. */
  async settled(): Promise<void> {
    while (this.#entering.size + this.#lanes.size > 0) {
      await Promise.all([...this.#entering, this.#lanes.settled()])
    }
    await this.#feed.settled()
  }
}
