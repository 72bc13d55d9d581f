/** Looks at once, and of those that wait as many as take a moment: the rest in the next turn of the event loop. */
const atOnce = 50

interface Ticket {
  look(): void
}

/** Those who wait for something that the ledger will have: looked at when it may. */
export class Waiting {
  readonly #tickets = new Set<Ticket>()
  /** Who has not looked yet since this round began. */
  #queue: Ticket[] = []
  /** Another round is due after this one. */
  #due = false
  #scheduled = false

  get size(): number {
    return this.#tickets.size
  }

  /** The ledger has grown: everybody looks. */
  look(): void {
    if (this.#tickets.size === 0) return
    this.#due = true
    this.#schedule()
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      if (this.#queue.length === 0 && this.#due) {
        this.#queue = [...this.#tickets]
        this.#due = false
      }
      for (const ticket of this.#queue.splice(0, atOnce)) ticket.look()
      if (this.#queue.length > 0 || this.#due) this.#schedule()
    })
  }

  /** Resolves with what `find` finds, or null when `signal` aborts first. Rejects with what `find` throws. */
  async until<T>(find: () => T | null, signal: AbortSignal): Promise<T | null> {
    const { promise, resolve, reject } = Promise.withResolvers<T | null>()
    const ticket = {
      look: (): void => {
        try {
          const found = find()
          if (found !== null) resolve(found)
        } catch (error) {
          reject(error as Error)
        }
      },
    }
    const over = (): void => resolve(null)
    this.#tickets.add(ticket)
    signal.addEventListener('abort', over, { once: true })
    try {
      ticket.look()
      if (signal.aborted) over()
      return await promise
    } finally {
      this.#tickets.delete(ticket)
      signal.removeEventListener('abort', over)
    }
  }
}
