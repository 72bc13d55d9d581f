import type { Cursors } from '../../core/adapter.ts'
import { Recent } from '../../core/recent.ts'

const cursor = 'reactions'
const mostKnown = 5000
/** The newest, which are known after a restart too. */
const mostKept = 400

/** What of ours is on a message, newest last: Telegram shows one alone, and forgets the others. */
export class Reactions {
  readonly #cursors: Cursors
  readonly #on = new Recent<string, readonly string[]>(mostKnown)
  #loading: Promise<void> | null = null

  constructor(cursors: Cursors) {
    this.#cursors = cursors
  }

  async of(message: string): Promise<readonly string[]> {
    this.#loading ??= this.#load().catch((error: unknown) => {
      this.#loading = null
      throw error
    })
    await this.#loading
    return this.#on.get(message) ?? []
  }

  async set(message: string, reactions: readonly string[]): Promise<void> {
    if (reactions.length === 0) this.#on.delete(message)
    else this.#on.set(message, reactions)
    await this.#cursors.set(cursor, JSON.stringify([...this.#on.entries()].slice(-mostKept)))
  }

  async #load(): Promise<void> {
    const kept = JSON.parse((await this.#cursors.get(cursor)) ?? '[]') as [string, string[]][]
    for (const [message, reactions] of kept) this.#on.set(message, reactions)
  }
}
