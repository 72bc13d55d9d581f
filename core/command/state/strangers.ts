import type { Caller } from '../command.ts'
import { isChatter } from './chatter.ts'
import { keyOf, limitKey, RateLimit } from './rate.ts'

/** Somebody who used a command this short a while ago means one again. */
const lately = 2 * 60_000
const mostKept = 5000
const rate = { perMinute: 10, burst: 5 }

/** Says whether a word that nobody knows gets an answer: where one is waited for, and never to excitement. */
export class Strangers {
  readonly #used = new Map<string, number>()
  readonly #said = new Set<string>()
  readonly #rate = new RateLimit()

  used(caller: Caller, nowMs: number): void {
    const key = `${keyOf(caller)}\n${caller.place.channel}`
    this.#used.delete(key)
    this.#used.set(key, nowMs)
    for (const oldest of this.#used.keys()) {
      if (this.#used.size <= mostKept && nowMs - (this.#used.get(oldest) ?? 0) <= lately) break
      this.#used.delete(oldest)
    }
  }

  /** `close`: what was typed is near something. Said to nobody, a word is answered once in a room, and only if it is. */
  answers(
    caller: Caller,
    asked: { readonly typed: string; readonly close: boolean; readonly addressed: boolean },
    nowMs: number,
  ): boolean {
    if (!asked.addressed) {
      const usedMs = this.#used.get(`${keyOf(caller)}\n${caller.place.channel}`)
      if (!asked.close || isChatter(asked.typed) || usedMs === undefined || nowMs - usedMs > lately) return false
      const key = `${caller.network}\n${caller.place.channel}\n${asked.typed}`
      if (this.#said.has(key)) return false
      if (this.#said.size >= mostKept) this.#said.clear()
      this.#said.add(key)
    }
    // Too many are passed over in silence: a mistyped word costs nobody a pause.
    return this.#rate.ask(limitKey(caller), rate, nowMs) === 'go'
  }
}
