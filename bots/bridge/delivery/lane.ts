import type { Adapter } from '../../../core/adapter.ts'
import { isNeeded, type NetworkId } from '../../../core/event.ts'
import type { Delivery } from '../../../core/ledger/out/deliveries.ts'
import { backoffMs, steadyMs } from '../../../core/retry.ts'

/** How many deliveries of one place are kept in memory; the rest waits in the ledger. */
export const laneLimit = 5000
const growEveryMs = 1000

/** What may go out now, and what keeps the rest. */
export interface Departures {
  readonly go: readonly Delivery[]
  /** The platform has to be asked what became of it, or its time has not come: nothing may overtake it. */
  readonly held: Delivery | null
  /** Something may go then, Unix ms. */
  readonly againMs: number | null
}

/** The fact whose copy a delivery makes, or is about. */
const subject = ({ act, source }: Delivery): number | null => (act.do === 'send' ? source : act.seq)

/** The idempotency key an adapter gets: short, unique in the instance. */
export const deliveryKey = (id: number): string => id.toString(36)

const isGrowing = ({ act }: Delivery): boolean =>
  act.do === 'send' ? act.growing === true : act.do === 'edit' && act.draft.growing === true

/** Nothing may overtake what has to wait for its files, or for the way to the one person it is for. */
const isSlow = ({ act }: Delivery): boolean =>
  act.do === 'send' && (act.content.attachments?.some(isNeeded) === true || act.only !== undefined)

const isSecret = ({ act }: Delivery): boolean => act.do === 'send' && act.secret === true

/** The platform shows what it says so far, and has it said when it is whole. */
const isStreamed = (adapter: Adapter, { id, act, place }: Delivery): boolean =>
  act.do === 'send' && act.threadSeq === undefined && adapter.stream?.(place, act, deliveryKey(id)) === true

function insert(list: Delivery[], delivery: Delivery): void {
  const at = (list.at(-1)?.id ?? 0) < delivery.id ? -1 : list.findIndex(waiting => waiting.id > delivery.id)
  list.splice(at === -1 ? list.length : at, 0, delivery)
}

/**
 * The deliveries of one place. What is said keeps its order. An act on a message (edit, removal, reaction) waits for what
 * concerns that message alone, and keeps up nothing.
 */
export class Lane {
  readonly place: number
  readonly network: NetworkId
  /** Under way, by id. */
  readonly flying = new Map<number, Delivery>()
  /** Some were left in the ledger: go on there after this id. */
  overflowAfter: number | null = null
  /** What became of one that was under way is being found out, or the lane waits. */
  busy = false
  failures = 0
  /** Nothing that failed is tried again before; all that were under way together wait for the same time. */
  resumeMs = 0
  /** When a timer looks at the lane again, Unix ms. */
  againMs: number | null = null
  readonly #sends: Delivery[] = []
  readonly #acts: Delivery[] = []
  /** Growing messages that are said once they are whole: nothing can be edited there, or they are shown in another way. */
  readonly #aside = new Map<number, Delivery>()
  /** The newest that was taken in from the ledger: none is taken in twice. */
  #lastId = 0
  /** When a growing message may be edited again. */
  #growMs = 0

  constructor({ placeId, place }: Delivery) {
    this.place = placeId
    this.network = place.network
  }

  get length(): number {
    return this.#sends.length + this.#acts.length
  }

  /** Nothing waits or is under way, and nothing of what did is to be remembered. */
  isIdle(nowMs: number): boolean {
    const none = this.length + this.#aside.size + this.flying.size === 0 && this.overflowAfter === null
    return none && !this.busy && Math.max(this.#growMs, this.resumeMs) <= nowMs
  }

  /** Takes in what was queued, in order of ids; what does not fit stays in the ledger. */
  add(delivery: Delivery): void {
    if (delivery.id <= this.#lastId || this.overflowAfter !== null) return
    if (delivery.amended !== null && this.#ids().has(delivery.id)) return
    if (this.length >= laneLimit) {
      this.overflowAfter = this.#lastId
      return
    }
    this.#lastId = delivery.id
    this.putBack(delivery)
  }

  /** Takes in what was left in the ledger; there is still more unless it is `all`. */
  refill(rest: readonly Delivery[], all: boolean): void {
    const known = this.#ids()
    for (const delivery of rest) if (!known.has(delivery.id)) this.putBack(delivery)
    const last = rest.at(-1)?.id ?? 0
    this.#lastId = Math.max(this.#lastId, last)
    // What an order released meanwhile may be newer: what stands before it is still in the ledger.
    this.overflowAfter = all ? null : last
  }

  /** Takes in one that waited for an order: its id may be older than the newest that was taken in. */
  release(delivery: Delivery): void {
    this.#lastId = Math.max(this.#lastId, delivery.id)
    this.renew(delivery)
  }

  /** In its place among those that wait. */
  putBack(delivery: Delivery): void {
    insert(delivery.act.do === 'send' ? this.#sends : this.#acts, delivery)
  }

  /** Takes in the newest text of one, known here or not. What is under way ends first, and then finds it. */
  renew(delivery: Delivery): void {
    if (this.flying.has(delivery.id)) return
    if (this.overflowAfter !== null && delivery.id > this.overflowAfter) return
    this.drop(delivery)
    this.putBack(delivery)
  }

  drop({ id }: Delivery): void {
    this.#aside.delete(id)
    for (const list of [this.#sends, this.#acts]) {
      const at = list.findIndex(waiting => waiting.id === id)
      if (at !== -1) list.splice(at, 1)
    }
  }

  #ids(): ReadonlySet<number> {
    const waiting = [...this.#sends, ...this.#acts].map(({ id }) => id)
    return new Set([...waiting, ...this.flying.keys(), ...this.#aside.keys()])
  }

  /** Takes out what may go now; it is `flying` from here on. */
  depart(adapter: Adapter, nowMs: number): Departures {
    const window = adapter.pipelined ?? 1
    const go: Delivery[] = []
    const acts = this.#acts.length === 0 ? { ready: [], held: null, againMs: null } : this.#readyActs(adapter, nowMs)
    let held: Delivery | null = null
    let alone = [...this.flying.values()].some(isSlow)
    while (this.flying.size < window && !alone) {
      const send = this.#nextSend(adapter)
      if (send && isEarly(send, nowMs)) held = send
      const act = acts.ready[0]
      const next = send && !held && (!act || send.id < act.id) ? send : act
      if (!next || (isSecret(next) && this.flying.size > 0)) break
      if (next === send) this.#sends.shift()
      else this.drop(acts.ready.shift() as Delivery)
      this.flying.set(next.id, next)
      this.#growMs = nowMs + (adapter.limits.growEveryMs ?? growEveryMs)
      go.push(next)
      alone = isSecret(next) || isSlow(next)
    }
    return { go, held: this.flying.size === 0 ? (held ?? acts.held) : null, againMs: acts.againMs }
  }

  /** The first thing to be said, unless it has to wait for one that is under way. */
  #nextSend(adapter: Adapter): Delivery | undefined {
    for (;;) {
      const next = this.#sends[0]
      if (!next) return undefined
      const whole = !isGrowing(next) || next.state === 'unknown'
      if (whole || (!isStreamed(adapter, next) && adapter.edit)) return this.#waitsForCopy(next) ? undefined : next
      this.#sends.shift()
      this.#aside.set(next.id, next)
    }
  }

  /** A reply, or what stands in a thread, goes out once the copy it answers has its id. */
  #waitsForCopy({ act }: Delivery): boolean {
    if (act.do !== 'send' || (act.replySeq === undefined && act.threadSeq === undefined)) return false
    const wanted = [act.replySeq, act.threadSeq]
    return [...this.flying.values()].some(
      ({ act: other, source }) => other.do === 'send' && source !== null && wanted.includes(source),
    )
  }

  /** Those of `facts` that something else concerns first. */
  #unsaid(facts: ReadonlySet<number | null>): Set<number | null> {
    const found = new Set<number | null>()
    const note = (delivery: Delivery): void => {
      const about = subject(delivery)
      if (about !== null && facts.has(about)) found.add(about)
    }
    for (const list of [this.#sends, this.#aside.values(), this.flying.values()]) for (const each of list) note(each)
    return found
  }

  #readyActs(adapter: Adapter, nowMs: number): { ready: Delivery[]; held: Delivery | null; againMs: number | null } {
    const unsaid = this.#unsaid(new Set(this.#acts.map(subject)))
    const ready: Delivery[] = []
    let held: Delivery | null = null
    let againMs: number | null = null
    for (const act of this.#acts) {
      const about = subject(act)
      if (unsaid.has(about)) continue
      unsaid.add(about)
      const growing = isGrowing(act)
      // A part where nothing can be edited is nothing: the whole comes.
      if (growing && !adapter.edit) continue
      const notBeforeMs = Math.max(act.notBeforeMs, growing ? this.#growMs : 0)
      if (act.state === 'unknown') held ??= act
      else if (notBeforeMs > nowMs) againMs = Math.min(againMs ?? notBeforeMs, notBeforeMs)
      else ready.push(act)
    }
    return { ready, held, againMs }
  }
}

const isEarly = ({ state, notBeforeMs }: Delivery, nowMs: number): boolean => state === 'unknown' || notBeforeMs > nowMs

/** When a delivery that was refused goes out again (`steadyMs`). One refusal sends back all that were under way: it counts once. */
export function resumeOf(lane: Lane, { act, attempts }: Delivery, afterMs: number | undefined): number {
  const nowMs = steadyMs()
  const backoff = { firstMs: 250, maxMs: 60_000 }
  // An act on a message keeps up nothing but itself, unless the platform says how long to wait.
  if (act.do !== 'send' && afterMs === undefined) return nowMs + backoffMs(backoff, attempts)
  if (lane.resumeMs <= nowMs) lane.resumeMs = nowMs + (afterMs ?? backoffMs(backoff, lane.failures++))
  else if (afterMs !== undefined) lane.resumeMs = Math.max(lane.resumeMs, nowMs + afterMs)
  return lane.resumeMs
}
