import type { LoginLock } from '../../../core/adapter.ts'
import { sleep } from '../../../core/retry.ts'
import { Guesses, pairOf, type Who } from './guesses.ts'

/** One attempt that was let through. Ended once; one that nobody ends is forgotten after a while. */
export interface Attempt {
  end(how: 'right' | 'wrong' | 'unknown'): void
}

const attemptMs = 10_000
const mostWaiting = 50

/** How many attempts of a pair are under way, and who waits for them to end. */
interface Turnstile {
  inside: number
  readonly waiting: (() => void)[]
}

/** Lets logins through, no more at once than the pair has guesses left: many at once are no way around the count. */
export class Door {
  readonly #guesses = new Guesses()
  readonly #turnstiles = new Map<string, Turnstile>()
  readonly #changed: (locks: readonly LoginLock[]) => void

  constructor(changed: (locks: readonly LoginLock[]) => void = () => undefined) {
    this.#changed = changed
  }

  get locks(): readonly LoginLock[] {
    return this.#guesses.locks(Date.now())
  }

  /** Null: refused, whatever the password is. */
  async enter(who: Who, signal?: AbortSignal): Promise<Attempt | null> {
    const verdict = this.#guesses.judge(who, Date.now())
    if (verdict.is === 'locked') return null
    if (verdict.delayMs > 0) await sleep(verdict.delayMs, signal)
    const key = pairOf(who)
    const turnstile = this.#turnstiles.get(key) ?? { inside: 0, waiting: [] }
    this.#turnstiles.set(key, turnstile)
    while (turnstile.inside >= Math.max(1, this.#guesses.left(who, Date.now()))) {
      if (turnstile.waiting.length >= mostWaiting) return null
      await new Promise<void>(resolve => turnstile.waiting.push(resolve))
      if (this.#guesses.judge(who, Date.now()).is === 'locked') return this.#pass(key, turnstile), null
    }
    turnstile.inside += 1
    return this.#attempt(who, key, turnstile)
  }

  /** An account, or an address. */
  lift(what: string): number {
    const lifted = this.#guesses.lift(what, Date.now())
    if (lifted > 0) this.#changed(this.locks)
    return lifted
  }

  #attempt(who: Who, key: string, turnstile: Turnstile): Attempt {
    let open = true
    const end: Attempt['end'] = how => {
      if (!open) return
      open = false
      clearTimeout(timer)
      turnstile.inside -= 1
      if (how === 'right') this.#guesses.right(who)
      // Nothing is counted against them any more: all who wait look again.
      if (how === 'right') for (const go of turnstile.waiting.splice(0)) go()
      if (how === 'wrong' && this.#guesses.wrong(who, Date.now())) this.#changed(this.locks)
      this.#pass(key, turnstile)
    }
    const timer = setTimeout(() => end('unknown'), attemptMs)
    timer.unref()
    return { end }
  }

  /** The next who waits looks again. */
  #pass(key: string, turnstile: Turnstile): void {
    const next = turnstile.waiting.shift()
    if (next) next()
    else if (turnstile.inside === 0) this.#turnstiles.delete(key)
  }
}
