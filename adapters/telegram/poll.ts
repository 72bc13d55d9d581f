import type { Cursors } from '../../core/adapter.ts'
import { asChanopError, ChanopError } from '../../core/error.ts'
import type { Origin } from '../../core/event.ts'
import type { Log } from '../../core/log.ts'
import { backoffMs, persist, sleep } from '../../core/retry.ts'
import type { Api } from './api.ts'
import { ApiError, isUnknownToken } from './fault.ts'
import { allowedUpdates, type Update } from './native.ts'

/** What Telegram can't give us any more. */
export interface Lost {
  readonly fromMs: number
  readonly reason: string
  /** Made from Telegram's own numbers. */
  readonly key: string
}

export interface PollOptions {
  readonly api: Api
  readonly cursors: Cursors
  readonly log: Log
  readonly pollSeconds: number
  /** Resolves with true once the ledger has all of it: only then Telegram may forget it. */
  take(updates: readonly Update[], origin: Origin, lost: Lost | null): Promise<boolean>
  up(): void
  down(reason: string): void
}

const cursor = 'updates'
const batch = 100
const dayMs = 86_400_000
/** Without an update for a week Telegram goes on with another number. */
const renumberedMs = 6 * dayMs
const noteEveryMs = 300_000
const backoff = { firstMs: 250, maxMs: 30_000 }
/** Beyond what Telegram was asked to wait: a connection that is dead says nothing. */
const graceMs = 15_000

/** Where we are: the number of the next update, when the last one came and when we last asked, Unix ms. */
interface Mark {
  readonly next: number
  readonly updateMs: number
  readonly askedMs: number
}

/**
 * Asks for updates, one request after the other. The number that makes Telegram forget them is given with the next request, after
 * the ledger has them: whatever dies in between, they come again.
 */
export class Poller {
  readonly #o: PollOptions
  #mark: Mark | null = null
  #notedMs = 0
  /** Nothing is asked about the past any more: it was named, or there was nothing. */
  #settled = false

  constructor(options: PollOptions) {
    this.#o = options
  }

  /** Resolves when `signal` has aborted; rejects when Telegram refuses our token for good. */
  async run(signal: AbortSignal): Promise<void> {
    this.#mark = await this.#recall(signal)
    let offset: number | undefined
    let live = false
    for (let failures = 0; !signal.aborted; ) {
      try {
        const updates = await this.#ask(offset, live, signal)
        failures = 0
        this.#o.up()
        const origin = live ? 'live' : 'backfill'
        if (!(await this.#o.take(updates, origin, this.#lost(updates)))) return
        const last = Math.max(0, ...updates.map(update => update?.update_id).filter(Number.isSafeInteger))
        if (last > 0) offset = last + 1
        else if (updates.length > 0)
          throw new ChanopError('internal', 'what answers is no Bot API: its updates have no number')
        await this.#note(offset, signal)
        // Until Telegram has nothing left, it is what was said while nobody asked.
        if (updates.length < batch) live = true
      } catch (thrown) {
        if (signal.aborted) return
        live = false
        await this.#failed(thrown, failures++, signal)
      }
    }
  }

  #ask(offset: number | undefined, live: boolean, signal: AbortSignal): Promise<readonly Update[]> {
    const timeout = live ? this.#o.pollSeconds : 0
    const asked = {
      limit: batch,
      timeout,
      allowed_updates: allowedUpdates,
      ...(offset === undefined ? {} : { offset }),
    }
    return this.#o.api.call('getUpdates', asked, { signal, deadlineMs: timeout * 1000 + graceMs })
  }

  async #failed(thrown: unknown, failures: number, signal: AbortSignal): Promise<void> {
    const error = asChanopError(thrown)
    if (isUnknownToken(error)) throw refused()
    this.#o.down(
      error instanceof ApiError && error.status === 409 ? conflict(error.message) : `${error.message}; trying again`,
    )
    await sleep(error.afterMs ?? backoffMs(backoff, failures), signal)
  }

  // ---- what was missed --------------------------------------------------------------------------------------------

  /** What is missing between what we last had and these, where Telegram's numbers or its memory of a day show it. */
  #lost(updates: readonly Update[]): Lost | null {
    const mark = this.#mark
    const first = updates[0]?.update_id
    if (!mark) return null
    const nowMs = Date.now()
    const numbered = nowMs - mark.updateMs < renumberedMs
    const missing = first === undefined || !numbered ? 0 : first - mark.next
    const away = nowMs - mark.askedMs
    const asleep = !this.#settled && away > dayMs && !(numbered && first !== undefined)
    this.#settled = true
    if (missing <= 0 && !asleep) return null
    const why =
      missing > 0
        ? `${missing} updates are gone: Telegram keeps them for 24 hours, and gives each once`
        : `we were not connected for ${Math.floor(away / 3_600_000)} hours, and Telegram keeps messages for 24`
    return { fromMs: mark.askedMs, reason: `${why}; what was said may be missing here`, key: `gap/${mark.next}` }
  }

  #recall(signal: AbortSignal): Promise<Mark | null> {
    const failed = (thrown: unknown): undefined => {
      const error = asChanopError(thrown).message
      this.#o.log.warn({ error }, 'the ledger does not say where we were; asking again')
    }
    const kept = async (): Promise<Mark | null> =>
      JSON.parse((await this.#o.cursors.get(cursor)) ?? 'null') as Mark | null
    return persist(kept, { signal, backoff, failed })
  }

  /** Remembers how far we are: at each batch, and now and then that we were there. Telegram's memory does not hang on it. */
  async #note(offset: number | undefined, signal: AbortSignal): Promise<void> {
    const nowMs = Date.now()
    const before = this.#mark
    const next = offset ?? before?.next
    if (next === undefined) return
    const moved = next !== before?.next
    const updateMs = moved ? nowMs : (before?.updateMs ?? nowMs)
    this.#mark = { next, updateMs, askedMs: nowMs }
    if (signal.aborted || (!moved && nowMs - this.#notedMs < noteEveryMs)) return
    this.#notedMs = nowMs
    await this.#o.cursors.set(cursor, JSON.stringify(this.#mark)).catch((thrown: unknown) => {
      this.#o.log.warn({ error: asChanopError(thrown).message }, 'how far we are could not be written down')
    })
  }
}

export const refused = (): ChanopError =>
  new ChanopError(
    'network-refused',
    'Telegram does not know our token: get the right one from @BotFather (/mybots → API Token), set it, then !config reload',
  )

const conflict = (told: string): string =>
  told.includes('webhook')
    ? 'a webhook takes our updates: open <api>/bot<token>/deleteWebhook once, or use another bot; trying again'
    : 'another program asks for updates with our token: stop it, or get a new token from @BotFather (/revoke); trying again'
