import type { Context } from '../../../config/context.ts'
import type { Config } from '../../../config/schema.ts'
import { callerOf, inert } from '../../../core/command/visit/gate.ts'
import { Reader } from '../../../core/command/visit/reading.ts'
import { asChanopError } from '../../../core/error.ts'
import { type MessageEvent, type ReactionEvent, text } from '../../../core/event.ts'
import {
  type NewTurn,
  openTurns,
  openTurnsIn,
  queueTurn,
  type StopScope,
  type Turn,
  turnById,
} from '../../../core/ledger/oracle/turns.ts'
import { keepDecision } from '../../../core/ledger/record/decisions.ts'
import { messageOf, type Stored } from '../../../core/ledger/record/events.ts'
import { advanceTo } from '../../../core/ledger/settings/consumers.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import { bots } from '../../../core/process/bots.ts'
import { consume } from '../../../core/process/consumer.ts'
import { say } from '../../../core/say.ts'
import { type Stopper, stopAnswers, stopperOf, stopScope, turnOfMessage } from '../../../core/stop.ts'
import { parseInline } from '../../../core/text/text.ts'
import type { Models } from '../models/contract.ts'
import type { Runner } from '../turns/runner.ts'
import { self } from './address.ts'
import { type Considered, decide, laneOf, type Minding } from './decide.ts'

const consumer = 'oracle.talk'
/** The same line about a missing model is not said again in a room before this. */
const quietMs = 10 * 60_000
/** Who waits longer is told how many are before them. */
const waitMs = 2000

const stopWords = /^(?:please )?stop(?:,? (it|now|please|all))?[\s.!]*$/i
const stopSigns = new Set(['⛔', '🛑'])

export interface EarOptions {
  readonly context: Context
  readonly models: Models
  readonly runner: Runner
  /** A turn waits: another process may have room for it. */
  readonly waits: (id: number) => void
}

/** What a message came to, once its transaction stands. */
type Outcome =
  | { readonly became: 'turn'; readonly turn: Turn }
  | { readonly became: 'waiting'; readonly id: number }
  | { readonly became: 'stop' }

/** Hears what is said to the oracle, decides whether it answers, and makes a turn of it: all in one transaction. */
export class Ear {
  readonly #o: EarOptions
  readonly #reader: Reader
  readonly #told = new Map<string, number>()
  /** By lane: who heard that it is full, since it last had room. */
  readonly #full = new Map<string, Set<string>>()
  /** Something was said or stopped in the transaction that is under way. */
  #spoke = false

  constructor(options: EarOptions) {
    this.#o = options
    this.#reader = new Reader({ prefix: () => options.context.settings.current.commands.prefix, bots })
  }

  get #minding(): Minding {
    return { config: this.#o.context.settings.current, reader: this.#reader }
  }

  /** Reads facts for ever. */
  async listen(): Promise<void> {
    const open = await this.#o.context.ledger.read(openTurns)
    for (const { id, state } of open) if (state === 'queued') this.#tellPlace(id)
    await consume(this.#o.context, { name: consumer, take: batch => this.#hearAll(batch) })
  }

  /** All that came together in one transaction; one by one when something in it can't be taken. */
  async #hearAll(batch: readonly Stored[]): Promise<void> {
    try {
      await this.#hear(batch)
    } catch (thrown) {
      if (asChanopError(thrown).code.startsWith('ledger-')) throw thrown
      for (const stored of batch) {
        await this.#hear([stored]).catch((error: unknown) => {
          if (asChanopError(error).code.startsWith('ledger-')) throw error
          this.#o.context.log.error({ error, seq: stored.seq }, 'a message could not be heard')
        })
      }
    }
  }

  /**
   * Without waiting for the disk: what a power cut takes away takes the cursor with it, and is heard again. What was said or
   * stopped is for others: it is on the disk, and they are rung, before anything follows from it.
   */
  async #hear(batch: readonly Stored[]): Promise<void> {
    const { ledger } = this.#o.context
    const meant = await ledger.read(tx => batch.filter(stored => this.#mayMean(tx, stored)))
    if (meant.length === 0) return
    this.#spoke = false
    const outcomes = ledger.mark(tx => {
      const became = meant.map(stored => this.#take(tx, stored))
      advanceTo(tx, consumer, batch.at(-1)?.seq ?? 0)
      return became
    })
    if (this.#spoke) await ledger.write(() => undefined)
    for (const outcome of outcomes) this.follow(outcome)
  }

  #mayMean(tx: Tx, { event, ...stored }: Stored): boolean {
    if (event.kind === 'reaction') return stopSigns.has(event.emoji) && !event.removed
    if (event.kind !== 'message' || event.sender.kind === 'self') return false
    return decide(tx, { ...stored, event }, this.#minding, Date.now()) !== null
  }

  #take(tx: Tx, { event, ...stored }: Stored): Outcome | null {
    if (event.kind === 'reaction') return this.#stopSign(tx, { ...stored, event })
    if (event.kind !== 'message') return null
    const message = { ...stored, event }
    const considered = decide(tx, message, this.#minding, Date.now())
    return considered && this.#attend(tx, message, considered)
  }

  /** What a transaction brought about begins once it stands. */
  follow(outcome: Outcome | null): void {
    const { runner } = this.#o
    if (outcome?.became === 'turn') runner.run(outcome.turn)
    else if (outcome?.became === 'waiting') {
      this.#tellPlace(outcome.id)
      this.#o.waits(outcome.id)
    } else if (outcome?.became === 'stop') runner.look()
  }

  #attend(tx: Tx, stored: Stored<MessageEvent>, { decision, address }: Considered): Outcome | null {
    const nowMs = Date.now()
    const stop = stored.event.standalone ? null : stopWords.exec(address.words)
    if (stop) return this.#stop(tx, stored, stop[1]?.toLowerCase() === 'all' ? 'all' : null)
    if (!decision.answers) {
      keepDecision(tx, stored.seq, decision, nowMs)
      return null
    }
    return this.ask(tx, stored, decision.reason)
  }

  /** Makes a turn of a question, or says why not; in the caller's transaction. */
  ask(
    tx: Tx,
    stored: Stored<MessageEvent>,
    reason: string,
    question: Pick<NewTurn, 'words' | 'again'> = {},
  ): Outcome | null {
    const { context, models, runner } = this.#o
    const nowMs = Date.now()
    const lane = laneOf(stored)
    const decided = (answers: boolean, why: string): void =>
      keepDecision(tx, stored.seq, { answers, reason: why }, nowMs)
    if (!models.limits('answer', stored.room)) {
      decided(false, 'no model is configured')
      this.#sayMissing(tx, stored, nowMs)
      return null
    }
    const { queue } = context.settings.current.oracle
    if (openTurnsIn(tx, lane).length > queue) {
      decided(false, `${queue} questions waited already`)
      this.#sayFull(tx, stored, queue, nowMs)
      return null
    }
    this.#full.delete(lane)
    const { person } = callerOf(tx, stored, nowMs)
    const { place, sender } = stored.event
    const by = { network: place.network, user: sender.id, person: person?.id ?? null, name: sender.name }
    const id = queueTurn(tx, { asked: stored.seq, place, lane, by, ...question }, nowMs)
    if (id === null) return null
    decided(true, reason)
    const turn = runner.take(tx, id)
    return turn ? { became: 'turn', turn } : { became: 'waiting', id }
  }

  #stop(tx: Tx, stored: Stored<MessageEvent>, all: 'all' | null): Outcome | null {
    const nowMs = Date.now()
    const caller = callerOf(tx, stored, nowMs)
    if (inert(stored, caller, nowMs) !== null) return null
    const stopper = stopperOf(caller)
    const scope: StopScope = all ?? stopScope(tx, stored.event, stopper) ?? { of: stopper.by, room: stored.room }
    this.#say(tx, stored, this.#stopLines(tx, scope, stopper, nowMs), 'stop', nowMs)
    return { became: 'stop' }
  }

  #stopLines(tx: Tx, scope: StopScope, stopper: Stopper, nowMs: number): string {
    try {
      return stopAnswers(tx, scope, stopper, nowMs).join('\n')
    } catch (thrown) {
      const error = asChanopError(thrown)
      if (error.code !== 'denied') throw error
      return error.message
    }
  }

  /** ⛔ on a question or on its answer. */
  #stopSign(tx: Tx, stored: Stored<ReactionEvent>): Outcome | null {
    const { place, target, sender, atMs, origin } = stored.event
    const turn = turnOfMessage(tx, place, target)
    const message = messageOf(tx, place, target)
    if (!turn || !message || turn.settledMs !== null) return null
    const content = { segments: [], replyTo: target }
    return this.#stop(tx, { ...stored, event: { ...message.event, sender, place, atMs, origin, content } }, null)
  }

  #say(tx: Tx, stored: Stored<MessageEvent>, line: string, about: string, nowMs: number): void {
    const { place } = stored.event
    const hall = { name: stored.room, places: this.#o.context.rooms.from(place).places }
    const content = { segments: parseInline(line) }
    this.#spoke = true
    say(tx, { bot: self, content, in: hall, key: `${self}.${about}.${stored.seq}`, replySeq: stored.seq }, nowMs)
  }

  /** In a room once to each, however much they go on asking. */
  #sayFull(tx: Tx, stored: Stored<MessageEvent>, queue: number, nowMs: number): void {
    const { place, sender } = stored.event
    const lane = laneOf(stored)
    const told = this.#full.get(lane) ?? new Set<string>()
    const asker = `${place.network}:${sender.id}`
    if (!place.private && told.has(asker)) return
    this.#full.set(lane, told.add(asker))
    const [many, answered] = queue === 1 ? ['a question waits', 'it is'] : [`${queue} questions wait`, 'some are']
    this.#say(tx, stored, `${many} here already: ask again when ${answered} answered`, 'full', nowMs)
  }

  #sayMissing(tx: Tx, stored: Stored<MessageEvent>, nowMs: number): void {
    const { place } = stored.event
    for (const [where, atMs] of this.#told) if (nowMs - atMs > quietMs) this.#told.delete(where)
    // A room has heard it; a person who is alone with us would hear nothing at all.
    if (!place.private && this.#told.has(stored.room)) return
    this.#told.set(stored.room, nowMs)
    this.#say(tx, stored, missing(this.#o.context.settings.current), 'missing', nowMs)
  }

  /** Tells who still waits then how many are before them, once. */
  #tellPlace(id: number): void {
    const { ledger, log, signal } = this.#o.context
    const tell = (): void => {
      const told = ledger.write(tx => {
        const turn = turnById(tx, id)
        if (turn?.state !== 'queued' || turn.merged !== null) return
        const before = openTurnsIn(tx, turn.lane).filter(other => other.id < id).length
        if (before === 0) return
        const line = `${before} before you: your answer follows`
        say(
          tx,
          {
            bot: self,
            content: text(line),
            in: { ...this.#o.context.rooms.from(turn.place), places: [turn.place] },
            key: `${self}.place.${id}`,
            replySeq: turn.asked,
          },
          Date.now(),
        )
      })
      told.catch((error: unknown) => log.warn({ error }, 'a place in the queue could not be told'))
    }
    const timer = setTimeout(tell, waitMs)
    signal.addEventListener('abort', () => clearTimeout(timer), { once: true })
  }
}

function missing({ models, commands: { prefix } }: Config): string {
  if (Object.keys(models).length === 0) {
    return `I can't answer yet: no model is configured. Add one with ${prefix}model add, in a direct message to me.`
  }
  return `I can't answer here: no model is on. ${prefix}model list shows them, ${prefix}model on NAME lets one be asked.`
}
