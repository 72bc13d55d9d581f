import { type Bus, lookAnyway } from '../bus/bus.ts'
import { asChanopError } from '../error.ts'
import type { Ledger } from '../ledger/ledger.ts'
import { after, type Stored } from '../ledger/record/events.ts'
import { advanceTo, cursorOf } from '../ledger/settings/consumers.ts'
import type { Tx } from '../ledger/tx.ts'
import type { Log } from '../log.ts'
import { backoffMs, sleep } from '../retry.ts'
import { hop } from '../trace.ts'

export interface Following {
  readonly ledger: Ledger
  readonly bus: Bus
  readonly log: Log
  /** The last sequence number that is done with. */
  readonly from: number
  readonly limit?: number
  /**
   * Takes a batch in order. When it resolves the next one is read; when it rejects the same one is offered again,
   * later. Keeping the cursor is its own business: in the same transaction as its effects (`consume` has one in the ledger).
   */
  take(batch: readonly Stored[]): Promise<void>
}

/** What one follower of a process read, for the others: four of them want the same few facts. */
class SharedReading {
  readonly #ledger: Ledger
  #version = ''
  #from = 0
  #facts: readonly Stored[] = []

  constructor(ledger: Ledger) {
    this.#ledger = ledger
  }

  after(seq: number, limit: number): readonly Stored[] {
    const version = this.#ledger.version()
    const known = version === this.#version && seq >= this.#from
    const rest = known ? this.#facts.filter(fact => fact.seq > seq) : null
    if (rest && rest.length < limit) return rest
    const facts = this.#ledger.readNow(db => after(db, seq, limit))
    // A full batch does not say what follows it: only one that reaches the end is kept.
    const whole = facts.length < limit
    this.#version = whole ? version : ''
    this.#from = seq
    this.#facts = whole ? facts : []
    return facts
  }
}

const readings = new WeakMap<Ledger, SharedReading>()

function shared(ledger: Ledger): SharedReading {
  let reading = readings.get(ledger)
  if (!reading) readings.set(ledger, (reading = new SharedReading(ledger)))
  return reading
}

const again = { firstMs: 200, maxMs: 15_000 }

/** Reads the ledger's facts for ever, woken by the bell, by this process's own commits, and by itself otherwise. */
export async function follow(options: Following, signal: AbortSignal): Promise<void> {
  const { ledger, bus, log, limit = 500 } = options
  let seq = options.from
  let failures = 0
  let due = true
  let wake = Promise.withResolvers<void>()
  const look = (): void => {
    due = true
    wake.resolve()
  }
  const ring = (newest: number): void => {
    if (newest > seq) look()
  }
  const off = [bus.onRing(ring), ledger.onCommit(ring)]
  lookAnyway(bus, look, signal)
  signal.addEventListener('abort', look, { once: true })
  while (!signal.aborted) {
    if (!due) {
      await wake.promise
      continue
    }
    due = false
    wake = Promise.withResolvers()
    try {
      const batch = shared(ledger).after(seq, limit)
      if (batch.length > 0) hop('facts')
      if (batch.length > 0) await options.take(batch)
      seq = batch.at(-1)?.seq ?? seq
      failures = 0
      if (batch.length === limit) due = true
    } catch (error) {
      log.error({ error, seq }, asChanopError(error).message)
      await sleep(backoffMs(again, failures++), signal)
      due = true
    }
  }
  for (const stop of off) stop()
}

type Reader = Pick<Following, 'ledger' | 'bus' | 'log'> & { readonly signal: AbortSignal }

export interface Consuming extends Pick<Following, 'take'> {
  /** Of the cursor in the ledger. An effect moves it on in its own transaction (`advanceTo`). */
  readonly name: string
  /** Where it begins the first time of all: behind this fact. Absent: from now on. */
  first?(tx: Tx): number
  /** Told where it goes on, before anything is taken. */
  begin?(from: number): void
  /** Up to where all is done with, where that is not all that was taken. */
  passed?(): number
  /** Keeps the cursor, with what belongs to it, by itself. Called every two seconds, and at the end. */
  keep?(): void
}

const keptEveryMs = 2000

/**
 * Reads the ledger's facts for ever from where it was, the first time from now on. How far plain reading came is kept by
 * a mark: facts that brought nothing about are read twice after a power cut, and that costs nothing.
 */
export async function consume(reader: Reader, consuming: Consuming): Promise<void> {
  const { ledger, log, signal } = reader
  const { name } = consuming
  const newest = ledger.newestSeq()
  const from = await ledger.write(tx => cursorOf(tx, name, () => consuming.first?.(tx) ?? newest))
  let read = from
  let kept = from
  let fault = ''
  const mark = (): void => {
    const upTo = consuming.passed?.() ?? read
    if (upTo > kept) ledger.mark(tx => advanceTo(tx, name, upTo))
    kept = Math.max(kept, upTo)
  }
  const keep = (): void => {
    try {
      if (consuming.keep) consuming.keep()
      else mark()
      fault = ''
    } catch (error) {
      const { message } = asChanopError(error)
      if (message !== fault) log.warn({ error, consumer: name }, `how far was read is not kept for now: ${message}`)
      fault = message
    }
  }
  const take = async (batch: readonly Stored[]): Promise<void> => {
    await consuming.take(batch)
    read = batch.at(-1)?.seq ?? read
  }
  consuming.begin?.(from)
  const timer = setInterval(keep, keptEveryMs)
  try {
    await follow({ ...reader, from, take }, signal)
  } finally {
    clearInterval(timer)
    keep()
  }
}
