import type { ChatEvent, MemberEvent } from '../../../core/event.ts'
import type { Ledger } from '../../../core/ledger/ledger.ts'
import { enqueue } from '../../../core/ledger/out/deliveries.ts'
import type { Stored } from '../../../core/ledger/record/events.ts'
import { nextSplitMs, takeSplits } from '../../../core/ledger/record/netsplits.ts'
import type { Log } from '../../../core/log.ts'
import { sleep } from '../../../core/retry.ts'
import type { Rooms } from '../../../core/rooms.ts'
import { relaysSplit } from '../relay/relay.ts'

export const isMemberFact = (fact: Stored): fact is Stored<MemberEvent> => fact.event.kind === 'member'

export const isSplit = (event: ChatEvent): boolean =>
  event.kind === 'member' && event.change === 'leave' && event.split === true && event.origin === 'live'

export interface SplitsOptions {
  readonly ledger: Ledger
  readonly rooms: Rooms
  readonly log: Log
  readonly signal: AbortSignal
}

const againMs = 1000

/** Tells netsplits once those who left are collected: what is to be told, and when, stands in the ledger. */
export class Splits {
  readonly #o: SplitsOptions
  #waiting = false

  constructor(options: SplitsOptions) {
    this.#o = options
  }

  /** Looks whether there is one to be told, now or later. Never rejects. */
  look(): void {
    if (this.#waiting) return
    const atMs = this.#o.ledger.readNow(nextSplitMs)
    if (atMs === null) return
    this.#waiting = true
    void this.#tellAt(atMs).finally(() => {
      this.#waiting = false
      if (!this.#o.signal.aborted) this.look()
    })
  }

  async #tellAt(atMs: number): Promise<void> {
    const { ledger, log, rooms, signal } = this.#o
    await sleep(Math.max(0, atMs - Date.now()), signal)
    if (signal.aborted) return
    try {
      await ledger.write(db => {
        const nowMs = Date.now()
        const told = takeSplits(db, nowMs).flatMap(({ first, left }) => relaysSplit(db, first, left, rooms))
        for (const delivery of told) enqueue(db, delivery, nowMs)
      })
    } catch (error) {
      log.warn({ error }, 'a netsplit could not be told yet')
      await sleep(againMs, signal)
    }
  }
}
