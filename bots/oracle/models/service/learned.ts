import type { Ledger } from '../../../../core/ledger/ledger.ts'
import { allLearned, keepLearned, type Learned, nothingLearned } from '../../../../core/ledger/oracle/learned.ts'

/** How much a new answer moves the factor. */
const weight = 0.2
const shortBytes = 8000
/** What changes less is not written down. */
const worthWriting = 0.02

/** What services have taught us: kept with the ledger, so that a refusal is met once and not after each start. */
export class Lessons {
  readonly #ledger: Ledger
  readonly #known: Map<string, Learned>
  readonly #asked = new Map<string, number>()
  readonly #written = new Map<string, number>()

  private constructor(ledger: Ledger, known: Map<string, Learned>) {
    this.#ledger = ledger
    this.#known = known
  }

  static async open(ledger: Ledger): Promise<Lessons> {
    return new Lessons(ledger, await ledger.read(allLearned))
  }

  /** `service`: base URL and model. */
  of(service: string): Learned {
    return this.#known.get(service) ?? nothingLearned
  }

  refuse(service: string, parameter: string): void {
    const before = this.of(service)
    if (!before.refused.includes(parameter)) {
      this.#keep(service, { ...before, refused: [...before.refused, parameter] })
    }
  }

  /**
   * Whether another comparison is worth its counting, which takes a millisecond for each 3 kB: at first each, then one in
   * twenty, of short prompts.
   */
  wants(service: string, bytes: number): boolean {
    const asked = (this.#asked.get(service) ?? 0) + 1
    this.#asked.set(service, asked)
    return asked <= 3 || (asked % 20 === 0 && bytes < shortBytes) || asked % 200 === 0
  }

  /** The service counted `reported` tokens where we counted `counted`. */
  compare(service: string, counted: number, reported: number): void {
    if (counted < 20 || reported < 1) return
    const before = this.of(service)
    const seen = Math.min(Math.max(reported / counted, 0.2), 5)
    const first = before.tokenFactor === nothingLearned.tokenFactor
    const tokenFactor = first ? seen : before.tokenFactor * (1 - weight) + seen * weight
    const after = { ...before, tokenFactor }
    const written = this.#written.get(service) ?? (first ? 0 : before.tokenFactor)
    if (Math.abs(tokenFactor - written) > worthWriting * written) this.#keep(service, after)
    else this.#known.set(service, after)
  }

  /** It cut a prompt off at so many tokens. */
  cut(service: string, contextTokens: number): void {
    const before = this.of(service)
    if (before.contextTokens !== contextTokens) this.#keep(service, { ...before, contextTokens })
  }

  #keep(service: string, learned: Learned): void {
    this.#known.set(service, learned)
    this.#written.set(service, learned.tokenFactor)
    this.#ledger.mark(tx => keepLearned(tx, service, learned))
  }
}
