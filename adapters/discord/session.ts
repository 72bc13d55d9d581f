import type { APIChannel, GatewayGuildCreateDispatch, GatewayGuildDeleteDispatch } from 'discord.js'
import { asChanopError } from '../../core/error.ts'
import type { Log } from '../../core/log.ts'
import { deadline } from '../../core/retry.ts'
import type { Following } from './following.ts'
import type { Channel, Directory } from './guild/directory.ts'
import type { Intake } from './intake.ts'
import type { Webhooks } from './out/webhooks.ts'
import type { Catchup } from './past/catchup.ts'
import type { Directs } from './past/directs.ts'
import { patiently } from './past/patience.ts'
import type { Status } from './status.ts'
import type { Api } from './wire/api.ts'
import { Refused } from './wire/faults.ts'
import type { Told } from './wire/gateway.ts'

export interface SessionOptions {
  readonly api: Api
  readonly directory: Directory
  readonly following: Following
  readonly status: Status
  readonly webhooks: Webhooks
  readonly intake: Intake
  readonly catchup: Catchup
  readonly directs: Directs
  readonly log: Log
  readonly signal: AbortSignal
}

/** For so long the servers that were promised may take to come. */
const guildsMs = 10_000
const prepareMs = 5_000
/** So many channels are caught up with at once. */
const width = 4

/** What a change of which channels work depends on. */
const affectsStatus = /^(GUILD_(CREATE|UPDATE|DELETE|ROLE_|MEMBER_UPDATE)|CHANNEL_)/

/** From a new session of the gateway to the network being up: servers, what was missed, then what happens now. */
export class Session {
  readonly #o: SessionOptions
  #waiting = new Set<string>()
  #current = new AbortController()
  #connected = false
  #caughtUp = false
  #begun = false
  #timer: NodeJS.Timeout | undefined

  constructor(options: SessionOptions) {
    this.#o = options
    options.signal.addEventListener('abort', () => this.#end(), { once: true })
  }

  #end(): void {
    clearTimeout(this.#timer)
    this.#current.abort()
  }

  down(why: string): void {
    this.#connected = false
    if (!this.#o.signal.aborted) this.#o.status.state('connecting', why)
  }

  told(told: Told): void {
    const { packet } = told
    const { directory, intake, status } = this.#o
    const was = packet.t === 'CHANNEL_UPDATE' ? (directory.channels.get(packet.d.id)?.topic ?? null) : null
    if (packet.t !== 'GUILD_MEMBER_UPDATE') directory.take(packet)
    if (packet.t === 'READY') this.#ready(packet.d.guilds.map(({ id }) => id))
    else if ((packet.t as string) === 'RESUMED') this.#resumed()
    else if (packet.t === 'WEBHOOKS_UPDATE') this.#o.webhooks.forget(packet.d.channel_id)
    intake.topic(told, was)
    intake.take(told)
    // A new name is told beside the old one.
    if (packet.t === 'GUILD_MEMBER_UPDATE') directory.take(packet)
    if (packet.t === 'GUILD_CREATE' || packet.t === 'GUILD_DELETE') this.#guild(packet)
    if (affectsStatus.test(packet.t)) {
      this.#o.webhooks.forgetAll()
      if (this.#caughtUp) status.forgive()
    }
  }

  #ready(guilds: readonly string[]): void {
    this.#end()
    this.#connected = true
    this.#current = new AbortController()
    this.#waiting = new Set(guilds)
    this.#caughtUp = false
    this.#begun = false
    this.#o.intake.holdAll()
    this.#o.status.state('connecting', 'fetching what was missed')
    this.#timer = setTimeout(() => this.#begin(), guildsMs)
    if (guilds.length === 0) this.#begin()
  }

  #resumed(): void {
    this.#connected = true
    if (this.#caughtUp) this.#o.status.state('up')
    else this.#o.status.state('connecting', 'fetching what was missed')
  }

  #guild(packet: GatewayGuildCreateDispatch | GatewayGuildDeleteDispatch): void {
    const { id } = packet.d
    const isLast = this.#waiting.delete(id) && this.#waiting.size === 0
    // A server that came later, or came back: what was said there is fetched too.
    if (this.#begun && packet.t === 'GUILD_CREATE') this.#come(id)
    else if (isLast) this.#begin()
  }

  #come(guild: string): void {
    const places = this.#o.following.places(guild)
    for (const { id } of places) this.#o.intake.hold(id)
    void this.#catchUp(places, this.#current.signal).catch((error: unknown) => {
      this.#o.log.error({ error }, 'what was missed could not be fetched')
    })
  }

  #begin(): void {
    if (this.#begun) return
    this.#begun = true
    clearTimeout(this.#timer)
    const { signal } = this.#current
    void this.#all(signal).catch((error: unknown) => {
      this.#o.log.error({ error }, 'what was missed could not be fetched')
    })
  }

  async #all(signal: AbortSignal): Promise<void> {
    const { following, directs, intake, status } = this.#o
    const places = [...following.places(), ...(await directs.all()).map(id => following.direct(id))]
    if (signal.aborted) return
    intake.holdNamed(places.map(({ id }) => id))
    await this.#catchUp(places, signal)
    if (signal.aborted) return
    this.#caughtUp = true
    if (this.#connected) status.state('up')
  }

  /** A channel that we work in from now on. */
  async enter(channel: Channel): Promise<void> {
    this.#o.intake.hold(channel.id)
    await this.#catchUp([channel], this.#current.signal)
    this.#o.status.refresh()
  }

  /** Of channels that are held: each is released once its past is there, and not when a new session fetches it anew. */
  async #catchUp(places: readonly Channel[], signal: AbortSignal): Promise<void> {
    await this.#patiently(signal, () => this.#threads(places, signal))
    const queue = [...places]
    const work = async (): Promise<void> => {
      for (let place = queue.shift(); place && !signal.aborted; place = queue.shift()) await this.#one(place, signal)
    }
    await Promise.all(Array.from({ length: Math.min(width, places.length) }, work))
  }

  async #threads(places: readonly Channel[], signal: AbortSignal): Promise<void> {
    for (const guild of new Set(places.flatMap(({ guild }) => (guild === null ? [] : [guild])))) {
      await this.#o.catchup.active(guild, signal).catch((error: unknown) => {
        if (!(error instanceof Refused)) throw error
      })
    }
  }

  async #one(place: Channel, signal: AbortSignal): Promise<void> {
    const { catchup, following, intake, webhooks } = this.#o
    await this.#patiently(signal, async () => {
      await webhooks.look(place.parent ?? place.id).catch((error: unknown) => {
        if (!(error instanceof Refused)) throw error
      })
      if (place.guild !== null) await catchup.archived(place, following.threads(place), signal)
      const events = await catchup.missed(place, following.threads(place), signal)
      if (!signal.aborted) intake.pass(events)
    })
    if (!signal.aborted) intake.release(place.id)
  }

  /** As often as it takes: nothing goes on in a channel before its past is there. */
  async #patiently(signal: AbortSignal, work: () => Promise<void>): Promise<void> {
    await patiently(signal, work).catch((error: unknown) => {
      if (signal.aborted) return
      this.#o.log.warn({ reason: asChanopError(error).message }, 'what was missed can not be fetched')
    })
  }

  /** What has to be known before an event can be read, or null: all is. */
  awaited({ packet }: Told, root: string): Promise<void> | null {
    const { directory, webhooks, following } = this.#o
    if (packet.t !== 'MESSAGE_CREATE' && packet.t !== 'MESSAGE_UPDATE') return null
    const { channel_id: id, guild_id: guild, webhook_id: hook, application_id: application } = packet.d
    if (guild !== undefined && !directory.channels.has(id)) return this.#unknown(id, guild)
    const isOwn = application !== undefined && application === directory.application
    if (hook === undefined || isOwn || webhooks.isKnown(hook) || !following.of(id, guild ?? null)) return null
    return webhooks.look(root, deadline(prepareMs, this.#o.signal)).then(
      () => webhooks.assume(hook),
      () => webhooks.assume(hook),
    )
  }

  /** A thread that nobody told us of: nothing of it goes on before it is known whose it is, or a new session asks for all. */
  async #unknown(id: string, guild: string): Promise<void> {
    const { signal } = this.#current
    const found = await patiently(signal, () => this.#o.api.get<APIChannel>(`/channels/${id}`, { signal }))
    this.#o.directory.note(found, guild)
  }
}
