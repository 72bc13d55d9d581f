/** When something was said, where it is shown much later. */
import { type Act, type ChatEvent, type Content, type Segment, saidMs } from '../../../core/event.ts'
import { type Delivery, markDated } from '../../../core/ledger/out/deliveries.ts'
import type { Tx } from '../../../core/ledger/tx.ts'

/** What is passed on so much later is shown with the time when it was said. */
export const usualLateMs = 60_000

/** `[14:05 UTC] `, with the day when that is another one. */
function stamp(atMs: number, nowMs: number): Segment {
  const [at, now] = [atMs, nowMs].map(ms => new Date(ms).toISOString()) as [string, string]
  const day = at.slice(0, 10) === now.slice(0, 10) ? '' : `${at.slice(0, 10)} `
  return { kind: 'text', text: `[${day}${at.slice(11, 16)} UTC] ` }
}

export const dated = (content: Content, atMs: number, nowMs: number): Content => ({
  ...content,
  segments: [stamp(atMs, nowMs), ...content.segments],
})

/** Whether a fact comes so late that what is passed on of it says when it was. */
export const isLate = (event: ChatEvent, nowMs: number, lateMs: number): boolean =>
  event.origin === 'backfill' && nowMs - saidMs(event) > lateMs

/** A copy that had to wait for its network says from when it is, in the ledger too: however often it is tried, it reads the same. */
export function datedIfLate(db: Tx, delivery: Delivery, nowMs: number, lateMs: number): Delivery {
  const { act, bot, source, createdMs, retried } = delivery
  if (act.do !== 'send' || act.dated || retried || bot !== 'bridge' || source === null) return delivery
  if (nowMs - createdMs <= lateMs) return delivery
  const content = dated(act.content, createdMs, nowMs)
  return markDated(db, delivery, { ...act, content, dated: true } satisfies Act)
}
