import type { MessageId, Place } from '../../../core/event.ts'
import { type Way, wayOf } from '../../../core/ledger/out/copies.ts'
import { byIds, type Delivery, depart, newestDelivery } from '../../../core/ledger/out/deliveries.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import { datedIfLate } from '../relay/dated.ts'
import { arrived } from './aside.ts'

export interface LandingsOptions {
  /** In the transaction that notes the ids of what was said in a place. */
  readonly landed: (tx: Tx, place: Place, ids: readonly MessageId[]) => void
  /** What waited so long says when it was said. */
  readonly lateMs: number
  /** False when the ledger does not take it now. */
  readonly mark: (work: (db: Tx) => void) => boolean
  /** What was rewritten while it was under way goes out again. */
  readonly rewritten: (deliveries: readonly Delivery[]) => void
  /** The ledger takes nothing now: asked again in a while. */
  readonly later: () => void
  /** The newest delivery there is once some have landed: what waited for them may have been queued with it. */
  readonly newest: (id: number) => void
}

/** A delivery that goes out, and what it speaks of. */
export interface Departing {
  readonly delivery: Delivery
  readonly way: Way
}

/** What went out and came to its end: settled with one commit for all of a turn of the event loop, and for what goes out next. */
export class Landings {
  readonly #o: LandingsOptions
  #waiting: [Delivery, readonly MessageId[]][] = []

  constructor(options: LandingsOptions) {
    this.#o = options
  }

  add(delivery: Delivery, ids: readonly MessageId[]): void {
    this.#waiting.push([delivery, ids])
    if (this.#waiting.length === 1) setImmediate(() => this.settle())
  }

  /** Notes in a transaction that one is out. False: its text was rewritten meanwhile, and goes out again. */
  note(db: Tx, delivery: Delivery, ids: readonly MessageId[], nowMs: number): boolean {
    const isNewest = arrived(db, delivery, ids, nowMs)
    this.#o.landed(db, delivery.place, ids)
    return isNewest
  }

  /**
   * Settles what has landed and marks those that go out `next`; gives these as they read now, with what they speak of, by
   * id, but for what was taken back. Null when the ledger does not take it now: the landings are kept, and nothing goes out.
   */
  settle(next: readonly Delivery[] = []): ReadonlyMap<number, Departing> | null {
    const landed = this.#waiting
    if (landed.length === 0 && next.length === 0) return new Map()
    this.#waiting = []
    const departing = new Map<number, Departing>()
    const rewritten: Delivery[] = []
    const nowMs = Date.now()
    let newest = 0
    const done = this.#o.mark(db => {
      for (const [delivery, ids] of landed) if (!this.note(db, delivery, ids, nowMs)) rewritten.push(delivery)
      if (landed.length > 0) newest = newestDelivery(db)
      for (const read of asTheyDepart(db, next)) {
        const delivery = datedIfLate(db, read, nowMs, this.#o.lateMs)
        departing.set(delivery.id, { delivery, way: wayOf(db, delivery) })
      }
    })
    if (done) {
      this.#o.rewritten(rewritten)
      this.#o.newest(newest)
      return departing
    }
    this.#waiting = [...landed, ...this.#waiting]
    this.#o.later()
    return null
  }
}

/** Marks them as under way: some may have been rewritten, or taken back, since they were read. */
function asTheyDepart(db: Tx, deliveries: readonly Delivery[]): readonly Delivery[] {
  if (deliveries.length === 0) return []
  const ids = deliveries.map(({ id }) => id)
  const left = depart(db, ids)
  const isAsRead = ({ id, amended }: Delivery): boolean => left.get(id) === amended
  if (deliveries.every(isAsRead)) return deliveries
  const now = new Map(byIds(db, [...left.keys()]).map(delivery => [delivery.id, delivery]))
  return deliveries.flatMap(delivery => (isAsRead(delivery) ? delivery : (now.get(delivery.id) ?? [])))
}
