import type { Visible } from '../../../core/access/visibility.ts'
import { rightsEnd, rightsVersion } from '../../../core/ledger/people/rights.ts'
import { keyOfAccount } from '../../../core/ledger/settings/api-keys.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import type { Interior } from '../../../core/process/interior.ts'
import { Problem } from '../problem.ts'
import { type Holder, ownerOf } from './access.ts'
import { visibleFor } from './reach.ts'

/** Whom a key speaks for now, and what they may see. */
export interface Sight {
  readonly holder: Holder
  readonly visible: Visible
}

const mostKept = 10_000

/**
 * What keys may see now, looked up once for each of them until it changes: by what stands in the ledger, by the settings
 * or by time. What is read of the ledger before it is asked here is never shown by rights that were over when it came.
 */
export class Rights {
  readonly #interior: Interior
  readonly #sights = new Map<string, Sight | null>()
  readonly #watched = new Set<{ readonly holder: Holder; readonly ended: AbortController }>()
  #version = -1
  #settings: unknown = null
  #endsMs = 0
  #changes = 0
  #looked = 0

  constructor(interior: Interior) {
    this.#interior = interior
  }

  /** Null: the key counts no more. */
  of(tx: Tx, { account, key }: Holder, nowMs: number): Sight | null {
    this.#renew(tx, nowMs)
    const name = `${account}\n${key.hash}`
    const known = this.#sights.get(name)
    if (known !== undefined) return known
    const row = keyOfAccount(tx, key.network, account)
    const holder = row !== null && row.hash === key.hash ? ownerOf(tx, row, nowMs) : null
    const sight = holder && { holder, visible: visibleFor(tx, holder, this.#interior.rooms, nowMs) }
    if (this.#sights.size >= mostKept) this.#sights.clear()
    this.#sights.set(name, sight)
    return sight
  }

  /** Aborts with a problem once a key counts no more, or when `until` does. */
  whileCounts(holder: Holder, until: AbortSignal): AbortSignal {
    const watched = { holder, ended: new AbortController() }
    this.#watched.add(watched)
    until.addEventListener('abort', () => this.#watched.delete(watched), { once: true })
    if (until.aborted) this.#watched.delete(watched)
    return AbortSignal.any([until, watched.ended.signal])
  }

  /** The ledger has grown, or time has gone by. */
  look(): void {
    if (this.#watched.size === 0) return
    const nowMs = Date.now()
    this.#interior.ledger.readNow(tx => {
      this.#renew(tx, nowMs)
      if (this.#looked === this.#changes) return
      this.#looked = this.#changes
      for (const watched of this.#watched) {
        if (this.of(tx, watched.holder, nowMs)) continue
        this.#watched.delete(watched)
        watched.ended.abort(new Problem(401, 'unauthorized', 'the key counts no more'))
      }
    })
  }

  #renew(tx: Tx, nowMs: number): void {
    const version = rightsVersion(tx)
    const settings = this.#interior.settings()
    if (version === this.#version && settings === this.#settings && nowMs < this.#endsMs) return
    this.#version = version
    this.#settings = settings
    this.#endsMs = rightsEnd(tx, nowMs)
    this.#sights.clear()
    this.#changes++
  }
}
