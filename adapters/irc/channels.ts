import type { Cursors } from '../../core/adapter.ts'
import { ChanopError } from '../../core/error.ts'
import type { ChatEvent, MessageId } from '../../core/event.ts'
import type { Log } from '../../core/log.ts'
import { backoffMs } from '../../core/retry.ts'
import {
  because,
  type Channel,
  joinDeadlineMs,
  joinLines,
  newChannel,
  type Replayed,
  rejoinBackoff,
  steadyMs,
  turn,
} from './channel.ts'
import type { Fault } from './link/session.ts'
import { Handover, type HandoverHooks } from './past/handover.ts'
import type { Voice } from './people/voice.ts'
import { type Line, lastParam } from './text/line.ts'
import { Troubles } from './troubles.ts'

/** Any numeric against a channel that we are joining says that we do not get in. */
const numericRefusal = /^[45]\d\d$/
const forwarding = '470'
/** ERR_NOSUCHCHANNEL, ERR_NOTONCHANNEL: said of a channel that we are in, we are not. */
const notThere = /^(?:403|442)$/

const notConnected = (channel: string): ChanopError =>
  new ChanopError('network-down', `not connected; ${channel} is joined after the reconnect`)

/** The channels the main connection listens in: joins them, and joins again. */
export class Channels {
  /** What was missed of them. */
  readonly past: Handover
  readonly #channels = new Map<string, Channel>()
  readonly troubles: Troubles
  /** Where a forwarded JOIN leads to. */
  readonly #strays = new Set<string>()
  readonly #waiting = new Map<string, ((error: ChanopError | null) => void)[]>()
  #voice: Voice | null = null

  constructor(names: readonly string[], cursors: Cursors, hooks: HandoverHooks, log: Log) {
    this.past = new Handover(cursors, hooks, log)
    this.troubles = new Troubles(() => hooks.changed(), log)
    for (const name of names) this.want(name)
  }

  get names(): string[] {
    return [...this.#channels.values()].map(channel => channel.name)
  }

  #key(name: string): string {
    return this.#voice?.session.fold(name) ?? name.toLowerCase()
  }

  #find(name: string): Channel | undefined {
    return this.#channels.get(this.#key(name))
  }

  want(name: string): Channel {
    const known = this.#find(name)
    if (known) return known
    const channel = newChannel(name)
    this.#channels.set(this.#key(name), channel)
    return channel
  }

  /** A room has this channel and writes it so: that is its place, however the server writes it. */
  named(name: string): void {
    this.want(name).place ??= name
  }

  /** The channel of a place, of a name as the server compares it. */
  placeOf(folded: string): string {
    return this.#channels.get(folded)?.place ?? folded
  }

  /** The server has told how it compares names: two that are one to it are one. */
  #rekey(): void {
    const all = [...this.#channels.values()]
    this.#channels.clear()
    for (const channel of all) {
      const same = this.#find(channel.name)
      if (same) same.place ??= channel.place
      else this.#channels.set(this.#key(channel.name), channel)
    }
  }

  forget(name: string): void {
    const channel = this.#find(name)
    clearTimeout(channel?.again)
    this.#told(this.#key(name), new ChanopError('send-later', `${name} was left before we were in`))
    this.troubles.forget(channel?.name ?? name)
    this.#channels.delete(this.#key(name))
  }

  /** `other`: nothing of ours. */
  status(name: string): Channel['state'] | 'other' {
    return this.#find(name)?.state ?? 'other'
  }

  /** Resolves once the channel has left `state`, or the connection has ended. */
  left(name: string, state: Channel['state']): Promise<void> {
    const channel = this.#find(name)
    if (channel?.state !== state) return Promise.resolve()
    return new Promise(resolve => channel.watchers.push(resolve))
  }

  /** Resolves once it has turned out whether we get into a channel; undefined: that is known. */
  tried(name: string): Promise<void> | undefined {
    const state = this.#find(name)?.state
    return state === 'joining' || (state === 'out' && !this.#voice) ? this.left(name, state) : undefined
  }

  replayed(name: string): Replayed | null {
    return this.#find(name)?.replayed ?? null
  }

  up(voice: Voice): void {
    this.#voice = voice
    this.past.up(voice)
    this.#rekey()
    for (const channel of this.#channels.values()) this.#joining(channel)
    for (const line of joinLines(this.names)) voice.session.write(line)
  }

  down(fault: Fault | null): void {
    this.#voice = null
    this.past.down(this.#channels.values(), fault)
    for (const channel of this.#channels.values()) {
      turn(channel, 'out')
      clearTimeout(channel.again)
    }
    for (const key of this.#waiting.keys()) this.#told(key, notConnected(this.#channels.get(key)?.name ?? key))
  }

  join(name: string): Promise<void> {
    const channel = this.want(name)
    channel.place = name
    if (channel.state === 'live' || channel.state === 'catching') return Promise.resolve()
    return new Promise((resolve, reject) => {
      const waiting = this.#waiting.get(this.#key(name)) ?? []
      waiting.push(error => (error ? reject(error) : resolve()))
      this.#waiting.set(this.#key(name), waiting)
      if (this.#voice) this.#enter(channel)
      else this.#told(this.#key(name), notConnected(name))
    })
  }

  #told(key: string, error: ChanopError | null): void {
    for (const tell of this.#waiting.get(key) ?? []) tell(error)
    this.#waiting.delete(key)
  }

  /** It is in once its own JOIN comes back. */
  #joining(channel: Channel): void {
    channel.state = 'joining'
    clearTimeout(channel.again)
    channel.again = setTimeout(() => this.#refused(channel.name, 'the server did not answer'), joinDeadlineMs)
    channel.again.unref()
  }

  #enter(channel: Channel): void {
    if (!this.#voice) return
    this.#joining(channel)
    this.#voice.session.write(`JOIN ${channel.name}`)
  }

  /** Follows our own comings and goings. */
  line(line: Line): void {
    const voice = this.#voice
    if (!voice) return
    const [first = '', second = ''] = line.params
    const { command, nick } = line
    if (command === 'JOIN' && voice.session.isSelf(nick)) this.#joined(voice, first)
    else if (command === 'PART' && voice.session.isSelf(nick)) this.#left(first, because('left', line.params[1]))
    else if (command === 'KICK' && voice.session.isSelf(second))
      this.#left(first, because(`kicked by ${nick}`, line.params[2]))
    else if (command === forwarding) this.#forwarded(second, line.params[2] ?? '')
    else if (notThere.test(command) && this.#isIn(second)) this.lost(second, `${lastParam(line)} (${command})`)
    else if (numericRefusal.test(command)) this.#refused(second, `${lastParam(line)} (${command})`)
  }

  /** Nobody asked for the channel it leads to: neither do we listen there nor is anything said there. */
  #forwarded(name: string, to: string): void {
    if (this.#find(to) === undefined) this.#strays.add(this.#key(to))
    this.#refused(name, `the network leads us to ${to} instead (${forwarding})`)
  }

  #isIn(name: string): boolean {
    const state = this.#find(name)?.state
    return state === 'live' || state === 'catching'
  }

  /** The server takes us for gone from where we thought we were: we come back at once. */
  lost(name: string, reason: string): void {
    if (this.#isIn(name)) this.#left(name, `the server says that we are not in it: ${reason}`)
  }

  #left(name: string, reason: string): void {
    const channel = this.#find(name)
    if (!channel) return
    this.past.broken(channel)
    turn(channel, 'out')
    this.troubles.begin('in', channel.name, reason)
    if (performance.now() - channel.joinedMs > steadyMs) channel.attempt = 0
    this.#again(channel)
  }

  #again(channel: Channel): void {
    const attempt = channel.attempt++
    if (attempt === 0) {
      this.#enter(channel)
      return
    }
    clearTimeout(channel.again)
    channel.again = setTimeout(() => this.#enter(channel), backoffMs(rejoinBackoff, attempt - 1))
    channel.again.unref()
  }

  #refused(name: string, reason: string): void {
    const channel = this.#find(name)
    if (channel?.state !== 'joining') return
    turn(channel, 'out')
    this.troubles.begin('in', channel.name, `can not join: ${reason}`)
    this.#told(this.#key(name), new ChanopError('send-refused', `the server does not let us into ${name}: ${reason}`))
    channel.attempt = Math.max(channel.attempt, 1)
    this.#again(channel)
  }

  #joined(voice: Voice, name: string): void {
    if (this.#strays.delete(this.#key(name)) && !this.#find(name)) {
      voice.session.write(`PART ${name} :not meant`)
      return
    }
    const channel = this.want(name)
    clearTimeout(channel.again)
    channel.joinedMs = performance.now()
    this.troubles.end('in', channel.name)
    this.#told(this.#key(name), null)
    this.past.begin(voice, channel)
  }

  /** Notes a line that one of our connections said, where the server has no history to ask later. */
  own(name: string, mark: string, id: MessageId): void {
    const channel = this.#find(name)
    if (channel) this.past.own(channel, mark, id)
  }

  /** Takes a replay that nobody asked for. */
  replay(name: string, lines: Line[]): void {
    this.past.replay(this.#channels.get(name), lines)
  }

  /** Passes live events on, or holds them while their channel is still catching up. */
  route(events: readonly ChatEvent[]): ChatEvent[] {
    return events.filter(event => {
      const channel = this.#find(event.place.channel)
      return !channel || this.past.passes(channel, event)
    })
  }
}
