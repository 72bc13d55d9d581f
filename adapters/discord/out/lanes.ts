/** One thing after the other in each channel, channels independent of each other. */
export class Lanes {
  readonly #tails = new Map<string, Promise<unknown>>()

  run<T>(channel: string, work: () => Promise<T>): Promise<T> {
    const before = this.#tails.get(channel) ?? Promise.resolve()
    const result = before.then(work, work)
    const tail = result.then(
      () => undefined,
      () => undefined,
    )
    this.#tails.set(channel, tail)
    void tail.then(() => {
      if (this.#tails.get(channel) === tail) this.#tails.delete(channel)
    })
    return result
  }
}
