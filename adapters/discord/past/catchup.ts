import type { APIChannel, APIMessage, APIThreadChannel, APIThreadList } from 'discord.js'
import type { Cursors } from '../../../core/adapter.ts'
import { type ChatEvent, type GapEvent, gapIn, type MessageId } from '../../../core/event.ts'
import { type Channel, isForum, isNewer } from '../guild/directory.ts'
import { has } from '../guild/permissions.ts'
import { deletionOf } from '../happenings.ts'
import { editOf, messageOf, type Native, placeOf, type Reader } from '../inbound.ts'
import type { Api } from '../wire/api.ts'
import { Refused } from '../wire/faults.ts'
import { patiently } from './patience.ts'
import type { Seen } from './seen.ts'

export interface CatchupOptions {
  readonly api: Api
  readonly reader: Reader
  readonly cursors: Cursors
  readonly seen: Seen
}

const pageSize = 100
/** What is taken of a channel that was never heard before. */
const firstPages = 2
/** So far one that we heard is looked for among the posts of a forum that were put away. */
const searchedPages = 5
/** Of the messages known already, so many are looked at again: they may have been changed or taken away. */
const again = 50

interface Heard {
  readonly id: string
  readonly atMs: number
}

/** What was missed: by id, from the newest message that the ledger has of each channel and thread. */
export class Catchup {
  readonly #o: CatchupOptions

  constructor(options: CatchupOptions) {
    this.#o = options
  }

  /** All that was missed in a channel and its threads, in the order in which it was said. */
  async missed(channel: Channel, threads: readonly Channel[], signal: AbortSignal): Promise<ChatEvent[]> {
    const newest = await this.#newestIn(channel, threads)
    const gap = newest && this.#gap(channel, newest)
    const own = isForum(channel) ? [] : await this.#of(channel, newest, signal)
    const inThreads: ChatEvent[] = []
    for (const thread of threads) {
      const heard = (await this.#newest(thread)) ?? newest
      // Nothing was said there since: the platform says so without being asked.
      if (heard && thread.lastMessage !== null && !isNewer(thread.lastMessage, heard.id)) continue
      inThreads.push(...(await this.#of(thread, heard, signal)))
    }
    const events = [...own, ...inThreads].toSorted((a, b) => a.atMs - b.atMs || order(a, b))
    return gap ? [gap, ...events] : events
  }

  async #newest(channel: Channel): Promise<Heard | null> {
    const newest = await this.#o.cursors.newest(placeOf(this.#o.reader, channel))
    return newest && /^\d{15,20}$/.test(newest.id) ? newest : null
  }

  /** Of a forum that of its threads: nothing is said in itself. */
  async #newestIn(channel: Channel, threads: readonly Channel[]): Promise<Heard | null> {
    if (!isForum(channel)) return this.#newest(channel)
    const all = await Promise.all(threads.map(thread => this.#newest(thread)))
    return all.reduce((last, heard) => (last && !(heard && isNewer(heard.id, last.id)) ? last : heard), null)
  }

  async #of(channel: Channel, heard: Heard | null, signal: AbortSignal): Promise<ChatEvent[]> {
    try {
      const known = heard ? await this.#recent(channel, heard, signal) : []
      const fresh = heard ? await this.#after(channel, heard.id, signal) : await this.#last(channel, signal)
      const at = { channel, origin: 'backfill' as const }
      return [
        ...(heard && !this.#isBlind(channel) ? this.#changes(channel, known, heard.id) : []),
        ...fresh.flatMap(native => [messageOf(this.#o.reader, native, at), editOf(this.#o.reader, native, at)]),
      ].filter(event => event !== null)
    } catch (error) {
      // What may not be read is named where the channel's troubles are.
      if (error instanceof Refused && error.refusal.status !== 401) return []
      throw error
    }
  }

  /** Waits here, where a page may not be had yet: of a long absence those that are there already are kept. */
  async #page(channel: Channel, query: Record<string, string | number>, signal: AbortSignal): Promise<Native[]> {
    const ask = (): Promise<APIMessage[]> => this.#o.api.get(`/channels/${channel.id}/messages`, { query, signal })
    const page = await patiently(signal, ask)
    return page.toSorted((a, b) => (isNewer(a.id, b.id) ? 1 : -1))
  }

  async #after(channel: Channel, after: string, signal: AbortSignal): Promise<Native[]> {
    const found: Native[] = []
    for (let from = after; ; ) {
      const page = await this.#page(channel, { after: from, limit: pageSize }, signal)
      found.push(...page)
      const last = page.at(-1)?.id
      if (page.length < pageSize || last === undefined) return found
      from = last
    }
  }

  async #last(channel: Channel, signal: AbortSignal): Promise<Native[]> {
    const found: Native[] = []
    for (let n = 0; n < firstPages; n++) {
      const before = found[0]?.id
      const page = await this.#page(channel, { limit: pageSize, ...(before === undefined ? {} : { before }) }, signal)
      found.unshift(...page)
      if (page.length < pageSize) break
    }
    return found
  }

  #recent(channel: Channel, { id }: Heard, signal: AbortSignal): Promise<Native[]> {
    return this.#page(channel, { before: String(BigInt(id) + 1n), limit: again }, signal)
  }

  /** Edits of messages that are known, and those of them that are there no more. */
  #changes(channel: Channel, known: readonly Native[], last: string): (ChatEvent | null)[] {
    const { reader, seen } = this.#o
    const at = { channel, origin: 'backfill' as const }
    const there = new Set(known.map(({ id }) => id))
    const first = known.length < again ? '0' : (known[0]?.id ?? '0')
    const gone = seen.between(channel.id, first, last).filter(id => !there.has(id))
    return [
      ...known.map(native => editOf(reader, native, at)),
      ...gone.map(id => {
        seen.remove(channel.id, id)
        return deletionOf(reader, channel, id, 'backfill')
      }),
    ]
  }

  /** Who may not read the history is given an empty one. */
  #isBlind(channel: Channel): boolean {
    const bits = this.#o.reader.directory.permissions(channel)
    return bits !== null && !has(bits, 'readHistory')
  }

  #gap(channel: Channel, { id, atMs }: Heard): GapEvent | null {
    const { network } = this.#o.reader
    if (!this.#isBlind(channel)) return null
    if (channel.lastMessage === null || !isNewer(channel.lastMessage, id)) return null
    return gapIn(placeOf(this.#o.reader, channel), 'Discord', {
      key: `${network}:gap/${channel.id}/${id}/${channel.lastMessage}`,
      fromMs: atMs,
      reason: 'The bot lacks Read Message History here, so what was said meanwhile can not be fetched.',
    })
  }

  /** Threads of a server that were not put away, by their channel. */
  async active(guild: string, signal: AbortSignal): Promise<Channel[]> {
    const { threads } = await this.#o.api.get<APIThreadList>(`/guilds/${guild}/threads/active`, { signal })
    return threads.map(thread => this.#o.reader.directory.note(thread as APIChannel, guild))
  }

  /** Makes known the threads that were put away since the channel was heard: something may have been said there before. */
  async archived(channel: Channel, active: readonly Channel[], signal: AbortSignal): Promise<void> {
    const route = `/channels/${channel.id}/threads/archived/public` as const
    const found: APIThreadChannel[] = []
    let heard = await this.#newestIn(channel, active)
    if (!heard && !isForum(channel)) return
    try {
      for (let pages = 0, before: string | undefined; heard || pages < searchedPages; pages++) {
        const query = { limit: pageSize, ...(before === undefined ? {} : { before }) }
        const ask = (): Promise<APIThreadList & { has_more?: boolean }> => this.#o.api.get(route, { query, signal })
        const { threads, has_more: hasMore } = await patiently(signal, ask)
        found.push(...(threads as APIThreadChannel[]))
        heard ??= await this.#newestIn(
          channel,
          threads.map(({ id }) => ({ ...channel, id, type: 11, parent: channel.id })),
        )
        // Those put away last come first.
        before = found.at(-1)?.thread_metadata?.archive_timestamp
        const isOlder = heard !== null && before !== undefined && Date.parse(before) <= heard.atMs
        if (hasMore !== true || before === undefined || isOlder) break
      }
      // Old posts of a forum that we never heard are left.
      if (heard) for (const each of found) this.#o.reader.directory.note(each, channel.guild ?? undefined)
    } catch (error) {
      if (!(error instanceof Refused) || error.refusal.status === 401) throw error
    }
  }
}

const idOf = (event: ChatEvent): MessageId | '' => ('id' in event ? event.id : 'target' in event ? event.target : '')

/** What was said in one millisecond has the order of its ids; an edit stands behind its message. */
function order(a: ChatEvent, b: ChatEvent): number {
  const [one, other] = [idOf(a), idOf(b)]
  if (one === other) return Number(a.kind !== 'message') - Number(b.kind !== 'message')
  return isNewer(one, other) ? 1 : -1
}
