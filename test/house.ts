/** Several bots in one process on one ledger, with chat servers in memory: bots are tested by talking to them. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type MemoryPlatform, memoryServer } from '../adapters/memory/platform.ts'
import { Bridge, type BridgeOptions } from '../bots/bridge/bridge.ts'
import { configSchema } from '../config/schema.ts'
import type { Role } from '../core/access/role.ts'
import { MemoryBus } from '../core/bus/memory.ts'
import type { NetworkId, UserId } from '../core/event.ts'
import type { Ledger } from '../core/ledger/ledger.ts'
import { instanceId } from '../core/ledger/meta.ts'
import { personFor } from '../core/ledger/people/people.ts'
import { grant } from '../core/ledger/people/roles.ts'
import { openLedger } from '../core/ledger/testing.ts'
import { silentLog } from '../core/log.ts'
import type { BotContext } from '../core/process/bot.ts'
import { Rooms } from '../core/rooms.ts'
import { Settings } from '../core/settings/settings.ts'
import { followSettings } from '../core/settings/settings-following.ts'
import { resolveSecret, Vault } from '../core/vault/secrets.ts'

export interface Closing {
  after(done: () => void | Promise<void>): void
}

export interface HouseOptions {
  /** The configuration as YAML; `{server}` becomes a name of this house alone. */
  readonly config?: string
  readonly env?: Readonly<Record<string, string>>
  /** A folder that is there already, with what a managed server left in it; it outlives the house. */
  readonly dataDir?: string
  /** Commits are put on the disk beside the house, as those of a bridge that is a process of its own. */
  readonly aside?: boolean
}

export const plainConfig = `
owner: chat:olga
networks:
  chat: { kind: memory, server: '{server}-a', channels: ['#general', '#ops'] }
  other: { kind: memory, server: '{server}-b', channels: ['#general'] }
rooms:
  general: { places: ['chat:#general', 'other:#general'], open: true }
  ops: { places: ['chat:#ops'] }
`

let houses = 0

export class House {
  readonly dataDir: string
  readonly ledger: Ledger
  readonly bus = new MemoryBus()
  readonly configFile: string
  readonly #stop = new AbortController()
  readonly #name = `house-${process.pid}-${++houses}`
  readonly #running: Promise<void>[] = []
  readonly #options: HouseOptions

  constructor(t: Closing, options: HouseOptions = {}) {
    this.#options = options
    this.dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'chanop-house-'))
    this.configFile = join(this.dataDir, 'chanop.yaml')
    writeFileSync(this.configFile, (options.config ?? plainConfig).replaceAll('{server}', this.#name))
    this.ledger = openLedger(join(this.dataDir, 'ledger.db'), { aside: options.aside ?? false })
    t.after(() => this.close())
  }

  /** The chat server behind the networks that name `{server}-<letter>`. */
  server(letter = 'a'): MemoryPlatform {
    return memoryServer(`${this.#name}-${letter}`)
  }

  get signal(): AbortSignal {
    return this.#stop.signal
  }

  async context(name: string): Promise<BotContext<typeof configSchema>> {
    const { ledger, dataDir } = this
    const settings = await Settings.open(this.configFile, configSchema, ledger)
    const vault = await Vault.open(join(dataDir, 'keys', 'vault.key'), ledger)
    const bus = this.bus.peer()
    const following = followSettings(settings, ledger, silentLog())
    bus.onSignal('settings', () => void following.reload())
    return {
      name,
      log: silentLog(),
      ledger,
      bus,
      settings,
      rooms: Rooms.of(settings),
      vault,
      instance: await ledger.write(instanceId),
      dataDir,
      signal: this.signal,
      secret: reference => ledger.read(db => resolveSecret(db, vault, reference, this.#options.env ?? {})),
      ready: () => undefined,
    }
  }

  /** Starts the bridge: its networks connect. */
  async bridge(options: BridgeOptions = {}): Promise<Bridge> {
    const bridge = new Bridge(await this.context('bridge'), options)
    await bridge.start()
    this.#running.push(bridge.stopped())
    return bridge
  }

  /** Runs a bot's main until the house closes. Resolves, once it is ready, with what stops this bot alone. */
  async run(
    name: string,
    main: (context: BotContext<typeof configSchema>) => Promise<void>,
  ): Promise<() => Promise<void>> {
    const ready = Promise.withResolvers<void>()
    const stop = new AbortController()
    const signal = AbortSignal.any([stop.signal, this.signal])
    const context = { ...(await this.context(name)), signal, ready: ready.resolve }
    const running = main(context).finally(() => ready.resolve())
    this.#running.push(running)
    await ready.promise
    return async () => {
      stop.abort()
      await running
    }
  }

  async grant(network: string, user: string, role: Role, room = ''): Promise<void> {
    await this.ledger.write(db => {
      const person = personFor(db, network as NetworkId, user as UserId, user, Date.now())
      grant(db, { person, room, role, untilMs: null }, 'test', Date.now())
    })
  }

  async close(): Promise<void> {
    this.#stop.abort()
    await Promise.allSettled(this.#running)
    this.ledger.close()
    if (!this.#options.dataDir) rmSync(this.dataDir, { recursive: true, force: true })
  }
}
