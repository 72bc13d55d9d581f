import type { Log } from '../../../core/log.ts'
import { type Backoff, backoffMs, sleep } from '../../../core/retry.ts'
import type { Line } from '../text/line.ts'
import type { Batch } from './batch.ts'
import { type Fault, Session, type SessionOptions } from './session.ts'

export interface LinkHooks {
  up(session: Session): void
  line(line: Line): void
  batch(batch: Batch): void
  flush(): void
  /** The session is closed. */
  down(fault: Fault): void
}

export interface LinkOptions {
  /** Asked anew for each attempt: passwords and addresses may have changed meanwhile. */
  options(): Promise<SessionOptions>
  readonly backoff: Backoff
  /** After a login that the server refused for good, as it says. */
  readonly refused?: Backoff
  readonly log: Log
}

/** A login that is refused is tried again, but slowly: hammering gets an address banned. */
const slowly: Backoff = { firstMs: 60_000, maxMs: 600_000 }
/** A connection that lasted this long starts the waiting times anew. */
const steadyMs = 20_000

/** Keeps one connection: whenever it ends another is made, for ever, until the signal aborts. */
export class Link {
  session: Session | null = null
  readonly #options: LinkOptions
  readonly #hooks: LinkHooks

  constructor(options: LinkOptions, hooks: LinkHooks) {
    this.#options = options
    this.#hooks = hooks
  }

  async run(signal: AbortSignal): Promise<void> {
    let attempt = 0
    while (!signal.aborted) {
      const beganMs = performance.now()
      const fault = await this.#once(signal)
      if (signal.aborted) return
      if (performance.now() - beganMs > steadyMs && !fault.permanent) attempt = 0
      const againMs = backoffMs(fault.permanent ? (this.#options.refused ?? slowly) : this.#options.backoff, attempt++)
      this.#options.log.info({ reason: fault.reason, againMs: Math.round(againMs) }, 'not connected; trying again')
      await sleep(againMs, signal)
    }
  }

  /** One connection, to its end. */
  async #once(signal: AbortSignal): Promise<Fault> {
    let options: SessionOptions
    try {
      options = await this.#options.options()
    } catch (error) {
      return { reason: (error as Error).message, permanent: false }
    }
    if (signal.aborted) return { reason: 'stopped', permanent: false }
    const hooks = this.#hooks
    const fault = await new Promise<Fault>(resolve => {
      const closed = (how: Fault): void => {
        signal.removeEventListener('abort', stop)
        this.session = null
        resolve(how)
      }
      const session: Session = new Session(options, {
        ready: () => hooks.up(session),
        line: line => hooks.line(line),
        batch: batch => hooks.batch(batch),
        flush: () => hooks.flush(),
        closed,
      })
      const stop = (): void => session.quit('stopped')
      signal.addEventListener('abort', stop, { once: true })
      this.session = session
      session.connect()
    })
    hooks.down(fault)
    return fault
  }
}
