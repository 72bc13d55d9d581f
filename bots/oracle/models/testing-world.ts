import { type Config, configSchema } from '../../../config/schema.ts'
import type { Ledger } from '../../../core/ledger/ledger.ts'
import { temporaryLedger } from '../../../core/ledger/testing.ts'
import { silentLog } from '../../../core/log.ts'
import type { ModelEnd, ModelPart, ModelRequest } from './contract.ts'
import { ConfiguredModels } from './models.ts'

interface Closing {
  after(done: () => void | Promise<void>): void
}

/** Models on a ledger of their own, with the given configuration. */
export async function openWorld(t: Closing, config: object, ledger: Ledger = temporaryLedger(t)) {
  let current = parse(config)
  const stop = new AbortController()
  t.after(() => stop.abort())
  const models = await ConfiguredModels.open({
    bot: 'oracle',
    ledger,
    log: silentLog(),
    config: () => current,
    secret: async reference => `value of ${reference}`,
    signal: stop.signal,
  })
  return { ledger, models, configure: (next: object) => (current = parse(next)) }
}

const parse = (config: object): Config =>
  configSchema.parse({ networks: { chat: { kind: 'memory' } }, timezone: 'UTC', ...config })

export const question: ModelRequest = {
  messages: [
    { role: 'system', content: 'You answer briefly.' },
    { role: 'user', content: 'What is the answer?' },
  ],
  task: 'answer',
  room: 'general',
  person: 'account:chat:bob',
  turn: 1,
}

export interface StreamedAnswer {
  /** As it stands at the end. */
  readonly text: string
  readonly restarts: readonly string[]
  readonly end: ModelEnd | null
}

/** All that a stream says. `look` sees each part. */
export async function hear(
  stream: AsyncIterable<ModelPart>,
  look?: (part: ModelPart) => void,
): Promise<StreamedAnswer> {
  let text = ''
  const restarts: string[] = []
  let end: ModelEnd | null = null
  for await (const part of stream) {
    look?.(part)
    if (part.kind === 'text') text += part.text
    else if (part.kind === 'end') end = part
    else {
      restarts.push(part.reason)
      text = ''
    }
  }
  return { text, restarts, end }
}

/** A model behind a test's server: cheap numbers that are easy to add up. */
export const model = (baseUrl: string, more: object = {}): object => ({
  provider: 'compatible',
  model: 'test-model',
  baseUrl,
  price: { inputPerMillion: 1, outputPerMillion: 10 },
  ...more,
})
