import { ChanopError } from '../../error.ts'

/** The process stops: the command was neither done nor refused. */
export class Stopped extends Error {}

export interface Limits {
  /** After which the work is given up. */
  readonly limitMs: number
  /** Aborts when the process stops. */
  readonly stop: AbortSignal | undefined
}

/**
 * Gives a command up when its time is over; what it does after that is not committed. `end` aborts then: it is the signal
 * that `work` gets. Rejects `usage` when the time is over and with `Stopped` when the process stops.
 */
export async function timely<T>(
  end: AbortController,
  { limitMs, stop }: Limits,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => {
    reject(new ChanopError('usage', `that took longer than ${limitMs / 1000} s and was given up: nothing was changed`))
    end.abort()
  }, limitMs)
  const stopped = (): void => {
    reject(new Stopped())
    end.abort()
  }
  stop?.addEventListener('abort', stopped, { once: true })
  try {
    stop?.throwIfAborted()
    return await Promise.race([work(end.signal), promise])
  } finally {
    clearTimeout(timer)
    stop?.removeEventListener('abort', stopped)
  }
}
