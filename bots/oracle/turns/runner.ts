import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { asChanopError } from '../../../core/error.ts'
import type { Ledger } from '../../../core/ledger/ledger.ts'
import {
  endLapsedStops,
  freeTurns,
  keepTurns,
  openTurns,
  stoppingTurns,
  type Turn,
  takeTurn,
  turnHolders,
} from '../../../core/ledger/oracle/turns.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import type { Log } from '../../../core/log.ts'
import { sleep } from '../../../core/retry.ts'

const leaseMs = 3000
const keepMs = 1000

/** Why work on a turn was broken off: somebody said stop, another process has it now, or this one ends. */
export type Cause = 'stopped' | 'lost' | 'ending'

export interface RunnerOptions {
  readonly ledger: Ledger
  readonly log: Log
  readonly signal: AbortSignal
  /** Turns under way at once. */
  readonly together: () => number
  /** In the transaction that takes a turn up. */
  readonly taken: (tx: Tx, turn: Turn) => void
  /**
   * Answers one turn and ends its row. `signal` aborts with a `Cause` as its reason. A rejection leaves the row as it is:
   * the turn is taken up again when its lease is over.
   */
  readonly answer: (turn: Turn, holder: string, signal: AbortSignal) => Promise<void>
}

/** Names a process so that another one on this machine can tell whether it still is there. */
const holderName = (): string => `${hostname()}:${process.pid}:${randomBytes(4).toString('hex')}`

/** Whether a holder is certainly gone: a process of this machine that does not run any more. */
function isGone(holder: string): boolean {
  const [host, pid] = holder.split(':')
  if (host !== hostname()) return false
  if (Number(pid) === process.pid) return true
  try {
    process.kill(Number(pid), 0)
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH'
  }
}

/**
 * Takes turns up and sees them through: those of one lane one after the other, lanes side by side. Which process answers is
 * decided by the row's lease alone.
 */
export class Runner {
  readonly holder = holderName()
  readonly #o: RunnerOptions
  readonly #running = new Map<number, { readonly end: AbortController; readonly work: Promise<void> }>()
  /** Taken up in this turn of the event loop, and perhaps not running yet. */
  #taken = 0
  #looking = false
  #lookAgain = false

  constructor(options: RunnerOptions) {
    this.#o = options
  }

  /** Takes over what processes of this machine left that are gone. Call once. */
  async start(): Promise<void> {
    const { ledger, signal } = this.#o
    await ledger.write(tx => {
      for (const holder of turnHolders(tx)) if (isGone(holder)) freeTurns(tx, holder, Date.now())
    })
    const timer = setInterval(() => this.#tick(), keepMs)
    signal.addEventListener('abort', () => clearInterval(timer), { once: true })
    this.look()
  }

  get busy(): number {
    return this.#running.size
  }

  /** There may be something to take up, or to stop. */
  look(): void {
    this.#lookAgain = true
    if (!this.#looking) void this.#lookOn()
  }

  async #lookOn(): Promise<void> {
    this.#looking = true
    while (this.#lookAgain && !this.#o.signal.aborted) {
      this.#lookAgain = false
      try {
        if (this.#running.size > 0) await this.#stopAsked()
        await this.#takeUp()
      } catch (error) {
        this.#o.log.error({ error }, `turns wait: ${asChanopError(error).message}`)
      }
    }
    this.#looking = false
  }

  /** Breaks off what somebody stopped. */
  async #stopAsked(): Promise<void> {
    const stopping = await this.#o.ledger.read(tx => stoppingTurns(tx, this.holder))
    for (const { id } of stopping) this.#breakOff(id, 'stopped')
  }

  #breakOff(id: number, cause: Cause): void {
    this.#running.get(id)?.end.abort(cause)
  }

  async #takeUp(): Promise<void> {
    const { ledger, together } = this.#o
    const open = await ledger.read(openTurns)
    const lapsed = open.some(
      ({ state, answer, leaseMs: until }) => state === 'stopping' && answer === null && (until ?? 0) <= Date.now(),
    )
    if (lapsed) await ledger.write(tx => endLapsedStops(tx, Date.now()))
    const due = this.#due(open, Date.now())
    const ids = due.slice(0, Math.max(0, together() - this.#running.size))
    if (ids.length === 0) return
    const taken = await ledger.write(tx => ids.flatMap(id => this.take(tx, id) ?? []))
    for (const turn of taken) this.run(turn)
  }

  /** Takes one up inside the caller's transaction; once that stands, `run` it. */
  take(tx: Tx, id: number): Turn | null {
    if (this.#running.size + this.#taken >= this.#o.together() || this.#o.signal.aborted) return null
    const turn = takeTurn(tx, id, this.holder, Date.now() + leaseMs, Date.now())
    if (!turn) return null
    this.#o.taken(tx, turn)
    if (this.#taken++ === 0) setImmediate(() => (this.#taken = 0))
    return turn
  }

  /** The first of each lane that nobody works on. */
  #due(open: readonly Turn[], nowMs: number): number[] {
    const lanes = new Set<string>()
    const due: number[] = []
    for (const { id, lane, state, answer, leaseMs: until } of open) {
      if (lanes.has(lane)) continue
      lanes.add(lane)
      // One that was stopped in the middle of its words is to be marked.
      const left = (until ?? 0) <= nowMs && (state === 'running' || answer !== null)
      const free = state === 'queued' || left
      if (free && !this.#running.has(id)) due.push(id)
    }
    return due
  }

  run(turn: Turn): void {
    const end = new AbortController()
    const work = this.#o
      .answer(turn, this.holder, end.signal)
      .catch((error: unknown) => {
        this.#o.log.error({ error, turn: turn.id }, `an answer waits: ${asChanopError(error).message}`)
      })
      .finally(() => {
        this.#running.delete(turn.id)
        this.look()
      })
    this.#running.set(turn.id, { end, work })
    if (this.#o.signal.aborted) end.abort('ending' satisfies Cause)
    else if (turn.state === 'stopping') end.abort('stopped' satisfies Cause)
  }

  #tick(): void {
    try {
      if (this.#running.size > 0) this.#keep()
    } catch (error) {
      this.#o.log.warn({ error }, 'the leases of turns could not be kept; it is tried again')
    }
    this.look()
  }

  #keep(): void {
    const ids = [...this.#running.keys()]
    const { held, stopping } = this.#o.ledger.mark(tx => keepTurns(tx, this.holder, ids, Date.now() + leaseMs))
    for (const id of stopping) this.#breakOff(id, 'stopped')
    for (const id of ids) if (!held.includes(id)) this.#breakOff(id, 'lost')
  }

  /** Breaks everything off and leaves it to the next process. Call when the process ends. */
  async close(deadlineMs: number): Promise<void> {
    for (const { end } of this.#running.values()) end.abort('ending' satisfies Cause)
    await Promise.race([Promise.all([...this.#running.values()].map(({ work }) => work)), sleep(deadlineMs)])
    await this.#o.ledger.write(tx => freeTurns(tx, this.holder, Date.now()))
  }
}
