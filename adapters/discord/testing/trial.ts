/** For tests: the adapter at work on the fake, and alice beside it. */
import type { Adapter, AdapterContext } from '../../../core/adapter.ts'
import { RecordBook } from '../../../core/contract/record.ts'
import type { ChannelId, NetworkId, Place, Sign } from '../../../core/event.ts'
import { silentLog } from '../../../core/log.ts'
import { discord } from '../index.ts'
import { type DiscordFake, token } from './fake.ts'

export const network = 'discord' as NetworkId

export const placeAt = (channel: string): Place => ({ network, channel: channel as ChannelId })

export const contextFor = (given: Partial<AdapterContext> & Pick<AdapterContext, 'cursors'>): AdapterContext => ({
  network,
  log: silentLog(),
  changed: () => undefined,
  personas: ['admin', 'oracle'],
  instance: 'abcdefghijkl',
  places: [],
  dataDir: '/nonexistent',
  secret: async () => token,
  ...given,
})

export const configFor = (fake: DiscordFake, more: object = {}) =>
  discord.schema.parse({ kind: 'discord', token: 'env:DISCORD_TOKEN', api: fake.api, cdn: fake.cdn, ...more })

export const createOn = (
  fake: DiscordFake,
  context: Partial<AdapterContext> & Pick<AdapterContext, 'cursors'>,
  more: object = {},
): Promise<Adapter> => discord.create(configFor(fake, more), contextFor(context))

/** A text as it is shown: what a backslash stands before is the sign itself. */
export const shown = (content: string): string => content.replace(/\\([^0-9A-Za-z\s])/g, '$1')

/** Waits for something that is looked at whenever anything changed. */
export class Watch {
  readonly #looks = new Set<() => void>()

  look(): void {
    for (const look of this.#looks) look()
  }

  async until<T>(find: () => T | null | undefined | false, what: string, deadlineMs = 10_000): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    const look = (): void => {
      const found = find()
      if (found !== null && found !== undefined && found !== false) resolve(found)
    }
    const timer = setTimeout(() => reject(new Error(`waited ${deadlineMs} ms for ${what}`)), deadlineMs)
    this.#looks.add(look)
    try {
      look()
      return await promise
    } finally {
      clearTimeout(timer)
      this.#looks.delete(look)
    }
  }
}

/** The adapter at work, and what it told. */
export class Trial {
  readonly book: RecordBook
  readonly adapter: Adapter
  readonly ended: Promise<unknown>
  readonly signs: Sign[] = []
  readonly #stop: AbortController

  private constructor(adapter: Adapter, book: RecordBook, stop: AbortController, signs: Sign[]) {
    this.adapter = adapter
    this.book = book
    this.#stop = stop
    this.signs = signs
    this.ended = adapter.run(book.sink, stop.signal).then(
      () => null,
      (error: unknown) => error,
    )
  }

  static async make(fake: DiscordFake, more: object = {}, given: Given = {}): Promise<Trial> {
    const { book = new RecordBook(), ...context } = given
    const signs: Sign[] = []
    const changed = (): void => book.changed()
    const note = async (some: readonly Sign[]): Promise<void> => {
      signs.push(...some)
      book.changed()
    }
    const adapter = await createOn(fake, { cursors: book.cursors, changed, signs: note, ...context }, more)
    return new Trial(adapter, book, new AbortController(), signs)
  }

  /** Made, and up. */
  static async start(fake: DiscordFake, more: object = {}, given: Given = {}): Promise<Trial> {
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

  async stop(): Promise<void> {
    this.#stop.abort()
    await this.ended
  }
}

interface Given extends Partial<AdapterContext> {
  readonly book?: RecordBook
}
