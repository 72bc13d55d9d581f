import type { configSchema } from '../../../config/schema.ts'
import type { BotContext } from '../../../core/bot.ts'
import { commandsOf } from '../../../core/command/command.ts'
import type { ConfiguredModels } from '../models/models.ts'

/** What the oracle offers to its commands. */
export interface OracleServices {
  readonly context: BotContext<typeof configSchema>
  /** The models of the configuration, to look after them. */
  readonly configured: ConfiguredModels
}

export const declare = commandsOf<OracleServices>('oracle')
