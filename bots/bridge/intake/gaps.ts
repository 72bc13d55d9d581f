import { formatPlace, type GapEvent } from '../../../core/event.ts'
import type { Stored } from '../../../core/ledger/record/events.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import type { Rooms } from '../../../core/rooms.ts'
import { say } from '../../../core/say.ts'

const clock = (atMs: number): string => new Date(atMs).toISOString().slice(11, 16)

/**
 * Says in a room what could not be had, once for each outage: however often a connection comes and goes, nothing was heard
 * between. A notice, so that no program answers.
 */
export function tellGap(tx: Tx, { event }: Stored<GapEvent>, rooms: Rooms, nowMs: number): void {
  const { place, fromMs, reason } = event
  const room = rooms.from(place)
  const where = formatPlace(place)
  const line = `some of what was said in ${where} between ${clock(fromMs)} and ${clock(event.atMs)} UTC may be missing: ${reason}`
  const content = { segments: [{ kind: 'text' as const, text: line }], style: 'notice' as const }
  say(tx, { bot: 'bridge', content, in: room, key: `gap.${where}.${fromMs}` }, nowMs)
}
