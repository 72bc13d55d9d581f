import { codeHash, codeKinds, codesIn } from '../../access/claim-codes.ts'
import type { Asked, EditEvent, MessageEvent } from '../../event.ts'
import { codesWait, codeWaits } from '../../ledger/people/claims.ts'
import type { Tx } from '../../ledger/tx.ts'
import { talkers } from '../../process/bots.ts'
import { plain } from '../../text/text.ts'
import { hiddenKey, maskKeys } from '../../vault/key-shapes.ts'
import { resembles } from '../help/lookalike.ts'
import type { Published } from '../help/published.ts'
import { unknown } from '../help/unknown.ts'
import { isSecret } from '../parse/fields.ts'
import { normalise } from '../parse/grammar.ts'
import { isTalk } from '../state/recipient.ts'
import type { Reader, Reading } from './reading.ts'

/** What a message held that must not be kept. */
export interface Caught {
  /** What may be kept instead. */
  readonly words: string
  /** `command`: what a command was meant to take. `key`: it looks like one. `code`: it hands something over. */
  readonly what: 'command' | 'key' | 'code'
  /** The command that was meant, or how many keys. */
  readonly meant: string
  /** Codes that others saw. */
  readonly codes: readonly string[]
}

/** What is known of a message before anything of it is kept. */
export type Guarded =
  /** Nothing in it is secret. */
  | { readonly is: 'open' }
  /** A command takes its secret: its words go to that bot alone, which wipes them. */
  | { readonly is: 'command' }
  /** A command with a secret in a place where it is not carried out: it is kept and read without it. */
  | { readonly is: 'refused'; readonly words: string; readonly asked?: Asked }
  | { readonly is: 'caught'; readonly caught: Caught }

const open: Guarded = { is: 'open' }

/** Whether a command in this message is carried out where it was said, as far as that can be known before it is kept. */
const counts = (said: MessageEvent | EditEvent): boolean =>
  said.kind === 'message' && said.origin === 'live' && (said.hops ?? 0) === 0 && said.content.style !== 'notice'

/** Looks for secrets, before anything else reads a message. */
export function guard(db: Tx, said: MessageEvent | EditEvent, reader: Reader): Guarded {
  if (said.sender.kind === 'self') return open
  const event: MessageEvent = said.kind === 'message' ? said : { ...said, kind: 'message', id: said.target }
  const heard = reader.hear(event)
  const reading = heard && reader.read(db, heard)
  const isPrivate = event.place.private === true
  const words = normalise(plain(event.content))
  const codes = shown(db, words)
  if (reading?.assigned?.secret) {
    const isTaken = isPrivate && counts(said) && !heard?.behindName
    // What is talk to a bot with whom one talks is carried out by none: nobody would wipe it.
    if (isTaken && (heard?.prefixed || !isTalk(reading, talkers))) return { is: 'command' }
    if (isTaken && codes.length === 0) return caughtCommand(reading)
    if (codes.length === 0) return refused(event, reading, reader.prefix)
  }
  if (codes.length > 0)
    return {
      is: 'caught',
      caught: { words: without(words, codes), what: 'code', meant: '', codes: isPrivate ? [] : codes },
    }
  const command = commandMeant(db, event, words, reader, reading)
  if (command)
    return {
      is: 'caught',
      caught: { words: maskKeys(command.words), what: 'command', meant: command.meant, codes: [] },
    }
  const masked = maskKeys(words)
  const given = event.asked ? JSON.stringify(event.asked.args) : ''
  if (masked === words && maskKeys(given) === given) return open
  return { is: 'caught', caught: { words: masked, what: 'key', meant: '', codes: [] } }
}

/** What of a command that none carries out may be kept. */
function caughtCommand({ found, assigned }: Reading): Guarded {
  const meant = found.is === 'command' ? found.command.name : ''
  return {
    is: 'caught',
    caught: { words: `${meant} ${assigned?.masked ?? ''}`.trim(), what: 'command', meant, codes: [] },
  }
}

const shown = (db: Tx, words: string): string[] =>
  codesWait(db) ? codesIn(words).filter(code => codeKinds.some(kind => codeWaits(db, codeHash(kind, code)))) : []

const without = (words: string, codes: readonly string[]): string =>
  maskKeys(codes.reduce((left, code) => left.replaceAll(code, hiddenKey), words))

/** The command as it may be read and kept: who carries it out still says why not. */
function refused({ asked }: MessageEvent, { heard, found, assigned }: Reading, prefix: string): Guarded {
  if (found.is !== 'command') return open
  const before = heard.behindName ? `[?] ${prefix}` : heard.to && !heard.prefixed ? `${heard.to}: ` : prefix
  const words = `${before}${found.command.name} ${assigned?.masked ?? ''}`.trim()
  if (!asked) return { is: 'refused', words }
  const plainKeys = new Set(found.command.fields.filter(field => !isSecret(field)).map(({ key }) => key))
  const args = Object.entries(asked.args).map(([key, value]) => [key, plainKeys.has(key) ? value : '***'] as const)
  return { is: 'refused', words, asked: { ...asked, args: Object.fromEntries(args) } }
}

/** A command that takes a secret and was written wrongly: what is left of the words, and its name. */
function commandMeant(
  db: Tx,
  event: MessageEvent,
  words: string,
  reader: Reader,
  reading: Reading | null,
): { words: string; meant: string } | null {
  const catalogue = reader.catalogue.refresh(db)
  const names = catalogue.secretTakers
  const like = resembles(words, {
    names,
    known: name => catalogue.named(name) !== undefined,
    direct: event.place.private === true,
  })
  if (like) return like
  if (!reading) return null
  if (reading.found.is === 'command') return besideCommand(reading.found.command, reading)
  const { found } = reading
  const near = found.near === null ? undefined : catalogue.named(found.near)
  if (near && !near.fields.some(isSecret)) return null
  const { guarded, typed } = unknown(catalogue, found, '')
  const more = reading.heard.line.split(' ').length > (near ? near.name.split(' ').length : 1)
  return guarded && more
    ? { words: `${typed} ***`, meant: near?.name ?? names.find(name => name.startsWith(typed)) ?? typed }
    : null
}

/** How names of settings end whose value is a secret. */
const secretKey = /(?:^|[.\s])(?:api-?key|token|password|passphrase|secret)$/i

/**
 * A secret given to a command that takes none: as the value of a setting that holds a reference, or behind a command of a family
 * whose others take one (`secrets E x`).
 */
function besideCommand(
  { name, fields }: Published,
  { heard, assigned }: Reading,
): { words: string; meant: string } | null {
  const values = Object.values(assigned?.values ?? {}).filter(value => typeof value === 'string')
  const key = name.endsWith(' set') ? values.findIndex(value => secretKey.test(value)) : -1
  const value = key === -1 ? undefined : values[key + 1]
  if (value !== undefined && !/^(?:(?:env|secret):|(?:null|none|off)$)/i.test(value))
    return { words: `${name} ${values.slice(0, key + 1).join(' ')} ***`, meant: 'secret set' }
  const surplus = heard.line.trim().split(/\s+/).length
  if (name.startsWith('secret ') && fields.length === 0 && assigned?.fault && surplus > 2)
    return { words: `${name} ***`, meant: 'secret set' }
  return null
}
