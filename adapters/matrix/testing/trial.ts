/** An adapter on a real homeserver with somebody called alice in a room with it, and a record book in the ledger's stead. */
import { contextOf, type Run as Running, runOn } from '../../../core/contract/harness.ts'
import { RecordBook } from '../../../core/contract/record.ts'
import type { ChannelId, Draft, NetworkId, Place, Sign } from '../../../core/event.ts'
import { text } from '../../../core/event.ts'
import type { MatrixAdapter } from '../adapter.ts'
import { matrixSchema } from '../config.ts'
import { matrix } from '../index.ts'
import type { Client } from './client.ts'
import { Proxy } from './proxy.ts'
import type { Synapse } from './synapse.ts'

export const network = 'mx' as NetworkId
export const instance = 'abcdefghijkl'

export const say = (said: string): Draft => ({ content: text(said) })
export const placeOf = (channel: string): Place => ({ network, channel: channel as ChannelId })

interface TestContext {
  after(done: () => Promise<void> | void): void
}

export interface TrialOptions {
  readonly alice: Client
  /** Keys of the network's configuration. */
  readonly config?: Readonly<Record<string, unknown>>
  readonly room?: Readonly<Record<string, unknown>>
  /** A room that is there already, or none at all. */
  readonly in?: string | null
  readonly dataDir?: string
}

export interface Run extends Running {
  readonly adapter: MatrixAdapter
}

let bots = 0

export class Trial {
  readonly alice: Client
  readonly bot: Client
  readonly room: string
  readonly proxy: Proxy
  readonly book = new RecordBook()
  readonly signs: Sign[] = []
  readonly #config: Readonly<Record<string, unknown>>
  readonly #dataDir: string
  readonly #t: TestContext

  private constructor(t: TestContext, bot: Client, room: string, proxy: Proxy, options: TrialOptions) {
    this.#t = t
    this.alice = options.alice
    this.bot = bot
    this.room = room
    this.proxy = proxy
    this.#config = options.config ?? {}
    this.#dataDir = options.dataDir ?? '/nonexistent'
  }

  static async open(t: TestContext, synapse: Synapse, options: TrialOptions): Promise<Trial> {
    const bot = await synapse.register(`robot${bots++}`)
    const proxy = await Proxy.listen(() => synapse.port)
    t.after(() => proxy.stop())
    const room =
      options.in ?? (options.in === null ? '' : await options.alice.room({ invite: [bot.id], ...options.room }))
    return new Trial(t, bot, room, proxy, options)
  }

  get place(): Place {
    return placeOf(this.room)
  }

  /** As after a start of our process: resolves when it is up, and the room's first events are handed over. */
  async start(): Promise<Run> {
    const run = await this.begin()
    await Promise.race([this.book.until(() => run.adapter.status().state === 'up', 'the adapter to be up'), run.ended])
    if (this.room !== '') await this.book.until(() => this.signs.some(({ kind }) => kind === 'roster'), 'the room')
    return run
  }

  async begin(): Promise<Run> {
    this.signs.length = 0
    const { token, ...more } = this.#config
    const config = matrixSchema.parse({
      kind: 'matrix',
      homeserver: this.proxy.url,
      ...(more['password'] === undefined ? { token: token ?? 'env:TOKEN' } : {}),
      channels: this.room === '' ? [] : [this.room],
      ...more,
    })
    const context = contextOf(this.book, {
      network,
      instance,
      dataDir: this.#dataDir,
      secret: async name => (name === 'env:PASSWORD' ? this.bot.account.password : this.bot.account.access_token),
      signs: async signs => {
        this.signs.push(...signs)
        this.book.changed()
      },
    })
    const adapter = (await matrix.create(config, context)) as MatrixAdapter
    const run = runOn(this.book, adapter)
    this.#t.after(run.stop)
    return { adapter, ...run }
  }
}
