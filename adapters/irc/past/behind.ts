import type { Cursors } from '../../../core/adapter.ts'
import type { Place } from '../../../core/event.ts'
import type { Log } from '../../../core/log.ts'
import type { Heardpoint } from './catchup.ts'

const mark = (channel: string): string => `behind ${channel}`

/**
 * From where on something is missing in channels of which the ledger has newer things already: we were put out before it
 * was handed over, and may come back in another run.
 */
export class Behind {
  readonly #cursors: Cursors
  readonly #log: Log
  /** Channels that have a mark, with how often it was set in this run. */
  readonly #marked = new Map<string, number>()
  #writing: Promise<void> = Promise.resolve()

  constructor(cursors: Cursors, log: Log) {
    this.#cursors = cursors
    this.#log = log
  }

  /** Where what was missed begins; null: the channel was never heard. */
  async of(place: Place): Promise<Heardpoint | null> {
    await this.#writing
    const kept = await this.#cursors.get(mark(place.channel))
    if (!kept) return this.#cursors.newest(place)
    this.#marked.set(place.channel, 0)
    return JSON.parse(kept) as Heardpoint | null
  }

  /** Resolves once it is written down, or can not be (a full disk): a crash then loses what is missing. */
  note(channel: string, from: Promise<Heardpoint | null>): Promise<void> {
    this.#marked.set(channel, (this.#marked.get(channel) ?? 0) + 1)
    return this.#write(async () => this.#cursors.set(mark(channel), JSON.stringify(await from)))
  }

  /** Nothing is missing once `taken` resolves with true. */
  over(channel: string, taken: () => Promise<boolean>): void {
    const which = this.#marked.get(channel)
    if (which === undefined) return
    void taken().then(isTaken => {
      // Missed anew meanwhile.
      if (!isTaken || this.#marked.get(channel) !== which) return
      this.#marked.delete(channel)
      void this.#write(() => this.#cursors.set(mark(channel), ''))
    })
  }

  settled(): Promise<void> {
    return this.#writing
  }

  #write(write: () => Promise<void>): Promise<void> {
    this.#writing = this.#writing.then(write).catch((error: unknown) => {
      this.#log.warn({ error }, 'from where on history is missing could not be written down')
    })
    return this.#writing
  }
}
