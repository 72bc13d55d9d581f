import type { AdapterContext } from '../../../core/adapter.ts'
import type { ChatEvent, MessageId } from '../../../core/event.ts'
import { isLoopbackHost } from '../../../core/loopback.ts'
import { backoffMs } from '../../../core/retry.ts'
import type { IrcConfig } from '../config.ts'
import type { Batch } from '../link/batch.ts'
import { type Plan, planFor, type Wish } from '../link/endpoints.ts'
import { Link } from '../link/link.ts'
import type { Fault, Session } from '../link/session.ts'
import { deliveryTag } from '../link/settle.ts'
import { ownMark } from '../text/inbound.ts'
import { type Line, lastParam } from '../text/line.ts'
import { Inside, type InsideHooks } from './inside.ts'
import { type Shared, Voice } from './voice.ts'

export interface FaceHooks extends Pick<InsideHooks, 'isOurs'> {
  /** Why a persona does not get into a channel; null: it is in. */
  outside(face: Face, channel: string, reason: string | null): void
  /** Logged in, with its own nick as far as that can be had at once. */
  up(face: Face, voice: Voice): void
  down(face: Face): void
  events(face: Face, events: readonly ChatEvent[]): void
  /** Every line that is not an answer to something of ours, before its events are made. */
  line(face: Face, line: Line): void
  /** After its events were made. */
  followed(face: Face, line: Line): void
  /** A delivery of ours came by, said by any of our connections. */
  own(channel: string, mark: string, id: MessageId): void
  replay(channel: string, lines: Line[]): void
  flush(): void
  changed(): void
  /** Asks whoever may to rename this connection to the nick that is kept for it. */
  rename(from: string, to: string): void
}

const regainMs = 15_000
const fromNickServ = /^nickserv!/i
/** Our own server, or one beside it: nobody bans us for coming back at once. */
const managedBackoff = { firstMs: 150, maxMs: 2_000 }
/** Our own server refuses a bot as long as its account is still being made, right after the first start. */
const managedRefused = { firstMs: 150, maxMs: 10_000 }
const externalBackoff = { firstMs: 2_000, maxMs: 300_000 }

/** One bot's connection, made again and again: the main one, or a persona with a nick of its own. */
export class Face {
  readonly bot: string
  readonly main: boolean
  voice: Voice | null = null
  fault: Fault | null = null
  sinceMs = Date.now()
  ready = false
  /** The channels that a persona is in; the main connection's are `Channels`. */
  readonly inside: Inside
  readonly #config: IrcConfig
  readonly #context: AdapterContext
  readonly #shared: Shared
  readonly #hooks: FaceHooks
  readonly #link: Link
  #plan: Plan | null = null
  #away: string | null = null
  #entered: Voice | null = null
  #regain: NodeJS.Timeout | undefined
  #lostMs = 0

  constructor(wish: Wish, config: IrcConfig, context: AdapterContext, shared: Shared, hooks: FaceHooks) {
    this.bot = wish.bot
    this.main = wish.main
    this.#config = config
    this.#context = context
    this.#shared = shared
    this.#hooks = hooks
    this.inside = new Inside({
      isOurs: channel => hooks.isOurs(channel),
      told: (channel, reason) => hooks.outside(this, channel, reason),
    })
    const near = config.managed || isLoopbackHost(config.host)
    this.#link = new Link(
      {
        options: () => this.#options(wish),
        backoff: near ? managedBackoff : externalBackoff,
        ...(config.managed ? { refused: managedRefused } : {}),
        log: context.log.child({ persona: wish.bot }),
      },
      {
        up: session => this.#up(session),
        line: line => this.#line(line),
        batch: batch => this.#batch(batch),
        flush: () => hooks.flush(),
        down: fault => this.#down(fault),
      },
    )
  }

  run(signal: AbortSignal): Promise<void> {
    return this.#link.run(signal).finally(() => clearInterval(this.#regain))
  }

  async #options(wish: Wish): Promise<Session['options']> {
    try {
      this.#plan = await planFor(this.#config, wish, this.#context)
      return this.#plan.session
    } catch (error) {
      this.fault = { reason: (error as Error).message, permanent: false }
      this.#hooks.changed()
      throw error
    }
  }

  get session(): Session | null {
    return this.#link.session
  }

  /** The nick it should have; null before the first attempt. */
  get nick(): string | null {
    return this.#plan?.nick ?? null
  }

  /** The nick it has instead of its own; null where it has that, or none. */
  get otherNick(): string | null {
    const session = this.open?.session
    const wanted = this.nick
    return session && wanted !== null && !session.isSelf(wanted) ? session.nick : null
  }

  /** Its connection when it can speak. */
  get open(): Voice | null {
    return this.ready && this.voice?.session.open ? this.voice : null
  }

  #up(session: Session): void {
    const voice = new Voice(session, this.main ? null : this.bot, this.#shared)
    this.voice = voice
    const mode = session.support('BOT')
    if (mode) session.write(`MODE ${session.nick} +${mode}`)
    // InspIRCd: the history that is replayed at JOIN is for the main connection alone, whatever the server gives its users.
    if (/inspircd/i.test(session.server)) session.write(`MODE ${session.nick} ${this.main ? '-' : '+'}N`)
    if (this.#away !== null) session.write(`AWAY :${this.#away}`)
    void this.#settleIn(voice)
  }

  async #settleIn(voice: Voice): Promise<void> {
    const { oper, identify } = this.#plan ?? {}
    if (oper) await this.#operate(voice, oper)
    if (identify) await this.#identify(voice, identify)
    if (this.voice === voice) this.#named(voice)
  }

  async #operate(voice: Voice, oper: { name: string; password: string }): Promise<void> {
    const told = (line: Line): boolean | undefined =>
      line.command === '381' ? true : line.command === '464' || line.command === '491' ? false : undefined
    const done = await voice.session.ask(`OPER ${oper.name} ${oper.password}`, told, 10_000).catch(() => false)
    if (done || this.voice !== voice) return
    this.#context.log.warn('the IRC server did not take our operator login: kept nicks and RELAYMSG may fail')
    // Where the nick is given by an operator alone, this is why we never come in.
    this.fault = { reason: 'the IRC server does not take our operator login: run npm start again', permanent: false }
    this.#hooks.changed()
  }

  /** Without services (401) there is nobody who could take the nick from us either. */
  async #identify(voice: Voice, { command, account, password }: NonNullable<Plan['identify']>): Promise<void> {
    const told = (line: Line): true | undefined =>
      line.command === '900' || line.command === '401' || (line.command === 'NOTICE' && fromNickServ.test(line.prefix))
        ? true
        : undefined
    const line = `PRIVMSG NickServ :${command} ${account} ${password}`
    await voice.session.ask(line, told, 3_000).catch(() => this.#context.log.info('NickServ did not answer our login'))
  }

  /** Goes on once the nick is right, or at once where it can only be waited for. */
  #named(voice: Voice): void {
    clearInterval(this.#regain)
    const wanted = this.#plan?.nick ?? voice.session.nick
    if (!voice.session.isSelf(wanted)) {
      this.#wait(voice)
      this.#ask(voice, wanted)
    }
    if (!this.#plan?.renamed || voice.session.isSelf(wanted)) this.#enter(voice)
  }

  /** Asks for our nick now and again. */
  #wait(voice: Voice): void {
    const wanted = this.#plan?.nick ?? voice.session.nick
    clearInterval(this.#regain)
    this.#regain = setInterval(() => this.#ask(voice, wanted), this.#plan?.renamed ? 500 : regainMs)
  }

  #ask(voice: Voice, wanted: string): void {
    if (this.voice !== voice || voice.session.isSelf(wanted)) {
      clearInterval(this.#regain)
      return
    }
    if (this.#plan?.renamed) this.#hooks.rename(voice.session.nick, wanted)
    else voice.session.write(`NICK ${wanted}`)
  }

  #enter(voice: Voice): void {
    if (this.ready) return
    this.ready = true
    this.fault = null
    if (this.#entered === voice) return
    this.#entered = voice
    this.sinceMs = Date.now()
    this.#hooks.up(this, voice)
  }

  #down(fault: Fault): void {
    clearInterval(this.#regain)
    this.fault = fault
    if (this.ready) this.sinceMs = Date.now()
    this.ready = false
    const { voice } = this
    this.voice = null
    voice?.close()
    this.#hooks.down(this)
  }

  #line(line: Line): void {
    const { voice } = this
    if (!voice) return
    if (this.main && line.tags[deliveryTag] !== undefined) this.#own(voice, line)
    if (voice.sends.take(line) || voice.history.take(line)) return
    this.#nicks(voice, line)
    this.#hooks.line(this, line)
    const events = voice.events(line)
    if (events.length > 0) this.#hooks.events(this, events)
    this.#hooks.followed(this, line)
  }

  #own(voice: Voice, line: Line): void {
    const mark = voice.history.available ? null : ownMark(line, voice.heard)
    if (mark !== null) this.#hooks.own(line.params[0] ?? '', mark, (line.tags['msgid'] ?? '~') as MessageId)
  }

  #nicks(voice: Voice, line: Line): void {
    if (line.command !== 'NICK' && line.command !== 'QUIT') return
    const wanted = this.#plan?.nick
    if (wanted === undefined) return
    const ours = line.command === 'NICK' && voice.session.isSelf(lastParam(line))
    if (ours && voice.session.isSelf(wanted)) this.#regained(voice)
    else if (ours) this.#lost(voice)
    else if (voice.session.fold(line.nick) === voice.session.fold(wanted)) this.#ask(voice, wanted)
  }

  #regained(voice: Voice): void {
    clearInterval(this.#regain)
    this.#enter(voice)
    this.#hooks.changed()
  }

  /**
   * Somebody, services mostly, gave us another nick. On our own server nothing is said under it; elsewhere we log in and ask for
   * ours at once, and then now and again: who takes it from us for good is not fought.
   */
  #lost(voice: Voice): void {
    if (this.#entered !== voice) return
    const again = Date.now() - this.#lostMs < regainMs
    this.#lostMs = Date.now()
    this.#hooks.changed()
    if (this.#plan?.renamed) this.ready = false
    else if (again) return this.#wait(voice)
    void this.#settleIn(voice)
  }

  #batch(batch: Batch): void {
    const { voice } = this
    if (!voice || voice.sends.takeBatch(batch) || voice.history.takeBatch(batch)) return
    const replay = voice.replay(batch)
    if (replay) {
      if (this.main) this.#hooks.replay(replay.channel, replay.lines)
      return
    }
    const events = voice.batchEvents(batch, line => this.#hooks.followed(this, line))
    if (events.length > 0) this.#hooks.events(this, events)
  }

  away(reason: string | null): void {
    this.#away = reason
    this.voice?.session.write(reason === null ? 'AWAY' : `AWAY :${reason}`)
  }
}

/** Spreads the first attempts of many connections a little. */
export const startDelayMs = (index: number): number => (index === 0 ? 0 : backoffMs({ firstMs: 20, maxMs: 200 }, index))
