import type { BotContext } from '../core/process/bot.ts'
import type { configSchema } from './schema.ts'

/** What a bot of this instance runs in. */
export type Context = BotContext<typeof configSchema>
