import type { Adapter } from '../../../core/adapter.ts'
import { formatPlace, text } from '../../../core/event.ts'
import type { Delivery } from '../../../core/ledger/out/deliveries.ts'
import { bySeq } from '../../../core/ledger/record/events.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import { say } from '../../../core/say.ts'

/** Causes that are told of one place until something gets through again: some servers quote what they refuse. */
const mostCauses = 10
/** A channel that works again so soon keeps nobody waiting. */
const patienceMs = 2_000

/** Tells where something was said that it does not arrive elsewhere: once for each cause, until something gets through. */
export class Refusals {
  readonly #told = new Map<number, Set<string>>()

  /** Something arrived there. */
  through(placeId: number): void {
    this.#told.delete(placeId)
  }

  refused(db: Tx, delivery: Delivery, reason: string, nowMs: number): void {
    this.#tell(db, delivery, { reason, line: `not delivered to ${formatPlace(delivery.place)}: ${reason}` }, nowMs)
  }

  /** It waits for a channel that does not work. */
  waits(db: Tx, delivery: Delivery, adapter: Adapter | undefined, nowMs: number): void {
    const channel = delivery.place.channel.toLowerCase()
    const trouble = adapter?.status().troubles?.find(each => each.channel.toLowerCase() === channel)
    if (!trouble || nowMs - trouble.sinceMs < patienceMs) return
    const { reason } = trouble
    const line = `not delivered to ${formatPlace(delivery.place)} yet: ${reason}; it waits until that is over`
    this.#tell(db, delivery, { reason, line }, nowMs)
  }

  #tell(db: Tx, { id, act, place, placeId, source }: Delivery, cause: { reason: string; line: string }, nowMs: number) {
    if (act.do !== 'send' || source === null || act.secret || act.only !== undefined) return
    const said = bySeq(db, source)
    if (!said || said.event.place.private || formatPlace(said.event.place) === formatPlace(place)) return
    const told = this.#told.get(placeId) ?? new Set()
    if (told.has(cause.reason) || told.size >= mostCauses) return
    this.#told.set(placeId, told.add(cause.reason))
    // A notice: no program answers. Not to the whole room: the place that does not work is one of its places.
    const content = { ...text(cause.line), style: 'notice' as const }
    say(
      db,
      { bot: 'bridge', content, in: { name: said.room, places: [said.event.place] }, key: `refused.${id}` },
      nowMs,
    )
  }
}
