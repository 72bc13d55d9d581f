import { backoffMs, sleep } from '../../core/retry.ts'
import { faultOf, refusalOf } from './link/faults.ts'
import { path, type Wire } from './link/wire.ts'
import { type RoomEvent, roomEvents, string } from './native.ts'

const pageEvents = 500
/** Where the server answers, and always with a fault of its own, it will not do better. */
const mostAttempts = 8
const backoff = { firstMs: 500, maxMs: 30_000 }

/** Where a stretch of history begins and ends: tokens as /sync and /messages give them. */
export interface Stretch {
  readonly room: string
  readonly from: string
  readonly to?: string
}

/** Asks until the server answers or says that it never will; rejects then, and when told to stop. */
async function persist<T>(ask: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await ask()
    } catch (error) {
      const fault = faultOf(error)
      const broken = (refusalOf(error)?.status ?? 0) >= 500 && attempt >= mostAttempts
      if (fault.retry === 'never' || broken || signal.aborted) throw fault
      await sleep(fault.afterMs ?? backoffMs(backoff, attempt), signal)
    }
  }
}

/** What happened between two points, oldest first, in pages. */
export async function* pagesBetween(
  wire: Wire,
  { room, from, to }: Stretch,
  signal: AbortSignal,
): AsyncGenerator<RoomEvent[]> {
  for (let at = from; !signal.aborted; ) {
    const query = { dir: 'f', limit: pageEvents, from: at, ...(to === undefined ? {} : { to }) }
    const page = await persist(
      () => wire.ask('GET', path`/rooms/${room}/messages`, { query, deadlineMs: 60_000, signal }),
      signal,
    )
    const events = roomEvents(page['chunk'] as readonly unknown[])
    if (events.length > 0) yield events
    const next = string(page['end'])
    if (events.length === 0 || next === undefined || next === at || next === to) return
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
    const status = refusalOf((error as Error).cause)?.status
    if (status === 404 || status === 403) return null
    throw error
  }
}

/** Our newest words in a room first, in pages, as far back as the server goes. */
export async function* pagesBack(wire: Wire, room: string): AsyncGenerator<RoomEvent[]> {
  for (let at: string | undefined; ; ) {
    const query = { dir: 'b', limit: pageEvents, ...(at === undefined ? {} : { from: at }) }
    const page = await wire.ask('GET', path`/rooms/${room}/messages`, { query })
    const events = roomEvents(page['chunk'] as readonly unknown[])
    if (events.length > 0) yield events
    const next = string(page['end'])
    if (events.length === 0 || next === undefined || next === at) return
    at = next
  }
}
