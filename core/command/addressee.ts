import { bots } from '../bots.ts'
import type { MessageEvent } from '../event.ts'
import type { Tx } from '../ledger/tx.ts'
import type { Guard } from './guard.ts'
import { hear, spoken } from './parse/grammar.ts'
import { resolve } from './parse/suggest.ts'

/**
 * The bot that most likely answers a message, so that it is woken before the others; null for talk. A guess: whose a
 * command is each bot decides for itself.
 */
export function addressee(
  db: Tx,
  { content, origin, place, to }: MessageEvent,
  { catalogue, prefix, bots: names }: Guard,
): string | null {
  if (origin !== 'live') return null
  const heard = hear(spoken(content), { prefix, bots: names, direct: place.private === true, to: to ?? null })
  if (!heard) return null
  const found = resolve(catalogue.refresh(db), heard.line, heard.addressed)
  return found.is === 'command' ? found.command.bot : (heard.to ?? bots[0])
}
