import { pendingBot } from '../../ledger/out/confirmations.ts'
import type { Tx } from '../../ledger/tx.ts'
import type { Reading } from '../visit/reading.ts'

/** Who asks: one bot, as far as it matters for whose a message is. */
export interface Party {
  readonly bot: string
  readonly front: boolean
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
  if (!heard.prefixed && isTalk(reading, talkers)) return null
  if (known && code !== null) return pendingBot(db, code) ?? known.bot
  return known ? known.bot : front ? bot : null
}

/**
 * Without a prefix, what is said to a bot with whom one talks is talk, and so is it where nobody knows which bot is meant:
 * but for the words of a command as they are (a talker's own), one word with arguments that fit, two with any.
 */
export function isTalk({ heard, found, assigned }: Reading, talkers: readonly string[]): boolean {
  if (heard.to !== null && !talkers.includes(heard.to)) return false
  if (found.is !== 'command' || (heard.to !== null && found.command.bot !== heard.to)) return true
  const line = heard.line.toLowerCase()
  const { name, aliases } = found.command
  const said = [name, ...aliases].find(word => line === word || line.startsWith(`${word} `))
  return said === undefined || (assigned?.fault !== null && !said.includes(' '))
}
