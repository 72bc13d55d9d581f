import type { Adapter, AdapterContext, Channels, Found, Limits, NetworkStatus, Sink } from '../../core/adapter.ts'
import { ChanopError } from '../../core/error.ts'
import type {
  Act,
  Attachment,
  ChannelId,
  Draft,
  MessageId,
  NetworkId,
  Place,
  Reaction,
  UserId,
} from '../../core/event.ts'
import { isLoopbackHost } from '../../core/loopback.ts'
import type { SlackConfig } from './config.ts'
import { Connection } from './connection.ts'
import { openFile } from './in/files.ts'
import { lacksOf } from './lacks.ts'
import { advice, asSendError, isChannelFault, isRefused } from './link/fault.ts'
import { part, str } from './native.ts'
import { missingOf } from './scopes.ts'
import { textUnits } from './text/split.ts'

const words: Limits = {
  textBytes: textUnits * 3,
  textUnits,
  marks: true,
  threads: true,
  growEveryMs: 1500,
}

export const createSlackAdapter = (config: SlackConfig, context: AdapterContext): SlackAdapter =>
  new SlackAdapter(config, context)

/** One app in one Slack workspace: socket mode in, Web API out. */
export class SlackAdapter implements Adapter {
  readonly network: NetworkId
  readonly channels: Channels
  readonly #config: SlackConfig
  readonly #context: AdapterContext
  #connection: Connection | null = null
  #state: { readonly state: NetworkStatus['state']; readonly sinceMs: number; readonly reason?: string } = {
    state: 'connecting',
    sinceMs: Date.now(),
  }

  constructor(config: SlackConfig, context: AdapterContext) {
    this.network = context.network
    this.#config = config
    this.#context = context
    this.channels = { join: place => this.#join(place), part: place => this.#part(place) }
  }

  /** Without the scope for uploads files are words with an address. */
  get limits(): Limits {
    const lacking = missingOf(this.#connection?.granted ?? []).includes('files:write')
    return lacking ? words : { ...words, fileBytes: 100_000_000 }
  }

  status(): NetworkStatus {
    const connection = this.#connection
    const { state, sinceMs, reason } = this.#state
    const missing = connection?.missing ?? null
    const reasons = [reason, missing].filter(each => each !== undefined && each !== null)
    const troubles = connection?.channels.troubles ?? []
    return {
      state,
      sinceMs,
      server: connection?.workspace ? `Slack, ${connection.workspace}` : 'Slack',
      ...(reasons.length === 0 ? {} : { reason: reasons.join(' · ') }),
      ...(troubles.length === 0 ? {} : { troubles }),
      ...(connection?.api.aheadMs ? { aheadMs: connection.api.aheadMs } : {}),
      lacks: lacksOf(connection?.granted ?? [], this.#config.command),
    }
  }

  // ---- in ---------------------------------------------------------------------------------------------------------

  async run(sink: Sink, signal: AbortSignal): Promise<void> {
    try {
      const connection = await Connection.open({
        config: this.#config,
        context: this.#context,
        sink,
        signal,
        channels: this.#wanted(),
        stand: (state, reason) => this.#stand(state, reason),
      })
      this.#connection = connection
      await connection.run()
      this.#stand('down', 'stopped')
    } catch (error) {
      this.#stand('down', error instanceof ChanopError ? error.message : 'stopped by a fault')
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

  // ---- out --------------------------------------------------------------------------------------------------------

  async send(place: Place, draft: Draft, deliveryId: string): Promise<readonly MessageId[]> {
    return this.#live().speaker.send(place, draft, deliveryId)
  }

  async sendEphemeral(place: Place, user: UserId, draft: Draft, deliveryId: string): Promise<readonly MessageId[]> {
    return this.#live().speaker.sendEphemeral(place, user, draft, deliveryId)
  }

  async edit(place: Place, target: readonly MessageId[], draft: Draft, deliveryId: string) {
    return this.#live().speaker.edit(place, target, draft, deliveryId)
  }

  async remove(place: Place, target: readonly MessageId[]): Promise<void> {
    return this.#live().speaker.remove(place, target)
  }

  async react(place: Place, target: MessageId, reaction: Reaction): Promise<void> {
    return this.#live().speaker.react(place, target, reaction)
  }

  async find(place: Place, deliveryId: string, act: Act): Promise<Found> {
    // History is there although the socket may just be gone.
    const connection = this.#connection ?? this.#live()
    return connection.speaker.find(place, deliveryId, act)
  }

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
    const { protocol, hostname } = new URL(this.#config.api)
    return place.private === true && (protocol === 'https:' || isLoopbackHost(hostname))
  }

  // ---- the rest ---------------------------------------------------------------------------------------------------

  async #join({ channel }: Place): Promise<void> {
    const { channels } = this.#live()
    if (await channels.enter(channel)) return
    const why = channels.troubles.find(trouble => trouble.channel === channel)?.reason
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
    if (!connection || this.#state.state !== 'up') {
      throw new ChanopError('send-later', `${this.network} is not connected; it is tried again by itself.`)
    }
    return connection
  }

  #stand(state: NetworkStatus['state'], reason?: string): void {
    if (this.#state.state === state && this.#state.reason === reason) return
    this.#state = { state, sinceMs: Date.now(), ...(reason === undefined ? {} : { reason }) }
    this.#context.changed()
  }
}
