import { isNowhere, type Place, text } from '../../../core/event.ts'
import { type Delivery, enqueue } from '../../../core/ledger/out/deliveries.ts'
import { bySeq, currentOf } from '../../../core/ledger/record/events.ts'
import type { Tx } from '../../../core/ledger/tx.ts'

interface Word {
  readonly place: Place
  readonly line: string
  readonly replySeq?: number
}

/** Who waits for what is theirs alone hears where they asked that it does not come; who waits for the rest of an answer, there. */
function wordOf(db: Tx, { act, place, amended }: Delivery, reason: string): Word | null {
  if (act.do === 'edit' && amended !== null && !act.draft.growing) {
    // Somebody took it away: nobody waits for its end.
    if (currentOf(db, act.seq)?.content === null) return null
    return { place, line: `this could not be said to its end here: ${reason}`, replySeq: act.seq }
  }
  if (act.do !== 'send') return null
  const asked = act.asideSeq === undefined ? null : bySeq(db, act.asideSeq)
  const line = `what was meant for you alone could not be said: ${reason}`
  if (asked) return { place: asked.event.place, line, replySeq: asked.seq }
  return (act.secret || act.only !== undefined) && !isNowhere(place) ? { place, line } : null
}

/** Tells who waits for it that an act will never be out, and not what it was. */
export function tellGivenUp(db: Tx, delivery: Delivery, reason: string, nowMs: number): void {
  const word = wordOf(db, delivery, reason)
  if (!word) return
  const { place, line, ...replying } = word
  const { act, bot } = delivery
  const as = (act.do === 'send' && act.as) || { name: bot }
  enqueue(db, { place, bot, act: { do: 'send', content: text(line), as, ...replying } }, nowMs)
}
