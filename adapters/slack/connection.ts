import type { AdapterContext, NetworkStatus, Sink } from '../../core/adapter.ts'
import type { ChanopError } from '../../core/error.ts'
import { type ChatEvent, gapIn } from '../../core/event.ts'
import type { Log } from '../../core/log.ts'
import { backoffMs, persist, sleep } from '../../core/retry.ts'
import { SlackChannels } from './channels.ts'
import type { SlackConfig } from './config.ts'
import { Backfill } from './in/backfill.ts'
import { Reader } from './in/events.ts'
import { Intake } from './in/intake.ts'
import { Answers, slashEvent } from './in/slash.ts'
import { Api } from './link/api.ts'
import { advice, Fault, isChannelFault, isLoginFault, isRefused, missingScope } from './link/fault.ts'
import { loadSdk, type Sdk } from './link/sdk.ts'
import { type Envelope, openSession, type Session } from './link/socket.ts'
import { type Login, loginOf, refusal, tokensOf } from './login.ts'
import { type Native, part, str, tsOf } from './native.ts'
import { Speaker } from './out/speaker.ts'
import { Uploads } from './out/uploads.ts'
import { nameless, People } from './people.ts'
import { missingOf } from './scopes.ts'

const backoff = { firstMs: 500, maxMs: 30_000 }
/** Channels whose history is fetched at the same time. */
const mostFetched = 4
/** Slack refuses those who ask too often for an address by itself, and says for how long. */
const again = { firstMs: 500, maxMs: 5_000 }
/** Who waits for an answer to a slash command waits no longer for where it is given, and what they are called. */
const patienceMs = 1_500
/** A connection that lasted less is not a good one. */
const shortMs = 10_000

export interface ConnectionOptions {
  readonly config: SlackConfig
  readonly context: AdapterContext
  readonly sink: Sink
  readonly signal: AbortSignal
  /** Channels to be in. */
  readonly channels: readonly string[]
  readonly stand: (state: NetworkStatus['state'], reason?: string) => void
}

/** Who the token is, asked until Slack answers. Rejects `network-refused` when it is nobody. */
const login = (api: Api, { stand, signal, context }: ConnectionOptions): Promise<Login | null> =>
  persist(async () => loginOf(await api.call('auth.test')), {
    signal,
    backoff,
    failed: error => {
      if (isLoginFault(error)) throw refusal(error)
      stand('down', 'Slack can not be reached; trying again')
      context.log.warn({ error }, 'no login to Slack yet')
      return error instanceof Fault ? error.afterMs : undefined
    },
  })

/** What one run has: from the login to the abort, over many sockets. */
export class Connection {
  readonly api: Api
  readonly channels: SlackChannels
  readonly speaker: Speaker
  readonly #o: ConnectionOptions
  readonly #made: Made
  readonly #log: Log
  readonly #login: Login
  readonly #signal: AbortSignal
  readonly #people: People
  readonly #reader: Reader
  readonly #backfill: Backfill
  readonly #intake: Intake
  readonly #answers: Answers
  /** Scopes whose absence was met. */
  readonly #absent = new Set<string>()
  #fault: ChanopError | null = null
  #fetching = 0
  readonly #queue: (() => void)[] = []

  /** Logs in. */
  static async open(options: ConnectionOptions): Promise<Connection> {
    const { config, context, signal } = options
    const { token, appToken } = await tokensOf(config, context)
    const sdk = await loadSdk()
    const ending = new AbortController()
    const either = AbortSignal.any([signal, ending.signal])
    const api = new Api({ sdk, url: config.api, token, log: context.log, signal: either })
    const known = await login(api, options)
    return new Connection(options, { sdk, token, appToken, api, ending, login: known ?? loginOf({}) })
  }

  private constructor(options: ConnectionOptions, made: Made) {
    const { context, config, sink } = options
    const { api, login, ending } = made
    this.#o = options
    this.#log = context.log
    this.#made = made
    this.api = api
    this.#login = login
    this.#signal = AbortSignal.any([options.signal, ending.signal])
    const signal = this.#signal
    this.channels = new SlackChannels({ api, log: context.log, signal, changed: () => context.changed() })
    this.#people = new People(api, signal)
    const uploads = new Uploads({ api, cursors: context.cursors, signal })
    const { network, instance, cursors } = context
    this.#reader = new Reader({
      network,
      instance,
      self: login.self,
      people: this.#people,
      channels: this.channels,
      aheadMs: () => api.aheadMs,
      removedByUs: (channel, ts) => this.speaker.removedByUs(channel, ts),
      shared: (files, channel, ts) => uploads.shared(files, channel, ts),
    })
    this.#backfill = new Backfill({ api, cursors, reader: this.#reader, signal })
    this.#intake = new Intake({ sink, log: context.log, signal, leftOut: channel => this.#fetch(channel) })
    this.#answers = new Answers(config.api)
    const missing = missingOf(login.granted)
    this.speaker = new Speaker({
      api,
      channels: this.channels,
      uploads,
      instance,
      signal,
      dress: { faces: !missing.includes('chat:write.customize') },
      answers: this.#answers,
      refused: fault => this.#end(refusal(fault)),
    })
  }

  get token(): string {
    return this.#made.token
  }

  get workspace(): string {
    return this.#login.workspace
  }

  get granted(): readonly string[] {
    return this.#login.granted
  }

  /** What to do about scopes that are missing; null when none is. */
  get missing(): string | null {
    const missing = new Set([...missingOf(this.granted), ...this.#absent])
    return missing.size === 0 ? null : missingScope([...missing].join(', '))
  }

  /** Resolves after the abort, rejects when Slack refuses us for good. */
  async run(): Promise<void> {
    let old: Session | null = null
    try {
      for (let attempt = 0; !this.#signal.aborted; attempt++) {
        const release = this.#intake.hold()
        const session = await this.#session(release, attempt)
        if (!session) continue
        // The new one is there before the old one goes.
        await old?.close()
        old = session
        const sinceMs = performance.now()
        this.#o.stand('up')
        void this.#catchUp().finally(release)
        const why = await Promise.race([session.leaving, sleep(Number.POSITIVE_INFINITY, this.#signal)])
        const short = performance.now() - sinceMs < shortMs
        if (why === 'link_disabled') this.#end(refusal(new Fault('refused', 'socket', { code: why })))
        if (why === 'closed') {
          this.#o.stand('connecting', 'the connection was lost; making it again')
          await session.close()
          old = null
        }
        // One that ends right after its hello is no reason to hurry.
        if (!short) attempt = -1
        else if (attempt > 0) await sleep(backoffMs(again, attempt), this.#signal)
      }
    } finally {
      await old?.close()
      await this.#intake.settled()
    }
    if (this.#fault) throw this.#fault
  }

  async #session(release: () => void, attempt: number): Promise<Session | null> {
    try {
      return await openSession({
        ...this.#made,
        url: this.#o.config.api,
        log: this.#log,
        signal: this.#signal,
        receive: envelope => this.#receive(envelope),
      })
    } catch (error) {
      release()
      if (this.#signal.aborted) return null
      if (isLoginFault(error) || isRefused(error, 'missing_scope')) this.#end(refusal(error))
      const waitMs = (error instanceof Fault ? error.afterMs : undefined) ?? backoffMs(backoff, attempt)
      this.#o.stand('down', 'Slack can not be reached; trying again')
      this.#log.warn({ error }, 'no connection to Slack')
      await sleep(waitMs, this.#signal)
      return null
    }
  }

  #end(fault: ChanopError): void {
    this.#fault ??= fault
    this.#made.ending.abort()
  }

  // ---- what was missed --------------------------------------------------------------------------------------------

  /** After each hello: enters what is to be entered, and fetches what nobody heard. Never rejects. */
  async #catchUp(): Promise<void> {
    await this.#backfill.begin().catch((error: unknown) => this.#note(error))
    const mine = await this.channels.mine().catch((error: unknown) => {
      this.#note(error)
      return this.#o.channels
    })
    const entered = await Promise.all(
      this.#o.channels.map(async channel => ((await this.channels.enter(channel)) ? channel : null)),
    )
    for (const channel of new Set([...mine, ...entered])) if (channel !== null) this.#fetch(channel)
  }

  #fetch(channel: string): void {
    void this.#intake.missed(channel, async () => {
      await this.#turn()
      try {
        return await this.#backfill.missed(channel)
      } catch (error) {
        return this.#unfetched(channel, error)
      } finally {
        this.#fetching--
        this.#queue.shift()?.()
      }
    })
  }

  async #turn(): Promise<void> {
    while (this.#fetching >= mostFetched) await new Promise<void>(resolve => this.#queue.push(resolve))
    this.#fetching++
  }

  /** What can't be fetched is named. */
  async #unfetched(channel: string, error: unknown): Promise<ChatEvent[]> {
    if (this.#signal.aborted) return []
    this.#note(error)
    if (!(error instanceof Fault) || error.kind !== 'refused') throw error
    if (isChannelFault(error)) this.channels.trouble(channel, advice(error))
    const place = this.#reader.place(channel)
    const newest = await this.#o.context.cursors.newest(place)
    if (!newest) return []
    const key = `${place.network}:gap/${channel}/${tsOf(newest.atMs)}`
    const reason = `What was said meanwhile could not be fetched: ${advice(error)}`
    return [gapIn(place, 'slack', { key, fromMs: newest.atMs, reason })]
  }

  #note(error: unknown): void {
    this.#log.warn({ error }, 'history could not be fetched')
    if (!isRefused(error, 'missing_scope')) return
    for (const scope of error.needed.split(/[ ,]+/).filter(each => each.includes(':'))) this.#absent.add(scope)
    this.#o.context.changed()
  }

  // ---- what comes ---------------------------------------------------------------------------------------------------

  #receive(envelope: Envelope): void {
    const { type, payload } = envelope
    const acknowledge = (): void => envelope.acknowledge()
    if (type === 'events_api') return this.#event(part(payload, 'event'), acknowledge)
    if (type === 'slash_commands') return this.#slash(payload, acknowledge)
    acknowledge()
  }

  #event(event: Native, acknowledge: () => void): void {
    const channel = str(event, 'channel') || str(part(event, 'item'), 'channel')
    const read = async (): Promise<ChatEvent[]> => {
      this.#follow(event, channel)
      const events = await this.#reader.event(event)
      for (const { place } of events) if (place.thread) await this.#noteThread(place.channel, place.thread)
      return events
    }
    this.#intake.live(channel, read, acknowledge)
  }

  /** Never rejects: what was said there is not lost for it. */
  async #noteThread(channel: string, thread: string): Promise<void> {
    await this.#backfill.noteThread(channel, thread).catch((error: unknown) => {
      this.#log.warn({ error, channel }, 'that somebody spoke in a thread could not be written down')
    })
  }

  /** What an event means for us and our channels. */
  #follow(event: Native, channel: string): void {
    const type = str(event, 'type')
    const isSelf = str(event, 'user') === this.#login.self.user
    if (type === 'member_joined_channel' && isSelf) {
      this.channels.joined(channel)
      void this.#backfill.meet(channel).catch((error: unknown) => this.#note(error))
    } else if (type === 'member_left_channel' && isSelf) this.channels.left(channel)
    else if (type === 'app_uninstalled' || type === 'tokens_revoked') void this.#check()
    else this.channels.follow(event)
  }

  /** Whether we are still let in: such an event may be an old one. */
  async #check(): Promise<void> {
    await this.api.call('auth.test').catch((error: unknown) => {
      if (isLoginFault(error)) this.#end(refusal(error))
    })
  }

  /** Slack takes an answer for three seconds: what was missed is not waited for. */
  #slash(payload: Native, acknowledge: () => void): void {
    const [channel, user] = [str(payload, 'channel_id'), str(payload, 'user_id')]
    this.#answers.note(payload)
    const read = async (): Promise<ChatEvent[]> => {
      const [known, home] = await Promise.all([
        this.#soon(this.#people.get(user)),
        this.channels.isMember(channel) ? channel : this.#soon(this.#directOf(user)),
      ])
      const { command } = this.#o.config
      const { teams } = this.#login.self
      const person = known ?? this.#people.peek(user) ?? nameless(user)
      const slash = { network: this.#o.context.network, command, people: this.#people, person, teams }
      return slashEvent(payload, this.#reader.place(home ?? channel), slash)
    }
    this.#intake.aside(user, read, acknowledge)
  }

  /** Where somebody is answered who used the command in a channel that we are not in. */
  #directOf(user: string): Promise<string | null> {
    return this.api.call('conversations.open', { users: user }).then(
      answer => str(part(answer, 'channel'), 'id') || null,
      () => null,
    )
  }

  #soon<T>(asked: Promise<T>): Promise<T | null> {
    return Promise.race([asked, sleep(patienceMs, this.#signal).then(() => null)])
  }
}

interface Made {
  readonly sdk: Sdk
  readonly token: string
  readonly appToken: string
  readonly api: Api
  readonly ending: AbortController
  readonly login: Login
}
