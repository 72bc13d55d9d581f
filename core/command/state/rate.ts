import type { Caller } from '../command.ts'

interface Bucket {
  tokens: number
  atMs: number
  /** When it is as if nobody had ever asked. */
  fullMs: number
  told: boolean
}

export interface Allowance {
  readonly perMinute: number
  readonly burst: number
}

const manyBuckets = 10_000

/** Token buckets by key. Who asks too often is told so once, then hears nothing until they may go on. */
export class RateLimit {
  readonly #buckets = new Map<string, Bucket>()
  /** With so many it is time to forget some: so seldom that an ask costs the same however many there are. */
  #many = manyBuckets

  /** `tell`: too much, for the first time. */
  ask(key: string, { perMinute, burst }: Allowance, nowMs: number): 'go' | 'tell' | 'silent' {
    if (this.#buckets.size > this.#many) this.#forget(nowMs)
    const bucket = this.#buckets.get(key) ?? { tokens: burst, atMs: nowMs, fullMs: nowMs, told: false }
    this.#buckets.set(key, bucket)
    bucket.tokens = Math.min(burst, bucket.tokens + (Math.max(0, nowMs - bucket.atMs) * perMinute) / 60_000)
    bucket.atMs = nowMs
    const goes = bucket.tokens >= 1
    if (goes) bucket.tokens--
    bucket.fullMs = nowMs + ((burst - bucket.tokens) * 60_000) / perMinute
    const { told } = bucket
    bucket.told = !goes
    if (goes) return 'go'
    return told ? 'silent' : 'tell'
  }

  /** Seconds until the next one is allowed. */
  waitSeconds(key: string, { perMinute }: Allowance): number {
    const tokens = this.#buckets.get(key)?.tokens ?? 1
    return Math.max(1, Math.ceil(((1 - tokens) * 60) / perMinute))
  }

  #forget(nowMs: number): void {
    for (const [key, { fullMs }] of this.#buckets) if (fullMs <= nowMs) this.#buckets.delete(key)
    this.#many = Math.max(manyBuckets, this.#buckets.size * 2)
  }
}

export const keyOf = ({ network, account }: Caller): string => `${network}\n${account}`

/** Whom a limit counts: an account. Those without one share a place, so that another nick is no fresh start. */
export const limitKey = (caller: Caller): string => {
  if (caller.verified) return keyOf(caller)
  return `${caller.network}\n\n${caller.private ? '' : caller.place.channel}`
}
