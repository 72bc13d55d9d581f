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
  const giveUp = (why: Error): void => {
    reject(why)
    end.abort()
  }
  const over = `that took longer than ${limitMs / 1000} s and was given up: nothing was changed`
  using _timer = setTimeout(() => giveUp(new ChanopError('usage', over)), limitMs)
  stop?.throwIfAborted()
  stop?.addEventListener('abort', () => giveUp(new Stopped()), { once: true, signal: end.signal })
  return await Promise.race([work(end.signal), promise])
}
