import { isDeepStrictEqual } from 'node:util'
import type { Config, configSchema } from '../../../config/schema.ts'
import type { Adapter, Sink } from '../../../core/adapter.ts'
import type { BotContext } from '../../../core/bot.ts'
import { asChanopError } from '../../../core/error.ts'
import type { ChannelId, NetworkId, Place, Sign } from '../../../core/event.ts'
import { dropStatus, saveStatus } from '../../../core/ledger/networks.ts'
import { openOrders } from '../../../core/ledger/orders.ts'
import { sleep } from '../../../core/retry.ts'
import { openNetwork } from './networks.ts'

type NetworkConfig = Config['networks'][string]

interface Link {
  config: NetworkConfig
  readonly stop: AbortController
  readonly adapter: Adapter | null
  readonly run: Promise<void>
  /** It could not be made, or the network refuses us: tried again when the settings are read again. */
  failed: boolean
}

export interface LinksOptions {
  readonly context: BotContext<typeof configSchema>
  readonly sink: Sink
  readonly signs: (signs: readonly Sign[]) => Promise<void>
  readonly places: (network: string) => readonly Place[]
  /** How a network is has changed. */
  readonly changed: (network: NetworkId) => void
}

const closeMs = 3000

export const channelsOf = (config: NetworkConfig): readonly string[] =>
  'channels' in config && Array.isArray(config.channels) ? (config.channels as string[]) : []

/** Whether a connection made for one configuration serves the other: channels are entered and left without a new one. */
const serves = (made: NetworkConfig, wanted: NetworkConfig): boolean =>
  isDeepStrictEqual({ ...made, channels: [] }, { ...wanted, channels: [] })

/**
 * The connections: one for each configured network, made, changed and closed as the configuration says. A network that
 * can't be connected leaves the others alone.
 */
export class Links {
  readonly adapters = new Map<NetworkId, Adapter>()
  readonly #o: LinksOptions
  readonly #links = new Map<string, Link>()
  #tail: Promise<void> = Promise.resolve()

  constructor(options: LinksOptions) {
    this.#o = options
  }

  /** Makes the connections those of `networks`. Resolves when all are begun or closed; never rejects. */
  follow(networks: Config['networks']): Promise<void> {
    this.#tail = this.#tail.then(async () => {
      if (this.#o.context.signal.aborted) return
      const names = new Set([...this.#links.keys(), ...Object.keys(networks)])
      await Promise.all([...names].map(name => this.#settle(name, networks[name])))
    })
    return this.#tail
  }

  /** Resolves once every connection is closed. */
  async closed(): Promise<void> {
    await Promise.all([...this.#links.values()].map(link => link.run))
  }

  async #settle(name: string, wanted: NetworkConfig | undefined): Promise<void> {
    const link = this.#links.get(name)
    try {
      if (link && wanted && !link.failed && serves(link.config, wanted)) {
        await this.#enter(link, wanted)
        return
      }
      if (link) await this.#close(name, link)
      if (wanted) await this.#open(name, wanted)
      else if (link) await this.#o.context.ledger.write(db => dropStatus(db, name))
    } catch (error) {
      this.#o.context.log.error({ error, network: name }, asChanopError(error).message)
    }
  }

  async #open(name: string, config: NetworkConfig): Promise<void> {
    const { context, sink, signs, places, changed } = this.#o
    const { log, ledger } = context
    const stop = new AbortController()
    const signal = AbortSignal.any([stop.signal, context.signal])
    const off = async (error: unknown): Promise<void> => {
      const reason = asChanopError(error).message
      log.error({ error, network: name }, `network ${name} is off: ${reason}`)
      const status = { state: 'down' as const, sinceMs: Date.now(), reason, lacks: [] }
      await ledger.write(db => saveStatus(db, name, status, Date.now()))
    }
    try {
      const adapter = await openNetwork(name, config, { context, signs, places, changed })
      const run = adapter.run(sink, signal).catch(async (error: unknown) => {
        link.failed = true
        await off(error).catch((fault: unknown) => log.error({ error: fault, network: name }, 'not noted'))
      })
      const link: Link = { config, stop, adapter, run, failed: false }
      this.#links.set(name, link)
      this.adapters.set(adapter.network, adapter)
      changed(adapter.network)
    } catch (error) {
      this.#links.set(name, { config, stop, adapter: null, run: Promise.resolve(), failed: true })
      await off(error)
    }
  }

  async #close(name: string, { stop, adapter, run }: Link): Promise<void> {
    stop.abort()
    await Promise.race([run, sleep(closeMs)])
    this.#links.delete(name)
    if (adapter) this.adapters.delete(adapter.network)
  }

  /** Enters what is new and leaves what is no longer wanted, unless somebody's order is about to do that. */
  async #enter(link: Link, wanted: NetworkConfig): Promise<void> {
    const { adapter, config } = link
    link.config = wanted
    if (!adapter) return
    const { network } = adapter
    const place = (channel: string): Place => ({ network, channel: channel as ChannelId })
    const inRooms = this.#o.places(network).map(({ channel }) => channel as string)
    const before = channelsOf(config)
    const now = [...new Set([...channelsOf(wanted), ...inRooms])]
    const ordered = await this.#o.context.ledger.read(db => openOrders(db).map(({ args }) => args['channel'] ?? ''))
    const unwanted = before.filter(channel => !now.includes(channel) && !ordered.includes(channel.toLowerCase()))
    const acts = [
      ...now.filter(channel => !before.includes(channel)).map(channel => adapter.channels?.join(place(channel))),
      ...unwanted.map(channel => adapter.channels?.part(place(channel), 'no longer wanted here')),
    ]
    for (const act of acts)
      act?.catch((error: unknown) => this.#o.context.log.warn({ error, network }, asChanopError(error).message))
  }
}
