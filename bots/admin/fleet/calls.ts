import { keepAnswers, openCallSeqs } from '../../../core/ledger/out/calls.ts'
import type { Stored } from '../../../core/ledger/record/events.ts'
import { messageOf } from '../../../core/ledger/record/events.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import { plain } from '../../../core/text/text.ts'
import { callOfLine, type OpenCall, obeys, openedCall } from './call.ts'

/** How long after a reaction its message may become known. */
const earlyMs = 5000

/** The calls whose answers are counted, as the ledger holds them and as they were answered since. */
export class Calls {
  readonly #open = new Map<number, OpenCall>()
  readonly #changed = new Set<number>()
  /** Reactions to a line of ours that the bridge has not noted as sent yet. */
  #early = new Set<Stored>()

  get size(): number {
    return this.#open.size
  }

  /** Takes note of calls that were opened, by whomever. */
  refresh(tx: Tx): void {
    for (const seq of openCallSeqs(tx)) {
      const call = this.#open.has(seq) ? null : openedCall(tx, seq)
      if (call) this.#open.set(seq, call)
    }
    const early = this.#early
    this.#early = new Set()
    for (const stored of early) this.heard(tx, stored)
  }

  /**
   * An answer is a message of one who was asked, or a reaction to the call, in the same room; a stop is
   * obeyed, wherever that is said, by one who says so. */
  heard(tx: Tx, stored: Stored): void {
    const { event } = stored
    if (this.#open.size === 0 || !event.sender.verified) return
    if (event.kind !== 'message' && event.kind !== 'reaction') return
    const account = `${event.place.network}\n${event.sender.id}`
    for (const call of this.#open.values()) {
      const label = call.labels.get(account)
      if (label === undefined || call.answered.has(label)) continue
      const verdict = answers(tx, stored, call)
      if (verdict === 'later') this.#early.add(stored)
      if (verdict === 'otherwise') call.otherwise.add(label)
      if (verdict !== true) continue
      call.answered.add(label)
      this.#changed.add(call.seq)
    }
  }

  /** Calls that all have answered, and with `late` those whose time is over too. */
  due(nowMs: number, late: boolean): OpenCall[] {
    return [...this.#open.values()].filter(
      call => call.answered.size >= call.asked.length || (late && call.untilMs <= nowMs),
    )
  }

  /** When the next one ends by itself; null: none is open. */
  get nextMs(): number | null {
    return this.#open.size === 0 ? null : Math.min(...[...this.#open.values()].map(({ untilMs }) => untilMs))
  }

  closed(call: OpenCall): void {
    this.#open.delete(call.seq)
    this.#changed.delete(call.seq)
  }

  get dirty(): boolean {
    return this.#changed.size > 0
  }

  /** Writes who has answered: in the transaction that moves the cursor past their answers. */
  keep(tx: Tx): void {
    for (const seq of this.#changed) {
      const call = this.#open.get(seq)
      if (call) keepAnswers(tx, seq, call.answered)
    }
  }

  kept(): void {
    this.#changed.clear()
  }
}

function answers(tx: Tx, stored: Stored, call: OpenCall): boolean | 'later' | 'otherwise' {
  const { event } = stored
  if (stored.seq <= call.seq) return false
  if (event.kind === 'message') {
    if (call.kind !== 'mention') return obeys(call.kind, plain(event.content)) || 'otherwise'
    return stored.room === call.stored.room
  }
  if (event.kind !== 'reaction' || event.removed) return false
  const target = messageOf(tx, event.place, event.target)
  if (target === null) return Date.now() - stored.receivedMs < earlyMs ? 'later' : false
  return target.seq === call.seq || callOfLine(target.event) === call.seq
}
