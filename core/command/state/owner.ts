import { pendingBot } from '../../ledger/confirmations.ts'
import type { Tx } from '../../ledger/tx.ts'
import { assign } from '../parse/args.ts'
import type { Heard } from '../parse/grammar.ts'
import type { Resolved } from '../parse/suggest.ts'
import type { Published } from '../published.ts'
import { codeOf } from './confirm.ts'

/** Who asks: one bot, as far as it matters for whose a message is. */
export interface Party {
  readonly bot: string
  /** Answers what nobody owns. */
  readonly front: boolean
  /** Bots with whom one talks. */
  readonly talkers: readonly string[]
}

/** The bot whose a message is; null: it is talk. What nobody owns is the front's, whose name only the front knows. */
export function ownerOf(db: Tx, heard: Heard, found: Resolved, { bot, front, talkers }: Party): string | null {
  const known = found.is === 'command' ? found.command : null
  if (!heard.prefixed) {
    // Talk to the oracle is talk, and so is talk where nobody knows whom it is meant for.
    if (heard.to !== null && talkers.includes(heard.to) && !isExact(heard, known, heard.to)) return null
    if (heard.to === null && !known) return null
  }
  if (known?.name === 'yes' && found.is === 'command') return pendingBot(db, codeOf(found.rest)) ?? known.bot
  return known ? known.bot : front ? bot : null
}

/** Without a prefix the words of a talker's command count only as they are, alone or with arguments that fit. */
function isExact(heard: Heard, known: Published | null, talker: string): boolean {
  if (!known || known.bot !== talker) return false
  const line = heard.line.toLowerCase()
  const name = [known.name, ...known.aliases].find(word => line === word || line.startsWith(`${word} `))
  return name !== undefined && assign(known.fields, heard.line.slice(name.length)).fault === null
}
