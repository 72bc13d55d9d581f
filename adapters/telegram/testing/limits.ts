import { Refused } from './text.ts'

/** How much is taken: so many requests that say something, within so many milliseconds. */
export interface Window {
  readonly most: number
  readonly windowMs: number
}

/** Telegram's are 1 a second for each chat, 20 a minute for each group, 30 a second over all. */
export interface Speeds {
  readonly chat: Window
  readonly group: Window
  readonly all: Window
}

export const telegramsSpeeds: Speeds = {
  chat: { most: 5, windowMs: 5000 },
  group: { most: 20, windowMs: 60_000 },
  all: { most: 30, windowMs: 1000 },
}

/** Counts what is said, and refuses what is too much with the time to wait. */
export class SpeedLimits {
  /** null: no limits. */
  speeds: Speeds | null
  readonly #times = new Map<string, number[]>()
  readonly #flooded = new Map<number, number>()

  constructor(speeds: Speeds | null) {
    this.speeds = speeds
  }

  /** Refuses everything in a chat for a while. */
  flood(chat: number, forMs: number): void {
    this.#flooded.set(chat, Date.now() + forMs)
  }

  /** Takes nothing at all until what it gives is called. */
  storm(): () => void {
    const before = this.speeds
    const none = { most: 0, windowMs: 1000 }
    this.speeds = { chat: none, group: none, all: none }
    return () => {
      this.speeds = before
    }
  }

  count(chat: number): void {
    const now = Date.now()
    const flooded = (this.#flooded.get(chat) ?? 0) - now
    if (flooded > 0) throw tooMany(flooded)
    if (!this.speeds) return
    const kinds: [string, Window][] = [
      [`chat${chat}`, this.speeds.chat],
      ...(chat < 0 ? [[`group${chat}`, this.speeds.group] as [string, Window]] : []),
      ['all', this.speeds.all],
    ]
    for (const [name, { most, windowMs }] of kinds) {
      const times = (this.#times.get(name) ?? []).filter(atMs => atMs > now - windowMs)
      const first = most === 0 ? now : times.at(-most)
      if (first !== undefined) throw tooMany(first + windowMs - now)
    }
    for (const [name] of kinds) this.#times.set(name, [...(this.#times.get(name) ?? []).slice(-100), now])
  }
}

const tooMany = (waitMs: number): Refused => {
  const retry_after = Math.max(1, Math.ceil(waitMs / 1000))
  return new Refused(429, `Too Many Requests: retry after ${retry_after}`, { retry_after })
}
