import { fromUser, type Line, serverTimeMs } from '../text/line.ts'

/** Less than this is the way of a line and the rounding of clocks, not a clock that is off (milliseconds). */
const notableMs = 5_000
/** An answer that took longer says nothing of when it was written. */
const exactMs = 5_000
const askEveryMs = 60_000
/** Two lines of others that are this far apart and equally late are not a replay. */
const apartMs = 1_000

/**
 * How far the server's clock is from ours, measured by what it stamps (IRCv3 server-time). A line can be late on its way
 * and never early: the least of arrival − stamp is the difference. The answer to a PING was stamped now, so that it counts
 * even where the difference has grown.
 */
export class Clock {
  /** How far the server's clock is ahead of ours, milliseconds, behind when negative; 0 while that is next to nothing. */
  aheadMs = 0
  #lagMs: number | null = null
  #guess: { lagMs: number; atMs: number } | null = null
  #askedMs = Number.NEGATIVE_INFINITY
  #drift = drift()

  /** A line as it arrives, which is no history. What the server says by itself is said now; a bouncer replays others. */
  heard(line: Line): void {
    const stampMs = serverTimeMs(line)
    if (stampMs === null) return
    const lagMs = Date.now() - stampMs
    if (this.#lagMs !== null) this.#is(Math.min(this.#lagMs, lagMs))
    else if (!fromUser(line) || this.#again(lagMs)) this.#is(lagMs)
  }

  #again(lagMs: number): boolean {
    const atMs = performance.now()
    const guess = this.#guess
    if (guess && atMs - guess.atMs >= apartMs && Math.abs(guess.lagMs - lagMs) < apartMs) return true
    if (!guess || Math.abs(guess.lagMs - lagMs) >= apartMs) this.#guess = { lagMs, atMs }
    return false
  }

  /** The answer to a PING that was written `tookMs` ago. */
  answered(line: Line, tookMs: number): void {
    const stampMs = serverTimeMs(line)
    if (stampMs !== null && tookMs < exactMs) this.#is(Date.now() - stampMs)
  }

  /** Whether the server is to be asked again: it is long ago, or our own clock was set. */
  due(): boolean {
    const was = this.#drift
    this.#drift = drift()
    if (performance.now() - this.#askedMs < askEveryMs && Math.abs(this.#drift - was) < notableMs) return false
    this.#askedMs = performance.now()
    return true
  }

  #is(lagMs: number): void {
    this.#lagMs = lagMs
    const aheadMs = -lagMs
    if (Math.abs(aheadMs - this.aheadMs) < notableMs && this.aheadMs !== 0) return
    this.aheadMs = Math.abs(aheadMs) < notableMs ? 0 : aheadMs
  }
}

/** Changes only when our clock is set. */
const drift = (): number => Date.now() - performance.now()
