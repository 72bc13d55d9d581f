import { type TestContext } from 'node:test'
import type { Adapter, AdapterContext } from '../../../core/adapter.ts'
import { RecordBook } from '../../../core/contract/record.ts'
import type { ChannelId, MessageId, NetworkId, Place } from '../../../core/event.ts'
import { silentLog } from '../../../core/log.ts'
import { slack } from '../index.ts'
import { type FakeOptions, FakeSlack } from './server.ts'
import type { Channel } from './workspace.ts'

export const network = 'slk' as NetworkId

export const placeOf = ({ id, kind }: Channel, thread?: string): Place => ({
  network,
  channel: id as ChannelId,
  ...(thread === undefined ? {} : { thread: thread as MessageId }),
  ...(kind === 'im' ? { private: true as const } : {}),
})

type Given = Pick<AdapterContext, 'log' | 'cursors' | 'changed'>

/** An adapter for the fake, as after a start of our process. */
export function adapterFor(
  fake: FakeSlack,
  given: Given,
  channels: readonly string[] = [],
  tokens: Partial<Record<'env:BOT' | 'env:APP', string>> = {},
): Promise<Adapter> {
  const config = slack.schema.parse({ kind: 'slack', token: 'env:BOT', appToken: 'env:APP', api: fake.api, channels })
  const secrets: Record<string, string> = { 'env:BOT': fake.botToken, 'env:APP': fake.appToken, ...tokens }
  return slack.create(config, {
    ...given,
    network,
    personas: [],
    instance: 'abcdefghijkl',
    places: [],
    dataDir: '/nonexistent',
    secret: async reference => secrets[reference] as string,
  })
}

export interface Running {
  readonly adapter: Adapter
  readonly ended: Promise<void>
  stop(): Promise<void>
}

/** A fake workspace with `general`, alice, and a record book in the ledger's stead. */
export class Trial {
  readonly fake: FakeSlack
  readonly book = new RecordBook()
  readonly general: Channel
  readonly #running: Running[] = []

  private constructor(options: FakeOptions) {
    this.fake = new FakeSlack(options)
    const { workspace } = this.fake
    workspace.person('U0000ALICE', 'alice')
    this.general = workspace.channel('general', { members: ['U0000BOTX', 'U0000ALICE'] })
  }

  static async open(t: TestContext, options: FakeOptions = {}): Promise<Trial> {
    const trial = new Trial(options)
    await trial.fake.start()
    t.after(() => trial.close())
    return trial
  }

  async start(channels: readonly string[] = [], tokens = {}): Promise<Running> {
    const given = { log: silentLog(), cursors: this.book.cursors, changed: () => this.book.changed() }
    const adapter = await adapterFor(this.fake, given, channels, tokens)
    const controller = new AbortController()
    const ended = adapter.run(this.book.sink, controller.signal)
    ended.catch(() => this.book.changed())
    const running = {
      adapter,
      ended,
      stop: async (): Promise<void> => {
        controller.abort()
        await ended.catch(() => undefined)
      },
    }
    this.#running.push(running)
    return running
  }

  async up(channels: readonly string[] = []): Promise<Running> {
    const running = await this.start(channels)
    await Promise.race([this.book.until(() => running.adapter.status().state === 'up', 'up'), running.ended])
    return running
  }

  async close(): Promise<void> {
    for (const running of this.#running) await running.stop()
    await this.fake.stop()
  }
}
