import { configSchema } from '../../config/schema.ts'
import { runBot } from '../../core/process/bot.ts'
import { runBridge } from './run.ts'

await runBot({ name: 'bridge', schema: configSchema, checksLedger: true, commitsAside: true, main: runBridge })
