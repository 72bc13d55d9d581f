import type { Cursors } from '../../core/adapter.ts'
import { ChanopError } from '../../core/error.ts'
import type { ChatEvent, MessageId } from '../../core/event.ts'
import type { Log } from '../../core/log.ts'
import { backoffMs } from '../../core/retry.ts'
import { because, type Channel, joinDeadlineMs, newChannel, type Replayed, rejoinBackoff, steadyMs } from './channel.ts'
import type { Fault } from './link/session.ts'
import { gapOf, type Heardpoint, heardMs, missed, missedByReplay } from './past/catchup.ts'
import { type Epoch, Epochs } from './past/epoch.ts'
import type { Voice } from './people/voice.ts'
import { channelPlace, ownMark } from './text/inbound.ts'
import { type Line, lastParam, serverTimeMs } from './text/line.ts'
import { Troubles } from './troubles.ts'

export interface ChannelsHooks {
  emit(events: readonly ChatEvent[]): void
  changed(): void
  /** All that was missed of this channel is handed over. */
  live(channel: string): void
  /** Lines of history that the server keeps, where it is one server alone and ours; else null. */
  readonly kept: number | null
}

/** Any numeric against a channel that we are joining says that we do not get in. */
const numericRefusal = /^[45]\d\d$/
const forwarding = '470'
/** ERR_NOSUCHCHANNEL, ERR_NOTONCHANNEL: said of a channel that we are in, we are not. */
const notThere = /^(?:403|442)$/
const joinLineBytes = 400
/** Deliveries of our own that are remembered for each channel. */
const mostMarks = 5_000

/**
 * The channels the main connection listens in: joins them, joins again, and hands over what was missed before
 * anything live of the same channel.
 */
export class Channels {
  /** Whether this server replays at JOIN, once one has been seen to. */
  replays = false
  readonly #channels = new Map<string, Channel>()
  readonly troubles: Troubles
  /** Where a forwarded JOIN leads to. */
  readonly #strays = new Set<string>()
  readonly #cursors: Cursors
  readonly #hooks: ChannelsHooks
  readonly #log: Log
  readonly #waiting = new Map<string, ((error: ChanopError | null) => void)[]>()
  #voice: Voice | null = null
  readonly #epochs: Epochs | null
  #epoch: Promise<Epoch> = Promise.resolve('same')

  constructor(names: readonly string[], cursors: Cursors, hooks: ChannelsHooks, log: Log) {
    this.#cursors = cursors
    this.#hooks = hooks
    this.#log = log
    this.troubles = new Troubles(() => hooks.changed(), log)
    this.#epochs = hooks.kept === null ? null : new Epochs(cursors, log)
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

  #turn(channel: Channel, state: Channel['state']): void {
    channel.state = state
    const { watchers } = channel
    channel.watchers = []
    for (const watcher of watchers) watcher()
  }

  replayed(name: string): Replayed | null {
    return this.#find(name)?.replayed ?? null
  }

  up(voice: Voice): void {
    this.#voice = voice
    if (this.#epochs) this.#epoch = this.#epochs.begin(voice.session.created)
    this.#rekey()
    let line = ''
    for (const channel of this.#channels.values()) {
      this.#joining(channel)
      if (line.length + channel.name.length > joinLineBytes) {
        voice.session.write(`JOIN ${line}`)
        line = ''
      }
      line += `${line === '' ? '' : ','}${channel.name}`
    }
    if (line !== '') voice.session.write(`JOIN ${line}`)
  }

  down(fault: Fault | null): void {
    if (fault?.byServer && this.#voice) this.#epochs?.ended(this.#voice.session.created)
    const keeps = this.#voice?.history.available ?? false
    this.#voice = null
    for (const channel of this.#channels.values()) {
      // With history these are fetched again, behind what is missing; without, they are all there will ever be.
      if (!keeps && channel.held.length > 0) this.#hooks.emit(channel.held)
      Object.assign(channel, { held: [], replay: null, replayed: null })
      this.#turn(channel, 'out')
      clearTimeout(channel.again)
    }
  }

  /** Resolves once all that is to be remembered is written down. */
  settled(): Promise<void> {
    return this.#epochs?.settled() ?? Promise.resolve()
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
      else
        this.#told(
          this.#key(name),
          new ChanopError('network-down', `not connected; ${name} is joined after the reconnect`),
        )
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
    if (channel.held.length > 0) this.#hooks.emit(channel.held)
    channel.held = []
    this.#turn(channel, 'out')
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
    this.#turn(channel, 'out')
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
    this.#turn(channel, 'catching')
    channel.joinedMs = performance.now()
    this.troubles.end('in', channel.name)
    this.#told(this.#key(name), null)
    const { joinedMs } = channel
    // Put out meanwhile, and perhaps in again: that stay catches up by itself.
    const stays = (): boolean => this.#voice === voice && channel.state === 'catching' && channel.joinedMs === joinedMs
    this.#catchUp(voice, channel, stays).catch((error: unknown) => {
      if (!stays()) return
      this.#log.warn({ error, channel: name }, 'history could not be fetched')
      const fromMs = channel.heardMs ?? Date.now()
      const gap = gapOf(voice, this.#key(name), fromMs, 'the server did not send its history')
      this.#live(channel, [gap, ...channel.held])
    })
  }

  async #catchUp(voice: Voice, channel: Channel, stays: () => boolean): Promise<void> {
    const key = this.#key(channel.name)
    const place = channelPlace(key, voice.heard)
    const heard = await this.#cursors.newest(place)
    const epoch = await this.#epoch
    const seen = new Set<string>()
    const pass = (events: readonly ChatEvent[]): void => {
      if (!stays()) return
      // What came live as well stays live: only then may it carry a command.
      const live = new Set(channel.held.map(event => event.key))
      const missing = events.filter(event => !live.has(event.key))
      for (const event of missing) seen.add(event.key)
      if (missing.length > 0) this.#hooks.emit(missing)
    }
    if (voice.history.available) {
      for await (const events of missed(voice, key, heard, epoch)) pass(events)
    } else pass(await this.#withoutHistory(voice, channel, { key, heard, epoch }))
    if (!stays()) return
    this.#live(
      channel,
      channel.held.filter(event => !seen.has(event.key)),
    )
  }

  /** A replay comes by itself right behind the JOIN, so that a PING shows whether there is one. */
  async #withoutHistory(
    voice: Voice,
    channel: Channel,
    { key, heard, epoch }: { key: string; heard: Heardpoint | null; epoch: Epoch },
  ): Promise<ChatEvent[]> {
    const keeps = await this.#keeps(voice, channel.name)
    const { replay } = channel
    channel.replay = null
    if (replay === null && !keeps) {
      channel.replayed = { marks: new Map(), whole: false, fromMs: null }
      const fromMs = heard ? heardMs(voice, heard) : channel.heardMs
      return fromMs === null ? [] : [gapOf(voice, key, fromMs, 'this server keeps no history')]
    }
    this.#remember(voice, channel, replay ?? [], heard?.id ?? null)
    const lines = replay ?? []
    const all = epoch === 'whole' && lines.length < (this.#hooks.kept ?? 0)
    return missedByReplay(voice, key, heard, lines, all)
  }

  /** InspIRCd keeps history for channels with mode `H`. The answer comes behind the replay of the JOIN. */
  async #keeps(voice: Voice, name: string): Promise<boolean> {
    if (!/inspircd/i.test(voice.session.server)) {
      await voice.session.barrier()
      return false
    }
    const modes = await voice.session.ask(`MODE ${name}`, line =>
      line.command === '324' && this.#key(line.params[1] ?? '') === this.#key(name)
        ? (line.params[2] ?? '')
        : undefined,
    )
    if (modes.includes('H')) this.replays = true
    return modes.includes('H')
  }

  #remember(voice: Voice, channel: Channel, replay: readonly Line[], heard: MessageId | null): void {
    const whole = heard === null || replay.some(line => line.tags['msgid'] === heard)
    const marks = new Map<string, MessageId>()
    for (const line of replay) {
      const mark = ownMark(line, voice.heard)
      if (mark !== null) marks.set(mark, (line.tags['msgid'] ?? '~') as MessageId)
    }
    const fromMs = heard === null || replay[0] === undefined ? null : serverTimeMs(replay[0])
    channel.replayed = { marks, whole, fromMs }
  }

  #live(channel: Channel, events: readonly ChatEvent[]): void {
    channel.held = []
    this.#turn(channel, 'live')
    channel.heardMs = Date.now()
    if (events.length > 0) this.#hooks.emit(events)
    this.#hooks.live(channel.name)
    this.#hooks.changed()
  }

  /** Notes a line that one of our connections said, where the server has no history to ask later. */
  own(name: string, mark: string, id: MessageId): void {
    const marks = this.#find(name)?.replayed?.marks
    if (!marks) return
    marks.set(mark, id)
    if (marks.size > mostMarks) marks.delete(marks.keys().next().value ?? '')
  }

  /** Takes a replay that nobody asked for. */
  replay(name: string, lines: Line[]): void {
    this.replays = true
    const channel = this.#channels.get(name)
    if (channel?.state === 'catching') channel.replay = [...(channel.replay ?? []), ...lines]
  }

  /** Passes live events on, or holds them while their channel is still catching up. */
  route(events: readonly ChatEvent[]): ChatEvent[] {
    return events.filter(event => {
      const channel = this.#find(event.place.channel)
      if (channel?.state === 'catching') {
        channel.held.push(event)
        return false
      }
      if (channel) channel.heardMs = event.atMs
      return true
    })
  }
}
