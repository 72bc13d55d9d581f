import type { Candidate } from './choice.ts'
import type { FaultKind, TryFault } from './request/fault.ts'
import type { Health } from './service/health.ts'

export interface Next {
  readonly candidate: Candidate
  /** To wait before it is asked. */
  readonly waitMs: number
}

interface State {
  readonly candidate: Candidate
  tries: number
  repeats: number
  /** Not asked any more: by its budget, or because another time changes nothing. */
  out: boolean
  reason: string | null
  kind: FaultKind | null
}

/** One that asks to wait longer than this is not waited for. */
const mostWaitMs = 20_000
/** How often one model is asked for one answer, when there is no other. */
const mostTries = 3
/** Parameters that are left out one after the other. */
const mostRepeats = 6

/** Which model is asked next for one answer: all others before one a second time, those that rest last. */
export class Plan {
  readonly #states: State[]
  readonly #health: Health
  #waitedMs = 0

  constructor(candidates: readonly Candidate[], health: Health) {
    this.#health = health
    this.#states = candidates.map(candidate => ({
      candidate,
      tries: 0,
      repeats: 0,
      out: false,
      reason: null,
      kind: null,
    }))
  }

  /** Null: nothing is left to ask. */
  next(nowMs: number): Next | null {
    const left = this.#states.filter(state => !state.out && state.tries < mostTries)
    const waits = left.map((state, at) => ({ state, at, waitMs: this.#waitOf(state, nowMs) }))
    waits.sort(
      (a, b) => a.state.tries - b.state.tries || rank(a.waitMs) - rank(b.waitMs) || a.waitMs - b.waitMs || a.at - b.at,
    )
    const fit = waits.find(({ waitMs }) => this.#waitedMs + waitMs <= mostWaitMs)
    for (const { state, waitMs } of waits) if (waitMs > mostWaitMs) this.#rests(state, nowMs)
    if (!fit) return null
    this.#waitedMs += fit.waitMs
    return { candidate: fit.state.candidate, waitMs: fit.waitMs }
  }

  failed(candidate: Candidate, fault: TryFault): void {
    const state = this.#stateOf(candidate)
    if (fault.kind === 'parameter' && ++state.repeats <= mostRepeats) return
    state.tries++
    state.reason = fault.message
    state.kind = fault.kind
    if (fault.kind !== 'rate' && fault.kind !== 'busy') state.out = true
  }

  /** Something other than the model forbids it. */
  exclude(candidate: Candidate, reason: string): void {
    Object.assign(this.#stateOf(candidate), { out: true, reason })
  }

  /** What kept all of them from answering, where it is the same for all; null: several things. */
  common(): FaultKind | null {
    const kinds = new Set(this.#states.flatMap(({ kind }) => kind ?? []))
    return kinds.size === 1 ? ([...kinds][0] as FaultKind) : null
  }

  /** Why none is left: `mini (openai) asks to wait (429): …`, the last ones that were asked. */
  reasons(): string[] {
    return this.#states
      .filter(({ reason }) => reason !== null)
      .map(({ candidate, reason }) => `${candidate.name} ${reason}`)
  }

  /** When the first of those that only rest may be asked again; null: something has to be mended first. */
  afterMs(nowMs: number): number | null {
    const rests = this.#states.map(({ candidate }) => this.#health.restOf(candidate.route, nowMs))
    const times = rests.filter(rest => rest !== null && rest.kind !== 'setup').map(rest => rest?.untilMs ?? nowMs)
    return times.length === 0 ? null : Math.min(...times) - nowMs
  }

  /** One that asked to wait is waited for; one that merely failed is tried when there is no other. */
  #waitOf({ candidate, tries }: State, nowMs: number): number {
    const rest = this.#health.restOf(candidate.route, nowMs)
    if (!rest) return 0
    return rest.kind === 'rate' || tries > 0 ? rest.untilMs - nowMs : restsOnly
  }

  #rests(state: State, nowMs: number): void {
    const rest = this.#health.restOf(state.candidate.route, nowMs)
    state.reason ??= rest?.reason ?? null
    state.kind ??= rest?.kind ?? null
  }

  #stateOf(candidate: Candidate): State {
    return this.#states.find(state => state.candidate.name === candidate.name) as State
  }
}

/** A wait that sorts behind none and before a real one. */
const restsOnly = 0.001
const rank = (waitMs: number): number => (waitMs === 0 ? 0 : waitMs === restsOnly ? 1 : 2)
