import { isDeepStrictEqual } from 'node:util'
import type { Config, configSchema } from '../../../config/schema.ts'
import type { Adapter, NetworkStatus, Sink } from '../../../core/adapter.ts'
import { asChanopError, ChanopError } from '../../../core/error.ts'
import type { ChannelId, NetworkId, Place, Sign } from '../../../core/event.ts'
import { openOrders } from '../../../core/ledger/out/orders.ts'
import { dropCursors } from '../../../core/ledger/settings/consumers.ts'
import { dropStatus, networkStatuses, saveStatus } from '../../../core/ledger/settings/networks.ts'
import type { BotContext } from '../../../core/process/bot.ts'
import { sleep } from '../../../core/retry.ts'
import { openNetwork } from './networks.ts'

type NetworkConfig = Config['networks'][string]

interface Connection {
  config: NetworkConfig
  readonly stop: AbortController
  readonly adapter: Adapter | null
  readonly run: Promise<void>
  /** Why it could not be made, or does not run any more: tried again when the settings are read again. */
  fault: string | null
}

export interface ConnectionsOptions {
  readonly context: BotContext<typeof configSchema>
  readonly sink: Sink
  readonly signs: (signs: readonly Sign[]) => Promise<void>
  readonly places: (network: string) => readonly Place[]
  /** How a network is has changed. */
  readonly changed: (network: NetworkId) => void
  /** A network is not configured any more, and its connection is closed. */
  readonly removed: (network: NetworkId) => void
}

const closeMs = 3000
/** For so long a platform's library may load and a secret be fetched. */
const openMs = 30_000

export const channelsOf = (config: NetworkConfig): readonly string[] =>
  'channels' in config && Array.isArray(config.channels) ? (config.channels as string[]) : []

/** Whether a connection made for one configuration serves the other: channels are entered and left without a new one. */
const serves = (made: NetworkConfig, wanted: NetworkConfig): boolean =>
  isDeepStrictEqual({ ...made, channels: [] }, { ...wanted, channels: [] })

/** `null` when it took too long, or `signal` aborts; what comes of it later is nobody's. */
async function inTime<T>(work: Promise<T>, limitMs: number, signal: AbortSignal): Promise<T | null> {
  const over = new AbortController()
  const late = sleep(limitMs, AbortSignal.any([over.signal, signal])).then(() => null)
  return Promise.race([work, late]).finally(() => over.abort())
}

/**
 * The connections: one for each configured network, made, changed and closed as the configuration says, each in its own
 * time: one that can't be connected, or hangs, leaves the others alone.
 */
export class Connections {
  readonly adapters = new Map<NetworkId, Adapter>()
  readonly #o: ConnectionsOptions
  readonly #connections = new Map<string, Connection>()
  /** Networks that are kept off. */
  readonly #off = new Set<string>()
  readonly #tails = new Map<string, Promise<void>>()
  readonly #watching = new Map<string, Set<() => void>>()
  #wanted: Config['networks'] = {}
  #old = false

  constructor(options: ConnectionsOptions) {
    this.#o = options
  }

  /** Makes the connections those of `networks`. Resolves when all are begun or closed; never rejects. */
  async follow(networks: Config['networks']): Promise<void> {
    this.#wanted = networks
    await this.#forgetOld()
    const names = new Set([...this.#connections.keys(), ...this.#off, ...this.#tails.keys(), ...Object.keys(networks)])
    await Promise.all([...names].map(name => this.#inTurn(name, () => this.#settle(name))))
  }

  /** Ends the connection of one network and makes it anew. Never rejects. */
  restart(name: string): Promise<void> {
    return this.#inTurn(name, async () => {
      const connection = this.#connections.get(name)
      if (connection) await this.#close(name, connection)
      await this.#settle(name)
    })
  }

  /** How a network is now: as its connection says, or why there is none. Null: it is not configured. */
  statusOf(name: string): Pick<NetworkStatus, 'state' | 'reason' | 'server'> | null {
    const connection = this.#connections.get(name)
    if (connection?.fault) return { state: 'down', reason: connection.fault }
    if (connection?.adapter) return connection.adapter.status()
    if (this.#off.has(name)) return { state: 'off' }
    return this.#isConfigured(name) ? { state: 'connecting' } : null
  }

  /** Resolves with how a network is once that is up, off, gone or given up; or as it is then when `signal` aborts. */
  async settled(name: string, signal: AbortSignal): Promise<ReturnType<Connections['statusOf']>> {
    const isSettled = (): boolean => {
      const { state } = this.statusOf(name) ?? { state: 'off' }
      return state === 'up' || state === 'off' || (this.#connections.get(name)?.fault ?? null) !== null
    }
    const watchers = this.#watching.get(name) ?? new Set()
    this.#watching.set(name, watchers)
    while (!isSettled() && !signal.aborted) {
      const { promise, resolve } = Promise.withResolvers<void>()
      watchers.add(resolve)
      signal.addEventListener('abort', () => resolve(), { once: true })
      await promise
      watchers.delete(resolve)
    }
    return this.statusOf(name)
  }

  /** Resolves once every connection is closed. */
  async closed(): Promise<void> {
    await Promise.all([...this.#connections.values()].map(connection => connection.run))
  }

  /** Networks that were taken out while nobody ran: once. */
  async #forgetOld(): Promise<void> {
    if (this.#old) return
    this.#old = true
    const { ledger, log } = this.#o.context
    try {
      const known = (await ledger.read(networkStatuses)).map(({ network }) => network)
      for (const name of known) if (!this.#isConfigured(name)) await this.#forget(name)
    } catch (error) {
      log.warn({ error }, 'networks of the last run could not be forgotten')
    }
  }

  #isConfigured(name: string): boolean {
    return Object.hasOwn(this.#wanted, name)
  }

  #inTurn(name: string, work: () => Promise<void>): Promise<void> {
    const tail = (this.#tails.get(name) ?? Promise.resolve()).then(async () => {
      if (!this.#o.context.signal.aborted) await work()
    })
    this.#tails.set(name, tail)
    void tail.then(() => {
      if (this.#tails.get(name) === tail) this.#tails.delete(name)
    })
    return tail
  }

  async #settle(name: string): Promise<void> {
    const { context } = this.#o
    try {
      const wanted = this.#isConfigured(name) ? this.#wanted[name] : undefined
      const connection = this.#connections.get(name)
      if (connection && wanted?.on && connection.fault === null && serves(connection.config, wanted)) {
        await this.#enter(connection, wanted)
        return
      }
      if (connection) await this.#close(name, connection)
      if (wanted?.on) await this.#open(name, wanted)
      else if (wanted) await this.#keepOff(name)
      else await this.#forget(name)
    } catch (error) {
      context.log.error({ error, network: name }, asChanopError(error).message)
    }
    this.#tell(name)
  }

  async #keepOff(name: string): Promise<void> {
    if (this.#off.has(name)) return
    this.#off.add(name)
    const status = { state: 'off' as const, sinceMs: Date.now(), lacks: [] }
    await this.#o.context.ledger.write(db => saveStatus(db, name, status, Date.now()))
  }

  async #forget(name: string): Promise<void> {
    this.#off.delete(name)
    await this.#o.context.ledger.write(db => {
      dropStatus(db, name)
      dropCursors(db, name)
    })
    this.#o.removed(name as NetworkId)
  }

  async #open(name: string, config: NetworkConfig): Promise<void> {
    const { context, sink, signs, places } = this.#o
    const changed = (network: NetworkId): void => {
      this.#o.changed(network)
      this.#tell(name)
    }
    this.#off.delete(name)
    const stop = new AbortController()
    const signal = AbortSignal.any([stop.signal, context.signal])
    try {
      const adapter = await inTime(openNetwork(name, config, { context, signs, places, changed }), openMs, signal)
      if (!adapter && signal.aborted) return
      if (!adapter) throw new ChanopError('network-down', `it could not be made ready in ${openMs / 1000} s`)
      const run = this.#run(adapter, sink, signal).catch((error: unknown) => {
        connection.fault = asChanopError(error).message
        return this.#failed(name, error)
      })
      const connection: Connection = { config, stop, adapter, run, fault: null }
      this.#connections.set(name, connection)
      this.adapters.set(adapter.network, adapter)
      changed(adapter.network)
    } catch (error) {
      const fault = asChanopError(error).message
      this.#connections.set(name, { config, stop, adapter: null, run: Promise.resolve(), fault })
      await this.#failed(name, error)
    }
  }

  /** Rejects also when it ends without having been asked to. */
  async #run(adapter: Adapter, sink: Sink, signal: AbortSignal): Promise<void> {
    await adapter.run(sink, signal)
    if (!signal.aborted) throw new ChanopError('network-down', 'the connection ended without a reason')
  }

  async #failed(name: string, error: unknown): Promise<void> {
    const { log, ledger } = this.#o.context
    const reason = asChanopError(error).message
    log.error({ error, network: name }, `network ${name} is off: ${reason}`)
    const status = { state: 'down' as const, sinceMs: Date.now(), reason, lacks: [] }
    try {
      await ledger.write(db => saveStatus(db, name, status, Date.now()))
    } catch (fault) {
      log.error({ error: fault, network: name }, 'how a network is could not be written down')
    }
    this.#tell(name)
  }

  #tell(name: string): void {
    for (const look of this.#watching.get(name) ?? []) look()
  }

  async #close(name: string, { stop, adapter, run }: Connection): Promise<void> {
    stop.abort()
    await Promise.race([run, sleep(closeMs)])
    this.#connections.delete(name)
    if (adapter) this.adapters.delete(adapter.network)
  }

  /** Enters what is new and leaves what is no longer wanted, unless somebody's order is about to do that. */
  async #enter(connection: Connection, wanted: NetworkConfig): Promise<void> {
    const { adapter, config } = connection
    connection.config = wanted
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
