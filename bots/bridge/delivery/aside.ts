/** Where it is said what one person alone may see. */
import type { Adapter } from '../../../core/adapter.ts'
import { ChanopError } from '../../../core/error.ts'
import { type Content, isNowhere, type MessageId, type Place, type Sender } from '../../../core/event.ts'
import { type Delivery, settle } from '../../../core/ledger/out/deliveries.ts'
import { bySeq, newestOfKey } from '../../../core/ledger/record/events.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import { isDoor } from '../../../core/rooms.ts'
import { say, traceKey } from '../../../core/say.ts'
import { isEphemeral } from './perform.ts'

/** It can't be said to one person among others here, or their direct conversation is had only later: that waits elsewhere. */
export function leadsElsewhere(adapter: Adapter, { act, place }: Delivery, thrown: unknown): boolean {
  if (act.do !== 'send' || act.only === undefined || isNowhere(place) || !(thrown instanceof ChanopError)) return false
  return thrown.code === 'unsupported' || (thrown.code === 'send-later' && !isEphemeral(adapter, act, place))
}

/** The direct conversation for what one person alone may see, where it can't be tried among others; null: say it here. */
export function aside(adapter: Adapter, { act, place }: Delivery): Promise<Place> | null {
  if (act.do !== 'send' || act.only === undefined || isEphemeral(adapter, act, place)) return null
  if (!adapter.direct) throw new ChanopError('send-refused', 'this network can not reach one person alone')
  return adapter.direct(act.only)
}

/** It is out, and what that brings about: as `settle`. */
export function arrived(db: Tx, delivery: Delivery, ids: readonly MessageId[], nowMs: number): boolean {
  leaveTrace(db, delivery, nowMs)
  return settle(db, delivery, ids, nowMs)
}

const traceMs = 3_600_000

/** A notice: no program that it names answers. */
const traceOf = ({ id, name }: Sender): Content => ({
  segments: [
    { kind: 'mention', id, name },
    { kind: 'text', text: ': → in your DM' },
  ],
  style: 'notice',
})

/**
 * What was asked among others and is answered in a direct conversation leaves a trace where it was asked, once an hour for each
 * person and room.
 */
function leaveTrace(db: Tx, { id, act, place }: Delivery, nowMs: number): void {
  if (act.do !== 'send' || act.asideSeq === undefined || !place.private) return
  const asked = bySeq(db, act.asideSeq)
  if (!asked || isDoor(asked.event.place)) return
  const { place: where, sender } = asked.event
  const key = `${traceKey}${JSON.stringify([sender.id, asked.room])}.`
  const lastMs = newestOfKey(db, `${where.network}:say:${key}`)
  if (lastMs !== null && nowMs - lastMs < traceMs) return
  // In its one place: nobody elsewhere saw the question.
  const hall = { name: asked.room, places: [where] }
  const saying = { bot: 'admin', content: traceOf(sender), in: hall, replySeq: asked.seq }
  say(db, { ...saying, key: `${key}${id.toString(36).padStart(12, '0')}` }, nowMs)
}
