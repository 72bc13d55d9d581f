import type { Adapter } from '../../../core/adapter.ts'
import { asChanopError } from '../../../core/error.ts'
import { type MessageEvent, type NetworkId, type Place, text } from '../../../core/event.ts'
import { placeKey } from '../../../core/ledger/record/events.ts'
import type { Log } from '../../../core/log.ts'

/** One that comes again so soon is the same. */
const againMs = 5 * 60_000
const wordEveryMs = 60_000

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
  /** Commands that were heard and could not be taken, by their place. */
  readonly #waiting = new Map<string, { readonly place: Place; readonly keys: Set<string>; saidMs: number }>()

  constructor(options: OutageOptions) {
    this.#o = options
  }

  /** A write was refused. `asked`: commands among what could not be taken. */
  refused(thrown: unknown, asked: readonly MessageEvent[] = [], nowMs = Date.now()): void {
    const error = asChanopError(thrown)
    if (error.code !== 'ledger-full' && error.code !== 'ledger-readonly') return
    for (const event of asked) this.#hear(event)
    if (this.#lasts) return this.#tellWaiting(error.message, nowMs)
    this.#lasts = true
    for (const one of this.#waiting.values()) one.saidMs = nowMs
    if (nowMs - this.#saidMs < againMs) return this.#tellWaiting(error.message, nowMs)
    this.#saidMs = nowMs
    const line = `${error.message}. Until then nothing said here is recorded or passed on, and commands wait; the networks give what was said once it can be taken`
    for (const place of this.#o.places()) void this.#say(place, line, nowMs)
  }

  /** A write was taken. */
  taken(): void {
    this.#waiting.clear()
    if (this.#lasts) this.#o.log.warn('the ledger takes what is said again')
    this.#lasts = false
  }

  #hear({ place, key }: MessageEvent): void {
    const at = placeKey(place)
    const waiting = this.#waiting.get(at) ?? { place, keys: new Set<string>(), saidMs: Number.NEGATIVE_INFINITY }
    waiting.keys.add(key)
    this.#waiting.set(at, waiting)
  }

  /** Who says commands meanwhile hears where they are, from memory: once a minute in a place. What they say is not repeated. */
  #tellWaiting(reason: string, nowMs: number): void {
    for (const waiting of this.#waiting.values()) {
      if (nowMs - waiting.saidMs < wordEveryMs || waiting.keys.size === 0) continue
      waiting.saidMs = nowMs
      const many = waiting.keys.size
      const line = `${reason}: ${many === 1 ? 'a command' : `${many} commands`} said here ${many === 1 ? 'waits' : 'wait'}; what is older than a minute by then is named and not carried out`
      void this.#say(waiting.place, line, nowMs)
    }
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
