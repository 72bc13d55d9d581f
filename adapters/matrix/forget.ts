import type { Cursors } from '../../core/adapter.ts'
import type { MessageId } from '../../core/event.ts'
import type { Log } from '../../core/log.ts'
import { faultOf } from './link/faults.ts'

/** Time to read a login and to copy it. */
const forgetMs = 60_000
const againMs = 60_000
const name = 'secrets'

interface Owed {
  readonly room: string
  readonly id: MessageId
  readonly dueMs: number
}

export interface ForgettingOptions {
  readonly cursors: Cursors
  readonly log: Log
  readonly signal: AbortSignal
  /** Rejects where it is not done. */
  readonly forget: (room: string, id: MessageId) => Promise<void>
}

/** Secrets that we said, until they are out of their room's history: a minute later, by whichever run of ours is there then. */
export class Forgetting {
  readonly #o: ForgettingOptions
  #owed: readonly Owed[] = []

  constructor(options: ForgettingOptions) {
    this.#o = options
  }

  /** Goes on with what the last run left. */
  async load(): Promise<void> {
    const kept = await this.#o.cursors.get(name)
    const left = kept === null ? [] : (JSON.parse(kept) as Owed[])
    this.#owed = [...left, ...this.#owed]
    for (const one of left) this.#at(one.dueMs, one)
  }

  async later(room: string, ids: readonly MessageId[]): Promise<void> {
    const dueMs = Date.now() + forgetMs
    const fresh = ids.map(id => ({ room, id, dueMs }))
    for (const one of fresh) this.#at(dueMs, one)
    await this.#keep([...this.#owed, ...fresh])
  }

  #at(dueMs: number, one: Owed): void {
    const timer = setTimeout(() => void this.#forget(one), Math.max(0, Math.min(dueMs - Date.now(), forgetMs)))
    timer.unref()
  }

  async #forget(one: Owed): Promise<void> {
    try {
      await this.#o.forget(one.room, one.id)
    } catch (error) {
      const fault = faultOf(error)
      if (this.#o.signal.aborted) return
      // Who is logged out may log in anew, here or in the next run.
      if (fault.retry === 'later' || fault.code === 'network-refused') return this.#at(Date.now() + againMs, one)
      this.#o.log.warn({ reason: fault.message }, 'a secret stays in the history of the homeserver')
    }
    await this.#keep(this.#owed.filter(other => other !== one))
  }

  async #keep(owed: readonly Owed[]): Promise<void> {
    this.#owed = owed
    await this.#o.cursors.set(name, JSON.stringify(owed)).catch((error: unknown) => {
      this.#o.log.warn({ error }, 'which secrets are to be taken back could not be noted')
    })
  }
}
