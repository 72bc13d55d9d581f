import type { Cursors, Found } from '../../../core/adapter.ts'
import { ChanopError } from '../../../core/error.ts'
import type { MessageId, Place } from '../../../core/event.ts'
import type { Replayed } from '../channel.ts'
import type { Voice } from '../people/voice.ts'
import { ownMark } from '../text/inbound.ts'
import { serverTimeMs } from '../text/line.ts'
import { pagesBack } from './history.ts'

/** How far back a lost delivery is looked for. */
const mostLines = 2_000

/** Parts of a delivery that were found: tag value → id, and how many there must be. */
class Trace {
  readonly ids = new Map<string, MessageId>()
  readonly #delivery: string
  #parts = 1

  constructor(delivery: string) {
    this.#delivery = delivery
  }

  see(mark: string, id: MessageId): void {
    if (mark !== this.#delivery && !mark.startsWith(`${this.#delivery}.`)) return
    const parts = /\.\d+-(\d+)$/.exec(mark.slice(this.#delivery.length))
    if (parts) this.#parts = Number(parts[1])
    this.ids.set(mark, id)
  }

  get whole(): boolean {
    return this.ids.size > 0 && this.ids.size >= this.#parts
  }

  get inOrder(): MessageId[] {
    const part = (mark: string): number => Number(/\.(\d+)-\d+$/.exec(mark)?.[1] ?? 0)
    return [...this.ids].sort(([a], [b]) => part(a) - part(b)).map(([, id]) => id)
  }
}

export interface Search {
  readonly voice: Voice
  readonly cursors: Cursors
  readonly place: Place
  /** The channel or nick as the server knows it. */
  readonly target: string
  readonly deliveryId: string
  /** When it was made, by the server's clock; null: that is not known. */
  readonly madeMs: number | null
  readonly replayed: Replayed | null
  /** Told of the parts that arrived when others did not: the next `send` of this delivery leaves them out. */
  partly(ids: ReadonlyMap<string, MessageId>): void
}

/** Looks for our own delivery tag in what the server remembers. */
export async function findDelivery(search: Search): Promise<Found> {
  const { voice, deliveryId } = search
  const trace = new Trace(deliveryId)
  if (!voice.session.has('message-tags')) return 'cannot-tell'
  const known = voice.history.available ? await inHistory(search, trace) : inReplay(search, trace)
  if (trace.whole) return trace.inOrder
  if (!known) return 'cannot-tell'
  if (trace.ids.size > 0) search.partly(trace.ids)
  return 'not-sent'
}

/** Whether something said at `atMs` was said before the delivery was made: less than this apart, clocks can't tell. */
const clocksMs = 5_000
const isBefore = ({ madeMs }: Search, atMs: number): boolean => madeMs === null || atMs <= madeMs - clocksMs

function inReplay(search: Search, trace: Trace): boolean {
  const { replayed } = search
  if (replayed === null) return false
  for (const [mark, id] of replayed.marks) trace.see(mark, id)
  return replayed.whole && (replayed.fromMs === null || isBefore(search, replayed.fromMs))
}

/** When the server began (RPL_CREATED), where it says so with its zone. It remembers what was said since. */
const beganMs = ({ session }: Voice): number =>
  Date.parse(/ created (.* (?:UTC|GMT))$/.exec(session.created)?.[1] ?? '')

/**
 * False when the history does not reach back to what was said before the delivery, as the ledger knows it: the server may
 * have lost it, and what was heard since says nothing of that.
 */
async function inHistory(search: Search, trace: Trace): Promise<boolean> {
  const { voice, cursors, place, target, madeMs } = search
  const heard = place.private ? null : await cursors.newest(place)
  let reached = heard === null ? isBefore(search, beganMs(voice)) : heard.id.startsWith('~')
  try {
    for await (const page of pagesBack(voice.history, target, mostLines)) {
      for (const line of page) {
        const id = (line.tags['msgid'] ?? '') as MessageId
        const atMs = serverTimeMs(line)
        if (id === heard?.id && isBefore(search, heard.atMs)) reached = true
        if (madeMs !== null && atMs !== null && isBefore(search, atMs)) reached = true
        const mark = ownMark(line, voice.heard)
        if (mark !== null) trace.see(mark, id)
      }
      if (trace.whole) return true
    }
  } catch (error) {
    if (error instanceof ChanopError && error.code === 'unsupported') return false
    throw error
  }
  return reached
}
