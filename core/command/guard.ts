import type { MessageEvent } from '../event.ts'
import type { Tx } from '../ledger/tx.ts'
import { assign } from './parse/args.ts'
import { hear, spoken } from './parse/grammar.ts'
import { resolve } from './parse/suggest.ts'
import type { Catalogue } from './published.ts'
import { unknown } from './unknown.ts'

export interface Guard {
  readonly catalogue: Catalogue
  readonly prefix: string
  /** Lower-case name → bot. */
  readonly bots: ReadonlyMap<string, string>
}

/** Whether a message is a command with a secret in it, or meant to be one: such words are not carried any further. */
export function holdsSecret(db: Tx, { content, place, to }: MessageEvent, { catalogue, prefix, bots }: Guard): boolean {
  const heard = hear(spoken(content), { prefix, bots, direct: place.private === true, to: to ?? null })
  if (!heard) return false
  const found = resolve(catalogue.refresh(db), heard.line, heard.addressed)
  if (found.is === 'command') return assign(found.command.fields, found.rest).secret
  return unknown(catalogue, found, prefix).guarded
}
