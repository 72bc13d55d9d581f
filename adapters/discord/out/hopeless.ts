import { ChanopError } from '../../../core/error.ts'
import { Recent } from '../../../core/recent.ts'
import { Broken } from '../wire/faults.ts'

/** So often, and for so long, one and the same message is tried at which Discord, or what stands before it, fails. */
const leastTimes = 6
const patienceMs = 600_000
const mostKept = 200

/** Messages that can't be said although everything else can: they are given up, so that others behind them are said. */
export class Hopeless {
  readonly #failing = new Recent<string, { readonly sinceMs: number; readonly times: number }>(mostKept)

  /** The fault, or that nobody will ever take it. `works`: asks for something else, and rejects where that fails too. */
  async judged(deliveryId: string, error: unknown, works: () => Promise<unknown>): Promise<unknown> {
    if (!(error instanceof Broken)) return error
    const isUp = await works().then(
      () => true,
      () => false,
    )
    if (!isUp) {
      this.#failing.delete(deliveryId)
      return error
    }
    const { sinceMs, times } = this.#failing.get(deliveryId) ?? { sinceMs: Date.now(), times: 0 }
    this.#failing.set(deliveryId, { sinceMs, times: times + 1 })
    if (times + 1 < leastTimes || Date.now() - sinceMs < patienceMs) return error
    return new ChanopError('send-refused', `it is failed at each time: ${error.message}`, { cause: error })
  }
}
