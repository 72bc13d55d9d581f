import type { Stored } from '../../../core/ledger/record/events.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import { dayMs, escapeInline, truncate } from '../../../core/text/text.ts'
import { spoken } from '../record/format.ts'
import { currentLine } from '../record/line.ts'

/** `21:02`, or `04-01 21:02` when it is another day, or with the year when it is another year. UTC. */
export function clock(atMs: number, nowMs: number): string {
  const [at, now] = [new Date(atMs).toISOString(), new Date(nowMs).toISOString()]
  if (at.slice(0, 10) === now.slice(0, 10)) return at.slice(11, 16)
  return nowMs - atMs < 300 * dayMs
    ? `${at.slice(5, 10)} ${at.slice(11, 16)}`
    : `${at.slice(0, 10)} ${at.slice(11, 16)}`
}

/** One message for programs; null: nothing of it is left. */
export function shortData(db: Tx, stored: Stored): object | null {
  const line = currentLine(db, stored)
  if (!line) return null
  const { seq, room, event } = stored
  const { id, name } = event.sender
  return { seq, room, atMs: event.atMs, sender: { network: event.place.network, id, name }, text: spoken(line) }
}

/** One message on one line: time, number for `log show`, who and what. Nothing in it is markup. */
export function shortLine(
  db: Tx,
  stored: Stored,
  nowMs: number,
  { room, full = false }: { room?: string | undefined; full?: boolean } = {},
): string {
  const line = currentLine(db, stored)
  if (!line) return ''
  const where = room === undefined ? '' : ` [${escapeInline(room)}]`
  return `${clock(stored.event.atMs, nowMs)} #${stored.seq}${where} ${escapeInline(full ? spoken(line) : truncate(spoken(line), 240))}`
}
