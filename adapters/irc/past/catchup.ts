import type { Cursors } from '../../../core/adapter.ts'
import { ChanopError } from '../../../core/error.ts'
import type { ChatEvent, GapEvent, MessageId, UserId } from '../../../core/event.ts'
import type { Voice } from '../people/voice.ts'
import { channelPlace, keptAheadMs } from '../text/inbound.ts'
import type { Line } from '../text/line.ts'
import { parseDirect } from '../text/names.ts'
import type { Epoch } from './epoch.ts'
import { holds, pagesAfter, pagesBack, timestamp } from './history.ts'

/** How far the ledger has heard a channel. */
export interface Heardpoint {
  readonly id: MessageId
  readonly atMs: number
}

/** What is taken of a channel that was never heard before. */
const firstLines = 10_000
const directMarkMs = 5_000

const directMark = (persona: string | null): string => `dm ${persona ?? ''}`

/**
 * Up to when each connection has handed over its private messages. Written at most every few seconds: a mark that is
 * too old only fetches some again, which the ledger knows by their keys.
 */
export class DirectMarks {
  readonly #cursors: Cursors
  readonly #writtenMs = new Map<string, number>()
  /** Whose missed ones are not in the ledger yet: their marks stay where they are. The key of the last one, once that is known. */
  readonly #behind = new Map<string, string | null>()

  constructor(cursors: Cursors) {
    this.#cursors = cursors
  }

  /** What a connection missed is asked for. */
  asked({ persona }: Voice): void {
    this.#behind.set(directMark(persona), null)
  }

  /** That is all of it, and about to be handed over. */
  found({ persona }: Voice, events: readonly ChatEvent[]): void {
    const last = events.at(-1)
    if (last) this.#behind.set(directMark(persona), last.key)
    else this.#behind.delete(directMark(persona))
  }

  async keep(events: readonly ChatEvent[]): Promise<void> {
    const nowMs = performance.now()
    for (const { place, atMs, key } of events) {
      if (!place.private) continue
      const name = directMark(parseDirect(place.channel)?.persona ?? null)
      if (this.#behind.get(name) === key) this.#behind.delete(name)
      if (this.#behind.has(name)) continue
      if (nowMs - (this.#writtenMs.get(name) ?? -directMarkMs) < directMarkMs) continue
      this.#writtenMs.set(name, nowMs)
      await this.#cursors.set(name, String(atMs))
    }
  }
}

/** `fromMs`: by our clock. */
export function gapOf(voice: Voice, channel: string, fromMs: number, reason: string): GapEvent {
  const { network, nonce, fold } = voice.heard
  const { nick } = voice.session
  const nowMs = Date.now()
  return {
    kind: 'gap',
    key: `${network}:gap/${nonce}/${channel}`,
    place: channelPlace(channel, voice.heard),
    sender: { id: `~${fold(nick)}` as UserId, name: nick, kind: 'self', verified: false },
    atMs: nowMs,
    origin: 'backfill',
    fromMs: Math.min(fromMs, nowMs),
    reason,
  }
}

/** When that was said by our clock: it stands as the server stamped it, as far as that can be true. */
export const heardMs = ({ session }: Voice, { atMs }: Heardpoint): number => atMs - keptAheadMs(session.clock)

const backfill = (voice: Voice, lines: readonly Line[], channel: string): ChatEvent[] =>
  lines.flatMap(line => voice.events(line, channel))

/** Everything of a channel since `heard`, oldest first, in pages; with a `gap` in front where some is gone. */
export async function* missed(
  voice: Voice,
  channel: string,
  heard: Heardpoint | null,
  epoch: Epoch,
): AsyncGenerator<ChatEvent[]> {
  if (heard === null) {
    const pages: Line[][] = []
    for await (const page of pagesBack(voice.history, channel, firstLines)) pages.unshift(page)
    for (const page of pages) yield backfill(voice, page, channel)
    return
  }
  const known = !heard.id.startsWith('~') && (await holds(voice.history, channel, heard.id))
  const reason =
    epoch === 'cut'
      ? 'the server ended while we were away'
      : known || epoch === 'whole'
        ? null
        : 'the server no longer has what was said here'
  if (reason !== null) yield [gapOf(voice, channel, heardMs(voice, heard), reason)]
  const point = known ? `msgid=${heard.id}` : timestamp(heardMs(voice, heard) + voice.session.clock.aheadMs)
  for await (const page of pagesAfter(voice.history, channel, point)) yield backfill(voice, page, channel)
}

/** The same from the replay a server sends at JOIN (InspIRCd `+H`), which can't be asked for more. `all`: it is all that was missed. */
export function missedByReplay(
  voice: Voice,
  channel: string,
  heard: Heardpoint | null,
  replay: readonly Line[],
  all: boolean,
): ChatEvent[] {
  if (heard === null || all) return backfill(voice, replay, channel)
  const at = replay.findLastIndex(line => line.tags['msgid'] === heard.id)
  if (at !== -1) return backfill(voice, replay.slice(at + 1), channel)
  const reason =
    replay.length === 0
      ? 'the server keeps no history of this channel'
      : 'the replay of the server does not reach back far enough'
  return [gapOf(voice, channel, heardMs(voice, heard), reason), ...backfill(voice, replay, channel)]
}

/** Private messages that came while this connection was away. */
export async function missedDirect(voice: Voice, cursors: Cursors): Promise<ChatEvent[]> {
  const name = directMark(voice.persona)
  const since = await cursors.get(name)
  if (since === null) {
    await cursors.set(name, String(Date.now() + voice.session.clock.aheadMs))
    return []
  }
  const from = timestamp(Number(since) - 1)
  const to = timestamp(Date.now() + 86_400_000)
  const targets = await ifSupported(voice.history.ask(`TARGETS ${from} ${to} ${voice.history.page}`))
  const events: ChatEvent[] = []
  for (const { params } of targets) {
    const target = params[1] ?? ''
    if (target !== '' && !voice.session.isChannel(target))
      events.push(...(await ifSupported(saidTo(voice, target, from))))
  }
  return events
}

async function saidTo(voice: Voice, target: string, from: string): Promise<ChatEvent[]> {
  const events: ChatEvent[] = []
  for await (const page of pagesAfter(voice.history, target, from))
    events.push(...page.flatMap(line => voice.events(line, target)))
  return events
}

/** What a server does not do, for all or for one, is nothing of it. */
async function ifSupported<T>(asked: Promise<readonly T[]>): Promise<readonly T[]> {
  try {
    return await asked
  } catch (error) {
    if (error instanceof ChanopError && error.code === 'unsupported') return []
    throw error
  }
}
