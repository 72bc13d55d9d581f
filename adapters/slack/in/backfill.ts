import type { Cursors } from '../../../core/adapter.ts'
import { type ChatEvent, type GapEvent, gapIn } from '../../../core/event.ts'
import type { Api } from '../link/api.ts'
import { compareTs, flag, isTs, list, type Native, num, part, str, tsMs, tsOf } from '../native.ts'
import type { Reader } from './events.ts'

const pageSize = 200
/** Messages of one channel, and of one thread, that are fetched at most after a downtime. */
const mostMessages = 20_000
/** How many older messages are looked at for threads that went on and for edits. */
const lookBack = 100
/** Events may have been told out of order by so much. */
const overlapMs = 2000
const mostThreads = 60
const began = 'began'

export interface BackfillOptions {
  readonly api: Api
  readonly cursors: Cursors
  readonly reader: Reader
  readonly signal: AbortSignal
}

interface Since {
  readonly from: string
  /** The newest that the ledger has. 0: none. */
  readonly knownMs: number
}

interface Fetched {
  readonly message: Native
  readonly knownMs: number
}

interface Moment {
  readonly at: string
  readonly events: readonly ChatEvent[]
}

interface Pages {
  /** Earliest first. */
  readonly messages: readonly Native[]
  /** Some before them were left out. */
  readonly cut: boolean
}

/** What happened in a channel while nobody listened, from the history that Slack keeps. */
export class Backfill {
  readonly #o: BackfillOptions
  /** Threads that somebody spoke in lately, newest last, by channel. */
  readonly #threads = new Map<string, string[]>()

  constructor(options: BackfillOptions) {
    this.#o = options
  }

  /** Remembers that somebody spoke in a thread: its replies are looked for although its root is old. */
  async noteThread(channel: string, thread: string): Promise<void> {
    const known = await this.#known(channel)
    if (known.at(-1) === thread) return
    const now = [...known.filter(each => each !== thread), thread].slice(-mostThreads)
    await this.#o.cursors.set(`threads/${channel}`, JSON.stringify(now))
    this.#threads.set(channel, now)
  }

  /** All that can be fetched since the newest message the ledger has of this channel, in order. Rejects with a `Fault`. */
  async missed(channel: string): Promise<ChatEvent[]> {
    const since = await this.#since(channel)
    if (since === null) return []
    const { from, knownMs } = since
    const now = this.#now()
    const fresh = await this.#pages('conversations.history', { channel, oldest: from })
    const older = await this.#older(channel, from)
    const replies = await this.#replies(channel, from, [...older, ...fresh.messages])
    const all = new Map<string, Fetched>()
    for (const message of [...older, ...fresh.messages]) all.set(str(message, 'ts'), { message, knownMs })
    for (const each of replies.messages) all.set(str(each.message, 'ts'), each)
    const moments: Moment[] = []
    let isNews = fresh.cut || replies.cut
    for (const each of all.values()) {
      const found = await this.#moments(channel, from, each)
      moments.push(...found)
      isNews ||= found.some(({ at, events }) => events.length > 0 && tsMs(at) !== each.knownMs)
    }
    // What we said ourselves is nothing that the ledger goes on from: so much of it is not looked through again.
    if (!isNews && fresh.messages.length > lookBack) await this.#o.cursors.set(`met/${channel}`, now)
    const gap = fresh.cut || replies.cut ? [this.#gap(channel, from)] : []
    return [...gap, ...moments.sort((a, b) => compareTs(a.at, b.at)).flatMap(({ events }) => events)]
  }

  /** What of a message is news: itself, or how it was changed meanwhile. */
  async #moments(channel: string, from: string, { message, knownMs }: Fetched): Promise<Moment[]> {
    const { reader } = this.#o
    const ts = str(message, 'ts')
    const moments: Moment[] = []
    if (tsMs(ts) > knownMs - overlapMs && (knownMs > 0 || compareTs(ts, from) >= 0)) {
      moments.push({ at: ts, events: await reader.said(message, channel, 'backfill') })
    }
    if (tsMs(ts) <= knownMs) {
      const events = await reader.editedSince(message, channel, from)
      moments.push({ at: str(part(message, 'edited'), 'ts') || ts, events })
    }
    return moments
  }

  /** Notes since when we are there at all: who begins a direct conversation while we are away says it to us. */
  async begin(): Promise<void> {
    const { cursors } = this.#o
    if ((await cursors.get(began)) === null) await cursors.set(began, this.#now())
  }

  /** By Slack's clock: it is compared with the times of messages. */
  #now(): string {
    return tsOf(Date.now() + this.#o.api.aheadMs - overlapMs)
  }

  /** Notes that we are in a channel from now on. */
  async meet(channel: string): Promise<void> {
    await this.#since(channel)
  }

  /** From where; null at the first meeting, which is noted. */
  async #since(channel: string): Promise<Since | null> {
    const { cursors, reader } = this.#o
    const newest = await cursors.newest(reader.place(channel))
    const seen = await cursors.get(`met/${channel}`)
    if (newest) {
      const from = tsOf(Math.max(0, newest.atMs - overlapMs))
      return { from: seen !== null && isTs(seen) && compareTs(seen, from) > 0 ? seen : from, knownMs: newest.atMs }
    }
    const met = seen ?? (channel.startsWith('D') ? await cursors.get(began) : null)
    if (met !== null && isTs(met)) return { from: met, knownMs: 0 }
    await cursors.set(`met/${channel}`, this.#now())
    return null
  }

  /** The last messages before `since`. */
  async #older(channel: string, since: string): Promise<readonly Native[]> {
    const { api, signal } = this.#o
    const page = await api.patient(
      'conversations.history',
      { channel, latest: since, limit: lookBack, ...metadata },
      signal,
    )
    return list(page, 'messages').toReversed()
  }

  /** New replies in threads whose root was seen, or in which somebody spoke lately. */
  async #replies(channel: string, since: string, roots: readonly Native[]) {
    const grown = roots.filter(root => num(root, 'reply_count') && compareTs(str(root, 'latest_reply'), since) >= 0)
    const listed = new Set(roots.map(root => str(root, 'ts')))
    const remembered = (await this.#known(channel)).filter(thread => !listed.has(thread))
    const messages: Fetched[] = []
    let cut = false
    for (const thread of [...grown.map(root => str(root, 'ts')), ...remembered]) {
      const { from, knownMs } = await this.#threadSince(channel, thread, since)
      const pages = await this.#thread(channel, thread, from)
      const replies = pages.messages.filter(message => str(message, 'ts') !== thread)
      messages.push(...replies.map(message => ({ message, knownMs })))
      cut ||= pages.cut
    }
    return { messages, cut }
  }

  async #thread(channel: string, thread: string, oldest: string): Promise<Pages> {
    try {
      return await this.#pages('conversations.replies', { channel, ts: thread, oldest })
    } catch (error) {
      // A root that was deleted takes its thread with it.
      if (error instanceof Error && 'code' in error && error.code === 'thread_not_found') {
        return { messages: [], cut: false }
      }
      throw error
    }
  }

  async #threadSince(channel: string, thread: string, since: string): Promise<Since> {
    const { cursors, reader } = this.#o
    const newest = await cursors.newest(reader.place(channel, thread))
    const known = newest ? tsOf(Math.max(0, newest.atMs - overlapMs)) : since
    return { from: compareTs(known, since) < 0 ? known : since, knownMs: newest?.atMs ?? 0 }
  }

  async #known(channel: string): Promise<readonly string[]> {
    const known = this.#threads.get(channel)
    if (known) return known
    const kept = await this.#o.cursors.get(`threads/${channel}`)
    const list: unknown = kept === null ? [] : JSON.parse(kept)
    const threads = Array.isArray(list) ? list.filter(each => typeof each === 'string') : []
    this.#threads.set(channel, threads)
    return threads
  }

  async #pages(method: string, args: Native): Promise<Pages> {
    const { api, signal } = this.#o
    const messages: Native[] = []
    let cut = false
    for await (const page of api.pages(method, { ...args, limit: pageSize, ...metadata }, signal)) {
      messages.push(...list(page, 'messages'))
      cut = messages.length >= mostMessages && flag(page, 'has_more')
      if (cut) break
    }
    return { messages: messages.sort((a, b) => compareTs(str(a, 'ts'), str(b, 'ts'))), cut }
  }

  #gap(channel: string, since: string): GapEvent {
    const place = this.#o.reader.place(channel)
    return gapIn(place, 'slack', {
      key: `${place.network}:gap/${channel}/${since}`,
      fromMs: tsMs(since),
      reason: `More than ${mostMessages} messages were missed; the first of them were not fetched.`,
    })
  }
}

const metadata = { include_all_metadata: true }
