import type { ChatEvent } from '../../../core/event.ts'
import type { Stored } from '../../../core/ledger/events.ts'
import { placeKey } from '../../../core/ledger/events.ts'

const collectMs = 5000
const returnMs = 600_000

/** Who left a place because the network fell apart, and until when their return is no news. */
export type Split = ReadonlyMap<string, number>

/** One person in one place. */
export const presenceOf = ({ place, sender }: ChatEvent): string => `${placeKey(place)}\n${sender.id}`

export const isSplit = (event: ChatEvent): boolean =>
  event.kind === 'member' && event.change === 'leave' && event.split === true

/**
 * Netsplits: who left in one is told in one line a place, and who comes back within ten minutes is not told at all.
 * `tell` gets a fact of the split and how many left.
 */
export class Splits {
  readonly gone = new Map<string, number>()
  readonly #collecting = new Map<string, { first: Stored; left: number }>()
  readonly #tell: (first: Stored, left: number) => Promise<void>
  readonly #collectMs: number

  constructor(tell: (first: Stored, left: number) => Promise<void>, afterMs: number = collectMs) {
    this.#tell = tell
    this.#collectMs = afterMs
  }

  /** Facts that were committed. */
  note(facts: readonly Stored[], nowMs: number): void {
    for (const fact of facts) {
      if (fact.event.kind !== 'member' || fact.event.origin !== 'live') continue
      const presence = presenceOf(fact.event)
      if (!isSplit(fact.event)) this.gone.delete(presence)
      else {
        this.gone.set(presence, nowMs + returnMs)
        this.#collect(fact)
      }
    }
    if (this.gone.size > 0) this.#forget(nowMs)
  }

  #collect(fact: Stored): void {
    const place = placeKey(fact.event.place)
    const known = this.#collecting.get(place)
    if (known) {
      known.left++
      return
    }
    this.#collecting.set(place, { first: fact, left: 1 })
    setTimeout(() => {
      const { first, left } = this.#collecting.get(place) ?? { first: fact, left: 0 }
      this.#collecting.delete(place)
      void this.#tell(first, left)
    }, this.#collectMs).unref()
  }

  #forget(nowMs: number): void {
    for (const [presence, untilMs] of this.gone) {
      if (untilMs > nowMs) return
      this.gone.delete(presence)
    }
  }
}
