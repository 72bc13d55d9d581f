/**
 * Waits that rest on what happens, never on time: each is looked at again whenever something happens. Only the deadline is a
 * timer.
 */
export class Watch {
  readonly #looks = new Set<() => void>()
  readonly #more: () => string

  /** `more`: what is said besides when something took too long. */
  constructor(more: () => string = () => '') {
    this.#more = more
  }

  /** Something happened. */
  look(): void {
    for (const look of this.#looks) look()
  }

  /** Resolves with the first answer of `find` that is neither false nor null nor undefined. */
  async until<T>(find: () => T | undefined | null | false, what: string, deadlineMs = 60_000): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    const look = (): void => {
      const found = find()
      if (found !== undefined && found !== null && found !== false) resolve(found)
    }
    const fail = (): void => reject(new Error(`waited ${deadlineMs} ms for ${what}${this.#more()}`))
    const timer = setTimeout(fail, deadlineMs)
    this.#looks.add(look)
    try {
      look()
      return await promise
    } finally {
      clearTimeout(timer)
      this.#looks.delete(look)
    }
  }
}
