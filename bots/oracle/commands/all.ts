import type { Command } from '../../../core/command/command.ts'
import type { OracleServices } from './services.ts'
import { budgetCommands } from './budget.ts'
import { modelCommands } from './model.ts'
import { usage } from './usage.ts'

export const oracleCommands = [...modelCommands, usage, ...budgetCommands] as readonly Command<OracleServices>[]
