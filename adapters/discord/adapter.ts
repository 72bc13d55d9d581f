import { addAbortListener } from 'node:events'
import { type APIChannel, GatewayIntentBits } from 'discord.js'
import type { Able, Adapter, AdapterContext, Channels, Limits, NetworkStatus, Sink } from '../../core/adapter.ts'
import { asChanopError, ChanopError } from '../../core/error.ts'
import type { ChannelId, MessageId, NetworkId, Place, UserId } from '../../core/event.ts'
import { isReadable } from '../../core/loopback.ts'
import { Feed } from '../../core/process/feed.ts'
import { Hopeless } from '../../core/process/hopeless.ts'
import { catalogueOf, show } from './commands/catalogue.ts'
import type { DiscordConfig } from './config.ts'
import { open } from './files.ts'
import { type Parts, type Push, partsOf } from './parts.ts'
import { lackOf, unseen } from './status.ts'
import { longestText } from './text/split.ts'
import { Broken, Refused } from './wire/faults.ts'
import { DisallowedIntents, Gateway } from './wire/gateway.ts'
import { missingIntents, tokenOf } from './wire/login.ts'

const mebibyte = 1024 * 1024
/** What a server's level lets anybody upload (docs.discord.com/developers/reference#uploading-files). */
const tierBytes = [10, 10, 50, 100].map(size => size * mebibyte)
const typingEveryMs = 8_000

const intents =
  GatewayIntentBits.Guilds |
  GatewayIntentBits.GuildExpressions |
  GatewayIntentBits.GuildWebhooks |
  GatewayIntentBits.GuildMessages |
  GatewayIntentBits.GuildMessageReactions |
  GatewayIntentBits.GuildMessageTyping |
  GatewayIntentBits.DirectMessages |
  GatewayIntentBits.DirectMessageReactions |
  GatewayIntentBits.DirectMessageTyping |
  GatewayIntentBits.MessageContent

/** A bot account on Discord: one gateway session, and the REST API for everything that we do. */
export class DiscordAdapter implements Adapter {
  readonly network: NetworkId
  readonly channels: Channels
  readonly #config: DiscordConfig
  readonly #context: AdapterContext
  readonly #stop = new AbortController()
  readonly #parts: Parts
  readonly #typedMs = new Map<string, number>()
  readonly #hopeless = new Hopeless()
  #feed: Feed | null = null

  constructor(config: DiscordConfig, context: AdapterContext) {
    this.network = context.network
    this.#config = config
    this.#context = context
    const push: Push = events => this.#feed?.push(events)
    this.#parts = partsOf(config, context, { signal: this.#stop.signal, push })
    this.channels = { join: place => this.#join(place), part: place => this.#part(place) }
  }

  status(): NetworkStatus {
    return this.#parts.status.now
  }

  get limits(): Limits {
    const guilds = new Set(this.#parts.following.places().map(({ guild }) => guild))
    const tiers = [...this.#parts.directory.guilds.values()].filter(({ id }) => guilds.has(id)).map(({ tier }) => tier)
    const fileBytes = Math.min(...tiers.map(tier => tierBytes[tier] ?? tierBytes[0] ?? 0), tierBytes.at(-1) ?? 0)
    return {
      // A code point takes up to four bytes; Discord counts code points.
      textBytes: longestText * 4,
      marks: true,
      threads: true,
      growEveryMs: 1_200,
      fileBytes: tiers.length === 0 ? (tierBytes[0] ?? 0) : fileBytes,
    }
  }

  async run(sink: Sink, signal: AbortSignal): Promise<void> {
    using _stopping = addAbortListener(signal, () => this.#stop.abort())
    const { log } = this.#context
    const feed = new Feed({ sink, signal, log })
    this.#feed = feed
    let reason = 'stopped'
    try {
      await this.#connected()
    } catch (thrown) {
      const error = asChanopError(thrown)
      reason = error.message
      throw error
    } finally {
      this.#stop.abort()
      this.#parts.api.close()
      await feed.settled()
      this.#parts.status.state('down', reason)
    }
  }

  async #connected(): Promise<void> {
    const token = tokenOf(await this.#context.secret(this.#config.token))
    this.#parts.api.token(token)
    const members = this.#config.members ? GatewayIntentBits.GuildMembers : 0
    try {
      await this.#gateway(token, intents | members)
      return
    } catch (error) {
      if (!(error instanceof DisallowedIntents)) throw error
    }
    // Without knowing who comes and goes a bridge still works; without the words it does not.
    if (members !== 0) {
      const where = 'developer portal, Bot, Privileged Gateway Intents'
      this.#parts.status.lacks('members', `no joins, leaves and new names: switch on Server Members Intent (${where})`)
      try {
        await this.#gateway(token, intents)
        return
      } catch (error) {
        if (!(error instanceof DisallowedIntents)) throw error
      }
    }
    throw new ChanopError('network-refused', await missingIntents(this.#parts.api, members !== 0))
  }

  #gateway(token: string, wanted: number): Promise<void> {
    const { signal } = this.#stop
    const { api } = this.#parts
    const gateway = new Gateway({
      api,
      token,
      intents: wanted,
      url: this.#config.gateway,
      log: this.#context.log,
      signal,
      hooks: { told: told => this.#parts.session.told(told), down: why => this.#parts.session.down(why) },
    })
    api.refused = error => gateway.end(error)
    return gateway.run()
  }

  /** Nothing is sent that could not be told of: without the gateway we would not even know that we were put out. */
  #ready(): Parts {
    const { state, reason } = this.#parts.status.now
    if (this.#stop.signal.aborted || state === 'down')
      throw new ChanopError('network-down', `not connected: ${reason ?? 'stopped'}`)
    if (state !== 'up') throw new ChanopError('send-later', `Discord is not connected: ${reason ?? 'connecting'}`)
    return this.#parts
  }

  readonly send: Able['send'] = async (place, draft, deliveryId) => {
    const { interactions, speech } = this.#ready()
    if (draft.secret && !place.private)
      throw new ChanopError('send-refused', 'a secret is never said in a channel: write to me privately')
    const replying = draft.content.replyTo !== undefined && !draft.as?.relayed
    const answered = replying ? await interactions.answer(draft, deliveryId) : null
    const said = (): Promise<readonly MessageId[]> => this.#told(place, () => speech.send(place, draft, deliveryId))
    return answered ?? this.#bounded(place, deliveryId, said)
  }

  /** What a channel refuses for want of something is shown where the network is looked at. */
  async #told<T>(place: Place, act: () => Promise<T>): Promise<T> {
    try {
      const result = await act()
      this.#parts.status.fault(place.channel, null)
      return result
    } catch (error) {
      const code = error instanceof Refused ? error.refusal.code : null
      if (code === 50001 || code === 50013 || code === 10003)
        this.#parts.status.fault(place.channel, error instanceof Error ? error.message : 'refused')
      throw error
    }
  }

  /** What Discord, or what stands before it, will never take is refused in the end: others behind it are said. */
  async #bounded<T>(place: Place, deliveryId: string, act: () => Promise<T>): Promise<T> {
    try {
      return await act()
    } catch (error) {
      if (!(error instanceof Broken) || !(await this.#hopeless.isSo(deliveryId, () => this.#answers(place))))
        throw error
      throw new ChanopError('send-refused', `it is failed at each time: ${error.message}`, { cause: error })
    }
  }

  /** Whether Discord answers something else, be it that we may not have it (a forum has no messages). */
  #answers(place: Place): Promise<boolean> {
    const { api, threads } = this.#parts
    return api.get(`/channels/${threads.at(place).channel}/messages`, { query: { limit: 1 } }).then(
      () => true,
      (error: unknown) => error instanceof Refused,
    )
  }

  readonly edit: Able['edit'] = async (place, target, draft, deliveryId) => {
    const { changes } = this.#ready().speech
    return this.#bounded(place, deliveryId, () => changes.edit(place, target, draft, deliveryId))
  }
  readonly remove: Able['remove'] = async (place, target) => this.#ready().speech.changes.remove(place, target)
  readonly react: Able['react'] = async (place, target, reaction) =>
    this.#ready().speech.changes.react(place, target, reaction)
  readonly sendEphemeral: Able['sendEphemeral'] = async (...asked) => this.#ready().interactions.answerAlone(...asked)
  readonly find: Able['find'] = async (place, deliveryId, act) => {
    const { interactions, speech } = this.#parts
    const sent = interactions.sent(deliveryId)
    if (sent !== null) return sent
    // What one person alone saw stands in no history.
    return act.do === 'send' && act.only !== undefined ? 'cannot-tell' : speech.find(place, deliveryId, act)
  }
  readonly open: Able['open'] = (file, signal) => open(this.#parts.api, this.#config.cdn, file, signal)

  typing(place: Place, _as: string, active: boolean): void {
    const { channel } = this.#parts.threads.at(place)
    const nowMs = performance.now()
    if (!active || this.#parts.status.now.state !== 'up') return
    if (nowMs - (this.#typedMs.get(channel) ?? -typingEveryMs) < typingEveryMs) return
    this.#typedMs.set(channel, nowMs)
    this.#parts.api.post(`/channels/${channel}/typing`).catch((error: unknown) => {
      this.#context.log.debug({ channel, reason: asChanopError(error).message }, 'typing could not be shown')
    })
  }

  readonly announce: Able['announce'] = async (commands, signal) => {
    this.#ready()
    this.#parts.interactions.known(commands)
    const { shown, left } = catalogueOf(commands)
    await show(this.#parts.api, this.#parts.directory.application ?? '', shown, signal)
    const names = left
      .map(({ name }) => name)
      .slice(0, 5)
      .join(', ')
    const line = `${left.length} commands have no room in Discord's menu (${names}…); they work as text`
    this.#parts.status.lacks('commands', left.length === 0 ? null : line)
    this.#context.changed()
  }

  async direct(user: UserId): Promise<Place> {
    this.#ready()
    if (!/^\d{17,20}$/.test(user)) throw new ChanopError('not-found', 'there is nobody with this id on Discord')
    const found = await this.#parts.api.post<APIChannel>('/users/@me/channels', { body: { recipient_id: user } })
    this.#parts.following.direct(found.id)
    await this.#parts.directs.note(found.id)
    return { network: this.network, channel: found.id as ChannelId, private: true }
  }

  /** TLS all the way, unless somebody pointed us at a server without. */
  async secure(place: Place): Promise<boolean> {
    return place.private === true && !isReadable(this.#config.api)
  }

  async #join({ channel }: Place): Promise<void> {
    this.#ready()
    const known = this.#parts.directory.channels.get(channel) ?? (await this.#channelNamed(channel))
    if (!known) throw new ChanopError('send-refused', unseen)
    const lack = lackOf(this.#parts.directory, known)
    if (lack && !lack.works) throw new ChanopError('send-refused', lack.reason)
    if (this.#parts.following.isIn(known)) return
    this.#parts.following.add(channel)
    await this.#parts.session.enter(known)
  }

  async #channelNamed(channel: string) {
    if (!/^\d{17,20}$/.test(channel))
      throw new ChanopError('send-refused', 'a channel of Discord is written as its id: right-click it, Copy ID')
    try {
      return this.#parts.directory.note(await this.#parts.api.get<APIChannel>(`/channels/${channel}`))
    } catch (error) {
      if (error instanceof Refused) return null
      throw error
    }
  }

  async #part({ channel }: Place): Promise<void> {
    this.#parts.following.delete(channel)
    this.#parts.status.refresh()
  }
}
