import { maySee } from '../../../core/access/visibility.ts'
import { currentAfter } from '../../../core/ledger/record/history.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import type { Log } from '../../../core/log.ts'
import type { Interior } from '../../../core/process/interior.ts'
import type { Holder } from '../access.ts'
import type { Rights } from '../rights.ts'
import { Fact } from './fact.ts'

/** One open stream. */
export interface Reader {
  readonly holder: Holder
  /** Names of rooms as facts carry them; null: all that it may see. */
  readonly rooms: ReadonlySet<string> | null
  /** The last number that is done with. */
  cursor: number
  /** Its connection takes nothing more at the moment. */
  readonly full: boolean
  /** Facts in order, up to a number: what is not among them is not for it. */
  give(facts: readonly Fact[], upTo: number): void
  /** Says why and closes. */
  end(reason: string): void
}

const page = 500
/** Facts that are kept at hand: who is further behind reads the ledger. */
const mostKept = 2000
/** Readers that are served in one turn of the event loop. */
const atOnce = 100
/** A reader whose connection takes nothing for so long is cut. */
export const patienceMs = 30_000

/**
 * Hands facts to all open streams: read once from the ledger for those who are up to date, page by page for those who are
 * not. Nothing is kept for a reader but its number, so that a slow one costs nothing, and one that comes back misses nothing.
 */
export class Hub {
  readonly #interior: Interior
  readonly #rights: Rights
  readonly #log: Log
  readonly #readers = new Set<Reader>()
  readonly #blockedMs = new Map<Reader, number>()
  /** Facts after the number `#from` up to `#upTo`. */
  #kept: Fact[] = []
  #from = 0
  #upTo = 0
  #queue: Reader[] = []
  #scheduled = false

  constructor(interior: Interior, rights: Rights, log: Log) {
    this.#interior = interior
    this.#rights = rights
    this.#log = log
  }

  get size(): number {
    return this.#readers.size
  }

  ofAccount(account: string): number {
    return [...this.#readers].filter(({ holder }) => holder.account === account).length
  }

  /** Serves a reader until the returned function is called. */
  add(reader: Reader): () => void {
    if (this.#readers.size === 0) this.#startAt(this.#interior.ledger.newestSeq())
    this.#readers.add(reader)
    this.#serveSoon([reader])
    return () => {
      this.#readers.delete(reader)
      this.#blockedMs.delete(reader)
    }
  }

  /** The ledger has grown, or a connection takes something again. */
  look(which: Iterable<Reader> = this.#readers): void {
    if (this.#readers.size > 0) this.#serveSoon(which)
  }

  endAll(reason: string): void {
    for (const reader of this.#readers) reader.end(reason)
    this.#readers.clear()
  }

  #serveSoon(which: Iterable<Reader>): void {
    const queued = new Set(this.#queue)
    for (const reader of which) if (!queued.has(reader)) this.#queue.push(reader)
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => this.#serve())
  }

  #serve(): void {
    this.#scheduled = false
    const turn = this.#queue.splice(0, atOnce)
    try {
      this.#interior.ledger.readNow(tx => {
        this.#readOn(tx)
        const behind = turn.filter(reader => this.#readers.has(reader) && this.#give(tx, reader))
        this.#queue.push(...behind)
      })
    } catch (error) {
      this.#log.warn({ error }, 'streams wait: the ledger can not be read')
      return
    }
    if (this.#queue.length > 0) this.#serveSoon([])
  }

  /** Reads what is new, for everybody. */
  #readOn(tx: Tx): void {
    const fresh = currentAfter(tx, this.#upTo, page).map(stored => new Fact(stored))
    const last = fresh.at(-1)
    if (!last) return
    this.#upTo = last.seq
    this.#kept.push(...fresh)
    const over = this.#kept.length - mostKept
    if (over <= 0) return
    this.#from = this.#kept.splice(0, over).at(-1)?.seq ?? this.#from
  }

  #startAt(seq: number): void {
    this.#kept = []
    this.#from = seq
    this.#upTo = seq
  }

  /** True: there is more for it. */
  #give(tx: Tx, reader: Reader): boolean {
    const nowMs = Date.now()
    const sight = this.#rights.of(tx, reader.holder, nowMs)
    if (!sight) {
      this.#cut(reader, 'the key counts no more')
      return false
    }
    if (reader.full) {
      const since = this.#blockedMs.get(reader) ?? nowMs
      this.#blockedMs.set(reader, since)
      if (nowMs - since > patienceMs)
        this.#cut(reader, 'too slow: nothing was taken for 30 s; go on with Last-Event-ID')
      return false
    }
    this.#blockedMs.delete(reader)
    const facts = this.#after(tx, reader.cursor)
    const last = facts.at(-1)?.seq
    if (last === undefined) return false
    const { rooms } = reader
    reader.give(
      facts.filter(({ stored }) => maySee(sight.visible, stored) && (rooms === null || rooms.has(stored.room))),
      last,
    )
    reader.cursor = last
    return facts.length >= page
  }

  #after(tx: Tx, cursor: number): readonly Fact[] {
    if (cursor >= this.#upTo) return []
    if (cursor < this.#from) return currentAfter(tx, cursor, page).map(stored => new Fact(stored))
    const from = this.#kept.findIndex(({ seq }) => seq > cursor)
    return from === -1 ? [] : this.#kept.slice(from, from + page)
  }

  #cut(reader: Reader, reason: string): void {
    this.#readers.delete(reader)
    this.#blockedMs.delete(reader)
    reader.end(reason)
  }
}
