import { backoffMs, sleep } from '../../core/retry.ts'
import { faultOf, isPassing, refusalOf } from './link/faults.ts'
import { type Ask, path, type Wire } from './link/wire.ts'
import { type Json, type RoomEvent, roomEvents, string } from './native.ts'

const pageEvents = 500
/** Where the server answers, and always with a fault of its own, it will not do better. */
const mostAttempts = 8
const backoff = { firstMs: 500, maxMs: 30_000 }

/** Where a stretch of history begins and ends: tokens as /sync and /messages give them. */
interface Stretch {
  readonly room: string
  readonly from: string
  readonly to: string | undefined
}

/** Asks until the server answers or says that it never will; rejects then with what it said, and when told to stop. */
async function persist<T>(ask: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await ask()
    } catch (error) {
      const fault = faultOf(error)
      const refusal = refusalOf(error)
      const broken = refusal !== null && refusal.status !== 429 && attempt >= mostAttempts
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
    persist(() => wire.ask('GET', path`/rooms/${room}/messages`, { query, deadlineMs: 60_000, signal }), signal),
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
  for (let at = from; ; ) {
    const page = await ask({ ...about, limit: pageEvents, ...(at === undefined ? {} : { from: at }) })
    const events = roomEvents(page['chunk'] as readonly unknown[])
    if (events.length > 0) yield events
    const next = string(page['end'])
    if (events.length === 0 || next === undefined || next === at || next === about['to']) return
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
