import type { Adapter } from '../../../core/adapter.ts'
import { asChanopError } from '../../../core/error.ts'
import { type NetworkId, type Place, text } from '../../../core/event.ts'
import type { Log } from '../../../core/log.ts'

/** One that comes again so soon is the same. */
const againMs = 5 * 60_000

export interface OutageOptions {
  readonly adapters: ReadonlyMap<NetworkId, Adapter>
  readonly log: Log
  /** Every place of every room. */
  readonly places: () => readonly Place[]
}

/**
 * The ledger takes nothing (disk full, not writable): what people then hear is the one thing that is said without it,
 * once in each place. Nothing is recorded, relayed or carried out until it takes things again.
 */
export class Outage {
  readonly #o: OutageOptions
  #saidMs = Number.NEGATIVE_INFINITY
  #lasts = false

  constructor(options: OutageOptions) {
    this.#o = options
  }

  /** A write was refused. */
  refused(thrown: unknown, nowMs = Date.now()): void {
    const error = asChanopError(thrown)
    if (this.#lasts || (error.code !== 'ledger-full' && error.code !== 'ledger-readonly')) return
    this.#lasts = true
    if (nowMs - this.#saidMs < againMs) return
    this.#saidMs = nowMs
    const line = `${error.message}. Until then nothing said here is recorded or passed on, and commands wait; the networks give what was said once it can be taken`
    for (const place of this.#o.places()) void this.#say(place, line, nowMs)
  }

  /** A write was taken. */
  taken(): void {
    if (this.#lasts) this.#o.log.warn('the ledger takes what is said again')
    this.#lasts = false
  }

  async #say(place: Place, line: string, nowMs: number): Promise<void> {
    const adapter = this.#o.adapters.get(place.network)
    if (adapter?.status().state !== 'up') return
    try {
      await adapter.send(place, { content: text(line), as: { name: 'bridge' } }, `full.${nowMs.toString(36)}`)
    } catch (error) {
      this.#o.log.warn({ error, place }, `an outage could not be said: ${asChanopError(error).message}`)
    }
  }
}
