import { asChanopError } from '../../core/error.ts'
import type { Draft, Place } from '../../core/event.ts'
import type { Log } from '../../core/log.ts'
import { Recent } from '../../core/recent.ts'
import { sleep } from '../../core/retry.ts'
import type { Api } from './api.ts'
import type { Chats } from './chats.ts'
import { badEntities } from './delivery.ts'
import { ApiError, isApiError } from './fault.ts'
import type { Rich } from './out/rich.ts'
import { textsOf } from './out/steps.ts'
import type { Pace, Rate } from './pace.ts'

export interface DraftOptions {
  readonly api: Api
  readonly chats: Chats
  readonly pace: Pace
  readonly rate: Rate | null
  readonly log: Log
}

/** A delivery that is shown before it is said. */
interface Shown {
  readonly chatId: number
  /** What the draft is called at Telegram: changes of one number are animated. */
  readonly id: number
  rich: Rich
  /** The text that Telegram was given last, and when, Unix ms. */
  given: Rich | null
  givenMs: number
  /** How often the same text was shown again. */
  repeats: number
  busy: Promise<void> | null
  timer: NodeJS.Timeout | undefined
  ended: boolean
}

/** Of what a chat takes a third is left for what is said. */
const share = 1.5
/** Telegram takes a draft away after thirty seconds. */
const keepMs = 25_000
/** A model that is silent for so many of these has failed. */
const mostRepeats = 12
const answerMs = 10_000
/** What is said waits no longer for a draft that is under way: it might be shown after it. */
const settleMs = 1000
const mostChats = 1000

/**
 * A growing message of a private chat, shown as a draft (`sendMessageDraft`, Bot API 9.3; for all bots since 9.5). It draws on what the
 * chat takes in all, never so much that the message itself would wait, and what Telegram refuses of it holds nothing up.
 */
export class Drafts {
  readonly #o: DraftOptions
  readonly #shown = new Map<string, Shown>()
  /** Chats that take none. */
  readonly #without = new Recent<number, true>(mostChats)
  /** Telegram asked to wait with drafts until then, Unix ms. */
  readonly #held = new Recent<number, number>(mostChats)
  /** The server does not know of them. */
  #unknown = false
  #lastId = 0

  constructor(options: DraftOptions) {
    this.#o = options
  }

  /** False where it can't be shown so. */
  show(place: Place, draft: Draft, deliveryId: string): boolean {
    // A room may name a chat that is none: whoever sends there is refused.
    if (!place.private || place.thread !== undefined || this.#unknown) return false
    const chatId = this.#o.chats.chatId(place.channel)
    if (this.#without.has(chatId)) return false
    // Of what becomes several messages the newest is shown.
    const rich = textsOf(draft).at(-1)
    if (!rich) return true
    const known = this.#shown.get(deliveryId)
    const shown = known ?? this.#begin(chatId, rich)
    shown.rich = rich
    shown.repeats = 0
    this.#shown.set(deliveryId, shown)
    this.#plan(shown)
    return true
  }

  #begin(chatId: number, rich: Rich): Shown {
    const id = ++this.#lastId
    return { chatId, id, rich, given: null, givenMs: 0, repeats: 0, busy: null, timer: undefined, ended: false }
  }

  /** What is shown of a delivery ends: it is said now. Resolves when nothing of it is under way any more, or soon after. */
  async end(deliveryId: string): Promise<void> {
    const shown = this.#shown.get(deliveryId)
    if (!shown) return
    this.#shown.delete(deliveryId)
    this.#finish(shown)
    if (!shown.busy) return
    const settled = new AbortController()
    await Promise.race([shown.busy.then(() => settled.abort()), sleep(settleMs, settled.signal)])
  }

  /** Somebody reads there what we write. */
  isShownIn(chatId: number): boolean {
    return [...this.#shown.values()].some(shown => shown.chatId === chatId && shown.given !== null && !shown.ended)
  }

  close(): void {
    for (const shown of this.#shown.values()) this.#finish(shown)
    this.#shown.clear()
  }

  #finish(shown: Shown): void {
    shown.ended = true
    clearTimeout(shown.timer)
  }

  /** Shows the newest text as soon as that may be; the same again before Telegram takes it away. */
  #plan(shown: Shown): void {
    if (shown.busy || shown.ended) return
    clearTimeout(shown.timer)
    const { chatId, rich, given, givenMs } = shown
    const { rate, pace } = this.#o
    const isNews = rich !== given
    if (!isNews && shown.repeats >= mostRepeats) return
    const everyMs = rate ? (share * 1000) / rate.chatPerSecond : 0
    const nowMs = Date.now()
    const dueMs = Math.max(givenMs + (isNews ? everyMs : keepMs), this.#held.get(chatId) ?? 0)
    const waitMs = Math.max(0, dueMs - nowMs, pace.waitMs(chatId, false, nowMs))
    shown.timer = setTimeout(() => this.#give(shown), waitMs)
  }

  #give(shown: Shown): void {
    const { chatId, rich, given } = shown
    const nowMs = Date.now()
    // Something was said meanwhile: it goes first.
    if (this.#o.pace.waitMs(chatId, false, nowMs) > 0) return this.#plan(shown)
    if (rich === given) shown.repeats++
    this.#o.pace.note(chatId, nowMs)
    shown.given = rich
    shown.givenMs = nowMs
    shown.busy = this.#ask(shown, rich)
      .catch((thrown: unknown) => this.#refused(shown, thrown))
      .finally(() => {
        shown.busy = null
        this.#plan(shown)
      })
  }

  async #ask({ chatId, id }: Shown, { text, entities }: Rich): Promise<void> {
    const asked = { chat_id: chatId, draft_id: id, text }
    const call = (payload: object): Promise<unknown> =>
      this.#o.api.call('sendMessageDraft', payload, { deadlineMs: answerMs })
    try {
      await call(entities.length === 0 ? asked : { ...asked, entities })
    } catch (thrown) {
      if (entities.length === 0 || !isApiError(thrown, badEntities)) throw thrown
      await call(asked)
    }
  }

  /** A refusal for good: the next text is said, and edited from then on. */
  #refused(shown: Shown, thrown: unknown): void {
    const error = asChanopError(thrown)
    this.#o.log.debug({ error: error.message }, 'a draft could not be shown')
    if (!(error instanceof ApiError)) return
    if (error.afterMs !== undefined) this.#held.set(shown.chatId, Date.now() + error.afterMs)
    if (error.status === 404) this.#unknown = true
    else if (error.retry === 'never') this.#without.set(shown.chatId, true)
    else return
    this.#finish(shown)
  }
}
