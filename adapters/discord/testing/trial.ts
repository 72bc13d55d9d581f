/** For tests: the adapter at work on the fake, and alice beside it. */
import type { Adapter, AdapterContext } from '../../../core/adapter.ts'
import { contextOf, type Run, runOn } from '../../../core/contract/harness.ts'
import { RecordBook } from '../../../core/contract/record.ts'
import type { ChannelId, NetworkId, Place, Sign } from '../../../core/event.ts'
import { discord } from '../index.ts'
import { type DiscordFake, token } from './fake.ts'

export const network = 'discord' as NetworkId

export const placeAt = (channel: string): Place => ({ network, channel: channel as ChannelId })

type Given = Partial<AdapterContext>

export const contextFor = (book: Parameters<typeof contextOf>[0], given: Given = {}): AdapterContext =>
  contextOf(book, { network, secret: async () => token, ...given })

export const configFor = (fake: DiscordFake, more: object = {}) =>
  discord.schema.parse({ kind: 'discord', token: 'env:DISCORD_TOKEN', api: fake.api, cdn: fake.cdn, ...more })

export const createOn = (
  fake: DiscordFake,
  book: Parameters<typeof contextOf>[0],
  more: object = {},
  given: Given = {},
): Promise<Adapter> => discord.create(configFor(fake, more), contextFor(book, given))

/** A text as it is shown: what a backslash stands before is the sign itself. */
export const shown = (content: string): string => content.replace(/\\([^0-9A-Za-z\s])/g, '$1')

export class Trial {
  readonly book: RecordBook
  readonly adapter: Adapter
  readonly signs: readonly Sign[]
  readonly #run: Run

  private constructor(adapter: Adapter, book: RecordBook, signs: readonly Sign[]) {
    this.adapter = adapter
    this.book = book
    this.signs = signs
    this.#run = runOn(book, adapter)
  }

  static async make(
    fake: DiscordFake,
    more: object = {},
    { book = new RecordBook(), ...given }: Told = {},
  ): Promise<Trial> {
    const told: Sign[] = []
    const signs = async (some: readonly Sign[]): Promise<void> => {
      told.push(...some)
      book.changed()
    }
    return new Trial(await createOn(fake, book, more, { signs, ...given }), book, told)
  }

  /** Made, and up. */
  static async start(fake: DiscordFake, more: object = {}, given: Told = {}): Promise<Trial> {
    const trial = await Trial.make(fake, more, given)
    await trial.up()
    return trial
  }

  async up(): Promise<void> {
    await this.book.until(() => this.adapter.status().state === 'up', 'the network to be up')
  }

  /** Connected anew, and up. */
  async back(fake: DiscordFake): Promise<void> {
    fake.gateway.onConnection = () => this.book.changed()
    const isBack = (): boolean => fake.gateway.sockets.size > 0 && this.adapter.status().state === 'up'
    await this.book.until(isBack, 'the network to be up again')
  }

  get ended(): Promise<void> {
    return this.#run.ended
  }

  stop(): Promise<void> {
    return this.#run.stop()
  }
}

interface Told extends Given {
  readonly book?: RecordBook
}
