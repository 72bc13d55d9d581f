import type { Cursors } from '../../../core/adapter.ts'
import type { ChatEvent, MessageId } from '../../../core/event.ts'
import type { Log } from '../../../core/log.ts'
import { type Channel, turn } from '../channel.ts'
import { isInspircd } from '../link/command.ts'
import type { Fault } from '../link/session.ts'
import type { Voice } from '../people/voice.ts'
import { channelPlace, ownMark } from '../text/inbound.ts'
import { type Line, serverTimeMs } from '../text/line.ts'
import { Behind } from './behind.ts'
import { gapOf, type Heardpoint, heardMs, missed, missedByReplay } from './catchup.ts'
import { type Epoch, Epochs } from './epoch.ts'

export interface HandoverHooks {
  emit(events: readonly ChatEvent[]): void
  changed(): void
  /** Resolves once the ledger has what was emitted; with false when it did not take all. */
  taken(): Promise<boolean>
  /** All that was missed of this channel is handed over. */
  live(channel: string): void
  /** Lines of history that the server keeps, where it is one server alone and ours; else null. */
  readonly kept: number | null
}

/** Deliveries of our own that are remembered for each channel. */
const mostMarks = 5_000

/** Hands over what was missed of a channel before anything live of it: what comes meanwhile is held. */
export class Handover {
  /** Whether this server replays at JOIN, once one has been seen to. */
  replays = false
  readonly #behind: Behind
  readonly #hooks: HandoverHooks
  readonly #log: Log
  readonly #epochs: Epochs | null
  #voice: Voice | null = null
  #epoch: Promise<Epoch> = Promise.resolve('same')
  /** Places that have caught up on this connection: a restart of the server before it says nothing of what they miss since. */
  readonly #caughtUp = new Set<string>()

  constructor(cursors: Cursors, hooks: HandoverHooks, log: Log) {
    this.#behind = new Behind(cursors, log)
    this.#hooks = hooks
    this.#log = log
    this.#epochs = hooks.kept === null ? null : new Epochs(cursors, log)
  }

  up(voice: Voice): void {
    this.#voice = voice
    this.#caughtUp.clear()
    if (this.#epochs) this.#epoch = this.#epochs.begin(voice.session.created)
  }

  down(channels: Iterable<Channel>, fault: Fault | null): void {
    if (fault?.byServer && this.#voice) this.#epochs?.ended(this.#voice.session.created)
    const keeps = this.#voice?.history.available ?? false
    this.#voice = null
    for (const channel of channels) {
      // With history these are fetched again, behind what is missing; without, they are all there will ever be.
      if (keeps) channel.held = []
      this.broken(channel)
      channel.replayed = null
    }
  }

  /** We are not in it any more: nothing more comes for what is held to wait for. What is missing before it is noted first. */
  broken(channel: Channel): void {
    const { held, behind } = channel
    Object.assign(channel, { held: [], replay: null })
    const [first] = held
    if (!first) return
    const noted = behind ? this.#behind.note(first.place.channel, behind) : Promise.resolve()
    void noted.then(() => this.#hooks.emit(held))
  }

  /** Resolves once all that is to be remembered is written down. */
  async settled(): Promise<void> {
    await Promise.all([this.#epochs?.settled(), this.#behind.settled()])
  }

  /** Our own JOIN came back. */
  begin(voice: Voice, channel: Channel): void {
    turn(channel, 'catching')
    const { joinedMs } = channel
    // Put out meanwhile, and perhaps in again: that stay catches up by itself.
    const stays = (): boolean => this.#voice === voice && channel.state === 'catching' && channel.joinedMs === joinedMs
    const place = channelPlace(voice.session.fold(channel.name), voice.heard)
    const behind = (channel.behind ??= this.#behind.of(place))
    // What was held when we were put out goes before what is fetched now.
    const noted = this.#behind.settled().then(() => behind)
    void noted.then(
      heard =>
        this.#catchUp(voice, channel, heard, stays).catch((error: unknown) => {
          if (stays()) this.#failed(voice, channel, heard, error)
        }),
      (error: unknown) => {
        channel.behind = null
        if (stays()) this.#failed(voice, channel, null, error)
      },
    )
  }

  #failed(voice: Voice, channel: Channel, heard: Heardpoint | null, error: unknown): void {
    this.#log.warn({ error, channel: channel.name }, 'history could not be fetched')
    const fromMs = heard ? heardMs(voice, heard) : (channel.heardMs ?? Date.now())
    const gap = gapOf(voice, voice.session.fold(channel.name), fromMs, 'the server did not send its history')
    this.#live(channel, gap.place.channel, [gap, ...channel.held])
  }

  async #catchUp(voice: Voice, channel: Channel, heard: Heardpoint | null, stays: () => boolean): Promise<void> {
    const key = voice.session.fold(channel.name)
    const { channel: place } = channelPlace(key, voice.heard)
    const epoch = this.#caughtUp.has(place) ? 'same' : await this.#epoch
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
      place,
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
    if (!isInspircd(voice.session)) {
      await voice.session.barrier()
      return false
    }
    const modes = await voice.session.ask(`MODE ${name}`, line =>
      line.command === '324' && voice.session.fold(line.params[1] ?? '') === voice.session.fold(name)
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

  #live(channel: Channel, place: string, events: readonly ChatEvent[]): void {
    channel.held = []
    channel.behind = null
    this.#caughtUp.add(place)
    turn(channel, 'live')
    channel.heardMs = Date.now()
    if (events.length > 0) this.#hooks.emit(events)
    this.#behind.over(place, () => this.#hooks.taken())
    this.#hooks.live(channel.name)
    this.#hooks.changed()
  }

  /** Notes a line that one of our connections said, where the server has no history to ask later. */
  own({ replayed }: Channel, mark: string, id: MessageId): void {
    const marks = replayed?.marks
    if (!marks) return
    marks.set(mark, id)
    if (marks.size > mostMarks) marks.delete(marks.keys().next().value ?? '')
  }

  /** Takes a replay that nobody asked for. */
  replay(channel: Channel | undefined, lines: readonly Line[]): void {
    this.replays = true
    if (channel?.state === 'catching') channel.replay = [...(channel.replay ?? []), ...lines]
  }

  /** False: it waits until what was missed before it is handed over. */
  passes(channel: Channel, event: ChatEvent): boolean {
    if (channel.state === 'catching') channel.held.push(event)
    else channel.heardMs = event.atMs
    return channel.state !== 'catching'
  }
}
