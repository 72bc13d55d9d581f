import { randomBytes } from 'node:crypto'
import { asChanopError, ChanopError } from '../error.ts'
import type { EditEvent, MessageEvent, Place } from '../event.ts'
import { pendingBot, usePending } from '../ledger/confirmations.ts'
import { bySeq, messageOf, type Stored } from '../ledger/events.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { Tx } from '../ledger/tx.ts'
import { wipe } from '../ledger/wipe.ts'
import type { Log } from '../log.ts'
import { includes } from '../role.ts'
import type { Vault } from '../secrets.ts'
import { escapeInline } from '../text.ts'
import { deliverAnswer } from './answer.ts'
import {
  type Answer,
  type Caller,
  type Command,
  type CommandContext,
  type CommandSettings,
  previewOf,
} from './command.ts'
import { callerOf, inert, lateLine, refusal, stale } from './gate.ts'
import { allowed, auditOutcome, onlyLooked, type Outcome, outcomeOf, wiping } from './outcome.ts'
import { type Assigned, assign, parseArgs } from './parse/args.ts'
import { type Heard, hear, spoken } from './parse/grammar.ts'
import { type Resolved, resolve } from './parse/suggest.ts'
import { Catalogue, type Published } from './published.ts'
import { codeOf, keepPending, pendingOf } from './state/confirm.ts'
import { ownerOf, type Party } from './state/owner.ts'
import { keyOf, limitKey, RateLimit } from './state/rate.ts'
import { Turns } from './state/turns.ts'
import { Stopped, timely } from './timely.ts'
import { unknown } from './unknown.ts'

export interface RouterOptions<S> {
  readonly bot: string
  /** Names by which bots are addressed: `admin: status`, `@scribe last`. */
  readonly bots: readonly string[]
  /** This bot's own; the front's with `frontCommands`. All of them published. */
  readonly commands: readonly Command<S>[]
  readonly services: S
  readonly ledger: Ledger
  readonly vault: Vault
  readonly log: Log
  readonly settings: () => CommandSettings
  /** All places of the room a place belongs to; itself alone when it is in none. */
  readonly roomPlaces: (place: Place) => readonly Place[]
  /** Whether somebody is neither relayed nor obeyed. */
  readonly ignored?: (event: MessageEvent) => boolean
  /** This bot also answers what nobody owns, and keeps the audit of what was ignored. One in an instance. */
  readonly front?: true
  /** Bots with whom one talks: without prefix only the exact words of their own commands are commands. */
  readonly talkers?: readonly string[]
  /** Aborts when the process stops: what runs is left unfinished and is run again by the next process. */
  readonly signal?: AbortSignal
  readonly nowMs?: () => number
  /** After which a command is given up. */
  readonly deadlineMs?: number
}

/** One command of this bot on its way. */
interface Visit<S> {
  readonly stored: Stored<MessageEvent>
  readonly caller: Caller
  readonly heard: Heard
  readonly published: Published
  readonly command: Command<S>
  readonly rest: string
  readonly assigned: Assigned
}

const mistakes = { perMinute: 5, burst: 5 }
const deadlineMs = 10_000

/**
 * Decides for one bot what a message asks of it, and answers. The catalogue in the ledger says whose a command is, so
 * that exactly one process answers. Answer, effects, orders, audit row and cursor are one transaction: a command that was
 * interrupted runs again from the start, one that was answered never does.
 */
export class Router<S> {
  readonly #o: RouterOptions<S>
  readonly #catalogue = new Catalogue()
  readonly #own: ReadonlyMap<string, Command<S>>
  readonly #names: ReadonlyMap<string, string>
  readonly #party: Party
  readonly #rate = new RateLimit()
  readonly #mistakes = new RateLimit()
  readonly #turns = new Turns()

  constructor(options: RouterOptions<S>) {
    this.#o = options
    this.#own = new Map(options.commands.map(command => [command.name, command]))
    this.#names = new Map(options.bots.map(name => [name.toLowerCase(), name]))
    const { bot, front = false, talkers = ['oracle'] } = options
    this.#party = { bot, front, talkers }
  }

  /** Whether a message has the shape of a command, for whomever: what has not is talk. Pure, no ledger needed. */
  recognise(event: MessageEvent): Heard | null {
    if (event.sender.kind === 'self') return null
    return hear(spoken(event.content), {
      prefix: this.#o.settings().prefix,
      bots: this.#names,
      direct: event.place.private === true,
      to: event.to ?? null,
    })
  }

  /**
   * Takes one message; calls for different messages may run side by side. `finish` runs in the transaction that answers.
   * False: not ours to answer, nothing was written and `finish` was not called. Rejects with `ledger-*` when the
   * ledger can't take it, or when the process stops: offer it again.
   */
  async handle(stored: Stored<MessageEvent>, finish: (db: Tx) => void): Promise<boolean> {
    const { event } = stored
    const heard = this.recognise(event)
    if (!heard || this.#o.ignored?.(event)) return false
    const startedMs = performance.now()
    const nowMs = this.#nowMs()
    const { found, caller, owner } = await this.#o.ledger.read(db => {
      const found = resolve(this.#catalogue.refresh(db), heard.line, heard.addressed)
      return { found, caller: callerOf(db, stored, nowMs), owner: ownerOf(db, heard, found, this.#party) }
    })
    if (owner === null) return false
    const why = heard.behindName ? 'text: a name in front of a command is no sender' : inert(stored, caller, nowMs)
    if (why !== null) return this.#ignore(stored, caller, found, why, finish)
    if (owner !== this.#o.bot) return false
    const command = found.is === 'command' ? this.#own.get(found.command.name) : undefined
    // Before the turn: whoever floods must not fill the queue.
    const limited = found.is === 'command' && command ? this.#limited(caller, command, found, nowMs) : null
    const work = async (): Promise<boolean> => {
      const outcome = limited ?? (await this.#outcome({ stored, caller, heard }, found, nowMs))
      if (!outcome) return false
      await this.#commit(stored, caller, outcome, startedMs, finish)
      return true
    }
    return this.#turns.run(keyOf(caller), limited !== null || command?.urgent === true, work)
  }

  /** Leaves word of a command that somebody wrote by editing: it is not carried out. As `handle`. */
  async handleEdit(stored: Stored<EditEvent>, finish: (db: Tx) => void): Promise<boolean> {
    const { event } = stored
    const message: MessageEvent = { ...event, kind: 'message', id: event.target }
    const heard = this.recognise(message)
    if (!heard || this.#o.ignored?.(message)) return false
    const edited = { ...stored, event: message }
    const { found, caller } = await this.#o.ledger.read(db => ({
      found: resolve(this.#catalogue.refresh(db), heard.line, heard.addressed),
      caller: callerOf(db, edited, this.#nowMs()),
    }))
    return this.#ignore(edited, caller, found, 'edit: what is written by editing carries no command', db => {
      const target = messageOf(db, event.place, event.target)
      const masked = found.is === 'command' ? assign(found.command.fields, found.rest) : null
      if (target && masked?.secret) wipe(db, target.seq, `${heard.line.split(' ')[0]} ***`)
      finish(db)
    })
  }

  #nowMs(): number {
    return (this.#o.nowMs ?? Date.now)()
  }

  async #outcome(
    asked: Pick<Visit<S>, 'stored' | 'caller' | 'heard'>,
    found: Resolved,
    nowMs: number,
  ): Promise<Outcome | null> {
    if (found.is !== 'command') return this.#nobodys(asked, found, nowMs)
    const { command: published, rest } = found
    const assigned = assign(published.fields, rest)
    if (published.name === 'yes' && (await this.#o.ledger.read(db => pendingBot(db, codeOf(rest)))) !== null) {
      return this.#confirmed(asked, codeOf(rest), nowMs)
    }
    const command = this.#own.get(published.name)
    if (!command) throw new ChanopError('internal', `${published.name} is published by ${published.bot} but not there`)
    const visit: Visit<S> = { ...asked, published, command, rest, assigned }
    return this.#refused(visit, nowMs) ?? (await this.#run(visit, nowMs))
  }

  /** An unknown word: silence in a room, unless it was said to a bot or is a near miss of somebody with a role. */
  #nobodys(
    { caller, heard }: Pick<Visit<S>, 'caller' | 'heard'>,
    found: Exclude<Resolved, { is: 'command' }>,
    nowMs: number,
  ): Outcome | null {
    const { line, typed, guarded, close } = unknown(this.#catalogue, found, this.#o.settings().prefix)
    const silent = !heard.addressed && !(close && includes(caller.role, 'member'))
    if (silent && !guarded) return null
    const wipe = guarded ? { wipe: `${typed} ***` } : {}
    const base = { command: typed, args: '', decision: 'failed' as const, result: 'unknown', ...wipe }
    return silent ? outcomeOf('', base) : this.#mistaken(caller, outcomeOf(line, base), nowMs)
  }

  #limited(
    caller: Caller,
    command: Command<S>,
    found: { readonly command: Published; readonly rest: string },
    nowMs: number,
  ): Outcome | null {
    if (command.urgent) return null
    const assigned = assign(found.command.fields, found.rest)
    const settings = this.#o.settings()
    const said = this.#rate.ask(limitKey(caller), settings, nowMs)
    if (said === 'go') return null
    const line = `too many commands: go on in ${this.#rate.waitSeconds(limitKey(caller), settings)} s`
    const rest = {
      command: command.name,
      args: assigned.masked,
      decision: 'denied' as const,
      ...wiping(command, assigned),
    }
    return outcomeOf(said === 'tell' ? line : '', { ...rest, result: 'rate-limited' })
  }

  #refused({ caller, published, command, assigned }: Visit<S>, nowMs: number): Outcome | null {
    const rest = {
      command: command.name,
      args: assigned.masked,
      decision: 'denied' as const,
      ...wiping(command, assigned),
    }
    const denied = refusal(published, caller, nowMs)
    if (denied) return outcomeOf(denied, { ...rest, result: caller.verified ? denied : `unverified: ${denied}` })
    if (command.where !== 'dm' || caller.private) return null
    const burned = assigned.secret ? '; others saw what you typed here: take another value' : ''
    return outcomeOf(`${command.name} works only in a direct message to ${command.bot}${burned}`, rest)
  }

  /** Too many mistakes are told so once, then silence. */
  #mistaken(caller: Caller, outcome: Outcome, nowMs: number): Outcome {
    const said = this.#mistakes.ask(limitKey(caller), mistakes, nowMs)
    if (said === 'go') return outcome
    const waitSeconds = this.#mistakes.waitSeconds(limitKey(caller), mistakes)
    const lines =
      said === 'tell' ? [`too many mistakes: go on in ${waitSeconds} s, ${this.#o.settings().prefix}help helps`] : []
    return { ...outcome, answer: { lines } }
  }

  async #run(visit: Visit<S>, nowMs: number, confirmed?: { readonly code: string }): Promise<Outcome> {
    const { command, rest } = visit
    const parsed = parseArgs(command.name, command.args, rest)
    const base = {
      command: command.name,
      args: parsed.masked,
      reply: command.reply,
      ...wiping(command, parsed),
      ...confirmed,
    }
    if (!parsed.ok) {
      const line = escapeInline(parsed.fault)
      return this.#mistaken(visit.caller, outcomeOf(line, { ...base, decision: 'failed' }), nowMs)
    }
    const end = new AbortController()
    try {
      const limits = { limitMs: this.#o.deadlineMs ?? deadlineMs, stop: this.#o.signal }
      const answer = await timely(end, limits, async signal => {
        const context = this.#context(visit, signal, nowMs)
        const preview = confirmed ? null : await previewOf(command, parsed.args, context)
        return preview === null ? command.run(context, parsed.args) : this.#ask(visit, preview, nowMs)
      })
      const given: Answer = typeof answer === 'string' ? { lines: answer.split('\n') } : answer
      return allowed(command, given, base)
    } catch (thrown) {
      return outcomeOf(this.#failure(command.name, visit.caller, thrown), { ...base, decision: 'failed' })
    } finally {
      end.abort()
    }
  }

  #context({ stored, caller }: Visit<S>, signal: AbortSignal, atMs: number): CommandContext<S> {
    const { services, ledger, settings } = this.#o
    return { services, ledger, caller, event: stored, atMs, signal, settings: settings() }
  }

  /** Asks to confirm: nothing is done yet. */
  #ask({ stored, caller, published, rest }: Visit<S>, preview: string, nowMs: number): Answer {
    const { prefix, confirmSeconds } = this.#o.settings()
    const pending = {
      bot: this.#o.bot,
      place: caller.place,
      account: caller.account,
      seq: stored.seq,
      line: `${published.name} ${rest}`,
    }
    const effect = (db: Tx): string[] => {
      const code = keepPending(db, pending, nowMs + confirmSeconds * 1000, nowMs)
      return [`${preview} · ${prefix}yes ${code} within ${confirmSeconds} s, or ${prefix}no`]
    }
    return { lines: [], effect }
  }

  /** Runs what a code stands for, as it was asked and where it was asked, if its asker still may. */
  async #confirmed(
    { stored, caller, heard }: Pick<Visit<S>, 'stored' | 'caller' | 'heard'>,
    code: string,
    nowMs: number,
  ): Promise<Outcome> {
    const asker = { place: caller.place, account: caller.account }
    const kept = await this.#o.ledger.read(db => {
      const pending = pendingOf(db, code, asker, nowMs)
      if (typeof pending === 'string') return pending
      const first = bySeq(db, pending.seq) as Stored<MessageEvent> | null
      if (!first) return 'the message that asked for it is gone: say the command again'
      const found = resolve(this.#catalogue, pending.line, false)
      const now = { ...first, event: { ...first.event, sender: stored.event.sender } }
      return { first, found, asking: callerOf(db, now, nowMs) }
    })
    const no = (line: string): Outcome =>
      this.#mistaken(caller, outcomeOf(line, { command: 'yes', args: code, decision: 'failed' }), nowMs)
    if (typeof kept === 'string') return no(kept)
    const command = kept.found.is === 'command' ? this.#own.get(kept.found.command.name) : undefined
    if (kept.found.is !== 'command' || !command) return no('that command is not there any more')
    const { command: published, rest } = kept.found
    const visit = {
      stored: kept.first,
      caller: kept.asking,
      heard,
      published,
      command,
      rest,
      assigned: assign(published.fields, rest),
    }
    return this.#refused(visit, nowMs) ?? (await this.#run(visit, nowMs, { code }))
  }

  #failure(name: string, caller: Caller, thrown: unknown): string {
    if (thrown instanceof Stopped || this.#o.signal?.aborted) throw thrown
    const error = asChanopError(thrown)
    if (error.code.startsWith('ledger-')) throw error
    const theirs = error.audience === 'user' || includes(caller.globalRole, 'operator')
    if (error.code !== 'internal' && theirs) return escapeInline(error.message)
    const incident = `i${randomBytes(3).toString('hex')}`
    this.#o.log.error({ error: thrown, incident, command: name }, 'a command failed')
    return `${name} failed (${incident}): nothing was changed, the log of ${this.#o.bot} says why under that id`
  }

  /** Leaves word of a command that was said where none counts. Once, by the front, and only of known commands. */
  async #ignore(
    stored: Stored<MessageEvent>,
    caller: Caller,
    found: Resolved,
    why: string,
    finish: (db: Tx) => void,
  ): Promise<boolean> {
    if (!this.#o.front || found.is !== 'command') return false
    const { command, rest } = found
    const assigned = assign(command.fields, rest)
    const base = {
      command: command.name,
      args: assigned.masked,
      result: `ignored: ${why}`,
      ...wiping(command, assigned),
    }
    const late = why === stale ? lateLine(this.#o.settings().prefix, command, stored, this.#nowMs()) : ''
    await this.#commit(stored, caller, outcomeOf(late, { ...base, decision: 'ignored' }), performance.now(), finish)
    return true
  }

  async #commit(
    stored: Stored<MessageEvent>,
    caller: Caller,
    outcome: Outcome,
    startedMs: number,
    finish: (db: Tx) => void,
  ): Promise<void> {
    const keep = (what: Outcome): Promise<void> => {
      const work = (db: Tx): void => {
        this.#keep(db, stored, caller, what, performance.now() - startedMs)
        finish(db)
      }
      return this.#o.ledger.write(work, { durable: !onlyLooked(what) })
    }
    try {
      await keep(outcome)
    } catch (thrown) {
      const line = this.#failure(outcome.command, caller, thrown)
      await keep({ ...outcome, decision: 'failed', answer: { lines: [line] } })
      return
    }
    try {
      await outcome.answer.committed?.()
    } catch (error) {
      this.#o.log.error({ error, command: outcome.command }, 'what follows a command failed; its effect stands')
    }
  }

  #keep(db: Tx, stored: Stored<MessageEvent>, caller: Caller, outcome: Outcome, ms: number): void {
    const { bot, vault, roomPlaces } = this.#o
    const nowMs = this.#nowMs()
    const { answer, reply, code } = outcome
    if (code !== undefined && outcome.decision === 'allowed' && !usePending(db, code)) {
      throw new ChanopError('conflict', `${code} was used or dropped already`)
    }
    const lines = answer.effect?.(db) ?? answer.lines
    const tools = { bot, vault, roomPlaces, settings: this.#o.settings() }
    deliverAnswer(db, tools, { stored, answer: { ...answer, lines }, reply }, nowMs)
    if (outcome.wipe !== undefined) wipe(db, stored.seq, outcome.wipe)
    auditOutcome(db, { bot, stored, caller, outcome, said: lines[0] ?? '', ms }, nowMs)
  }
}
