import { maySee } from '../../../core/access/visibility.ts'
import { currentAfter } from '../../../core/ledger/record/history.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import type { Log } from '../../../core/log.ts'
import type { Interior } from '../../../core/process/interior.ts'
import type { Holder } from '../door/access.ts'
import type { Rights, Sight } from '../door/rights.ts'
import { Batch, Fact } from './fact.ts'

/** One open stream. */
export interface Reader {
  readonly holder: Holder
  /** Names of rooms as facts carry them; null: all that it may see. */
  readonly rooms: ReadonlySet<string> | null
  /** The last number that is done with. */
  cursor: number
  /** Its connection takes nothing more at the moment. */
  readonly full: boolean
  /** What comes next, at least one fact; many readers get the same. */
  give(batch: Batch): void
  /** Shows that the connection lives, about every 15 s. */
  beat(): void
  /** Says why and closes. */
  end(reason: string): void
}

/** What the hub knows of a reader. */
interface Seat {
  /** Its rooms in one word: readers of the same rooms are given the same. */
  readonly about: string
  /** Since when its connection takes nothing; 0: it takes something. */
  fullMs: number
  beatMs: number
}

/** Facts that are read at once. */
const page = 200
/** No more is given at once, but for the last fact. */
const mostChars = 200_000
/** Facts that are kept at hand: who is further behind reads the ledger. */
const mostKept = 2000
/** One turn of the event loop has readers served for about so long; then the rest of the process has three times as long. */
const turnMs = 1
const restTimes = 3
/** Rounds are so far apart for each reader in them: at most 4,000 writes a second, whose cost is hardly that of what is in them. */
const readerMs = 0.25
const beatMs = 15_000
/** A reader whose connection takes nothing for so long is cut. */
export const patienceMs = 30_000

/**
 * Hands facts to all open streams, round by round: what is new is read once, put into words once for all who get the same, and
 * each reader gets all of it in one piece. However many there are, rounds take a quarter of the event loop's time: they take
 * longer then, and hand out more at once. Nothing is kept for a reader but its number, so that a slow one costs nothing, and
 * one that comes back misses nothing.
 */
export class Hub {
  readonly #interior: Interior
  readonly #rights: Rights
  readonly #log: Log
  readonly #readers = new Map<Reader, Seat>()
  /** Facts after the number `#from` up to `#upTo`. */
  #kept: Fact[] = []
  #from = 0
  #upTo = 0
  /** Who is still to be served in this round. */
  #round = new Set<Reader>()
  /** Who is to be served in the next one, if not everybody. */
  #next = new Set<Reader>()
  #everybody = false
  readonly #batches = new Map<Sight, Map<string, Batch>>()
  #scheduled = false
  #restsUntilMs = 0
  #nextRoundMs = 0

  constructor(interior: Interior, rights: Rights, log: Log) {
    this.#interior = interior
    this.#rights = rights
    this.#log = log
  }

  get size(): number {
    return this.#readers.size
  }

  ofAccount(account: string): number {
    let count = 0
    for (const { holder } of this.#readers.keys()) if (holder.account === account) count++
    return count
  }

  /** Serves a reader until the returned function is called. */
  add(reader: Reader): () => void {
    if (this.#readers.size === 0) this.#startAt(this.#interior.ledger.keptSeq())
    const about = reader.rooms === null ? '*' : [...reader.rooms].sort().join('\n')
    this.#readers.set(reader, { about, fullMs: 0, beatMs: Date.now() })
    this.#next.add(reader)
    this.#schedule()
    return () => void this.#readers.delete(reader)
  }

  /** The ledger has grown, or time has gone by. */
  look(): void {
    if (this.#readers.size === 0) return
    this.#everybody = true
    this.#schedule()
  }

  /** A connection takes something again. */
  drained(reader: Reader): void {
    if (!this.#readers.get(reader)?.fullMs) return
    this.#next.add(reader)
    this.#schedule()
  }

  endAll(reason: string): void {
    for (const reader of this.#readers.keys()) reader.end(reason)
    this.#readers.clear()
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    const dueMs = this.#round.size > 0 ? this.#restsUntilMs : Math.max(this.#restsUntilMs, this.#nextRoundMs)
    const waitMs = dueMs - performance.now()
    if (waitMs < 1) setImmediate(() => this.#turn())
    else setTimeout(() => this.#turn(), waitMs)
  }

  #turn(): void {
    this.#scheduled = false
    if (this.#readers.size === 0) return
    const beganMs = performance.now()
    try {
      this.#interior.ledger.readNow(tx => {
        if (this.#round.size === 0) this.#begin(tx)
        for (const reader of this.#round) {
          this.#round.delete(reader)
          this.#serve(tx, reader)
          if (performance.now() - beganMs > turnMs) break
        }
      })
    } catch (error) {
      this.#log.warn({ error }, 'streams wait: the ledger can not be read')
      return
    }
    const nowMs = performance.now()
    this.#restsUntilMs = nowMs + (nowMs - beganMs) * restTimes
    if (this.#round.size > 0 || this.#next.size > 0 || this.#everybody) this.#schedule()
  }

  /** The next round, once all that is new is at hand. */
  #begin(tx: Tx): void {
    if (this.#readOn(tx)) return
    this.#batches.clear()
    this.#round = this.#everybody ? new Set(this.#readers.keys()) : this.#next
    this.#next = new Set()
    this.#everybody = false
    this.#nextRoundMs = performance.now() + this.#round.size * readerMs
  }

  /** Reads what is new and on the disk, for everybody. True: there is more. */
  #readOn(tx: Tx): boolean {
    const fresh = factsAfter(tx, this.#upTo, this.#interior.ledger.keptSeq())
    this.#renew(tx, fresh)
    this.#upTo = fresh.at(-1)?.seq ?? this.#upTo
    this.#kept.push(...fresh)
    const over = this.#kept.length - mostKept
    if (over > 0) this.#from = this.#kept.splice(0, over).at(-1)?.seq ?? this.#from
    return fresh.length === page
  }

  /** A message at hand that was edited reads otherwise now; of one that was deleted, its edits do too. */
  #renew(tx: Tx, fresh: readonly Fact[]): void {
    const targetsOf = (kind: 'edit' | 'delete'): ReadonlySet<number> =>
      new Set(fresh.flatMap(({ stored: { event, target } }) => (event.kind === kind ? (target ?? []) : [])))
    const edited = targetsOf('edit')
    const deleted = targetsOf('delete')
    const isChanged = ({ seq, stored }: Fact): boolean => edited.has(seq) || deleted.has(stored.target ?? seq)
    if (this.#kept.some(isChanged))
      this.#kept = this.#kept.flatMap(fact => (isChanged(fact) ? factsAfter(tx, fact.seq - 1, fact.seq) : fact))
  }

  /** Reads what came before that which is at hand: of those who come back at once, many were at about the same number. */
  #readBack(tx: Tx, cursor: number): void {
    const after = Math.max(cursor, this.#from - page)
    this.#kept.unshift(...factsAfter(tx, after, this.#from))
    this.#from = after
  }

  #startAt(seq: number): void {
    this.#kept = []
    this.#from = seq
    this.#upTo = seq
  }

  #serve(tx: Tx, reader: Reader): void {
    const seat = this.#readers.get(reader)
    if (!seat) return
    const nowMs = Date.now()
    const sight = this.#rights.of(tx, reader.holder, nowMs)
    if (!sight) this.#cut(reader, 'the key counts no more')
    else if (!reader.full) this.#give(tx, reader, seat, sight, nowMs)
    else if (seat.fullMs === 0) seat.fullMs = nowMs
    else if (nowMs - seat.fullMs > patienceMs)
      this.#cut(reader, 'too slow: nothing was taken for 30 s; go on with Last-Event-ID')
  }

  #give(tx: Tx, reader: Reader, seat: Seat, sight: Sight, nowMs: number): void {
    seat.fullMs = 0
    if (reader.cursor < this.#upTo) {
      const batch = this.#batchFor(tx, reader, seat, sight)
      reader.cursor = batch.upTo
      if (batch.facts.length > 0) reader.give(batch)
      if (batch.upTo < this.#upTo) this.#next.add(reader)
    }
    if (nowMs - seat.beatMs < beatMs) return
    seat.beatMs = nowMs
    reader.beat()
  }

  #batchFor(tx: Tx, { cursor, rooms }: Reader, { about }: Seat, sight: Sight): Batch {
    const ofSight = this.#batches.get(sight) ?? new Map<string, Batch>()
    this.#batches.set(sight, ofSight)
    const name = `${cursor} ${about}`
    const known = ofSight.get(name)
    if (known) return known
    const isFor = ({ stored }: Fact): boolean =>
      (rooms === null || rooms.has(stored.room)) && maySee(sight.visible, stored)
    const batch = batchOf(this.#after(tx, cursor), isFor)
    ofSight.set(name, batch)
    return batch
  }

  /** Facts after a number that is before the newest; none yet while they are being brought to hand. */
  #after(tx: Tx, cursor: number): Found {
    if (cursor < this.#from && this.#upTo - cursor <= mostKept) {
      this.#readBack(tx, cursor)
      if (cursor < this.#from) return { facts: [], upTo: cursor }
    }
    const facts = cursor < this.#from ? factsAfter(tx, cursor, this.#upTo) : this.#keptAfter(cursor)
    return { facts, upTo: facts.at(-1)?.seq ?? this.#upTo }
  }

  #keptAfter(cursor: number): readonly Fact[] {
    const from = this.#kept.findIndex(({ seq }) => seq > cursor)
    return from === -1 ? [] : this.#kept.slice(from)
  }

  #cut(reader: Reader, reason: string): void {
    this.#readers.delete(reader)
    reader.end(reason)
  }
}

/** What there is after a number, up to another. */
interface Found {
  readonly facts: readonly Fact[]
  readonly upTo: number
}

/** As much of it as is given at once. */
function batchOf({ facts, upTo }: Found, isFor: (fact: Fact) => boolean): Batch {
  const shown: Fact[] = []
  let chars = 0
  for (const fact of facts) {
    if (!isFor(fact)) continue
    shown.push(fact)
    chars += fact.event.length
    if (chars > mostChars) return new Batch(shown, fact.seq)
  }
  return new Batch(shown, upTo)
}

const factsAfter = (tx: Tx, seq: number, upTo: number): Fact[] =>
  currentAfter(tx, seq, upTo, page).map(stored => new Fact(stored))
