import type { Adapter } from '../../core/adapter.ts'
import { asChanopError } from '../../core/error.ts'
import { type MessageId, type NetworkId, text } from '../../core/event.ts'
import {
  byIds,
  copiesIn,
  type Delivery,
  enqueue,
  expireLeases,
  fail,
  markRepeat,
  open,
  postpone,
  queuedAfter,
  queuedIn,
  setState,
  settle,
} from '../../core/ledger/deliveries.ts'
import { type Ledger, rebooted } from '../../core/ledger/ledger.ts'
import { type Db, sql } from '../../core/ledger/sqlite.ts'
import type { Log } from '../../core/log.ts'
import { backoffMs, sleep } from '../../core/retry.ts'
import type { Vault } from '../../core/secrets.ts'
import { perform, saidBy } from './perform.ts'

/** How many deliveries of one place are kept in memory; the rest waits in the ledger. */
const laneLimit = 5000
const readLimit = 1000
const outageLookMs = 1000

interface Lane {
  readonly place: number
  readonly network: NetworkId
  queue: Delivery[]
  /** Under way, by id. */
  readonly flying: Map<number, Delivery>
  /** The newest that was taken in from the ledger: none is taken in twice. */
  lastId: number
  /** Some were left in the ledger: go on there after this id. */
  overflowAfter: number | null
  /** What became of those that were under way is being found out, or the lane waits. */
  busy: boolean
  failures: number
  /** Nothing that failed is tried again before; all that were under way together wait for the same time. */
  resumeMs: number
}

export interface DelivererOptions {
  readonly ledger: Ledger
  readonly adapters: ReadonlyMap<NetworkId, Adapter>
  readonly vault: Vault
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
  #lastId = 0
  #scheduled = false
  #looking = false
  #lookAgain = false
  #landings: [Delivery, readonly MessageId[]][] = []

  constructor(options: DelivererOptions) {
    this.#o = options
  }

  /** Takes over what the last run left. Call once, before the first `look`. */
  async start(): Promise<void> {
    // In one piece: what is queued right after it has a higher id and is found by the first look.
    const { left, lastId } = await this.#o.ledger.write(db => {
      expireLeases(db, rebooted(db))
      return {
        left: open(db),
        lastId: Number(sql(db, 'SELECT coalesce(max(id), 0) AS id FROM delivery').get()?.['id']),
      }
    })
    this.#lastId = lastId
    for (const delivery of left) this.#add(delivery)
    this.#schedule()
  }

  /** Reads what was queued since the last look, by any process. Calls while one is under way are one more look. */
  async look(): Promise<void> {
    this.#lookAgain = true
    if (this.#looking) return
    this.#looking = true
    try {
      while (this.#lookAgain) {
        this.#lookAgain = false
        await this.#read()
      }
    } finally {
      this.#looking = false
    }
  }

  async #read(): Promise<void> {
    for (;;) {
      const fresh = await this.#o.ledger.read(db => queuedAfter(db, this.#lastId, readLimit))
      for (const delivery of fresh) this.#add(delivery)
      this.#lastId = fresh.at(-1)?.id ?? this.#lastId
      if (fresh.length > 0) this.#schedule()
      if (fresh.length < readLimit) return
    }
  }

  /** Takes in deliveries that an order released: their ids are older than the newest seen. */
  async released(ids: readonly number[]): Promise<void> {
    const known = ids.filter(id => id <= this.#lastId)
    if (known.length === 0) return
    for (const delivery of await this.#o.ledger.read(db => byIds(db, known))) {
      const lane = this.#lane(delivery)
      lane.queue.push(delivery)
      lane.lastId = Math.max(lane.lastId, delivery.id)
    }
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
    this.#settleLandings()
  }

  #lane({ placeId, place }: Delivery): Lane {
    let lane = this.#lanes.get(placeId)
    if (!lane) {
      lane = {
        place: placeId,
        network: place.network,
        queue: [],
        flying: new Map(),
        lastId: 0,
        overflowAfter: null,
        busy: false,
        failures: 0,
        resumeMs: 0,
      }
      this.#lanes.set(placeId, lane)
    }
    return lane
  }

  #add(delivery: Delivery): void {
    const lane = this.#lane(delivery)
    if (delivery.id <= lane.lastId || lane.overflowAfter !== null) return
    if (lane.queue.length >= laneLimit) {
      lane.overflowAfter = lane.lastId
      return
    }
    lane.queue.push(delivery)
    lane.lastId = delivery.id
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
    for (const lane of this.#lanes.values()) {
      const adapter = this.#o.adapters.get(lane.network)
      if (lane.busy || !adapter || adapter.standing().state !== 'up') continue
      for (const delivery of this.#take(lane, adapter)) ready.push([lane, adapter, delivery])
    }
    // One commit for both; an act on an earlier message finds its copy only once that is settled.
    const replies = this.#settleLandings(ready.map(([, , delivery]) => delivery))
    if (replies) {
      for (const [lane, adapter, delivery] of ready) void this.#fly(lane, adapter, delivery, replies.get(delivery.id))
      return
    }
    for (const [lane, , delivery] of ready) {
      lane.flying.delete(delivery.id)
      this.#putBack(lane, delivery)
    }
  }

  /** False when the ledger does not take it now: nothing goes out unmarked. */
  #mark(work: (db: Db) => void): boolean {
    try {
      this.#o.ledger.mark(work)
      return true
    } catch (error) {
      this.#o.log.error({ error }, `deliveries wait: ${asChanopError(error).message}`)
      return false
    }
  }

  #scheduleLater(): void {
    void sleep(outageLookMs, this.#o.signal).then(() => this.#schedule())
  }

  /** In its place among those that wait. */
  #putBack(lane: Lane, delivery: Delivery): void {
    const at = lane.queue.findIndex(waiting => waiting.id > delivery.id)
    lane.queue.splice(at === -1 ? lane.queue.length : at, 0, delivery)
  }

  /** What of a lane may go out now, in order. Acts on earlier messages wait until all before them is settled. */
  #take(lane: Lane, adapter: Adapter): Delivery[] {
    const window = adapter.pipelined ?? 1
    const taken: Delivery[] = []
    while (lane.queue.length > 0 && lane.flying.size < window) {
      const next = lane.queue[0] as Delivery
      const alone = next.act.do !== 'send' || next.act.secret === true
      if (next.state === 'unknown' || next.notBeforeMs > Date.now()) {
        if (lane.flying.size === 0) this.#wait(lane, adapter, next)
        break
      }
      if (alone ? lane.flying.size > 0 : waitsFor(next, lane)) break
      lane.queue.shift()
      lane.flying.set(next.id, next)
      taken.push(next)
      if (alone) break
    }
    if (lane.queue.length < laneLimit / 2 && lane.overflowAfter !== null) void this.#refill(lane)
    return taken
  }

  async #refill(lane: Lane): Promise<void> {
    const from = lane.overflowAfter
    if (from === null) return
    lane.overflowAfter = null
    const rest = await this.#o.ledger.read(db => queuedIn(db, lane.place, from, laneLimit))
    const inMemory = new Set(lane.queue.map(delivery => delivery.id))
    for (const delivery of rest) if (!inMemory.has(delivery.id)) lane.queue.push(delivery)
    lane.lastId = Math.max(lane.lastId, rest.at(-1)?.id ?? 0)
    if (rest.length === laneLimit) lane.overflowAfter = lane.lastId
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
    await sleep(Math.max(0, atMs - Date.now()), this.#o.signal)
  }

  /** Asks the platform what became of a delivery, and settles it or puts it back to be sent. */
  async #reconcile(lane: Lane, adapter: Adapter, head: Delivery): Promise<void> {
    const { ledger, vault } = this.#o
    const said = await saidBy({ ledger, vault, adapter }, head)
    const found = said ? ((await adapter.find?.(head.place, deliveryKey(head.id), said)) ?? 'cannot-tell') : 'not-sent'
    const at = lane.queue.indexOf(head)
    if (typeof found !== 'string') {
      ledger.mark(db => settle(db, head, found, Date.now()))
      lane.queue.splice(at, 1)
      return
    }
    const again = ledger.mark(db => {
      setState(db, [head.id], 'queued')
      return found === 'cannot-tell' ? markRepeat(db, head) : head
    })
    lane.queue[at] = { ...again, state: 'queued' }
  }

  async #fly(lane: Lane, adapter: Adapter, delivery: Delivery, replyTo: MessageId | undefined): Promise<void> {
    const { ledger, vault } = this.#o
    try {
      const ids = await perform({ ledger, vault, adapter }, delivery, deliveryKey(delivery.id), replyTo)
      this.#landed(lane, delivery, ids)
    } catch (thrown) {
      this.#failed(lane, delivery, thrown)
    }
    this.#schedule()
  }

  /** Settles all that landed in one turn of the event loop with one commit. */
  #landed(lane: Lane, delivery: Delivery, ids: readonly MessageId[]): void {
    lane.flying.delete(delivery.id)
    lane.failures = 0
    this.#landings.push([delivery, ids])
    if (this.#landings.length === 1) setImmediate(() => this.#settleLandings())
  }

  /**
   * Settles what has landed and marks those that go out `next`; gives what the replies among these answer, by delivery.
   * Null when the ledger does not take it now: the landings are kept, and nothing goes out.
   */
  #settleLandings(next: readonly Delivery[] = []): ReadonlyMap<number, MessageId> | null {
    const landed = this.#landings
    const replies = new Map<number, MessageId>()
    if (landed.length === 0 && next.length === 0) return replies
    this.#landings = []
    const nowMs = Date.now()
    const done = this.#mark(db => {
      for (const [delivery, ids] of landed) settle(db, delivery, ids, nowMs)
      const ids = next.map(delivery => delivery.id)
      if (ids.length > 0) setState(db, ids, 'sending')
      for (const { id, act, placeId } of next) {
        const target =
          act.do === 'send' && act.replySeq !== undefined ? copiesIn(db, act.replySeq, placeId)[0] : undefined
        if (target) replies.set(id, target)
      }
    })
    if (done) return replies
    this.#landings = [...landed, ...this.#landings]
    this.#scheduleLater()
    return null
  }

  #failed(lane: Lane, delivery: Delivery, thrown: unknown): void {
    lane.flying.delete(delivery.id)
    const error = asChanopError(thrown)
    if (error.retry === 'never') {
      this.#o.log.warn({ delivery: delivery.id, code: error.code }, `not delivered: ${error.message}`)
      this.#mark(db => this.#giveUp(db, delivery, error.message))
      return
    }
    const maybeSent = error.code === 'network-down'
    const notBeforeMs = maybeSent ? 0 : this.#resume(lane, error.afterMs)
    this.#mark(db => {
      postpone(db, delivery.id, notBeforeMs, error.message)
      if (maybeSent) setState(db, [delivery.id], 'unknown')
    })
    const state = maybeSent ? 'unknown' : 'queued'
    this.#putBack(lane, { ...delivery, notBeforeMs, state, attempts: delivery.attempts + 1 })
  }

  /** Who waits for a secret hears that it does not come. */
  #giveUp(db: Db, { id, act, place, bot }: Delivery, reason: string): void {
    fail(db, id, reason, Date.now())
    if (act.do !== 'send' || !act.secret) return
    const line = `what was meant for you alone could not be said: ${reason}`
    enqueue(db, { place, bot, act: { do: 'send', content: text(line), as: { name: bot } } }, Date.now())
  }

  /** When a lane goes on, Unix ms. One refusal sends back all that were under way: it counts once. */
  #resume(lane: Lane, afterMs: number | undefined): number {
    const nowMs = Date.now()
    if (lane.resumeMs <= nowMs)
      lane.resumeMs = nowMs + (afterMs ?? backoffMs({ firstMs: 250, maxMs: 60_000 }, lane.failures++))
    else if (afterMs !== undefined) lane.resumeMs = Math.max(lane.resumeMs, nowMs + afterMs)
    return lane.resumeMs
  }
}

/** A reply goes out once the copy it answers has its id. */
const waitsFor = ({ act }: Delivery, { flying }: Lane): boolean =>
  act.do === 'send' &&
  act.replySeq !== undefined &&
  [...flying.values()].some(({ source }) => source !== null && source === act.replySeq)

/** The idempotency key an adapter gets: short, unique in the instance. */
export const deliveryKey = (id: number): string => id.toString(36)
