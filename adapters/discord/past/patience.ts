import { asChanopError } from '../../../core/error.ts'
import { persist } from '../../../core/retry.ts'

const pace = { firstMs: 250, maxMs: 5_000 }

/** What `work` gives, tried as often as it takes. Rejects with what no trying helps, and once `signal` aborts. */
export async function patiently<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  const failed = (thrown: unknown): number | undefined => {
    const error = asChanopError(thrown)
    if (error.retry === 'never') throw error
    return error.afterMs
  }
  const done = await persist(work, { signal, backoff: pace, failed })
  signal.throwIfAborted()
  return done as T
}
