import type {
  Adapter,
  AdapterContext,
  Channels,
  Found,
  Limits,
  NativeCommand,
  NetworkStatus,
  Sink,
} from '../../core/adapter.ts'
import { asChanopError, ChanopError } from '../../core/error.ts'
import type {
  Act,
  Attachment,
  ChatEvent,
  Draft,
  GapEvent,
  MessageId,
  NetworkId,
  Origin,
  Place,
  Reaction,
  UserId,
} from '../../core/event.ts'
import { isLoopbackHost } from '../../core/loopback.ts'
import { offer } from '../../core/process/feed.ts'
import { Recent } from '../../core/recent.ts'
import { backoffMs, sleep } from '../../core/retry.ts'
import { pastedToken } from '../../core/vault/pasted.ts'
import { Api } from './api.ts'
import { Chats } from './chats.ts'
import type { TelegramConfig } from './config.ts'
import { Delivery } from './delivery.ts'
import { Doubts } from './doubts.ts'
import { Drafts } from './drafts.ts'
import { Ephemeral } from './ephemeral.ts'
import { ApiError } from './fault.ts'
import { UpdateReader } from './in/events.ts'
import { Membership } from './membership.ts'
import { Menu } from './menu.ts'
import type { Update, User } from './native.ts'
import { textUnits } from './out/split.ts'
import { Pace } from './pace.ts'
import { People } from './people.ts'
import { type Lost, Poller, refused } from './poll.ts'
import { Requests } from './requests.ts'
import { refusalOf, statusOf } from './status.ts'

const backoff = { firstMs: 250, maxMs: 30_000 }
const typingEveryMs = 4000
const drainMs = 2000
const movesCursor = 'moved'
const mostFileBytes = 50_000_000

export const createTelegramAdapter = async (config: TelegramConfig, context: AdapterContext): Promise<Adapter> =>
  new TelegramAdapter(config, context, pastedToken(await context.secret(config.token)))

/** One bot account. */
class TelegramAdapter implements Adapter {
  readonly network: NetworkId
  readonly limits: Limits = {
    // A unit takes three bytes at most.
    textBytes: textUnits * 3,
    textUnits,
    marks: true,
    previews: false,
    threads: true,
    growEveryMs: 3100,
    fileBytes: mostFileBytes,
  }
  readonly channels: Channels
  readonly #config: TelegramConfig
  readonly #context: AdapterContext
  readonly #api: Api
  readonly #chats: Chats
  readonly #people = new People()
  readonly #doubts = new Doubts()
  readonly #menu = new Menu()
  readonly #ours = new Recent<string, true>(10_000)
  readonly #requests: Requests
  readonly #delivery: Delivery
  readonly #drafts: Drafts
  readonly #ephemeral: Ephemeral
  readonly #membership: Membership
  readonly #stop = new AbortController()
  readonly #typed = new Recent<number, number>(1000)
  #self: User | null = null
  #state: NetworkStatus['state'] = 'connecting'
  #sinceMs = Date.now()
  #reason: string | undefined = 'connecting'
  #inspecting: Promise<void> = Promise.resolve()

  constructor(config: TelegramConfig, context: AdapterContext, token: string) {
    this.network = context.network
    this.#config = config
    this.#context = context
    this.#api = new Api(token, config.api)
    const named = context.places
      .filter(({ network }) => network === this.network)
      .map(({ channel }) => channel as string)
    this.#chats = new Chats(this.network, [...config.channels, ...named.filter(channel => !/^\d/.test(channel))])
    const chats = this.#chats
    const pace = new Pace(config.rate)
    this.#drafts = new Drafts({ api: this.#api, chats, pace, rate: config.rate, log: context.log })
    this.#requests = new Requests({
      api: this.#api,
      chats,
      pace,
      signal: this.#stop.signal,
      moved: (from, to) => void this.#moved(from, to),
    })
    this.#delivery = new Delivery({
      requests: this.#requests,
      chats,
      doubts: this.#doubts,
      unshown: deliveryId => this.#drafts.end(deliveryId),
      said: ({ chatId, messageId }) => this.#ours.set(`${chatId}/${messageId}`, true),
    })
    this.#ephemeral = new Ephemeral({ api: this.#api, chats, requests: this.#requests })
    this.#membership = new Membership({
      api: this.#api,
      chats,
      doubts: this.#doubts,
      log: context.log,
      self: () => this.#self,
      moved: (from, to) => this.#moved(from, to),
      changed: () => context.changed(),
    })
    this.channels = { join: place => this.#join(place), part: place => this.#part(place) }
  }

  status(): NetworkStatus {
    return statusOf({
      state: this.#state,
      sinceMs: this.#sinceMs,
      reason: this.#reason,
      self: this.#self,
      chats: this.#chats,
      hidden: this.#menu.hidden,
    })
  }

  #stand(state: NetworkStatus['state'], reason?: string): void {
    if (state === this.#state && reason === this.#reason) return
    if (state !== this.#state) this.#sinceMs = Date.now()
    this.#state = state
    this.#reason = reason
    this.#context.changed()
  }

  // ---- in ---------------------------------------------------------------------------------------------------------

  async run(sink: Sink, signal: AbortSignal): Promise<void> {
    const hangUp = (): void => this.#stop.abort()
    signal.addEventListener('abort', hangUp, { once: true })
    if (signal.aborted) hangUp()
    let end = 'stopped'
    try {
      this.#self = await this.#meet(signal)
      if (this.#self) await this.#poll(this.#self, sink, signal)
    } catch (thrown) {
      end = asChanopError(thrown).message
      throw thrown
    } finally {
      signal.removeEventListener('abort', hangUp)
      this.#stop.abort()
      this.#stand('down', end)
      this.#drafts.close()
      // What was asked of Telegram is answered soon; whatever is cut off here is in doubt.
      const drained = new AbortController()
      const settled = this.#requests.settled().then(() => drained.abort())
      await Promise.race([settled, sleep(drainMs, drained.signal)])
      this.#api.close()
      await this.#inspecting
    }
  }

  /** Who we are, as soon as Telegram says so; null when we are to stop before. */
  async #meet(signal: AbortSignal): Promise<User | null> {
    for (let failures = 0; !signal.aborted; failures++) {
      try {
        this.#chats.recall(await this.#context.cursors.get(movesCursor))
        return await this.#api.call<User>('getMe', {}, { signal })
      } catch (thrown) {
        if (signal.aborted) break
        const error = asChanopError(thrown)
        if (error instanceof ApiError && (error.status === 401 || error.status === 404)) throw refused()
        this.#stand('down', `${error.message}; trying again`)
        await sleep(error.afterMs ?? backoffMs(backoff, failures), signal)
      }
    }
    return null
  }

  async #poll(self: User, sink: Sink, signal: AbortSignal): Promise<void> {
    const { network, log, cursors } = this.#context
    const reader = new UpdateReader({
      network,
      self,
      chats: this.#chats,
      people: this.#people,
      log,
      commandOf: word => this.#menu.nameOf(word),
      isOurs: (chatId, messageId) => this.#ours.has(`${chatId}/${messageId}`),
    })
    const poller = new Poller({
      api: this.#api,
      cursors,
      log,
      pollSeconds: this.#config.pollSeconds,
      up: () => this.#up(self, signal),
      down: reason => this.#stand('down', reason),
      take: async (updates, origin, lost) => {
        const events = await this.#read(reader, updates, origin)
        const all = lost ? [...this.#gaps(lost), ...events] : events
        return all.length === 0 || (await offer({ sink, signal, log, backoff }, all))
      },
    })
    await poller.run(signal)
  }

  #up(self: User, signal: AbortSignal): void {
    if (this.#state === 'up') return
    this.#stand('up')
    this.#inspecting = this.#inspecting.then(() => this.#membership.inspectAll(self, signal))
  }

  async #read(reader: UpdateReader, updates: readonly Update[], origin: Origin): Promise<ChatEvent[]> {
    const events: ChatEvent[] = []
    for (const update of updates) {
      if (typeof update !== 'object' || update === null) continue
      await this.#membership.note(update)
      events.push(...reader.events(update, origin))
    }
    return events
  }

  #gaps({ fromMs, reason, key }: Lost): GapEvent[] {
    const sender = { id: 'telegram' as UserId, name: 'Telegram', kind: 'bot' as const, verified: false }
    const atMs = Date.now()
    return this.#chats.wanted.map(channel => ({
      kind: 'gap',
      key: `${this.network}:${channel}/${key}`,
      place: { network: this.network, channel: channel as Place['channel'] },
      sender,
      atMs,
      origin: 'backfill',
      fromMs,
      reason,
    }))
  }

  async #moved(from: number, to: number): Promise<void> {
    this.#chats.moved(from, to)
    this.#context.log.info({ from, to }, 'a group became a supergroup: its place keeps its name')
    await this.#context.cursors.set(movesCursor, JSON.stringify(this.#chats.moves)).catch((thrown: unknown) => {
      this.#context.log.warn(
        { error: asChanopError(thrown).message },
        'the new id of a group could not be written down',
      )
    })
  }

  // ---- chats ------------------------------------------------------------------------------------------------------

  async #join(place: Place): Promise<void> {
    if (/^\d/.test(place.channel)) return
    this.#chats.want(place.channel)
    const reason = this.#self ? await this.#membership.inspect(place.channel, this.#self, this.#stop.signal) : null
    this.#context.changed()
    if (reason !== null) throw new ChanopError('send-refused', reason)
  }

  /** We stay in it, and listen no more: nobody but a person can add a bot again. */
  async #part({ channel }: Place): Promise<void> {
    this.#chats.unwant(channel)
    this.#context.changed()
  }

  // ---- out --------------------------------------------------------------------------------------------------------

  send(place: Place, draft: Draft, deliveryId: string): Promise<readonly MessageId[]> {
    return this.#out(place, () => this.#delivery.send(place, draft, deliveryId))
  }

  sendEphemeral(place: Place, user: UserId, draft: Draft, deliveryId: string): Promise<readonly MessageId[]> {
    return this.#out(place, () => this.#ephemeral.send(place, user, draft, deliveryId))
  }

  edit(place: Place, target: readonly MessageId[], draft: Draft, deliveryId: string): Promise<readonly MessageId[]> {
    return this.#out(place, () => this.#delivery.edit(place, target, draft, deliveryId))
  }

  remove(place: Place, target: readonly MessageId[]): Promise<void> {
    return this.#out(place, () => this.#delivery.remove(place, target))
  }

  react(place: Place, target: MessageId, reaction: Reaction): Promise<void> {
    return this.#out(place, () => this.#delivery.react(place, target, reaction))
  }

  find(place: Place, deliveryId: string, act: Act): Promise<Found> {
    return this.#out(place, () => this.#delivery.find(place, deliveryId, act))
  }

  async #out<T>(place: Place, work: () => Promise<T>): Promise<T> {
    if (this.#state !== 'up')
      throw new ChanopError('send-later', 'Telegram is not connected; it is tried again by itself.')
    try {
      const done = await work()
      if (this.#chats.trouble(place.channel, null)) this.#context.changed()
      return done
    } catch (thrown) {
      if (
        thrown instanceof ApiError &&
        (thrown.status === 403 ||
          thrown.is(/chat not found|not enough rights|have no rights|need administrator rights|CHAT_WRITE_FORBIDDEN/i))
      ) {
        const why = refusalOf(thrown.reason, this.#self)
        if (!place.private && this.#chats.trouble(place.channel, why)) this.#context.changed()
      }
      throw thrown
    }
  }

  stream(place: Place, draft: Draft, deliveryId: string): boolean {
    return this.#state === 'up' && this.#drafts.show(place, draft, deliveryId)
  }

  typing(place: Place, _as: string, active: boolean): void {
    if (!active || this.#state !== 'up') return
    const chatId = Number(place.channel)
    const nowMs = Date.now()
    if (!Number.isSafeInteger(chatId) || nowMs - (this.#typed.get(chatId) ?? 0) < typingEveryMs) return
    if (this.#drafts.isShownIn(chatId)) return
    this.#typed.set(chatId, nowMs)
    this.#api.call('sendChatAction', { chat_id: chatId, action: 'typing' }).catch((thrown: unknown) => {
      this.#context.log.debug({ error: asChanopError(thrown).message }, 'typing could not be shown')
    })
  }

  async announce(commands: readonly NativeCommand[], signal: AbortSignal): Promise<void> {
    await this.#menu.show(this.#api, commands, signal)
    this.#context.changed()
  }

  // ---- files and people -------------------------------------------------------------------------------------------

  async open({ ref }: Attachment, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
    try {
      const { file_path } = await this.#api.call<{ file_path?: string }>('getFile', { file_id: ref }, { signal })
      if (typeof file_path === 'string') return await this.#api.download(file_path, signal)
    } catch (thrown) {
      if (!(thrown instanceof ApiError) || thrown.status !== 400) throw thrown
      if (thrown.is(/too big/i)) throw new ChanopError('media-refused', 'Telegram gives bots no file above 20 MB')
    }
    throw new ChanopError('not-found', 'Telegram does not hold this file any more.')
  }

  /** The conversation with somebody: only people begin it, with us. */
  async direct(user: UserId): Promise<Place> {
    const place: Place = { network: this.network, channel: user as unknown as Place['channel'], private: true }
    if (!/^\d{1,16}$/.test(user)) throw new ChanopError('not-found', 'Telegram does not say who that is.')
    try {
      await this.#api.call('sendChatAction', { chat_id: Number(user), action: 'typing' })
      return place
    } catch (thrown) {
      if (!(thrown instanceof ApiError) || thrown.retry === 'later') throw thrown
      const name = this.#self?.username
      throw new ChanopError('send-refused', `they have to write to @${name} first: https://t.me/${name} → Start`)
    }
  }

  /** To Telegram, which reads it. */
  async secure(): Promise<boolean> {
    const { protocol, hostname } = new URL(this.#config.api)
    return protocol === 'https:' || isLoopbackHost(hostname)
  }
}
