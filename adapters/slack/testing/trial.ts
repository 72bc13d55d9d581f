import { type TestContext } from 'node:test'
import type { Adapter } from '../../../core/adapter.ts'
import { contextOf, type Run, runOn } from '../../../core/contract/harness.ts'
import { RecordBook } from '../../../core/contract/record.ts'
import type { ChannelId, MessageId, NetworkId, Place } from '../../../core/event.ts'
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

/** An adapter for the fake, as after a start of our process. */
export function adapterFor(
  fake: FakeSlack,
  book: Parameters<typeof contextOf>[0],
  channels: readonly string[] = [],
  tokens: Partial<Record<'env:BOT' | 'env:APP', string>> = {},
): Promise<Adapter> {
  const config = slack.schema.parse({ kind: 'slack', token: 'env:BOT', appToken: 'env:APP', api: fake.api, channels })
  const secrets: Record<string, string> = { 'env:BOT': fake.botToken, 'env:APP': fake.appToken, ...tokens }
  const secret = async (reference: string): Promise<string> => secrets[reference] as string
  return slack.create(config, contextOf(book, { network, secret }))
}

export interface Running extends Run {
  readonly adapter: Adapter
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
    const adapter = await adapterFor(this.fake, this.book, channels, tokens)
    const running = { adapter, ...runOn(this.book, adapter) }
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
