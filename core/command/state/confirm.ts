import { randomInt } from 'node:crypto'
import {
  type Asker,
  addConfirmation,
  confirmationAt,
  forgetConfirmations,
  openCodes,
} from '../../ledger/out/confirmations.ts'
import type { Tx } from '../../ledger/tx.ts'

/** Letters and digits that nobody confuses. */
const alphabet = 'acdefhjkmnpqrtuvwxyz234679'
/** A code is remembered this long after its end, so that the bot it belonged to can say what became of it. */
const rememberMs = 3_600_000

/** What waits for `yes CODE`. The row names the bot, so exactly one process answers a code, used or not. */
export interface Pending extends Asker {
  readonly bot: string
  /** The message that asked, and its command line. */
  readonly seq: number
  readonly line: string
}

/** Keeps a command until its asker says yes. Returns the code. */
export function keepPending(tx: Tx, pending: Pending, untilMs: number, nowMs: number): string {
  forgetConfirmations(tx, nowMs - rememberMs)
  const line = `${pending.seq} ${pending.line}`
  for (;;) {
    const code = Array.from({ length: 3 }, () => alphabet[randomInt(alphabet.length)]).join('')
    if (addConfirmation(tx, code, pending.bot, pending, line, untilMs)) return code
  }
}

export const codeOf = (typed: string): string => typed.trim().toLowerCase().slice(0, 10)

/**
 * What a code stands for; a string says why it can't be used. It is its asker's alone, in the place where they asked
 * or in a direct conversation with them.
 */
export function pendingOf(tx: Tx, code: string, asker: Asker, nowMs: number): { seq: number; line: string } | string {
  const found = confirmationAt(tx, code)
  const { place, account } = asker
  const here = found?.channel === place.channel || place.private === true
  if (!found || found.network !== place.network || found.account !== account || !here) {
    return `nothing of yours waits here for ${code}`
  }
  const [, seq, line] = /^(\d+) ([^]*)$/.exec(found.line) ?? []
  if (seq === undefined || line === undefined) return `${code} was used or dropped already: say the command again`
  if (found.untilMs < nowMs) return `${code} has run out: say the command again`
  return { seq: Number(seq), line }
}

/** The code that a yes means: the one that was typed, else the only one that waits; null: none, or more than one. */
export function codeMeant(tx: Tx, typed: unknown, asker: Asker, nowMs: number): string | null {
  if (typeof typed === 'string' && typed.trim() !== '') return codeOf(typed)
  const [only, another] = openCodes(tx, asker, nowMs)
  return another === undefined ? (only ?? null) : null
}

/** What is said to a yes that means none of them. */
export function whichCode(tx: Tx, asker: Asker, nowMs: number): string {
  const open = openCodes(tx, asker, nowMs)
  return open.length === 0 ? 'nothing of yours waits here' : `which one: ${open.join(', ')}?`
}
