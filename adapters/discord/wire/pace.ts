import { backoffMs } from '../../../core/retry.ts'

/** Between connections that brought nothing. */
const connecting = { firstMs: 250, maxMs: 8_000 }
/** Between sessions: Discord lets a bot open a thousand a day. Resuming one is free. */
const opening = { firstMs: 1_000, maxMs: 60_000 }
/** A connection that lived so long was a good one. */
const steadyMs = 30_000

/** How long to wait before the gateway is connected to: after a connection that worked not at all, as long as its session can be resumed. */
export class ReconnectPace {
  #barren = 0
  #sessions = 0
  #upMs: number | null = null

  /** Before each connection; `anew`: it will open a session. */
  pauseMs(anew: boolean, nowMs: number): number {
    if (this.#upMs !== null && nowMs - this.#upMs >= steadyMs) this.#sessions = 0
    this.#upMs = null
    const connectMs = this.#barren < 2 ? 0 : backoffMs(connecting, this.#barren - 2)
    const openMs = !anew || this.#sessions < 2 ? 0 : backoffMs(opening, this.#sessions - 2)
    this.#barren++
    return Math.max(connectMs, openMs)
  }

  /** A session is asked for. */
  opens(): void {
    this.#sessions++
  }

  /** A session began, or was resumed. */
  works(nowMs: number): void {
    this.#barren = 0
    this.#upMs = nowMs
  }
}
