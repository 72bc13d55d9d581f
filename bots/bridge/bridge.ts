import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import type { Config, configSchema } from '../../config/schema.ts'
import type { Abilities, Adapter } from '../../core/adapter.ts'
import { lookAnyway } from '../../core/bus/bus.ts'
import { addressee } from '../../core/command/visit/addressee.ts'
import { Reader } from '../../core/command/visit/reading.ts'
import { asChanopError } from '../../core/error.ts'
import {
  type ChannelId,
  type ChatEvent,
  formatPlace,
  type MessageEvent,
  type NetworkId,
  type Place,
} from '../../core/event.ts'
import type { Abandoned } from '../../core/ledger/abandon.ts'
import { takeBackCopies, takeBackLost } from '../../core/ledger/out/superseding.ts'
import { placeKey, type Stored } from '../../core/ledger/record/events.ts'
import { saveStatus } from '../../core/ledger/settings/networks.ts'
import type { Tx } from '../../core/ledger/tx.ts'
import { MediaStore, mediaLimits } from '../../core/media/store.ts'
import { tellOps } from '../../core/ops.ts'
import type { BotContext } from '../../core/process/bot.ts'
import { bots } from '../../core/process/bots.ts'
import { backoffMs, sleep } from '../../core/retry.ts'
import { safeName } from '../../core/text/text.ts'
import { Deliverer } from './delivery/deliver.ts'
import { Files, type FilesOptions } from './delivery/files.ts'
import { LinkServer } from './delivery/link-server.ts'
import { type Intake as IntakeSettings, ingest, landed } from './intake/ingest.ts'
import { Outage } from './intake/outage.ts'
import { Signs } from './intake/signs.ts'
import { isSplit, Splits } from './intake/splits.ts'
import { Announcer } from './networks/announcer.ts'
import { Connections, channelsOf } from './networks/connections.ts'
import { admittedNow } from './orders/doors.ts'
import { GoneAccounts } from './orders/gone.ts'
import { Orderly } from './orders/orders.ts'
import { chartSvg } from './pictures/chart.ts'
import { Painter } from './pictures/painter.ts'
import { usualLateMs } from './relay/dated.ts'
import { Echoes } from './relay/echoes.ts'

const silentAfterMs = 3500
const presenceMs = 1000
const announceMs = 1000
const startMs = 3000
const accountsMs = 300_000
const splitMs = 5000
const drainMs = 3000
const sweepMs = 3_600_000

const isMessage = (event: ChatEvent): event is MessageEvent => event.kind === 'message'
const abilitiesOf = (adapter: Adapter): Abilities => ({ edits: adapter.edit !== undefined, limits: adapter.limits })

export interface BridgeOptions {
  /** For how long those who leave in a netsplit are collected. */
  readonly splitMs?: number
  /** What is passed on so much later says when it was said. */
  readonly lateMs?: number
  /** How often it is looked whether the commands of the bots have changed. */
  readonly announceMs?: number
  /** How often the accounts on record are compared with those there are. */
  readonly accountsMs?: number
  /** Draws a chart as PNG, in place of our own painter. */
  readonly draw?: FilesOptions['draw']
}

/** The one process that holds connections: takes facts in, relays them, and delivers what anyone says. */
export class Bridge {
  readonly context: BotContext<typeof configSchema>
  readonly connections: Connections
  readonly deliverer: Deliverer
  /** Files that came with messages. */
  readonly store: MediaStore
  readonly #files: Files
  readonly #linkServer: LinkServer
  readonly orderly: Orderly
  readonly #members = new Set<string>()
  readonly #beats = new Map<string, number>()
  readonly #away = new Set<string>()
  readonly #splits: Splits
  readonly #reader = new Reader({ prefix: () => this.context.settings.current.commands.prefix, bots })
  readonly #outage: Outage
  readonly #announcer: Announcer
  readonly #announceMs: number
  readonly #gone: GoneAccounts
  readonly #accountsMs: number
  readonly #splitMs: number
  readonly #lateMs: number
  readonly #echoes = new Echoes()
  #linked: Config['rooms']

  constructor(context: BotContext<typeof configSchema>, options: BridgeOptions = {}) {
    this.context = context
    const { ledger, vault, log, signal, settings } = context
    const noticed = new Signs({ ledger, log, signal, members: this.#members })
    this.connections = new Connections({
      context,
      sink: events => this.#take(events),
      signs: signs => noticed.take(signs),
      places: network => this.context.rooms.onNetwork(network),
      changed: network => this.#changed(network),
      removed: () => this.deliverer.wake(),
    })
    const { adapters } = this.connections
    this.#splits = new Splits({ ledger, rooms: context.rooms, log, signal })
    this.#splitMs = options.splitMs ?? splitMs
    this.#lateMs = options.lateMs ?? usualLateMs
    this.#announcer = new Announcer({ adapters, ledger, log, signal })
    this.#announceMs = options.announceMs ?? announceMs
    this.#gone = new GoneAccounts({ adapters, ledger, log, changed: network => this.#changed(network) })
    this.#accountsMs = options.accountsMs ?? accountsMs
    this.#outage = new Outage({ adapters, log, places: () => this.#places() })
    this.store = new MediaStore(join(context.dataDir, 'media'), ledger, () => mediaLimits(settings.current.media))
    this.#linkServer = new LinkServer({ store: this.store, ledger, log })
    const painter = new Painter()
    const draw = options.draw ?? ((chart, until) => painter.png(chartSvg(chart), until))
    const files = { store: this.store, links: this.#linkServer, rooms: context.rooms, draw }
    this.#files = new Files({ ...files, refuse: () => settings.current.media.refuse, ledger, adapters, log, signal })
    const isConfigured = (network: string): boolean => Object.hasOwn(settings.current.networks, network)
    this.deliverer = new Deliverer({
      ledger,
      vault,
      files: this.#files,
      lateMs: this.#lateMs,
      log,
      signal,
      adapters,
      isConfigured,
      gaveUp: (tx, network, abandoned) => this.#gaveUp(tx, network, abandoned, isConfigured),
      takeBack: (tx, lost) => takeBackLost(tx, lost, (from, to) => this.#goes(from, to)),
      landed: (tx, place, ids) => landed(tx, place, ids, this.#intake(), Date.now()),
    })
    this.orderly = new Orderly({
      ledger,
      vault,
      log,
      signal,
      adapters,
      isConfigured,
      admitted: (place, besides) => admittedNow(context, place, besides),
      released: ids => this.deliverer.released(ids),
    })
    this.#linked = settings.current.rooms
    context.settings.onChange(config => this.#configure(config))
  }

  /** Connects every configured network; one that can't be is reported and leaves the others alone. */
  async start(): Promise<void> {
    const { context } = this
    context.ledger.autoCheckpoint(16_000)
    // One that takes its time keeps up nobody.
    await this.#linkServer.follow(context.settings.current.media.links)
    await Promise.race([this.connections.follow(context.settings.current.networks), sleep(startMs)])
    await this.#unlinked()
    await this.#takeOver()
    const heard = (): void => {
      this.#look()
      this.#lookForOrders()
    }
    context.bus.onRing(heard)
    context.ledger.onWritten(() => this.#look())
    // What goes out now does so before orders are looked for.
    context.ledger.onCommit(() => setImmediate(() => this.#lookForOrders()))
    // A reading of the settings that changed nothing may follow a secret that was set: who was refused tries again.
    context.bus.onSignal('settings', () => void this.connections.follow(context.settings.current.networks))
    context.bus.onSignal('typing', ({ place, as, active }) =>
      this.connections.adapters.get(place.network)?.typing?.(place, as, active),
    )
    context.bus.onSignal('heartbeat', ({ bot }) => this.#beats.set(bot, Date.now()))
    lookAnyway(context.bus, heard, context.signal)
    void this.#gone.follow(this.#accountsMs, context.signal)
    this.#splits.look()
    this.#sweep()
    const sweeping = setInterval(() => this.#sweep(), sweepMs)
    context.signal.addEventListener('abort', () => clearInterval(sweeping), { once: true })
    const timer = setInterval(() => this.#showPresence(), presenceMs)
    context.signal.addEventListener('abort', () => clearInterval(timer), { once: true })
    const announcing = setInterval(() => void this.#announcer.look(), this.#announceMs)
    context.signal.addEventListener('abort', () => clearInterval(announcing), { once: true })
    this.#lookForOrders()
  }

  /** Takes over what the last run left; on a full disk that waits, and those who talk are told why. */
  async #takeOver(): Promise<void> {
    const { log, signal } = this.context
    for (let failures = 0; !signal.aborted; failures++) {
      try {
        return await this.deliverer.start()
      } catch (error) {
        if (failures === 0) log.error({ error }, `deliveries wait: ${asChanopError(error).message}`)
        this.#outage.refused(error)
        await sleep(backoffMs({ firstMs: 200, maxMs: 5000 }, failures), signal)
      }
    }
  }

  /** Resolves once all connections are closed. */
  async stopped(): Promise<void> {
    const { signal } = this.context
    if (!signal.aborted) await new Promise(resolve => signal.addEventListener('abort', resolve, { once: true }))
    await this.deliverer.drain(drainMs)
    await this.#linkServer.follow({ ...this.context.settings.current.media.links, listen: null })
    await Promise.race([this.connections.closed(), sleep(drainMs)])
  }

  /** What facts are taken in with, as it is now. */
  #intake(): IntakeSettings {
    const { rooms, settings } = this.context
    return {
      rooms,
      ignore: settings.current.ignore,
      members: this.#members,
      splitMs: this.#splitMs,
      lateMs: this.#lateMs,
      echoes: this.#echoes,
      reader: this.#reader,
    }
  }

  async #take(events: readonly ChatEvent[]): Promise<void> {
    const { ledger } = this.context
    const writing = ledger.write(db => {
      const taken = ingest(db, events, this.#intake(), Date.now())
      for (const relay of taken.relays) this.#tellRelay(db, relay)
      for (const { event } of taken.stored) {
        const bot = event.kind === 'message' ? addressee(db, event, this.#reader) : null
        if (bot !== null) ledger.first(bot)
      }
      return taken
    })
    writing.then(
      () => this.#outage.taken(),
      (error: unknown) =>
        this.#outage.refused(
          error,
          events.filter(isMessage).filter(each => this.#isAsked(each)),
        ),
    )
    const taken = await writing
    for (const { event } of taken.stored) if (this.#carriesFiles(event)) this.#files.expect(event)
    if (taken.stored.some(({ event }) => isSplit(event))) this.#splits.look()
    for (const member of taken.joined) this.#members.add(member)
    for (const member of taken.left) this.#members.delete(member)
    this.onTaken?.(taken.stored)
  }

  /** Whether somebody waits for what a command of theirs does. */
  #isAsked(event: MessageEvent): boolean {
    const heard = event.origin === 'live' ? this.#reader.hear(event) : null
    return heard !== null && (heard.prefixed || heard.given !== undefined)
  }

  #sweep(): void {
    this.store.sweep().catch((error: unknown) => this.context.log.warn({ error }, 'old files could not be removed'))
  }

  /** Whether an event has files that are wanted on some other network. */
  #carriesFiles(event: ChatEvent): event is MessageEvent {
    if (event.kind !== 'message' || !event.content.attachments || event.sender.kind === 'self') return false
    const { rooms } = this.context
    if (rooms.of(event.place)?.bridging.files === 'off') return false
    const takes = ({ network }: Place): boolean =>
      this.connections.adapters.get(network)?.limits.fileBytes !== undefined
    return rooms.others(event.place).some(other => this.#linkServer.open || takes(other))
  }

  /** For those who live in this process and want facts without asking the ledger. */
  onTaken?: (stored: readonly Stored[]) => void

  /** Takes new settings over: connections change one after the other. */
  #configure(config: Config): void {
    void this.connections.follow(config.networks)
    void this.#linkServer.follow(config.media.links)
    if (!isDeepStrictEqual(config.rooms, this.#linked)) void this.#unlinked()
    this.#linked = config.rooms
  }

  #goes(from: Place, to: Place): boolean {
    const { rooms, settings } = this.context
    if (!Object.hasOwn(settings.current.networks, to.network)) return true
    return rooms.passes(from, to)
  }

  /** What waits for a place that a room lost is not passed on any more; what waits for a network that was removed goes with it. */
  async #unlinked(): Promise<void> {
    const { ledger, log } = this.context
    try {
      const count = await ledger.write(db => takeBackCopies(db, (from, to) => this.#goes(from, to)))
      if (count > 0) log.info({ count }, 'copies that waited for places that left their rooms are taken back')
    } catch (error) {
      log.warn({ error }, 'copies that wait for places that left their rooms are still said')
    }
  }

  /** Those who run the system hear that there is another relay in a room. */
  #tellRelay(tx: Tx, { seq, event: { place, sender } }: Stored): void {
    const line = `${safeName(sender.name)} in ${formatPlace(place)} repeats what is said in the other places of its room: another bridge? Its copies are not passed on`
    tellOps(tx, this.context, line, `bridge.relay.${place.network}.${sender.id}.${seq}`)
  }

  /** Those who run the system hear what a network took with it. */
  #gaveUp(tx: Tx, network: NetworkId, { count, lastId }: Abandoned, reaches: (network: string) => boolean): void {
    const waited = count === 1 ? 'one delivery that waited for it is' : `${count} deliveries that waited for it are`
    const line = `the network ${network} was removed: ${waited} given up`
    tellOps(tx, this.context, line, `bridge.removed.${network}.${lastId}`, reaches)
  }

  #changed(network: NetworkId): void {
    const adapter = this.connections.adapters.get(network)
    if (!adapter) return
    this.#report(adapter)
    this.deliverer.wake()
    this.#lookForOrders()
  }

  #report(adapter: Adapter): void {
    const { ledger, log } = this.context
    const gone = this.#gone.of(adapter.network)
    const save = ledger.write(db => {
      const status = { ...adapter.status(), can: abilitiesOf(adapter), ...(gone.length > 0 ? { gone } : {}) }
      saveStatus(db, adapter.network, status, Date.now())
    })
    save.catch((error: unknown) => log.warn({ error }, 'how a network is could not be written down'))
  }

  #look(): void {
    this.deliverer.look().catch((error: unknown) => this.context.log.error({ error }, asChanopError(error).message))
  }

  #lookForOrders(): void {
    this.orderly.look().catch((error: unknown) => this.context.log.error({ error }, asChanopError(error).message))
  }

  /** Every place of the configuration, once. */
  #places(): readonly Place[] {
    const { networks } = this.context.settings.current
    const found = Object.entries(networks).flatMap(([name, config]) => {
      const network = name as NetworkId
      const own = channelsOf(config).map(channel => ({ network, channel: channel as ChannelId }))
      return [...own, ...this.context.rooms.onNetwork(network)]
    })
    return [...new Map(found.map(place => [placeKey(place), place])).values()]
  }

  /** A persona whose bot is silent is away. */
  #showPresence(): void {
    if (!this.context.bus.up) return
    for (const persona of bots) {
      const beat = this.#beats.get(persona)
      const gone = persona !== 'bridge' && beat !== undefined && Date.now() - beat > silentAfterMs
      if (gone === this.#away.has(persona)) continue
      if (gone) this.#away.add(persona)
      else this.#away.delete(persona)
      for (const adapter of this.connections.adapters.values())
        adapter.away?.(persona, gone ? `${persona} is not running` : null)
    }
  }
}
