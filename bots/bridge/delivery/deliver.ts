import type { Adapter, Found } from '../../../core/adapter.ts'
import { asChanopError, ChanopError } from '../../../core/error.ts'
import { type Act, type MessageId, type NetworkId, nowhere, type Place } from '../../../core/event.ts'
import { type Abandoned, abandon } from '../../../core/ledger/abandon.ts'
import type { Ledger } from '../../../core/ledger/ledger.ts'
import { rebooted } from '../../../core/ledger/meta.ts'
import { type Way, wayOf } from '../../../core/ledger/out/copies.ts'
import {
  amendedAfter,
  boundWaits,
  byIds,
  type Delivery,
  fail,
  markInterrupted,
  markRepeat,
  newestAmendment,
  newestDelivery,
  openPlaces,
  postpone,
  queuedAfter,
  queuedIn,
  readdress,
  requeue,
} from '../../../core/ledger/out/deliveries.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import type { Log } from '../../../core/log.ts'
import { Recent } from '../../../core/recent.ts'
import { backoffMs, sleep, steadyMs } from '../../../core/retry.ts'
import type { Vault } from '../../../core/vault/secrets.ts'
import { aside, leadsElsewhere } from './aside.ts'
import type { Files } from './files.ts'
import { tellGivenUp } from './given-up.ts'
import { Landings } from './landings.ts'
import { deliveryKey, Lane, laneLimit, resumeOf } from './lane.ts'
import { perform, placeOn, saidBy } from './perform.ts'
import { Refusals } from './refusals.ts'

const readLimit = 1000
const outageLookMs = 1000
/** What a platform told an earlier process to wait is believed for so long; then it is asked whether that still holds. */
const longestWaitMs = 3_600_000
const lostAgain = { firstMs: 250, maxMs: 60_000 }

/** What was lost on the way once goes out again at once; what is lost each time is no reason to hammer. */
const pauseMs = (times: number): number => (times < 2 ? 0 : backoffMs(lostAgain, times - 2))

export interface DelivererOptions {
  readonly ledger: Ledger
  readonly adapters: ReadonlyMap<NetworkId, Adapter>
  /** False: the network is gone for good, and what waits for it is given up. */
  readonly isConfigured: (network: NetworkId) => boolean
  /** In the transaction that notes the ids of what was said in a place. */
  readonly landed: (tx: Tx, place: Place, ids: readonly MessageId[]) => void
  /** Takes one back that was lost on its way, where nothing is passed on any more. False: it is said again. */
  readonly takeBack: (tx: Tx, lost: Delivery) => boolean
  /** In the transaction that gives up what waited for a network that is gone. */
  readonly gaveUp: (tx: Tx, network: NetworkId, abandoned: Abandoned) => void
  readonly vault: Vault
  readonly files: Files
  /** What waited so long says when it was said. */
  readonly lateMs: number
  readonly log: Log
  readonly signal: AbortSignal
}

/**
 * Carries out deliveries: in order within a place, places independent of each other. `queued → sending` is marked
 * before anything goes out, `sent` once the platform gave its ids; what a crash or a lost connection left in between is
 * asked of the platform before it is sent again.
 */
export class Deliverer {
  readonly #o: DelivererOptions
  readonly #lanes = new Map<number, Lane>()
  readonly #refusals = new Refusals()
  /** How often the answer to each was lost since this process began: what only its end or a restart hit is not held back. */
  readonly #lost = new Recent<number, number>(1000)
  #lastId = 0
  #lastAmended = 0
  #scheduled = false
  readonly #landings: Landings

  constructor(options: DelivererOptions) {
    this.#o = options
    const { landed, lateMs } = options
    this.#landings = new Landings({
      landed,
      lateMs,
      mark: work => this.#mark(work),
      rewritten: deliveries => this.#again(deliveries),
      later: () => this.#scheduleLater(),
      newest: id => id > this.#lastId && setImmediate(() => this.#lookAgain()),
    })
  }

  /** Takes over what the last run left. Call once, before the first `look`. */
  async start(): Promise<void> {
    const { ledger } = this.#o
    // In one piece: what is queued right after it has a higher id and is found by the first look.
    const { places, lastId, lastAmended } = await ledger.write(db => {
      markInterrupted(db, rebooted(db))
      boundWaits(db, steadyMs() + longestWaitMs)
      return {
        places: openPlaces(db),
        lastId: newestDelivery(db),
        lastAmended: newestAmendment(db),
      }
    })
    this.#lastId = lastId
    this.#lastAmended = lastAmended
    for (const place of places) {
      const left = ledger.readNow(db => queuedIn(db, place, 0, laneLimit))
      if (left[0]) this.#lane(left[0]).refill(left, left.length < laneLimit)
    }
    this.#schedule()
  }

  /**
   * Reads what was queued since the last look, by any process, and sends what may go: within the call, so that a lone message
   * waits for nothing else that this process does.
   */
  async look(): Promise<void> {
    let found = 0
    for (;;) {
      const [fresh, amended] = this.#o.ledger.readNow(db => [
        queuedAfter(db, this.#lastId, readLimit),
        amendedAfter(db, this.#lastAmended, readLimit),
      ])
      for (const delivery of fresh) this.#lane(delivery).add(delivery)
      this.#lastId = fresh.at(-1)?.id ?? this.#lastId
      for (const delivery of amended) this.#lane(delivery).renew(delivery)
      this.#lastAmended = amended.at(-1)?.amended ?? this.#lastAmended
      found += fresh.length + amended.length
      if (fresh.length < readLimit && amended.length < readLimit) break
    }
    if (found > 0) this.#pump()
  }

  /** Takes in deliveries that an order released: their ids may be older than the newest seen. */
  async released(ids: readonly number[]): Promise<void> {
    const known = ids.filter(id => id <= this.#lastId)
    if (known.length === 0) return
    // A look that came first may have sent it already.
    const queued = (await this.#o.ledger.read(db => byIds(db, known))).filter(({ state }) => state === 'queued')
    for (const delivery of queued) this.#lane(delivery).release(delivery)
    this.#schedule()
  }

  /** A network came up: its lanes go on. */
  wake(): void {
    this.#schedule()
  }

  /** Resolves when nothing is under way any more, or the deadline is over. */
  async drain(deadlineMs: number): Promise<void> {
    const end = Date.now() + deadlineMs
    while (Date.now() < end && [...this.#lanes.values()].some(lane => lane.flying.size > 0)) await sleep(10)
    this.#landings.settle()
  }

  #lane(delivery: Delivery): Lane {
    let lane = this.#lanes.get(delivery.placeId)
    if (!lane) this.#lanes.set(delivery.placeId, (lane = new Lane(delivery)))
    return lane
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      this.#pump()
    })
  }

  #pump(): void {
    if (this.#o.signal.aborted) return
    const ready: [Lane, Adapter, Delivery][] = []
    const nowMs = steadyMs()
    for (const lane of this.#lanes.values()) if (lane.isIdle(nowMs)) this.#lanes.delete(lane.place)
    this.#abandonGone()
    for (const lane of this.#lanes.values()) {
      const adapter = this.#o.adapters.get(lane.network)
      if (lane.busy || !adapter || adapter.status().state !== 'up') continue
      for (const delivery of this.#take(lane, adapter)) ready.push([lane, adapter, delivery])
    }
    // One commit for both; an act on an earlier message finds its copy only once that is settled.
    const marked = this.#landings.settle(ready.map(([, , delivery]) => delivery))
    // What they say is on the disk before it leaves.
    this.#o.ledger.whenKept(() => {
      for (const [lane, adapter, delivery] of ready) {
        const next = marked?.get(delivery.id)
        if (next) void this.#fly(lane, adapter, next.delivery, next.way)
        else {
          lane.flying.delete(delivery.id)
          if (marked) this.#schedule()
          else lane.putBack(delivery)
        }
      }
    })
  }

  /** Gives up what waits for networks that are gone and not connected any more. What is under way there may still land. */
  #abandonGone(): void {
    const { isConfigured, adapters, gaveUp } = this.#o
    const gone = new Set([...this.#lanes.values()].map(({ network }) => network).filter(name => !isConfigured(name)))
    for (const network of gone) {
      if (adapters.has(network)) continue
      const done = this.#mark(tx => {
        const abandoned = abandon(tx, network, removedReason(network), Date.now())
        if (abandoned.count > 0) gaveUp(tx, network, abandoned)
      })
      if (done) for (const lane of this.#lanes.values()) if (lane.network === network) this.#lanes.delete(lane.place)
    }
  }

  /** False when the ledger does not take it now: nothing goes out unmarked. */
  #mark(work: (db: Tx) => void): boolean {
    try {
      this.#o.ledger.mark(work)
      return true
    } catch (error) {
      this.#o.log.error({ error }, `deliveries wait: ${asChanopError(error).message}`)
      return false
    }
  }

  #lookAgain(): void {
    this.look().catch((error: unknown) => this.#o.log.error({ error }, asChanopError(error).message))
  }

  #scheduleLater(): void {
    void sleep(outageLookMs, this.#o.signal).then(() => this.#schedule())
  }

  /** What of a lane may go out now. */
  #take(lane: Lane, adapter: Adapter): readonly Delivery[] {
    const { go, held, againMs } = lane.depart(adapter, steadyMs())
    if (held) this.#wait(lane, adapter, held)
    if (againMs !== null) this.#scheduleAt(lane, againMs)
    if (lane.length < laneLimit / 2 && lane.overflowAfter !== null) this.#refill(lane, lane.overflowAfter)
    return go
  }

  #scheduleAt(lane: Lane, atMs: number): void {
    if (lane.againMs !== null && lane.againMs <= atMs) return
    lane.againMs = atMs
    void this.#until(atMs).then(() => {
      if (lane.againMs === atMs) lane.againMs = null
      this.#schedule()
    })
  }

  #refill(lane: Lane, from: number): void {
    const rest = this.#o.ledger.readNow(db => queuedIn(db, lane.place, from, laneLimit))
    lane.refill(rest, rest.length < laneLimit)
    this.#schedule()
  }

  /** Holds the lane until its head may go: its time has come, or the platform said what became of it. */
  #wait(lane: Lane, adapter: Adapter, head: Delivery): void {
    lane.busy = true
    const work = head.state === 'unknown' ? this.#reconcile(lane, adapter, head) : this.#until(head.notBeforeMs)
    work
      .catch((error: unknown) => {
        this.#o.log.warn({ error, delivery: head.id }, 'what became of a delivery is not known yet: asking again')
        return sleep(outageLookMs, this.#o.signal)
      })
      .finally(() => {
        lane.busy = false
        this.#schedule()
      })
  }

  async #until(atMs: number): Promise<void> {
    await sleep(Math.max(0, atMs - steadyMs()), this.#o.signal)
  }

  /** Asks the platform what became of a delivery, and settles it or puts it back to be sent. */
  async #reconcile(lane: Lane, adapter: Adapter, head: Delivery): Promise<void> {
    const { ledger } = this.#o
    const way = await ledger.read(db => wayOf(db, head))
    const said = saidBy(adapter, head, way)
    const place = placeOn(adapter, head, way)
    const find = async (act: Act): Promise<Found> =>
      (await adapter.find?.(place, deliveryKey(head.id), act, head.createdMs)) ?? 'cannot-tell'
    const found = said ? await find(said) : 'not-sent'
    if (typeof found !== 'string') {
      if (ledger.mark(db => this.#landings.note(db, head, found, Date.now()))) lane.drop(head)
      else lane.renew({ ...head, state: 'queued' })
      return
    }
    // Given up meanwhile, with its network.
    if (!this.#o.isConfigured(lane.network)) return
    const times = (this.#lost.get(head.id) ?? 0) + 1
    this.#lost.set(head.id, times)
    const again = ledger.mark(db => {
      if (this.#o.takeBack(db, head)) return null
      const labelled = found === 'cannot-tell' ? markRepeat(db, head) : head
      requeue(db, head)
      return labelled
    })
    if (!again) return lane.drop(head)
    lane.renew({ ...again, state: 'queued', retried: true, notBeforeMs: steadyMs() + pauseMs(times) })
  }

  async #fly(lane: Lane, adapter: Adapter, delivery: Delivery, way: Way): Promise<void> {
    const { vault, files } = this.#o
    try {
      const elsewhere = aside(adapter, delivery)
      if (elsewhere) return this.#readdress(lane, delivery, await elsewhere)
      const ids = await perform({ vault, files, adapter }, delivery, deliveryKey(delivery.id), way)
      this.#landed(lane, delivery, ids)
    } catch (thrown) {
      if (leadsElsewhere(adapter, delivery, thrown)) return this.#readdress(lane, delivery, nowhere(lane.network))
      this.#failed(lane, delivery, thrown)
    }
    this.#schedule()
  }

  /** Puts what one person alone may see where it can be said to them: it waits there, and keeps up nothing here. */
  #readdress(lane: Lane, delivery: Delivery, place: Place): void {
    lane.flying.delete(delivery.id)
    let moved: Delivery | null = null
    const done = this.#mark(db => {
      moved = readdress(db, delivery, place)
    })
    if (done && moved) this.#lane(moved).release(moved)
    else lane.putBack(delivery)
    this.#schedule()
  }

  /** Settles all that landed in one turn of the event loop with one commit. */
  #landed(lane: Lane, delivery: Delivery, ids: readonly MessageId[]): void {
    lane.flying.delete(delivery.id)
    lane.failures = 0
    this.#refusals.through(delivery.placeId)
    this.#landings.add(delivery, ids)
  }

  /** What was rewritten while it was under way goes out again. */
  #again(rewritten: readonly Delivery[]): void {
    if (rewritten.length === 0) return
    for (const delivery of rewritten) this.#lane(delivery).renew({ ...delivery, state: 'queued' })
    this.#schedule()
  }

  #failed(lane: Lane, delivery: Delivery, thrown: unknown): void {
    lane.flying.delete(delivery.id)
    // What comes back after its lane was given up goes with it.
    const gone = this.#lanes.get(lane.place) !== lane && !this.#o.isConfigured(lane.network)
    const error = gone
      ? new ChanopError('send-refused', removedReason(lane.network), { cause: thrown })
      : asChanopError(thrown)
    // A login that is refused is no fault of the message: that waits until somebody mends it.
    if (error.retry === 'never' && error.code !== 'network-refused') {
      this.#o.log.warn({ delivery: delivery.id, code: error.code }, `not delivered: ${error.message}`)
      let final = true
      this.#mark(db => {
        final = this.#giveUp(db, delivery, error.message)
      })
      if (!final) this.#again([delivery])
      return
    }
    const maybeSent = error.code === 'network-down'
    const notBeforeMs = maybeSent ? 0 : resumeOf(lane, delivery, error.afterMs)
    const state = maybeSent ? 'unknown' : 'queued'
    this.#mark(db => {
      postpone(db, delivery, { notBeforeMs, state }, error.message)
      this.#refusals.waits(db, delivery, this.#o.adapters.get(lane.network), Date.now())
    })
    lane.putBack({ ...delivery, notBeforeMs, state, attempts: delivery.attempts + 1 })
  }

  /** Who waits for a secret, or for the rest of an answer, hears that it does not come. False: a newer text goes out. */
  #giveUp(db: Tx, delivery: Delivery, reason: string): boolean {
    if (!fail(db, delivery, reason, Date.now())) return false
    this.#refusals.refused(db, delivery, reason, Date.now())
    tellGivenUp(db, delivery, reason, Date.now())
    return true
  }
}

const removedReason = (network: NetworkId): string => `the network ${network} was removed`
