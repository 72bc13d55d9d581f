import type { MessageEvent } from '../../../core/event.ts'
import { bySeq, type RecentMessage, recent, type Stored } from '../../../core/ledger/record/events.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import { traceKey } from '../../../core/say.ts'
import type { Ear } from '../ear.ts'

const batch = 100
const mostBatches = 20

/**
 * Whether it is what a bot answered to a command, at once or later, or the trace that it did so elsewhere: no talk, and shown
 * only when it is asked for.
 */
export function isListing(db: Tx, { event }: Stored<MessageEvent>, ear: Ear): boolean {
  if (event.sender.kind !== 'self') return false
  if (event.id.startsWith(`say:${traceKey}`)) return true
  const [, bot, asked] = /^say:([a-z]+)\.(\d+)(?:\.[a-z]+)?$/.exec(event.id) ?? []
  if (asked === undefined) return false
  const question = bySeq(db, Number(asked))?.event
  // What the oracle says when it is talked to has the same form.
  return bot !== 'oracle' || (question?.kind === 'message' && ear.hear(db, question).command)
}

/** The newest messages of a room that are wanted, oldest first, however many others stand between them. */
export function newestOf(
  db: Tx,
  room: string,
  { limit, before }: { readonly limit: number; readonly before: number },
  wanted: (message: RecentMessage) => boolean,
): RecentMessage[] {
  const found: RecentMessage[] = []
  for (let at = before, n = 0; found.length < limit && n < mostBatches; n++) {
    const some = recent(db, room, batch, at)
    found.unshift(...some.filter(wanted))
    if (some.length < batch) break
    at = some[0]?.seq ?? 0
  }
  return found.slice(-limit)
}
