/** One thing after the other in each lane, whatever becomes of what was before; lanes are independent of each other. */
export class Lanes<K> {
  readonly #tails = new Map<K, Promise<void>>()

  run<T>(lane: K, work: () => Promise<T>): Promise<T> {
    const done = (this.#tails.get(lane) ?? Promise.resolve()).then(work)
    const leave = (): void => {
      if (this.#tails.get(lane) === tail) this.#tails.delete(lane)
    }
    const tail = done.then(leave, leave)
    this.#tails.set(lane, tail)
    return done
  }

  get size(): number {
    return this.#tails.size
  }

  /** Resolves once what is under way now is done. */
  async settled(): Promise<void> {
    await Promise.all(this.#tails.values())
  }
}
