import type { configSchema } from '../config/schema.ts'
import type { BotContext } from '../core/process/bot.ts'

/** What a bot of this instance runs in. */
export type Context = BotContext<typeof configSchema>
