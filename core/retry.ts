import { setTimeout as wait } from 'node:timers/promises'

export interface Backoff {
  readonly firstMs: number
  readonly maxMs: number
}

/** Exponential backoff with full jitter on the upper half: attempt 0 waits `firstMs/2 … firstMs`. */
export function backoffMs({ firstMs, maxMs }: Backoff, attempt: number, random: () => number = Math.random): number {
  const ceilingMs = Math.min(maxMs, firstMs * 2 ** Math.min(attempt, 30))
  return ceilingMs * (0.5 + random() / 2)
}

/** A timer of more is over at once. */
const longestMs = 2 ** 31 - 1

/** Waits, or resolves at once when `signal` aborts. Never rejects; look at `signal.aborted` afterwards. */
export async function sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
  await wait(Math.min(Math.max(delayMs, 0), longestMs), undefined, signal ? { signal } : {}).catch((error: unknown) => {
    if (!signal?.aborted) throw error
  })
}

/** Unix ms as they pass in this process: nobody waits longer because the clock was set back. */
export const steadyMs = (): number => Math.floor(performance.timeOrigin + performance.now())

export interface Patience {
  readonly signal: AbortSignal
  readonly backoff: Backoff
  /** Hears of each failure; gives how long to wait at least, where that is known, and throws what ends it. */
  readonly failed: (error: unknown) => number | undefined
}

/** Does it until it is done; null when `signal` aborted before. */
export async function persist<T>(work: () => Promise<T>, { signal, backoff, failed }: Patience): Promise<T | null> {
  for (let attempt = 0; !signal.aborted; attempt++) {
    try {
      return await work()
    } catch (error) {
      if (signal.aborted) break
      const leastMs = failed(error) ?? 0
      await sleep(Math.max(leastMs, backoffMs(backoff, attempt)), signal)
    }
  }
  return null
}

/** A signal that aborts with `signal` or after `deadlineMs`, whichever comes first. */
export function deadline(deadlineMs: number, signal?: AbortSignal): AbortSignal {
  const timeout = AbortSignal.timeout(deadlineMs)
  return signal ? AbortSignal.any([signal, timeout]) : timeout
}

const hourMs = 3_600_000
/** What a chat platform asks to wait is believed up to a day: then it is asked whether that still holds. */
export const longestLimitMs = 24 * hourMs

/** How long a `Retry-After` asks to wait (RFC 9110, 10.2.3): seconds or a date, at most `mostMs`; null when it says nothing. */
export function retryAfterMs(
  written: string | null | undefined,
  nowMs: number,
  mostMs: number = hourMs,
): number | null {
  const words = written?.trim() ?? ''
  const waitMs = /^\d+(\.\d+)?$/.test(words) ? Number(words) * 1000 : Date.parse(words) - nowMs
  return Number.isFinite(waitMs) ? Math.min(Math.max(waitMs, 0), mostMs) : null
}
