import type { Config, configSchema } from '../../config/schema.ts'
import type { Adapter } from '../../core/adapter.ts'
import type { BotContext } from '../../core/bot.ts'
import { asChanopError } from '../../core/error.ts'
import type { ChatEvent, NetworkId } from '../../core/event.ts'
import type { Stored } from '../../core/ledger/events.ts'
import { sleep } from '../../core/retry.ts'
import { Deliverer } from './deliver.ts'
import { ingest } from './ingest.ts'
import { openNetwork, personas, reportStanding } from './networks.ts'
import { Orderly } from './orders.ts'
import { Rooms } from '../../core/rooms.ts'

const silentAfterMs = 3500
const lookAnywayMs = 1000
const drainMs = 3000

/** The one process that holds connections: takes facts in, relays them, and delivers what anyone says. */
export class Bridge {
  readonly context: BotContext<typeof configSchema>
  readonly adapters = new Map<NetworkId, Adapter>()
  readonly deliverer: Deliverer
  readonly orderly: Orderly
  #rooms: Rooms
  readonly #members = new Set<string>()
  readonly #beats = new Map<string, number>()
  readonly #away = new Set<string>()
  readonly #runs: Promise<void>[] = []

  constructor(context: BotContext<typeof configSchema>) {
    this.context = context
    const { ledger, vault, log, signal } = context
    this.#rooms = new Rooms(context.settings.current.rooms)
    this.deliverer = new Deliverer({ ledger, vault, log, signal, adapters: this.adapters })
    this.orderly = new Orderly({
      ledger,
      vault,
      log,
      signal,
      adapters: this.adapters,
      released: ids => this.deliverer.released(ids),
    })
    context.settings.onChange(config => this.#configure(config))
  }

  get rooms(): Rooms {
    return this.#rooms
  }

  /** Connects every configured network; one that can't be is reported and leaves the others alone. */
  async start(): Promise<void> {
    const { context } = this
    context.ledger.autoCheckpoint(16_000)
    for (const [name, config] of Object.entries(context.settings.current.networks)) await this.#connect(name, config)
    await this.deliverer.start()
    const heard = (): void => {
      this.#look()
      this.#lookForOrders()
    }
    context.bus.onRing(heard)
    context.ledger.onCommit(heard)
    context.bus.onSignal('deliveries', () => this.#look())
    context.bus.onSignal('orders', () => this.#lookForOrders())
    context.bus.onSignal('heartbeat', ({ bot }) => this.#beats.set(bot, Date.now()))
    const timer = setInterval(() => this.#tick(), lookAnywayMs)
    context.signal.addEventListener('abort', () => clearInterval(timer), { once: true })
    this.#lookForOrders()
  }

  /** Resolves once all connections are closed. */
  async stopped(): Promise<void> {
    const { signal } = this.context
    if (!signal.aborted) await new Promise(resolve => signal.addEventListener('abort', resolve, { once: true }))
    await this.deliverer.drain(drainMs)
    await Promise.race([Promise.all(this.#runs), sleep(drainMs)])
  }

  async #connect(name: string, config: Config['networks'][string]): Promise<void> {
    const { log, signal } = this.context
    try {
      const adapter = await openNetwork(name, config, {
        context: this.context,
        places: network => this.#rooms.onNetwork(network),
        changed: network => this.#changed(network),
      })
      this.adapters.set(adapter.network, adapter)
      const run = adapter.run(events => this.#take(events), signal)
      this.#runs.push(run.catch((error: unknown) => log.error({ error, network: name }, asChanopError(error).message)))
      this.#changed(adapter.network)
    } catch (error) {
      log.error({ error, network: name }, `network ${name} is off: ${asChanopError(error).message}`)
    }
  }

  async #take(events: readonly ChatEvent[]): Promise<void> {
    const taken = await this.context.ledger.write(db =>
      ingest(
        db,
        events,
        { rooms: this.#rooms, ignore: this.context.settings.current.ignore, members: this.#members },
        Date.now(),
      ),
    )
    for (const member of taken.joined) this.#members.add(member)
    for (const member of taken.left) this.#members.delete(member)
    this.onTaken?.(taken.stored)
  }

  /** For those who live in this process and want facts without asking the ledger. */
  onTaken?: (stored: readonly Stored[]) => void

  #configure(config: Config): void {
    this.#rooms = new Rooms(config.rooms)
    for (const room of this.#rooms.all()) {
      for (const place of room.places) {
        const adapter = this.adapters.get(place.network)
        adapter?.join?.(place).catch((error: unknown) => {
          this.context.log.warn({ error, place }, asChanopError(error).message)
        })
      }
    }
  }

  #changed(network: NetworkId): void {
    const adapter = this.adapters.get(network)
    if (!adapter) return
    this.#report(adapter)
    this.deliverer.wake()
    this.#lookForOrders()
  }

  #report(adapter: Adapter): void {
    reportStanding(this.context, adapter).catch((error: unknown) => {
      this.context.log.warn({ error }, 'how a network is could not be written down')
    })
  }

  #look(): void {
    this.deliverer.look().catch((error: unknown) => this.context.log.error({ error }, asChanopError(error).message))
  }

  #lookForOrders(): void {
    this.orderly.look().catch((error: unknown) => this.context.log.error({ error }, asChanopError(error).message))
  }

  #tick(): void {
    this.#look()
    this.#lookForOrders()
    if (!this.context.bus.up) return
    for (const persona of personas) {
      const beat = this.#beats.get(persona)
      const gone = persona !== 'bridge' && beat !== undefined && Date.now() - beat > silentAfterMs
      if (gone === this.#away.has(persona)) continue
      if (gone) this.#away.add(persona)
      else this.#away.delete(persona)
      for (const adapter of this.adapters.values()) adapter.away?.(persona, gone ? `${persona} is not running` : null)
    }
  }
}
