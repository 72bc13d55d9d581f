import { isDeepStrictEqual } from 'node:util'
import type { Context } from '../../../config/context.ts'
import { RateLimit } from '../../../core/command/state/rate.ts'
import { isIgnored } from '../../../core/command/visit/desk.ts'
import { asChanopError } from '../../../core/error.ts'
import { type MessageEvent, text } from '../../../core/event.ts'
import { changeStamp } from '../../../core/ledger/meta.ts'
import { agentsGoneSince, forgetPresence } from '../../../core/ledger/people/presence.ts'
import type { Stored } from '../../../core/ledger/record/events.ts'
import { advanceTo } from '../../../core/ledger/settings/consumers.ts'
import { networkStatuses } from '../../../core/ledger/settings/networks.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import { consume } from '../../../core/process/consumer.ts'
import { alertRoomOf, type Room, type Rooms } from '../../../core/rooms.ts'
import { say } from '../../../core/say.ts'
import { dayMs, some } from '../../../core/text/text.ts'
import { type Decision, decide, type Question } from './ask.ts'
import { closeCall, openCall } from './call.ts'
import { Calls } from './calls.ts'
import { mayMention, mentionOf } from './mention.ts'
import { alertsOf, keepTold, toldOf } from './outages.ts'
import { type Look, Presence } from './presence.ts'
import { knownWords } from './targets.ts'

export interface FleetOptions {
  readonly context: Context
  /** Whether the bridge runs, as far as anybody knows: without it nobody can be seen. */
  readonly bridgeRuns: () => boolean
}

const consumer = 'admin.fleet'
const tickMs = 250
const lookMs = 2000
const reapEveryMs = 3_600_000
/** An answer that was said in time and is read late still counts, for so long. */
const patienceMs = 5000

/**
 * The fleet's daily life: who of the agents is there, groups that are called by a mention, and how many of them answered.
 * Reads every fact with a cursor of its own; what it remembers between two writes it reads again after a crash.
 */
export class Fleet {
  readonly #o: FleetOptions
  readonly #presence = new Presence()
  readonly #calls = new Calls()
  readonly #persons = new RateLimit()
  readonly #inRooms = new RateLimit()
  #read = 0
  #saved = 0
  #lookedMs = 0
  #stamp = ''
  #nextMs: number | null = 0
  #reapedMs = 0
  #busy = false

  constructor(options: FleetOptions) {
    this.#o = options
  }

  get #config() {
    return this.#o.context.settings.current
  }

  get rooms(): Rooms {
    return this.#o.context.rooms
  }

  /** Follows the ledger until the process stops. `isCommand` tells what another one answers. */
  async run(isCommand: (stored: Stored) => boolean): Promise<void> {
    using _ticking = setInterval(() => this.#tick(), tickMs)
    await consume(this.#o.context, {
      name: consumer,
      begin: from => void (this.#read = this.#saved = from),
      take: batch => this.#take(batch, isCommand),
      keep: () => this.#save(),
    })
  }

  async #take(batch: readonly Stored[], isCommand: (stored: Stored) => boolean): Promise<void> {
    const { ledger } = this.#o.context
    await ledger.read(db => this.#calls.refresh(db))
    for (const stored of batch) {
      // What was read before a part of this batch failed is not told twice.
      if (stored.seq <= this.#read) continue
      const { event } = stored
      this.#presence.saw(stored)
      if (this.#calls.size > 0) await ledger.read(db => this.#calls.heard(db, stored))
      if (event.kind === 'message' && mayMention(event.content) && this.#mayCall(event) && !isCommand(stored)) {
        await this.#mentioned(stored as Stored<MessageEvent>)
      }
      this.#read = stored.seq
    }
    if (this.#calls.size > 0) await this.#count(Date.now())
  }

  #mayCall(event: MessageEvent): boolean {
    return event.sender.kind !== 'self' && !event.place.private && !isIgnored(this.#config.ignore, event)
  }

  async #mentioned(stored: Stored<MessageEvent>): Promise<void> {
    const { ledger } = this.#o.context
    const question = await ledger.read((db): Question | null => {
      const words = knownWords(db)
      const mention = words && mentionOf(stored.event.content, words)
      return mention && { stored, mention }
    })
    if (question) await this.#ask(question)
  }

  async #ask(question: Question): Promise<void> {
    const { ledger } = this.#o.context
    const nowMs = Date.now()
    const decision = await ledger.read(db => decide(db, question, this.#config, this.rooms, nowMs))
    if (decision.is === 'silent') return
    const limited = this.limited(question.stored, nowMs)
    if (limited === '') return
    const meant: Decision = limited === null ? decision : { is: 'no', line: limited }
    await ledger.write(db => {
      this.carryOut(db, question, meant, nowMs)
      this.#keep(db, question.stored.seq)
    })
    this.#kept(question.stored.seq)
    await ledger.read(db => this.#calls.refresh(db))
  }

  /** What to say to somebody who calls too often: once, then '' for nothing; null: they may. */
  limited({ event, room }: Stored<MessageEvent>, nowMs: number): string | null {
    const { perPersonPerMinute, perRoomPerMinute } = this.#config.fleet
    const { place, sender } = event
    // Who has no account shares a limit with all such in the room: another name is no fresh start.
    const who = sender.verified ? `${place.network}\n${sender.id}` : `${place.network}\n\n${room}`
    const limits = [
      [this.#persons, who, perPersonPerMinute],
      [this.#inRooms, room, perRoomPerMinute],
    ] as const
    for (const [limit, key, perMinute] of limits) {
      const rate = { perMinute, burst: Math.max(1, Math.ceil(perMinute / 2)) }
      const said = limit.ask(key, rate, nowMs)
      if (said === 'tell') return `too many calls: go on in ${limit.waitSeconds(key, rate)} s`
      if (said === 'silent') return ''
    }
    return null
  }

  /** Part of a transaction: wakes those who are meant, or says why not. */
  carryOut(db: Tx, { stored, mention }: Question, decision: Decision, nowMs: number): void {
    const { name } = this.#o.context
    if (decision.is === 'silent') return
    if (decision.is === 'no') {
      const { place } = stored.event
      const saying = { bot: name, content: text(decision.line), in: this.rooms.from(place) }
      if (!place.private) say(db, { ...saying, key: `fleet.no.${stored.seq}`, replySeq: stored.seq }, nowMs)
      return
    }
    const untilMs = nowMs + this.#config.fleet.answerSeconds * 1000
    const { here } = decision
    openCall(db, name, this.rooms, { stored, kind: 'mention', ...mention, here, untilMs }, nowMs)
  }

  #tick(): void {
    const { log, ledger } = this.#o.context
    const nowMs = Date.now()
    if (this.#busy) return
    this.#busy = true
    const work = async (): Promise<void> => {
      if (this.#calls.size > 0) await this.#count(nowMs)
      if (nowMs - this.#lookedMs > lookMs) await this.#lookIfNew(nowMs)
      if (nowMs - this.#reapedMs > reapEveryMs) await this.#reap(nowMs)
      await ledger.read(db => this.#calls.refresh(db))
    }
    work()
      .catch((error: unknown) => log.error({ error }, asChanopError(error).message))
      .finally(() => (this.#busy = false))
  }

  /** Tells the calls that are over. While facts wait to be read, silence proves nothing yet. */
  async #count(nowMs: number): Promise<void> {
    const { ledger, name } = this.#o.context
    const next = this.#calls.nextMs ?? nowMs
    const read = this.#read >= ledger.newestSeq() || nowMs > next + patienceMs
    const due = this.#calls.due(nowMs, read)
    if (due.length === 0) return
    await ledger.write(db => {
      for (const call of due) closeCall(db, name, this.rooms, call, nowMs)
      this.#keep(db, this.#read)
    })
    for (const call of due) this.#calls.closed(call)
    this.#kept(this.#read)
  }

  #keep(db: Tx, seq: number): void {
    this.#presence.keep(db)
    this.#calls.keep(db)
    advanceTo(db, consumer, seq)
  }

  #kept(seq: number): void {
    this.#presence.kept()
    this.#calls.kept()
    this.#saved = seq
  }

  /** Reading the same facts twice after a power cut costs nothing: this needs no commit of its own. */
  #save(): void {
    if (this.#read <= this.#saved && !this.#presence.dirty && !this.#calls.dirty) return
    const seq = this.#read
    this.#o.context.ledger.mark(db => this.#keep(db, seq))
    this.#kept(seq)
  }

  /** Whatever commits to the ledger may change who is there; time alone only at a known moment. */
  async #lookIfNew(nowMs: number): Promise<void> {
    const stamp = await this.#o.context.ledger.read(changeStamp)
    this.#lookedMs = nowMs
    if (stamp === this.#stamp && (this.#nextMs === null || nowMs < this.#nextMs)) return
    await this.look(nowMs)
    this.#stamp = await this.#o.context.ledger.read(changeStamp)
  }

  /** How every agent is now; tells the alert room what is new. */
  async look(nowMs = Date.now()): Promise<Look> {
    const { ledger } = this.#o.context
    this.#save()
    const runs = this.#o.bridgeRuns()
    const up = await ledger.read(db => new Map(networkStatuses(db).map(each => [each.network, each])))
    const isUp = (network: string): boolean => runs && up.get(network)?.state === 'up'
    const look = ledger.mark(db => this.#presence.look(db, this.#config.fleet, isUp, nowMs))
    const rule = {
      alertSeconds: this.#config.fleet.alertSeconds,
      upSinceMs: (network: string) => up.get(network)?.sinceMs ?? 0,
    }
    const before = await ledger.read(toldOf)
    const { lines, told, nextMs } = alertsOf(look, before, rule, nowMs)
    const room = this.#alertRoom()
    if (!isDeepStrictEqual(told, before) && room) {
      await ledger.write(db => {
        keepTold(db, told)
        this.#alert(db, room, lines, nowMs)
      })
    }
    const times = [look.nextMs, nextMs].filter(time => time !== null)
    this.#nextMs = times.length === 0 ? null : Math.min(...times)
    return look
  }

  #alertRoom(): Room | null {
    return alertRoomOf(this.#o.context.rooms, this.#config)
  }

  #alert(db: Tx, room: Room, lines: readonly string[], nowMs: number): void {
    for (const [index, line] of lines.entries()) {
      const key = `fleet.alert.${nowMs}.${index}`
      say(db, { bot: this.#o.context.name, content: text(line), in: room, key }, nowMs)
    }
  }

  /** Forgets who was not seen for long; agents are only named, once a day: deleting them is for people to say. */
  async #reap(nowMs: number): Promise<void> {
    this.#reapedMs = nowMs
    const { reapDays } = this.#config.fleet
    if (reapDays === null) return
    const beforeMs = nowMs - reapDays * dayMs
    await this.#o.context.ledger.write(db => {
      forgetPresence(db, beforeMs)
      const names = agentsGoneSince(db, beforeMs)
      const room = this.#alertRoom()
      if (names.length === 0 || !room) return
      const { prefix } = this.#o.context.settings.current.commands
      const line = `not seen for ${reapDays} days: ${some(names)}; ${prefix}agent reap idle=${reapDays}d deletes such agents`
      const key = `fleet.reap.${new Date(nowMs).toISOString().slice(0, 10)}`
      say(db, { bot: this.#o.context.name, content: text(line), in: room, key }, nowMs)
    })
  }
}
