import type { MessageEvent } from '../../event.ts'
import type { Tx } from '../../ledger/tx.ts'
import { bots } from '../../process/bots.ts'
import type { Reader } from './reading.ts'

/**
 * The bot that most likely answers a message, so that it is woken before the others; null for talk. A guess: whose a
 * command is each bot decides for itself.
 */
export function addressee(db: Tx, event: MessageEvent, reader: Reader): string | null {
  const heard = event.origin === 'live' ? reader.hear(event) : null
  if (!heard) return null
  const { found } = reader.read(db, heard)
  return found.is === 'command' ? found.command.bot : (heard.to ?? bots[0])
}
