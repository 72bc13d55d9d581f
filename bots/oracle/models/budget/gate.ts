import type { Ledger } from '../../../../core/ledger/ledger.ts'
import {
  type Booking,
  bookTry,
  type Limit,
  type NewTry,
  type Refusal,
  reserveTry,
  type Try,
} from '../../../../core/ledger/oracle/tries.ts'
import type { Tx } from '../../../../core/ledger/tx.ts'

export interface GateOptions {
  readonly ledger: Ledger
  readonly limitsOf: (tx: Tx, wanted: NewTry) => Limit[]
  /** In the transaction that booked. */
  readonly booked: (tx: Tx, booked: Try) => void
  /** For so long a try waits for what others hold and may not need. */
  readonly heldWaitMs?: number
}

const heldWaitMs = 60_000
/** Another process may book without our hearing of it. */
const lookMs = 500

const keyOf = ({ period, scope }: Limit): string => `${period} ${scope}`

/** Who waits for what others hold, the first to come first. */
class Line {
  readonly #waiting: { wake: () => void }[] = []

  get empty(): boolean {
    return this.#waiting.length === 0
  }

  join(): { wake: () => void } {
    const ticket = { wake: () => {} }
    this.#waiting.push(ticket)
    return ticket
  }

  leave(ticket: object): void {
    const at = this.#waiting.findIndex(waiting => waiting === ticket)
    if (at >= 0) this.#waiting.splice(at, 1)
  }

  wakeFirst(): void {
    this.#waiting[0]?.wake()
  }

  /** Until it is the first and woken, or the time is over. */
  async turn(ticket: { wake: () => void }, delayMs: number, signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    ticket.wake = resolve
    const over = setTimeout(resolve, delayMs)
    const look = setInterval(() => this.#waiting[0] === ticket && resolve(), lookMs)
    const stop = (): void => resolve()
    signal.addEventListener('abort', stop, { once: true })
    await promise
    clearTimeout(over)
    clearInterval(look)
    signal.removeEventListener('abort', stop)
  }
}

/**
 * Lets tries through one after the other where a budget is nearly used up: what others have reserved is mostly more than
 * they will need, so who finds it held waits in line until something is booked.
 */
export class Gate {
  readonly #options: GateOptions
  readonly #lines = new Map<string, Line>()

  constructor(options: GateOptions) {
    this.#options = options
  }

  /** Reserves the most that it can cost; null when `signal` aborts first. */
  async reserve(wanted: NewTry, signal: AbortSignal): Promise<number | Refusal | null> {
    const endMs = performance.now() + (this.#options.heldWaitMs ?? heldWaitMs)
    let key = await this.#occupied(wanted)
    for (;;) {
      if (signal.aborted) return null
      const result = key === null ? await this.#tryOnce(wanted) : await this.#inLine(key, wanted, endMs, signal)
      if (result === null || typeof result === 'number') return result
      if (!result.held || performance.now() >= endMs) return result
      key = keyOf(result.limit)
    }
  }

  /** Books what a try did, and lets the next ones look. */
  async book(id: number, booking: Booking): Promise<Try | null> {
    const { ledger, booked } = this.#options
    const done = await ledger.write(tx => {
      const row = bookTry(tx, id, booking, Date.now())
      if (row) booked(tx, row)
      return row
    })
    for (const line of this.#lines.values()) line.wakeFirst()
    return done
  }

  /** The line in which others wait already for what this one wants too. */
  async #occupied(wanted: NewTry): Promise<string | null> {
    if (this.#lines.size === 0) return null
    const limits = await this.#options.ledger.read(tx => this.#options.limitsOf(tx, wanted))
    return limits.map(keyOf).find(key => this.#lines.has(key)) ?? null
  }

  #tryOnce(wanted: NewTry): Promise<number | Refusal> {
    const { ledger, limitsOf } = this.#options
    return ledger.write(tx => reserveTry(tx, wanted, limitsOf(tx, wanted), Date.now()))
  }

  /** Waits in one line until it gets through, or is refused for another reason than this line's. */
  async #inLine(key: string, wanted: NewTry, endMs: number, signal: AbortSignal): Promise<number | Refusal | null> {
    const line = this.#lines.get(key) ?? new Line()
    this.#lines.set(key, line)
    const ticket = line.join()
    try {
      for (;;) {
        await line.turn(ticket, Math.max(endMs - performance.now(), 0), signal)
        if (signal.aborted) return null
        const result = await this.#tryOnce(wanted)
        const again = typeof result !== 'number' && result.held && keyOf(result.limit) === key
        if (!again || performance.now() >= endMs) return result
      }
    } finally {
      line.leave(ticket)
      if (line.empty) this.#lines.delete(key)
      else line.wakeFirst()
    }
  }
}
