import type { Command } from '../../../core/command/command.ts'
import { askCommands } from './ask.ts'
import { budgetCommands } from './budget.ts'
import { lookCommands } from './look.ts'
import { modelCommands } from './model.ts'
import type { OracleServices } from './services.ts'
import { usage } from './usage.ts'

export const oracleCommands = [
  ...askCommands,
  ...lookCommands,
  ...modelCommands,
  usage,
  ...budgetCommands,
] as readonly Command<OracleServices>[]
