import { asChanopError } from '../../../../core/error.ts'
import type { Ledger } from '../../../../core/ledger/ledger.ts'
import { type Booking, costOf, openTries, type Price, type Try } from '../../../../core/ledger/oracle/tries.ts'
import type { Log } from '../../../../core/log.ts'
import { processLives } from '../../../../core/process/process-name.ts'
import type { Gate } from './gate.ts'

export interface BooksOptions {
  readonly ledger: Ledger
  readonly log: Log
  readonly gate: Gate
}

const lookMs = 10_000

/** Keeps every try booked: also when the disk is full for a while, and when the process that made it is dead. */
export class Books {
  readonly #options: BooksOptions
  readonly #late = new Map<number, Booking>()

  constructor(options: BooksOptions) {
    this.#options = options
  }

  /** What it cost. What can't be written now is written later. */
  async book(id: number, price: Price, booking: Booking): Promise<number> {
    try {
      await this.#options.gate.book(id, booking)
    } catch (error) {
      this.#late.set(id, booking)
      this.#options.log.error({ error, try: id }, `a try is booked later: ${asChanopError(error).message}`)
    }
    return costOf(price, booking)
  }

  /** Books what dead processes left, now and whenever one is found; ends with `signal`. */
  async keep(signal: AbortSignal): Promise<void> {
    await this.#look()
    const timer = setInterval(() => {
      this.#look().catch((error: unknown) => this.#options.log.error({ error }, asChanopError(error).message))
    }, lookMs)
    timer.unref()
    signal.addEventListener('abort', () => clearInterval(timer), { once: true })
  }

  async #look(): Promise<void> {
    const { ledger, gate, log } = this.#options
    for (const [id, booking] of this.#late) {
      await gate.book(id, booking)
      this.#late.delete(id)
    }
    for (const lost of (await ledger.read(openTries)).filter(({ owner }) => !processLives(owner))) {
      const booked = await gate.book(lost.id, lostBooking(lost))
      if (booked) log.warn({ try: lost.id, turn: lost.turn }, 'a try whose process died is booked as estimated')
    }
  }
}

/** The request was made and its answer was noted every second: it is booked so far. */
const lostBooking = ({ inputTokens, outputTokens }: Try): Booking => ({
  inputTokens,
  cachedTokens: 0,
  outputTokens,
  estimated: true,
  outcome: 'lost',
  error: 'its process died',
})
