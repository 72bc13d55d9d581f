/** Asks a model until it is killed: `killed.child.ts FOLDER URL`. */
import { join } from 'node:path'
import { configSchema } from '../../../config/schema.ts'
import { Ledger } from '../../../core/ledger/ledger.ts'
import { silentLog } from '../../../core/log.ts'
import { ConfiguredModels } from './models.ts'
import { model, question } from './testing-world.ts'

const [folder = '', url = ''] = process.argv.slice(2)
const config = configSchema.parse({
  networks: { chat: { kind: 'memory' } },
  timezone: 'UTC',
  models: { only: model(url) },
})
const { signal } = new AbortController()
const models = await ConfiguredModels.open({
  bot: 'oracle',
  ledger: Ledger.open(join(folder, 'ledger.db')),
  log: silentLog(),
  config: () => config,
  secret: async () => 'none',
  signal,
})
for await (const part of models.stream(question, signal)) process.stdout.write(`${part.kind}\n`)
