import { backoffMs, sleep } from '../../core/retry.ts'
import { faultOf, isPassing, refusalOf } from './link/faults.ts'
import { type Ask, path, type Wire } from './link/wire.ts'
import { type Json, type RoomEvent, roomEvents, string } from './native.ts'

const pageEvents = 500
/** A page that is too much for the server, or for what stands before it, is asked for in smaller ones, down to these. */
const leastEvents = 10
/** What we may not see is left out of a page: so many may be empty one behind the other. */
const mostEmpty = 200
/** Who fails so often is given back to whoever asked. */
const mostAttempts = 8
const backoff = { firstMs: 500, maxMs: 30_000 }

/** Where a stretch of history begins and ends: tokens as /sync and /messages give them. */
interface Stretch {
  readonly room: string
  /** Undefined: the room's beginning. */
  readonly from: string | undefined
  readonly to: string | undefined
}

/** Asks until the server answers, or says that it never will, or fails again and again; rejects then with why, and when told to stop. */
async function persist<T>(ask: (attempt: number) => Promise<T>, signal: AbortSignal): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await ask(attempt)
    } catch (error) {
      const fault = faultOf(error)
      const broken = refusalOf(error)?.status !== 429 && attempt >= mostAttempts
      if (fault.retry === 'never' || broken || signal.aborted) throw error
      await sleep(fault.afterMs ?? backoffMs(backoff, attempt), signal)
    }
  }
}

/** What happened between two points, oldest first, in pages. */
export const pagesBetween = (
  wire: Wire,
  { room, from, to }: Stretch,
  signal: AbortSignal,
): AsyncGenerator<RoomEvent[]> =>
  pages({ dir: 'f', ...(to === undefined ? {} : { to }) }, from, query =>
    persist(attempt => {
      const limit = Math.max(leastEvents, pageEvents >> attempt)
      return wire.ask('GET', path`/rooms/${room}/messages`, { query: { ...query, limit }, deadlineMs: 60_000, signal })
    }, signal),
  )

/** Our newest words in a room first, in pages, as far back as the server goes. */
export const pagesBack = (wire: Wire, room: string): AsyncGenerator<RoomEvent[]> =>
  pages({ dir: 'b' }, undefined, query => wire.ask('GET', path`/rooms/${room}/messages`, { query }))

type Query = NonNullable<Ask['query']>

async function* pages(
  about: Query,
  from: string | undefined,
  ask: (query: Query) => Promise<Json>,
): AsyncGenerator<RoomEvent[]> {
  let empty = 0
  for (let at = from; ; ) {
    const page = await ask({ ...about, limit: pageEvents, ...(at === undefined ? {} : { from: at }) })
    const events = roomEvents(page['chunk'] as readonly unknown[])
    if (events.length > 0) yield events
    empty = events.length > 0 ? 0 : empty + 1
    const next = string(page['end'])
    if (empty > mostEmpty || next === undefined || next === at || next === about['to']) return
    at = next
  }
}

/** The point behind an event; null when the server has no such event (any more) in that room. */
export async function pointAfter(wire: Wire, room: string, event: string, signal: AbortSignal): Promise<string | null> {
  try {
    const around = await persist(
      () => wire.ask('GET', path`/rooms/${room}/context/${event}`, { query: { limit: 0 }, signal }),
      signal,
    )
    return string(around['end']) ?? null
  } catch (error) {
    const status = refusalOf(error)?.status
    if ((status === 404 || status === 403) && !isPassing(error)) return null
    throw error
  }
}
