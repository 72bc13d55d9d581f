import type { Context as BotContext } from '../../config/context.ts'
import { type CommandContext, commandsOf } from '../../core/command/command.ts'
import type { Catalogue } from '../../core/command/help/published.ts'
import type { Signer } from './agents/engagement.ts'
import type { Fleet } from './fleet/fleet.ts'

/** What is known of a bot's process from its heartbeat. */
export interface Beat {
  readonly pid: number
  readonly atMs: number
  readonly rssBytes: number
}

export interface AdminServices {
  readonly context: BotContext
  readonly startedMs: number
  readonly version: string
  readonly beats: ReadonlyMap<string, Beat>
  readonly catalogue: Catalogue
  /** Who of the agents is there, and groups that are called. */
  readonly fleet: Fleet
  readonly signer: Signer
  /** Runs a program of the project and returns its output; rejects with the line it ended with. */
  readonly program: (args: readonly string[], signal: AbortSignal) => Promise<string>
  /** Restarts a bot by the process manager; not awaited: admin itself may be the one. */
  readonly restart: (bot: string) => void
}

export type Context = CommandContext<AdminServices>

export const declare = commandsOf<AdminServices>('admin')
