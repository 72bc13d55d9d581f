import type { Accounts, Adapter } from '../../../core/adapter.ts'
import { asChanopError } from '../../../core/error.ts'
import type { NetworkId } from '../../../core/event.ts'
import type { Ledger } from '../../../core/ledger/ledger.ts'
import { accountsOnRecord } from '../../../core/ledger/people/accounts.ts'
import type { Log } from '../../../core/log.ts'
import { sleep } from '../../../core/retry.ts'

interface GoneOptions {
  readonly ledger: Ledger
  readonly log: Log
  readonly adapters: ReadonlyMap<NetworkId, Adapter>
  /** Told when other accounts are gone than before. */
  changed(network: NetworkId): void
}

/** Accounts that somebody has by the record and the network has no more: deleted by other ways than ours. */
export class GoneAccounts {
  readonly #o: GoneOptions
  readonly #gone = new Map<NetworkId, readonly string[]>()

  constructor(options: GoneOptions) {
    this.#o = options
  }

  of(network: NetworkId): readonly string[] {
    return this.#gone.get(network) ?? []
  }

  /** Looks every `everyMs` until `signal` aborts. */
  async follow(everyMs: number, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await sleep(everyMs, signal)
      for (const [network, adapter] of this.#o.adapters) {
        const { accounts } = adapter
        if (accounts?.list && !signal.aborted && adapter.status().state === 'up') await this.#look(network, accounts)
      }
    }
  }

  async #look(network: NetworkId, accounts: Accounts): Promise<void> {
    try {
      const gone = await this.#missing(network, accounts)
      if (gone.join() === this.of(network).join()) return
      this.#gone.set(network, gone)
      this.#o.changed(network)
    } catch (error) {
      this.#o.log.info({ error, network }, `accounts could not be compared: ${asChanopError(error).message}`)
    }
  }

  /** What is being made or deleted meanwhile is no loss: the record is read before and after, and each is asked for by name. */
  async #missing(network: NetworkId, accounts: Accounts): Promise<string[]> {
    const recorded = (): Promise<string[]> => this.#o.ledger.read(tx => accountsOnRecord(tx, network))
    const before = await recorded()
    const there = new Set(await accounts.list?.())
    const missing = before.filter(account => !there.has(account))
    const after = missing.length > 0 ? new Set(await recorded()) : new Set()
    const gone: string[] = []
    for (const account of missing) if (after.has(account) && (await accounts.get(account)) === null) gone.push(account)
    return gone
  }
}
