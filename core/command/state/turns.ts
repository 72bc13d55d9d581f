const mostAtOnce = 16

/**
 * Whose turn it is: commands of one account run one after the other, different accounts side by side up to a limit.
 * What is urgent takes no turn: it runs at once.
 */
export class Turns {
  readonly #tails = new Map<string, Promise<void>>()
  readonly #waiting: (() => void)[] = []
  #free = mostAtOnce

  async run<T>(account: string, urgent: boolean, work: () => Promise<T>): Promise<T> {
    if (urgent) return work()
    const before = this.#tails.get(account)
    const { promise: tail, resolve: end } = Promise.withResolvers<void>()
    this.#tails.set(account, tail)
    await before
    await this.#enter()
    try {
      return await work()
    } finally {
      this.#leave()
      if (this.#tails.get(account) === tail) this.#tails.delete(account)
      end()
    }
  }

  async #enter(): Promise<void> {
    if (this.#free > 0) this.#free--
    else await new Promise<void>(resolve => this.#waiting.push(resolve))
  }

  #leave(): void {
    const next = this.#waiting.shift()
    if (next) next()
    else this.#free++
  }
}
