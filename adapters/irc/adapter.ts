import { setTimeout as wait } from 'node:timers/promises'
import type {
  Accounts,
  Adapter,
  AdapterContext,
  Channels as ChannelActs,
  Cursors,
  Found,
  Limits,
  LoginLock,
  NetworkStatus,
  Sink,
} from '../../core/adapter.ts'
import { ChanopError } from '../../core/error.ts'
import type { Act, ChatEvent, Draft, MessageId, NetworkId, Place, RosterSign, UserId } from '../../core/event.ts'
import { Feed } from '../../core/process/feed.ts'
import { accountsFor } from './accounts/index.ts'
import { channelActs } from './channel-acts.ts'
import { Channels } from './channels.ts'
import type { IrcConfig } from './config.ts'
import { type Control, readControl } from './control.ts'
import type { Hand } from './hand.ts'
import { establishSoon, type Keeping, keepingOf } from './kept.ts'
import type { Session } from './link/session.ts'
import { watchLocks } from './logins/protocol.ts'
import { DirectMarks, missedDirect } from './past/catchup.ts'
import { Face, startDelayMs } from './people/faces.ts'
import { ownNicks } from './people/ours.ts'
import { Roster } from './people/roster.ts'
import type { Voice } from './people/voice.ts'
import { mainBot, Routes } from './routes.ts'
import { renewOwnerLogin } from './server/owner-login.ts'
import { Speech } from './speech.ts'
import { statusOf } from './status.ts'
import { textBytesOf } from './text/frame.ts'
import type { Line } from './text/line.ts'
import { directPlace, foldFor } from './text/names.ts'
import { changesOf, lifeOf, Roll } from './text/signs.ts'

/** After it somebody is another, is gone, or may be so without our seeing it. */
const whereabouts = /^(?:NICK|QUIT|ACCOUNT|PART|KICK)$/

class IrcAdapter implements Adapter {
  readonly network: NetworkId
  readonly pipelined = 512
  /** Only on the managed server. */
  readonly accounts?: Accounts
  /** Gone while the server that we are connected to can't do it. */
  react?: NonNullable<Adapter['react']>
  remove?: NonNullable<Adapter['remove']>
  readonly channels: ChannelActs
  readonly #context: AdapterContext
  readonly #config: IrcConfig
  readonly #main: Face
  readonly #faces = new Map<string, Face>()
  readonly #channels: Channels
  /** The nick of each connection that is open, folded: asked for on every line. */
  #own = new Set<string>()
  #roster = new Roster(foldFor(undefined))
  #feed: Feed | null = null
  /** Nothing more is read until the ledger has what waits for it. */
  #paused = false
  #gathered: (ChatEvent | RosterSign)[] = []
  readonly #roll = new Roll()
  #aheadMs = 0
  readonly #directs: DirectMarks
  readonly #routes: Routes
  readonly #speech: Speech

  /** Where others connect to the server we run. */
  readonly #address: Pick<NetworkStatus, 'address' | 'fingerprint'>
  /** The guard of logins of the server we run. */
  readonly #guard: string | null
  #locks: readonly LoginLock[] = []

  constructor(config: IrcConfig, context: AdapterContext, control: Control | null) {
    if (control)
      this.accounts = accountsFor(control, {
        renewed: (account, password) => renewOwnerLogin(context.dataDir, { account, password }),
        changed: () => context.changed(),
      })
    this.#guard = control?.logins ?? null
    this.#address = control
      ? { address: `ircs://${control.tls.host}:${control.tls.port}`, fingerprint: control.tls.fingerprint }
      : {}
    this.network = context.network
    this.#config = config
    this.#context = context
    this.#directs = new DirectMarks(context.cursors)
    const places = context.places.filter(place => place.network === context.network && !place.private)
    const names = [...config.channels, ...places.map(place => place.channel)]
    const hooks = {
      emit: (events: readonly ChatEvent[]) => this.#feed?.push(events),
      changed: () => context.changed(),
      taken: async () => (await this.#feed?.settled()) ?? false,
      live: (channel: string) => this.#live(channel),
      kept: config.managed ? config.history.lines : null,
    }
    this.#channels = new Channels(names, this.#cursors, hooks, context.log)
    for (const place of places) this.#channels.named(place.channel)
    this.#main = this.#face(mainBot, true)
    for (const bot of config.personas ? context.personas : [])
      if (bot !== mainBot) this.#faces.set(bot, this.#face(bot, false))
    const main = this.#main
    const routes = new Routes({
      network: this.network,
      main,
      faces: this.#faces,
      channels: this.#channels,
      lastNick: user => this.#roster.nickOf(user),
      isSeen: nick => this.#roster.channelsOf(nick).length > 0,
    })
    this.#routes = routes
    this.#speech = new Speech({ context, routes, main, channels: this.#channels })
    const hand: Hand = {
      session: () => routes.voiceOf(main).session,
      nickOf: async user => (await routes.reach(routes.voiceOf(main), user)).nick,
      isOwn: nick => this.#own.has(this.#fold(nick)),
      enter: place => this.#enter(place),
      leave: (place, reason) => this.#leave(place, reason),
    }
    this.channels = channelActs(hand, this.#keeping)
  }

  get #keeping(): Keeping | null {
    return keepingOf(this.#config, this.#context.personas)
  }

  #live(channel: string): void {
    const session = this.#main.voice?.session
    if (!session) return
    this.#roll.ask(session, channel)
    if (this.#keeping) establishSoon(session, channel, this.#keeping, this.#context.log)
  }

  get #cursors(): Cursors {
    return this.#context.cursors
  }

  #face(bot: string, main: boolean): Face {
    const shared = {
      network: this.network,
      alone: !this.#config.personas,
      instance: this.#context.instance,
      isOwn: (nick: string) => this.#own.has(nick) || this.#own.has(this.#fold(nick)),
      isFace: (nick: string) => ownNicks(this.#context.instance).has(nick.toLowerCase()),
      placeOf: (folded: string) => this.#channels.placeOf(folded),
      channelsOf: (nick: string) => this.#roster.channelsOf(nick),
      accountOf: (nick: string) => this.#roster.accountOf(nick),
    }
    return new Face({ bot, main }, this.#config, this.#context, shared, {
      up: (face, voice) => this.#up(face, voice),
      down: face => this.#down(face),
      events: (face, events) => this.#gather(face, events),
      line: (face, line) => this.#line(face, line),
      followed: (face, line) => this.#followed(face, line),
      own: (channel, mark, id) => this.#channels.own(channel, mark, id),
      replay: (channel, lines) => this.#channels.replay(channel, lines),
      flush: () => this.#flush(),
      changed: () => this.#context.changed(),
      isOurs: channel => this.#channels.status(channel) !== 'other',
      outside: (face, channel, reason) => this.#outside(face.bot, channel, reason),
      rename: (from, to) => this.#main.voice?.session.write(`SANICK ${from} ${to}`),
    })
  }

  #fold(name: string): string {
    return this.#main.session?.fold(name) ?? name.toLowerCase()
  }

  get limits(): Limits {
    const session = this.#main.session
    return { textBytes: session ? textBytesOf(session) : 400, marks: true, threads: false, previews: false }
  }

  /** A method is there when the server can do it. */
  #able(session: Session): void {
    delete this.react
    delete this.remove
    if (session.has('message-tags')) this.react = (...act) => this.#speech.react(...act)
    if (session.has('draft/message-redaction')) this.remove = (...act) => this.#speech.remove(...act)
  }

  get #all(): Face[] {
    return [this.#main, ...this.#faces.values()]
  }

  async run(sink: Sink, signal: AbortSignal): Promise<void> {
    this.#feed = new Feed(
      { sink, signal, log: this.#context.log },
      {
        pause: paused => {
          this.#paused = paused
          for (const face of this.#all) face.session?.pause(paused)
        },
        accepted: events => this.#directs.keep(events),
        roster: async sign => this.#context.signs?.([sign]),
      },
    )
    const runs = this.#all.map(async (face, index) => {
      await wait(startDelayMs(index))
      await face.run(signal)
    })
    await Promise.all([...runs, this.#watchLogins(signal)])
    await Promise.all([this.#feed.settled(), this.#channels.past.settled()])
    ownNicks(this.#context.instance).forget(this)
  }

  async #watchLogins(signal: AbortSignal): Promise<void> {
    const tell = (locks: readonly LoginLock[]): void => {
      this.#locks = locks
      this.#context.changed()
    }
    if (this.#guard !== null) await watchLocks(this.#guard, tell, signal)
  }

  // What comes in

  #up(face: Face, voice: Voice): void {
    this.#nicks()
    if (this.#paused) voice.session.pause(true)
    if (face.main) {
      this.#roster = new Roster(voice.session.fold)
      this.#able(voice.session)
      this.#channels.up(voice)
    } else face.inside.up(voice.session, this.#channels.names, name => this.#channels.tried(name))
    if (voice.history.available) this.#direct(voice)
    this.#context.changed()
  }

  /** What a persona can not say in a channel the main connection says. */
  #outside(bot: string, channel: string, reason: string | null): void {
    const { troubles } = this.#channels
    if (reason === null) troubles.end(`persona ${bot}`, channel)
    else troubles.begin(`persona ${bot}`, channel, `${bot} ${reason}; ${mainBot} speaks for it`)
  }

  #direct(voice: Voice): void {
    this.#directs.asked(voice)
    missedDirect(voice, this.#cursors).then(
      events => {
        this.#directs.found(voice, events)
        this.#feed?.push(events)
      },
      (error: unknown) => this.#context.log.warn({ error }, 'missed private messages could not be fetched'),
    )
  }

  #down(face: Face): void {
    this.#nicks()
    if (face.main) {
      this.#flush()
      this.#channels.down(face.fault)
      this.#speech.forget()
      this.#roll.clear()
    } else face.inside.down()
    this.#routes.forget()
    this.#context.changed()
  }

  /** Which nicks are ours changes with every connection and NICK. */
  #nicks(): void {
    const sessions = this.#all.flatMap(face => (face.voice?.session.open ? [face.voice.session] : []))
    this.#own = new Set(sessions.map(session => session.fold(session.nick)))
    const wanted = this.#all.flatMap(face => face.nick ?? [])
    ownNicks(this.#context.instance).set(this, [...wanted, ...sessions.map(session => session.nick)])
  }

  #line(face: Face, line: Line): void {
    if (line.command === 'NICK') this.#nicks()
    this.#signs(face, line)
    if (face.main) this.#channels.line(line)
    else face.inside.line(line)
  }

  #signs({ voice, main }: Face, line: Line): void {
    if (!voice) return
    const life = lifeOf(line, voice.heard)
    if (life) void this.#context.signs?.([life])
    if (!main) return
    for (const change of changesOf(line, voice.heard)) this.#gathered.push(change)
    const known = (nick: string, account: string): void => this.#roster.saw(nick, account)
    const roster = this.#roll.take(line, voice.session, voice.heard, known)
    if (roster) this.#gathered.push(roster)
  }

  #followed(face: Face, line: Line): void {
    if (face.main) this.#roster.follow(line, this.#main.session?.nick ?? '')
    else if (line.tags['account']) this.#roster.saw(line.nick, line.tags['account'])
    if (whereabouts.test(line.command)) this.#routes.forget()
  }

  #gather(face: Face, events: readonly ChatEvent[]): void {
    for (const event of face.main ? this.#channels.route(events) : events) this.#gathered.push(event)
  }

  /** The events of one read make one call of the sink. */
  #flush(): void {
    this.#clockwatch()
    if (this.#gathered.length === 0) return
    const events = this.#gathered
    this.#gathered = []
    this.#feed?.push(events)
  }

  #clockwatch(): void {
    const aheadMs = this.#main.session?.clock.aheadMs ?? 0
    if (aheadMs === this.#aheadMs) return
    this.#aheadMs = aheadMs
    if (this.#main.open) this.#context.changed()
  }

  // What goes out

  status(): NetworkStatus {
    return statusOf(
      {
        main: this.#main,
        faces: [...this.#faces.values()],
        channels: this.#channels,
        accounts: this.accounts,
        locks: this.#locks,
      },
      this.#address,
    )
  }

  send(place: Place, draft: Draft, deliveryId: string): Promise<readonly MessageId[]> {
    return this.#speech.send(place, draft, deliveryId)
  }

  find(place: Place, deliveryId: string, _: Act, madeMs?: number): Promise<Found> {
    return this.#speech.find(place, deliveryId, madeMs)
  }

  typing(place: Place, as: string, active: boolean): void {
    this.#routes.typing(place, as, active)
  }

  async #enter(place: Place): Promise<void> {
    const joined = this.#channels.join(place.channel)
    for (const face of this.#faces.values()) face.inside.enter(place.channel, joined)
    await joined
  }

  async #leave(place: Place, reason: string): Promise<void> {
    this.#channels.forget(place.channel)
    for (const face of this.#faces.values()) face.inside.forget(place.channel)
    for (const face of this.#all) face.open?.session.write(`PART ${place.channel} :${reason}`)
    await this.#main.open?.session.barrier()
  }

  async direct(user: UserId): Promise<Place> {
    return directPlace(this.network, { user, persona: null })
  }

  secure(place: Place): Promise<boolean> {
    return this.#speech.isSecure(place)
  }

  away(persona: string, reason: string | null): void {
    const face = persona === mainBot ? this.#main : this.#faces.get(persona)
    face?.away(reason)
  }
}

/** Connects nothing yet: `run` does. Rejects only for a configuration that can never work. */
export async function createIrcAdapter(config: IrcConfig, context: AdapterContext): Promise<Adapter> {
  if (!config.managed) return new IrcAdapter(config, context, null)
  const control = await readControl(context.dataDir).catch((error: unknown) => {
    throw new ChanopError('config-invalid', 'the managed IRC server is not set up yet: run npm start', { cause: error })
  })
  return new IrcAdapter(config, context, control)
}
