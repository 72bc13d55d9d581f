import { Recent } from '../recent.ts'

/** For so long one and the same thing is tried at which a platform, or what stands before it, fails. */
const patienceMs = 600_000
const mostKept = 200

/** What fails each time although everything else is done: it is given up, so that others behind it are done. */
export class Hopeless {
  readonly #leastTimes: number
  readonly #failing = new Recent<string, { readonly sinceMs: number; readonly times: number }>(mostKept)

  /** So often it is tried at least, however long that takes. */
  constructor(leastTimes = 6) {
    this.#leastTimes = leastTimes
  }

  /** It failed once more: whether it always will. `doesElse`: something else is done just now. */
  async isSo(key: string, doesElse: () => Promise<boolean>): Promise<boolean> {
    if (!(await doesElse())) {
      this.#failing.delete(key)
      return false
    }
    const { sinceMs, times } = this.#failing.get(key) ?? { sinceMs: Date.now(), times: 0 }
    this.#failing.set(key, { sinceMs, times: times + 1 })
    return times + 1 >= this.#leastTimes && Date.now() - sinceMs >= patienceMs
  }
}
