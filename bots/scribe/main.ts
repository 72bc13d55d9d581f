import { configSchema } from '../../config/schema.ts'
import { runBot } from '../../core/process/bot.ts'
import { runScribe } from './scribe.ts'

await runBot({ name: 'scribe', schema: configSchema, main: runScribe })
