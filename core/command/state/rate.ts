import type { Caller } from '../command.ts'

interface Bucket {
  tokens: number
  atMs: number
  told: boolean
}

export interface Allowance {
  readonly perMinute: number
  readonly burst: number
}

const forgetMs = 3_600_000
const manyBuckets = 10_000

/** Token buckets by key. Who asks too often is told so once, then hears nothing until they may go on. */
export class RateLimit {
  readonly #buckets = new Map<string, Bucket>()

  /** `tell`: too much, for the first time. */
  ask(key: string, { perMinute, burst }: Allowance, nowMs: number): 'go' | 'tell' | 'silent' {
    if (this.#buckets.size > manyBuckets) this.#forget(nowMs)
    const bucket = this.#buckets.get(key) ?? { tokens: burst, atMs: nowMs, told: false }
    this.#buckets.set(key, bucket)
    bucket.tokens = Math.min(burst, bucket.tokens + (Math.max(0, nowMs - bucket.atMs) * perMinute) / 60_000)
    bucket.atMs = nowMs
    if (bucket.tokens >= 1) {
      bucket.tokens--
      bucket.told = false
      return 'go'
    }
    const told = bucket.told
    bucket.told = true
    return told ? 'silent' : 'tell'
  }

  /** Seconds until the next one is allowed. */
  waitSeconds(key: string, { perMinute }: Allowance): number {
    const tokens = this.#buckets.get(key)?.tokens ?? 1
    return Math.max(1, Math.ceil(((1 - tokens) * 60) / perMinute))
  }

  #forget(nowMs: number): void {
    for (const [key, bucket] of this.#buckets) if (nowMs - bucket.atMs > forgetMs) this.#buckets.delete(key)
  }
}

export const keyOf = ({ network, account }: Caller): string => `${network}\n${account}`

/** Whom a limit counts: an account. Those without one share a place, so that another nick is no fresh start. */
export const limitKey = (caller: Caller): string => {
  if (caller.verified) return keyOf(caller)
  return `${caller.network}\n\n${caller.private ? '' : caller.place.channel}`
}
