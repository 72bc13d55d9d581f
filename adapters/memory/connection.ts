import { ChanopError } from '../../core/error.ts'
import { sleep } from '../../core/retry.ts'
import type { Faults } from './faults.ts'
import type { Author, Happening } from './native.ts'

const gone = (reason: string): ChanopError =>
  new ChanopError('network-down', `The connection is gone (${reason}); it is made again by itself.`)

/**
 * The wire between one adapter and the server: happenings come in, acts go out one after the other, and either end
 * may break it. The only place of this adapter where anything waits for the other side.
 */
export class Connection {
  readonly account: string
  /** The server's log when this connection was made: older happenings come from history, newer ones by `next`. */
  readonly openedSeq: number
  /** Told of those who write or give a sign of life in a channel of this account. */
  onLife: ((by: Author, channel: string, what: 'typing' | 'heartbeat') => void) | null = null
  readonly #faults: Faults
  readonly #changed: () => void
  readonly #abort = new AbortController()
  readonly #pending = new Set<(error: ChanopError) => void>()
  #queue: Happening[] = []
  #late: Happening | null = null
  #wake: (() => void) | null = null
  #tail: Promise<unknown> = Promise.resolve()
  #unacknowledged = 0
  #ready = false

  constructor(account: string, openedSeq: number, faults: Faults, changed: () => void) {
    this.account = account
    this.openedSeq = openedSeq
    this.#faults = faults
    this.#changed = changed
  }

  /** Aborts when the connection is gone. */
  get closed(): AbortSignal {
    return this.#abort.signal
  }

  /** Backfill is done: the adapter is live. */
  get ready(): boolean {
    return this.#ready
  }

  /** Nothing is under way in either direction: every happening was acknowledged and every act answered. */
  get idle(): boolean {
    return (
      this.#ready && this.#queue.length === 0 && !this.#late && this.#unacknowledged === 0 && this.#pending.size === 0
    )
  }

  live(): void {
    this.#ready = true
    this.#changed()
  }

  /** The server's side: something happened that this account may see. */
  push(happening: Happening): void {
    if (this.closed.aborted || this.#faults.takeDrop()) return
    if (this.#faults.takeReorder()) {
      this.#late = happening
      return
    }
    this.#queue.push(happening)
    if (this.#faults.takeDuplicate()) this.#queue.push(happening)
    if (this.#late) this.#queue.push(this.#late)
    this.#late = null
    this.#wake?.()
  }

  /** All happenings since the last call, at least one; null when the connection is gone. */
  async next(): Promise<readonly Happening[] | null> {
    while (this.#queue.length === 0) {
      if (this.closed.aborted) return null
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#wake = resolve
      await promise
    }
    const taken = this.#queue
    this.#queue = []
    this.#unacknowledged = taken.length
    return taken
  }

  /** The ledger has what `next` returned. */
  acknowledge(): void {
    this.#unacknowledged = 0
    this.#changed()
  }

  /** Has the server do something; acts are served in the order of the calls. Rejects `network-down` when it breaks. */
  act<T>(serve: () => T): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    if (this.closed.aborted) reject(gone('closed'))
    this.#pending.add(reject)
    this.#tail = this.#tail.then(() => this.#serve(serve)).then(resolve, reject)
    return promise.finally(() => {
      this.#pending.delete(reject)
      this.#changed()
    })
  }

  async #serve<T>(serve: () => T): Promise<T> {
    const faults = this.#faults
    await faults.held()
    if (faults.delayMs > 0) await sleep(faults.delayMs, this.closed)
    if (this.closed.aborted) throw gone('closed')
    const refusal = faults.takeRefusal()
    if (refusal) throw refusal
    const answer = serve()
    const lost = faults.takeLostAnswer()
    if (!lost) return answer
    if (lost.how === 'crash') lost.crash()
    if (lost.how !== 'silence') this.close(lost.how)
    const { promise, reject } = Promise.withResolvers<never>()
    if (this.closed.aborted) reject(gone(lost.how))
    this.closed.addEventListener('abort', () => reject(gone(lost.how)), { once: true })
    return promise
  }

  /** Either side hangs up; everything unanswered is rejected. */
  close(reason: string): void {
    if (this.closed.aborted) return
    this.#abort.abort()
    this.#wake?.()
    for (const reject of this.#pending) reject(gone(reason))
    this.#changed()
  }
}
