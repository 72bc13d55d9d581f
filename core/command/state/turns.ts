import { Slots } from '../../process/slots.ts'

const mostAtOnce = 16

/**
 * Whose turn it is: commands of one account run one after the other, different accounts side by side up to a limit.
 * What is urgent takes no turn: it runs at once.
 */
export class Turns {
  readonly #tails = new Map<string, Promise<void>>()
  readonly #slots = new Slots(mostAtOnce)

  async run<T>(account: string, urgent: boolean, work: () => Promise<T>): Promise<T> {
    if (urgent) return work()
    const before = this.#tails.get(account)
    const { promise: tail, resolve: end } = Promise.withResolvers<void>()
    this.#tails.set(account, tail)
    await before
    try {
      return await this.#slots.run(work)
    } finally {
      if (this.#tails.get(account) === tail) this.#tails.delete(account)
      end()
    }
  }
}
