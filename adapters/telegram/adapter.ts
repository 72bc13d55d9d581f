import { addAbortListener } from 'node:events'
import type { Able, Adapter, AdapterContext, Channels, Limits, NetworkStatus, Sink } from '../../core/adapter.ts'
import { asChanopError, ChanopError } from '../../core/error.ts'
import {
  type ChannelId,
  type ChatEvent,
  type GapEvent,
  gapIn,
  type NetworkId,
  type Origin,
  type Place,
} from '../../core/event.ts'
import { isReadable } from '../../core/loopback.ts'
import { offer } from '../../core/process/feed.ts'
import { NetworkState } from '../../core/process/network-state.ts'
import { Recent } from '../../core/recent.ts'
import { persist, sleep } from '../../core/retry.ts'
import { pastedToken } from '../../core/vault/pasted.ts'
import { Api } from './api.ts'
import { Chats } from './chats.ts'
import type { TelegramConfig } from './config.ts'
import { Delivery } from './delivery.ts'
import { Doubts } from './doubts.ts'
import { Drafts } from './drafts.ts'
import { Ephemeral } from './ephemeral.ts'
import { ApiError, isUnknownToken } from './fault.ts'
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
  readonly #state: NetworkState
  #inspecting: Promise<void> = Promise.resolve()

  constructor(config: TelegramConfig, context: AdapterContext, token: string) {
    this.network = context.network
    this.#config = config
    this.#context = context
    this.#state = new NetworkState(() => context.changed())
    this.#api = new Api(token, config.api)
    const named = context.places
      .filter(({ network }) => network === this.network)
      .map(({ channel }) => channel as string)
    this.#chats = new Chats(this.network, [...config.channels, ...named.filter(channel => !/^\d/.test(channel))], () =>
      context.changed(),
    )
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
      cursors: context.cursors,
      doubts: this.#doubts,
      signal: this.#stop.signal,
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
    return statusOf(this.#state.now, { self: this.#self, chats: this.#chats, hidden: this.#menu.hidden })
  }

  // ---- in ---------------------------------------------------------------------------------------------------------

  async run(sink: Sink, signal: AbortSignal): Promise<void> {
    using _stopping = addAbortListener(signal, () => this.#stop.abort())
    let end = 'stopped'
    try {
      this.#self = await this.#meet(signal)
      if (this.#self) await this.#poll(this.#self, sink, signal)
    } catch (thrown) {
      end = asChanopError(thrown).message
      throw thrown
    } finally {
      this.#stop.abort()
      this.#state.set('down', end)
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
  #meet(signal: AbortSignal): Promise<User | null> {
    const meet = async (): Promise<User> => {
      this.#chats.recall(await this.#context.cursors.get(movesCursor))
      return this.#api.call<User>('getMe', {}, { signal })
    }
    const failed = (thrown: unknown): number | undefined => {
      if (isUnknownToken(thrown)) throw refused()
      const error = asChanopError(thrown)
      this.#state.set('down', `${error.message}; trying again`)
      return error.afterMs
    }
    return persist(meet, { signal, backoff, failed })
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
      down: reason => this.#state.set('down', reason),
      take: async (updates, origin, lost) => {
        const events = await this.#read(reader, updates, origin)
        const all = lost ? [...this.#gaps(lost), ...events] : events
        return all.length === 0 || (await offer({ sink, signal, log, backoff }, all))
      },
    })
    await poller.run(signal)
  }

  #up(self: User, signal: AbortSignal): void {
    if (this.#state.isUp) return
    this.#state.set('up')
    this.#inspecting = this.#inspecting.then(() => this.#membership.inspectAll(self, signal))
  }

  async #read(reader: UpdateReader, updates: readonly Update[], origin: Origin): Promise<ChatEvent[]> {
    const events: ChatEvent[] = []
    for (const update of updates) {
      if (typeof update !== 'object' || update === null) continue
      await this.#membership.note(update, origin)
      events.push(...reader.events(update, origin))
    }
    return events
  }

  #gaps({ fromMs, reason, key }: Lost): GapEvent[] {
    return this.#chats.wanted.map(channel => {
      const place = { network: this.network, channel: channel as ChannelId }
      return gapIn(place, 'Telegram', { key: `${this.network}:${channel}/${key}`, fromMs, reason })
    })
  }

  async #moved(from: number, to: number): Promise<void> {
    if (this.#chats.chatId(String(from)) === to) return
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

  readonly send: Able['send'] = (place, ...asked) => this.#out(place, () => this.#delivery.send(place, ...asked))
  readonly sendEphemeral: Able['sendEphemeral'] = (place, ...asked) =>
    this.#out(place, () => this.#ephemeral.send(place, ...asked))
  readonly edit: Able['edit'] = (place, ...asked) => this.#out(place, () => this.#delivery.edit(place, ...asked))
  readonly remove: Able['remove'] = (place, target) => this.#out(place, () => this.#delivery.remove(place, target))
  readonly react: Able['react'] = (place, target, reaction) =>
    this.#out(place, () => this.#delivery.react(place, target, reaction))
  readonly find: Able['find'] = (place, deliveryId, act) =>
    this.#out(place, () => this.#delivery.find(place, deliveryId, act))
  readonly stream: Able['stream'] = (...asked) => this.#state.isUp && this.#drafts.show(...asked)

  async #out<T>(place: Place, work: () => Promise<T>): Promise<T> {
    if (!this.#state.isUp)
      throw new ChanopError('send-later', 'Telegram is not connected; it is tried again by itself.')
    try {
      const done = await work()
      this.#chats.troubles.end(place.channel)
      return done
    } catch (thrown) {
      if (
        thrown instanceof ApiError &&
        (thrown.status === 403 ||
          thrown.is(/chat not found|not enough rights|have no rights|need administrator rights|CHAT_WRITE_FORBIDDEN/i))
      ) {
        if (!place.private) this.#chats.troubles.begin(place.channel, refusalOf(thrown.reason, this.#self))
      }
      throw thrown
    }
  }

  readonly typing: Able['typing'] = (place, _as, active) => {
    if (!active || !this.#state.isUp) return
    const chatId = Number(place.channel)
    const nowMs = Date.now()
    if (!Number.isSafeInteger(chatId) || nowMs - (this.#typed.get(chatId) ?? 0) < typingEveryMs) return
    if (this.#drafts.isShownIn(chatId)) return
    this.#typed.set(chatId, nowMs)
    this.#api.call('sendChatAction', { chat_id: chatId, action: 'typing' }).catch((thrown: unknown) => {
      this.#context.log.debug({ error: asChanopError(thrown).message }, 'typing could not be shown')
    })
  }

  readonly announce: Able['announce'] = async (commands, signal) => {
    await this.#menu.show(this.#api, commands, signal)
    this.#context.changed()
  }

  // ---- files and people -------------------------------------------------------------------------------------------

  readonly open: Able['open'] = async ({ ref }, signal) => {
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
  readonly direct: Able['direct'] = async user => {
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
    return !isReadable(this.#config.api)
  }
}
