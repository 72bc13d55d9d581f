import { ChanopError } from '../error.ts'
import type { EditEvent, MessageEvent } from '../event.ts'
import { pendingBot } from '../ledger/out/confirmations.ts'
import { messageOf, type Stored } from '../ledger/record/events.ts'
import type { Tx } from '../ledger/tx.ts'
import { wipe } from '../ledger/wipe.ts'
import type { Command } from './command.ts'
import { unknown } from './help/unknown.ts'
import { Limits } from './limits.ts'
import type { Utterance } from './parse/grammar.ts'
import type { Resolved } from './parse/suggest.ts'
import { codeMeant } from './state/confirm.ts'
import { keyOf } from './state/rate.ts'
import { type Party, recipientOf } from './state/recipient.ts'
import { Strangers } from './state/strangers.ts'
import { Turns } from './state/turns.ts'
import { waiting } from './visit/confirming.ts'
import { Executor } from './visit/execute.ts'
import { callerOf, inert, lateLine, stale } from './visit/gate.ts'
import { type Outcome, outcomeOf, wiping } from './visit/outcome.ts'
import { Reader, type Reading } from './visit/reading.ts'
import { Settler } from './visit/settle.ts'
import type { Asking, RouterOptions, Visit } from './visit/visit.ts'

/** A message with the shape of a command; `edit`: it is what somebody made of a message by editing it. */
export interface CommandMessage {
  readonly stored: Stored<MessageEvent>
  readonly heard: Utterance
  readonly edit: Stored<EditEvent> | null
}

/**
 * Decides for one bot what a message asks of it, and answers. The catalogue in the ledger says whose a command is, so
 * that exactly one process answers. Answer, effects, orders, audit row and cursor are one transaction: a command that was
 * interrupted runs again from the start, one that was answered never does.
 */
export class Router<S> {
  readonly #o: RouterOptions<S>
  readonly #own: ReadonlyMap<string, Command<S>>
  readonly #reader: Reader
  readonly #party: Party
  readonly #limits: Limits
  readonly #executor: Executor<S>
  readonly #settler: Settler<S>
  readonly #strangers = new Strangers()
  readonly #turns = new Turns()

  constructor(options: RouterOptions<S>) {
    const { bot, bots, commands, settings, front = false, talkers = ['oracle'] } = options
    this.#o = options
    this.#own = new Map(commands.map(command => [command.name, command]))
    this.#reader = new Reader({ prefix: () => settings().prefix, bots })
    this.#party = { bot, front, talkers }
    this.#limits = new Limits(settings)
    this.#executor = new Executor(options, this.#limits)
    this.#settler = new Settler(options)
  }

  /** The fact, when it has the shape of a command, for whomever. Pure, no ledger needed. */
  asked({ event, ...rest }: Stored): CommandMessage | null {
    if (event.kind !== 'message' && event.kind !== 'edit') return null
    const message: MessageEvent = event.kind === 'message' ? event : { ...event, kind: 'message', id: event.target }
    const heard = this.#reader.hear(message)
    if (!heard || this.#o.ignored?.(message)) return null
    return { stored: { ...rest, event: message }, heard, edit: event.kind === 'edit' ? { ...rest, event } : null }
  }

  /**
   * Takes one message; calls for different messages may run side by side. `finish` runs in the transaction that answers.
   * False: not ours to answer, nothing was written and `finish` was not called. Rejects with `ledger-*` when the
   * ledger can't take it, or when the process stops: offer it again.
   */
  async handle(asked: CommandMessage, finish: (db: Tx) => void): Promise<boolean> {
    const { stored, heard } = asked
    const startedMs = performance.now()
    const nowMs = (this.#o.nowMs ?? Date.now)()
    const { reading, caller, code, owner } = await this.#o.ledger.read(db => {
      const reading = this.#reader.read(db, heard)
      const caller = callerOf(db, stored, nowMs)
      // A yes with more words is none: nobody knows what they say of it.
      const { found, assigned } = reading
      const yes = found.is === 'command' && found.command.name === 'yes' && assigned?.fault === null
      const code = yes ? codeMeant(db, assigned.values['code'], caller, nowMs) : null
      return { reading, caller, code, owner: recipientOf(db, reading, code, this.#party) }
    })
    const asking = { stored, caller, heard }
    if (asked.edit) return this.#edited(asking, asked.edit, reading, finish)
    if (owner === null) return false
    const why = heard.behindName ? 'text: a name in front of a command is no sender' : inert(stored, caller, nowMs)
    if (why !== null) return this.#ignore(asking, reading, why, finish)
    if (reading.found.is === 'command') this.#strangers.used(caller, nowMs)
    if (owner !== this.#o.bot) return false
    const visit = this.#visit(asking, reading)
    // Before the turn: whoever floods must not fill the queue.
    const limited = visit && this.#limits.asked(visit, nowMs)
    const work = async (): Promise<boolean> => {
      const outcome = limited ?? (await this.#outcome(asking, reading.found, { visit, code }, nowMs))
      if (!outcome) return false
      await this.#settler.settle(asking, outcome, startedMs, finish)
      return true
    }
    return this.#turns.run(keyOf(caller), limited !== null || visit?.command.urgent === true, work)
  }

  #visit(asking: Asking, { found, assigned }: Reading): Visit<S> | null {
    if (found.is !== 'command' || assigned === null) return null
    const command = this.#own.get(found.command.name)
    return command ? { ...asking, published: found.command, command, assigned } : null
  }

  async #outcome(
    asking: Asking,
    found: Resolved,
    { visit, code }: { readonly visit: Visit<S> | null; readonly code: string | null },
    nowMs: number,
  ): Promise<Outcome | null> {
    if (found.is !== 'command') return this.#nobodys(asking, found, nowMs)
    const { name, bot } = found.command
    if (code !== null && (await this.#o.ledger.read(db => pendingBot(db, code))) !== null) {
      return this.#confirmed(asking, code, nowMs)
    }
    if (!visit) throw new ChanopError('internal', `${name} is published by ${bot} but not there`)
    return this.#executor.execute(visit, nowMs)
  }

  /** An unknown word: silence in a room, unless it was said to a bot or is a near miss of somebody who just used one. */
  #nobodys({ caller, heard }: Asking, found: Exclude<Resolved, { is: 'command' }>, nowMs: number): Outcome | null {
    const { line, typed, guarded, close } = unknown(this.#reader.catalogue, found, this.#o.settings().prefix)
    const silent = !this.#strangers.answers(caller, { typed, close, addressed: heard.addressed }, nowMs)
    if (silent && !guarded) return null
    const wipe = guarded ? { wipe: `${typed} ***` } : {}
    const base = { command: typed, args: '', decision: 'failed' as const, result: 'unknown', ...wipe }
    return outcomeOf(silent ? '' : line, base)
  }

  /** Runs what a code stands for, as it was asked and where it was asked, if its asker still may. */
  async #confirmed({ stored, caller, heard }: Asking, code: string, nowMs: number): Promise<Outcome> {
    const asker = { place: caller.place, account: caller.account }
    const { sender } = stored.event
    const kept = await this.#o.ledger.read(db => {
      const kept = waiting(db, code, asker, nowMs)
      if (typeof kept === 'string') return kept
      const asking = callerOf(db, { ...kept.first, event: { ...kept.first.event, sender } }, nowMs)
      return { ...kept, caller: asking, published: this.#reader.catalogue.refresh(db).named(kept.name) }
    })
    const no = (line: string): Outcome =>
      this.#limits.mistaken(caller, outcomeOf(line, { command: 'yes', args: code, decision: 'failed' }), nowMs)
    if (typeof kept === 'string') return no(kept)
    const { published, assigned, preview } = kept
    const command = published && this.#own.get(published.name)
    if (!command) return no('that command is not there any more')
    const visit = { stored: kept.first, caller: kept.caller, heard, published, command, assigned }
    return this.#executor.execute(visit, nowMs, { code, preview })
  }

  /** Leaves word of a command that was said where none counts. Once, by the front, and only of known commands. */
  async #ignore(asking: Asking, { found, assigned }: Reading, why: string, finish: (db: Tx) => void): Promise<boolean> {
    if (!this.#o.front || found.is !== 'command') return false
    const { command } = found
    const base = {
      command: command.name,
      args: assigned?.masked ?? '',
      result: `ignored: ${why}`,
      ...(assigned ? wiping(command, assigned) : {}),
    }
    const nowMs = (this.#o.nowMs ?? Date.now)()
    const line = why === stale ? lateLine(this.#o.settings().prefix, command, asking.stored, nowMs) : ''
    await this.#settler.settle(asking, outcomeOf(line, { ...base, decision: 'ignored' }), performance.now(), finish)
    return true
  }

  /** Leaves word of a command that somebody wrote by editing: it is not carried out. */
  #edited(asking: Asking, { event }: Stored<EditEvent>, reading: Reading, finish: (db: Tx) => void): Promise<boolean> {
    return this.#ignore(asking, reading, 'edit: what is written by editing carries no command', db => {
      const target = messageOf(db, event.place, event.target)
      if (target && reading.assigned?.secret) wipe(db, target.seq, `${asking.heard.line.split(' ')[0]} ***`)
      finish(db)
    })
  }
}
