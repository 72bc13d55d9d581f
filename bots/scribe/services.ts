import { type CommandContext, commandsOf } from '../../core/command/command.ts'
import type { Rooms } from '../../core/rooms.ts'
import type { Exports } from './export/exports.ts'
import type { SearchIndex } from './index/index.ts'

export interface ScribeServices {
  readonly index: SearchIndex
  /** As configured now. */
  readonly rooms: Rooms
  readonly exports: Exports
  readonly dataDir: string
  /** Says later, where a command was asked, what came of it; lines as those of an answer. */
  readonly report: (context: CommandContext<unknown>, lines: readonly string[]) => Promise<void>
  /** Notes what failed after a command was answered. */
  readonly fault: (error: unknown) => void
}

export const declare = commandsOf<ScribeServices>('scribe')
