import { asChanopError, ChanopError } from '../../core/error.ts'
import type { Place } from '../../core/event.ts'
import { Lanes } from '../../core/process/lanes.ts'
import { Recent } from '../../core/recent.ts'
import { backoffMs, sleep } from '../../core/retry.ts'
import type { Api, CallOptions } from './api.ts'
import type { Chats } from './chats.ts'
import { ApiError } from './fault.ts'
import type { Pace } from './pace.ts'

export interface RequestOptions {
  readonly api: Api
  readonly chats: Chats
  readonly pace: Pace
  readonly signal: AbortSignal
  /** A group has another id from now on. */
  readonly moved: (from: number, to: number) => void
}

/** A wait that is not worth the ledger's while. */
const shortMs = 3000
const answerMs = 60_000
const mostChats = 1000
const backoff = { firstMs: 200, maxMs: 60_000 }

/** What we ask of Telegram that says or changes something: one request after the other in each chat, as fast as it takes them. */
export class Requests {
  readonly #o: RequestOptions
  readonly #lanes = new Lanes<number>()
  /** How often in a row what was said in a chat got no answer, and when something may be said there again, Unix ms. */
  readonly #doubtful = new Recent<number, { readonly failures: number; readonly resumeMs: number }>(mostChats)

  constructor(options: RequestOptions) {
    this.#o = options
  }

  inChat<T>(place: Place, work: (chatId: number) => Promise<T>): Promise<T> {
    const chatId = this.#o.chats.chatId(place.channel)
    return this.#lanes.run(chatId, () => work(this.#o.chats.chatId(place.channel)))
  }

  /** One request, when this chat may have it. What would have to wait for long goes back to the ledger. */
  async call<T>(method: string, chatId: number, payload: object, options: CallOptions = {}): Promise<T> {
    const { api, chats, pace, signal } = this.#o
    for (;;) {
      const nowMs = Date.now()
      const resumeMs = saysSomething(method) ? (this.#doubtful.get(chatId)?.resumeMs ?? 0) : 0
      const waitMs = Math.max(pace.waitMs(chatId, chats.isGroup(chatId), nowMs), resumeMs - nowMs)
      if (waitMs > shortMs)
        throw new ChanopError('send-later', 'Telegram takes no more in this chat now.', { afterMs: waitMs })
      if (waitMs <= 0) break
      await sleep(waitMs, signal)
      if (signal.aborted) throw new ChanopError('send-later', 'we are stopping')
    }
    pace.note(chatId, Date.now())
    try {
      const answer = await api.call<T>(method, payload, { deadlineMs: answerMs, ...options })
      if (saysSomething(method)) this.#doubtful.delete(chatId)
      return answer
    } catch (thrown) {
      if (saysSomething(method) && asChanopError(thrown).code === 'network-down') this.#doubt(chatId)
      this.#learn(method, chatId, thrown)
      throw thrown
    }
  }

  settled(): Promise<void> {
    return this.#lanes.settled()
  }

  /** What is in doubt is sent again by and by: whatever got no answer once is tried again at once, and then with pauses. */
  #doubt(chatId: number): void {
    const failures = this.#doubtful.get(chatId)?.failures ?? 0
    const pauseMs = failures === 0 ? 0 : backoffMs(backoff, failures)
    this.#doubtful.set(chatId, { failures: failures + 1, resumeMs: Date.now() + pauseMs })
  }

  #learn(method: string, chatId: number, thrown: unknown): void {
    if (!(thrown instanceof ApiError)) return
    if (thrown.afterMs !== undefined) this.#o.pace.hold(chatId, Date.now() + thrown.afterMs)
    if (thrown.movedTo === undefined) return
    // What stands in the old group stays there: only what is new is said elsewhere.
    if (!saysSomething(method) && this.#o.chats.chatId(String(chatId)) === thrown.movedTo)
      throw new ChanopError(
        'send-refused',
        'it was said before the group became a supergroup: Telegram keeps it as it is',
      )
    this.#o.moved(chatId, thrown.movedTo)
    throw new ChanopError('send-later', 'the group has a new id on Telegram; it is said there', { afterMs: 1 })
  }
}

const saysSomething = (method: string): boolean => method.startsWith('send')
