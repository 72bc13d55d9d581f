import type { Able, Adapter, AdapterContext, Channels, Limits, NetworkStatus, Sink } from '../../core/adapter.ts'
import { ChanopError } from '../../core/error.ts'
import type { Attachment, ChannelId, NetworkId, Place, UserId } from '../../core/event.ts'
import { isReadable } from '../../core/loopback.ts'
import { NetworkState } from '../../core/process/network-state.ts'
import type { SlackConfig } from './config.ts'
import { Connection } from './connection.ts'
import { openFile } from './in/files.ts'
import { advice, asSendError, isChannelFault, isRefused } from './link/fault.ts'
import { part, str } from './native.ts'
import { lacksOf, missingOf } from './scopes.ts'
import { textUnits } from './text/split.ts'

const words: Limits = {
  textBytes: textUnits * 3,
  textUnits,
  marks: true,
  threads: true,
  growEveryMs: 1500,
}

/** One app in one Slack workspace: socket mode in, Web API out. */
export class SlackAdapter implements Adapter {
  readonly network: NetworkId
  readonly channels: Channels
  readonly #config: SlackConfig
  readonly #context: AdapterContext
  #connection: Connection | null = null
  readonly #state: NetworkState

  constructor(config: SlackConfig, context: AdapterContext) {
    this.network = context.network
    this.#config = config
    this.#context = context
    this.#state = new NetworkState(() => context.changed())
    this.channels = { join: place => this.#join(place), part: place => this.#part(place) }
  }

  /** Without the scope for uploads files are words with an address. */
  get limits(): Limits {
    const lacking = missingOf(this.#connection?.granted ?? []).includes('files:write')
    return lacking ? words : { ...words, fileBytes: 100_000_000 }
  }

  status(): NetworkStatus {
    const connection = this.#connection
    const { reason, ...now } = this.#state.now
    const missing = connection?.missing ?? null
    const reasons = [reason, missing].filter(each => each !== undefined && each !== null)
    const troubles = connection?.channels.troubles.all ?? []
    return {
      ...now,
      server: connection?.workspace ? `Slack, ${connection.workspace}` : 'Slack',
      ...(reasons.length === 0 ? {} : { reason: reasons.join(' · ') }),
      ...(troubles.length === 0 ? {} : { troubles }),
      ...(connection?.api.aheadMs ? { aheadMs: connection.api.aheadMs } : {}),
      lacks: lacksOf(connection?.granted ?? [], this.#config.command),
    }
  }

  async run(sink: Sink, signal: AbortSignal): Promise<void> {
    try {
      const connection = await Connection.open({
        config: this.#config,
        context: this.#context,
        sink,
        signal,
        channels: this.#wanted(),
        stand: (state, reason) => this.#state.set(state, reason),
      })
      this.#connection = connection
      await connection.run()
      this.#state.set('down', 'stopped')
    } catch (error) {
      this.#state.set('down', error instanceof ChanopError ? error.message : 'stopped by a fault')
      throw error
    }
  }

  #wanted(): string[] {
    const named = this.#context.places.filter(({ network }) => network === this.network).map(({ channel }) => channel)
    return [...new Set<string>([...this.#config.channels, ...named])].filter(channel => !channel.startsWith('D'))
  }

  async open(attachment: Attachment, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
    const { api, token } = this.#live()
    return openFile({ api, token, url: this.#config.api }, attachment, signal)
  }

  readonly send: Able['send'] = async (...asked) => this.#live().speaker.send(...asked)
  readonly sendEphemeral: Able['sendEphemeral'] = async (...asked) => this.#live().speaker.sendEphemeral(...asked)
  readonly edit: Able['edit'] = async (...asked) => this.#live().speaker.edit(...asked)
  readonly remove: Able['remove'] = async (place, target) => this.#live().speaker.remove(place, target)
  readonly react: Able['react'] = async (place, target, reaction) => this.#live().speaker.react(place, target, reaction)
  // History is there although the socket may just be gone.
  readonly find: Able['find'] = async (place, deliveryId, act) =>
    (this.#connection ?? this.#live()).speaker.find(place, deliveryId, act)

  async direct(user: UserId): Promise<Place> {
    const { api } = this.#live()
    try {
      const channel = str(part(await api.call('conversations.open', { users: user }), 'channel'), 'id')
      return { network: this.network, channel: channel as ChannelId, private: true }
    } catch (error) {
      throw asSendError(error)
    }
  }

  /** Between us and Slack; Slack itself keeps what is said. */
  async secure(place: Place): Promise<boolean> {
    return place.private === true && !isReadable(this.#config.api)
  }

  async #join({ channel }: Place): Promise<void> {
    const { channels } = this.#live()
    if (await channels.enter(channel)) return
    const why = channels.troubles.of(channel)
    throw new ChanopError('send-refused', why ?? 'the channel could not be entered')
  }

  async #part({ channel }: Place): Promise<void> {
    const { api, channels } = this.#live()
    await api.call('conversations.leave', { channel }).catch((error: unknown) => {
      if (isRefused(error, 'not_in_channel', 'channel_not_found')) return
      if (isChannelFault(error)) throw new ChanopError('send-refused', advice(error), { cause: error })
      throw asSendError(error)
    })
    channels.forget(channel)
  }

  #live(): Connection {
    const connection = this.#connection
    if (!connection || !this.#state.isUp) {
      throw new ChanopError('send-later', `${this.network} is not connected; it is tried again by itself.`)
    }
    return connection
  }
}
