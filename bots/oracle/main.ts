import { configSchema } from '../../config/schema.ts'
import { runBot } from '../../core/bot.ts'
import { runOracle } from './oracle.ts'

await runBot({ name: 'oracle', schema: configSchema, main: runOracle })
