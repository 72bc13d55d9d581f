import { configSchema } from '../../config/schema.ts'
import { runBot } from '../../core/process/bot.ts'
import { runAdmin } from './admin.ts'

await runBot({ name: 'admin', schema: configSchema, main: runAdmin })
