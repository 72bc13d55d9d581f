import { isDeepStrictEqual } from 'node:util'
import type { Adapter, NativeCommand } from '../../../core/adapter.ts'
import { Catalogue } from '../../../core/command/help/published.ts'
import { nativeCommands } from '../../../core/command/native.ts'
import { asChanopError } from '../../../core/error.ts'
import type { NetworkId } from '../../../core/event.ts'
import type { Ledger } from '../../../core/ledger/ledger.ts'
import type { Log } from '../../../core/log.ts'
import { type Backoff, backoffMs, deadline } from '../../../core/retry.ts'

export interface AnnouncerOptions {
  readonly adapters: ReadonlyMap<NetworkId, Adapter>
  readonly ledger: Ledger
  readonly log: Log
  readonly signal: AbortSignal
  readonly backoff?: Backoff
}

/** What one connection was shown, or refuses. */
interface Shown {
  commands: readonly NativeCommand[] | null
  busy: boolean
  failures: number
  notBeforeMs: number
}

const callMs = 120_000
const usualBackoff: Backoff = { firstMs: 4000, maxMs: 600_000 }

/**
 * Shows the commands of all bots on the networks that have commands of their own. Bots start one after the other: what is
 * shown has been the same at two looks.
 */
export class Announcer {
  readonly #o: AnnouncerOptions
  readonly #catalogue = new Catalogue()
  readonly #shown = new WeakMap<Adapter, Shown>()
  #seen: readonly NativeCommand[] = []

  constructor(options: AnnouncerOptions) {
    this.#o = options
  }

  /** Looks whether something is to be shown somewhere; called once in a while. Never rejects. */
  async look(nowMs = Date.now()): Promise<void> {
    const { adapters, ledger, log } = this.#o
    const able = [...adapters.values()].filter(adapter => adapter.announce && adapter.status().state === 'up')
    if (able.length === 0) return
    try {
      const before = this.#catalogue.all
      const { all } = await ledger.read(db => this.#catalogue.refresh(db))
      if (all !== before) this.#seen = nativeCommands(all)
      // Before any bot has published: what a platform shows from the last run stays.
      else if (this.#seen.length > 0) for (const adapter of able) this.#show(adapter, nowMs)
    } catch (error) {
      log.warn({ error }, `native commands wait: ${asChanopError(error).message}`)
    }
  }

  #show(adapter: Adapter, nowMs: number): void {
    const shown = this.#shown.get(adapter) ?? { commands: null, busy: false, failures: 0, notBeforeMs: 0 }
    this.#shown.set(adapter, shown)
    const commands = this.#seen
    const { busy, notBeforeMs, commands: last } = shown
    if (busy || notBeforeMs > nowMs || last === commands || isDeepStrictEqual(last, commands)) return
    void this.#call(adapter, shown, commands, nowMs)
  }

  async #call(adapter: Adapter, shown: Shown, commands: readonly NativeCommand[], nowMs: number): Promise<void> {
    shown.busy = true
    try {
      await adapter.announce?.(commands, deadline(callMs, this.#o.signal))
      Object.assign(shown, { commands, failures: 0, notBeforeMs: 0 })
    } catch (thrown) {
      if (this.#o.signal.aborted) return
      const { network } = adapter
      const error = asChanopError(thrown)
      this.#o.log.warn({ error, network }, `native commands of ${network} were not set: ${error.message}`)
      // What can't help to be tried again waits for other commands, or for another connection.
      if (error.retry === 'never') shown.commands = commands
      const pauseMs = Math.max(backoffMs(this.#o.backoff ?? usualBackoff, shown.failures++), error.afterMs ?? 0)
      shown.notBeforeMs = nowMs + pauseMs
    } finally {
      shown.busy = false
    }
  }
}
