import type { Context as BotContext } from '../../../config/context.ts'
import { type CommandContext, commandsOf } from '../../../core/command/command.ts'
import type { PromptTools } from '../context/prompt.ts'
import type { Models } from '../models/contract.ts'
import type { ConfiguredModels } from '../models/models.ts'
import type { Ear } from '../talk/ear.ts'

export interface OracleServices {
  readonly context: BotContext
  /** The models of the configuration, to look after them. */
  readonly configured: ConfiguredModels
  readonly models: Models
  readonly prompts: PromptTools
  readonly ear: Ear
}

export type Context = CommandContext<OracleServices>

export const declare = commandsOf<OracleServices>('oracle')
