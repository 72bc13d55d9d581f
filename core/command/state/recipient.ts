import { pendingBot } from '../../ledger/out/confirmations.ts'
import type { Tx } from '../../ledger/tx.ts'
import type { Reading } from '../visit/reading.ts'

/** Who asks: one bot, as far as it matters for whose a message is. */
export interface Party {
  readonly bot: string
  /** Answers what nobody owns. */
  readonly front: boolean
  /** Bots with whom one talks. */
  readonly talkers: readonly string[]
}

/**
 * The bot whose a message is; null: it is talk. What nobody owns is the front's, whose name only the front knows. `code`:
 * what it confirms.
 */
export function recipientOf(
  db: Tx,
  reading: Reading,
  code: string | null,
  { bot, front, talkers }: Party,
): string | null {
  const { heard } = reading
  const known = reading.found.is === 'command' ? reading.found.command : null
  if (!heard.prefixed) {
    // Talk to the oracle is talk, and so is talk where nobody knows whom it is meant for.
    if (heard.to !== null && talkers.includes(heard.to) && !isExact(reading, heard.to)) return null
    if (heard.to === null && !known) return null
  }
  if (known && code !== null) return pendingBot(db, code) ?? known.bot
  return known ? known.bot : front ? bot : null
}

/** Without a prefix the words of a talker's command count only as they are, alone or with arguments that fit. */
function isExact({ heard, found, assigned }: Reading, talker: string): boolean {
  if (found.is !== 'command' || found.command.bot !== talker || assigned?.fault !== null) return false
  const line = heard.line.toLowerCase()
  const { name, aliases } = found.command
  return [name, ...aliases].some(word => line === word || line.startsWith(`${word} `))
}
