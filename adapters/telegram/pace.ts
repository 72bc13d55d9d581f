import type { TelegramConfig } from './config.ts'

export type Rate = NonNullable<TelegramConfig['rate']>

const burst = 5
const minuteMs = 60_000
const mostChats = 2000

interface Lane {
  /** When something went out here, Unix ms. */
  times: number[]
  /** Telegram asked to wait until then. */
  heldMs: number
}

/** Keeps to what Telegram takes: each chat for itself, so that one that has to wait keeps up no other. */
export class Pace {
  readonly #rate: Rate | null
  readonly #lanes = new Map<number, Lane>()
  #all: number[] = []

  constructor(rate: Rate | null) {
    this.#rate = rate
  }

  /** How long a request to this chat has to wait from now, milliseconds. */
  waitMs(chatId: number, isGroup: boolean, nowMs: number): number {
    const { times, heldMs } = this.#lane(chatId)
    const waits = [heldMs]
    if (this.#rate) {
      const { chatPerSecond, groupPerMinute, perSecond } = this.#rate
      waits.push(freeMs(times, burst, (burst / chatPerSecond) * 1000))
      if (isGroup) waits.push(freeMs(times, groupPerMinute, minuteMs))
      waits.push(freeMs(this.#all, perSecond, 1000))
    }
    return Math.max(0, ...waits.map(atMs => atMs - nowMs))
  }

  note(chatId: number, nowMs: number): void {
    if (!this.#rate) return
    const lane = this.#lane(chatId)
    const keptMs = Math.max(minuteMs, (burst / this.#rate.chatPerSecond) * 1000)
    lane.times = [...lane.times.filter(atMs => atMs > nowMs - keptMs), nowMs]
    this.#all = [...this.#all.filter(atMs => atMs > nowMs - 1000), nowMs]
  }

  /** Telegram asks to wait in this chat. */
  hold(chatId: number, untilMs: number): void {
    const lane = this.#lane(chatId)
    lane.heldMs = Math.max(lane.heldMs, untilMs)
  }

  #lane(chatId: number): Lane {
    const known = this.#lanes.get(chatId)
    if (known) return known
    if (this.#lanes.size >= mostChats) this.#forget()
    const lane = { times: [], heldMs: 0 }
    this.#lanes.set(chatId, lane)
    return lane
  }

  /** Chats in which nothing has happened for a while. */
  #forget(): void {
    const nowMs = Date.now()
    for (const [chatId, { times, heldMs }] of this.#lanes) {
      if (heldMs <= nowMs && (times.at(-1) ?? 0) < nowMs - minuteMs) this.#lanes.delete(chatId)
    }
  }
}

/** When one more may go where `most` go within `windowMs`, Unix ms. */
function freeMs(times: readonly number[], most: number, windowMs: number): number {
  const first = times.at(-most)
  return first === undefined ? 0 : first + windowMs
}
