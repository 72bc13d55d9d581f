import type { Cursors } from '../../../core/adapter.ts'
import type { Log } from '../../../core/log.ts'

/**
 * What a server's restart means for what was missed. `same`: it is the server we left. `whole`: it ended while we
 * listened, so that nobody said anything unheard before it began anew. `cut`: it ended while we were away, and with it
 * perhaps what was said last.
 */
export type Epoch = 'same' | 'whole' | 'cut'

const cursor = 'server'

interface Mark {
  /** The server's own word of when it began (RPL_CREATED, numeric 003). */
  readonly created: string
  readonly ended: boolean
}

/** Remembers, over our own restarts too, which run of a server we heard and whether to its end. One server, no network of several. */
export class Epochs {
  readonly #cursors: Cursors
  readonly #log: Log
  #writing: Promise<void> = Promise.resolve()

  constructor(cursors: Cursors, log: Log) {
    this.#cursors = cursors
    this.#log = log
  }

  async begin(created: string): Promise<Epoch> {
    await this.#writing
    const kept = await this.#cursors.get(cursor)
    const before = kept === null ? null : (JSON.parse(kept) as Mark)
    await this.#write({ created, ended: false })
    if (before === null || before.created === created) return 'same'
    return before.ended ? 'whole' : 'cut'
  }

  /** The server ended our connection; if it began anew after that, we have heard all of its last run. */
  ended(created: string): void {
    this.#writing = this.#writing.then(() => this.#write({ created, ended: true }))
  }

  /** Resolves once it is written down. */
  settled(): Promise<void> {
    return this.#writing
  }

  /** What can't be written down (a full disk) at worst names a gap that is none. */
  async #write(mark: Mark): Promise<void> {
    try {
      await this.#cursors.set(cursor, JSON.stringify(mark))
    } catch (error) {
      this.#log.warn({ error }, 'which run of the server was heard could not be written down')
    }
  }
}
