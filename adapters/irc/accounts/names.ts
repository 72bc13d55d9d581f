import { ChanopError } from '../../../core/error.ts'
import type { Control } from '../control.ts'

export const failed = (what: string): ChanopError => new ChanopError('account-failed', what)
export const refused = (what: string): ChanopError => new ChanopError('network-refused', what)
export const unknown = (account: string): ChanopError =>
  new ChanopError('account-unknown', `there is no account ${account}`)
export const alreadyThere = (account: string): ChanopError =>
  new ChanopError('account-exists', `the account ${account} exists already; choose another name`)

// biome-ignore format: a list of names
const services = new Set([
  'nickserv', 'chanserv', 'operserv', 'hostserv', 'histserv', 'memoserv', 'botserv', 'global', 'services', 'enforcer', 'server', 'anope', 'ergo',
]) // biome-ignore format: a list of names

/** Refuses what some managed server would accept as an account and then not as a nick, or take for something else. */
export function checkAccount(account: string, server: 'ergo' | 'inspircd'): void {
  const say = (reason: string): ChanopError =>
    new ChanopError('usage', `${JSON.stringify(account.slice(0, 40))} can not be an account: ${reason}`)
  if (!/^[A-Za-z0-9_][A-Za-z0-9_-]{0,31}$/.test(account)) throw say('use 1 to 32 of A-Z a-z 0-9 _ -, not - first')
  if (server === 'inspircd' && /^[0-9]/.test(account)) throw say('it must not begin with a digit on this server')
  if (/^guest(-|\d*$)/i.test(account)) throw say('names like Guest are given out by the server')
  if (services.has(account.toLowerCase())) throw say('that is the name of a service')
}

/** What is sent as one word or as the rest of a line: no separator can be in it. */
export function checkPassword(password: string): void {
  if (!/^[\x21-\x7e]{5,100}$/.test(password) || password.startsWith(':'))
    throw new ChanopError(
      'usage',
      'a password has 5 to 100 printable ASCII characters, no spaces, and does not begin with a colon',
    )
}

/** SHA-256 of a certificate in the one form that both servers store. */
export function checkFingerprint(fingerprint: string): string {
  const hex = fingerprint.replaceAll(':', '').toLowerCase()
  if (!/^[0-9a-f]{64}$/.test(hex))
    throw new ChanopError('usage', 'a certificate fingerprint is its SHA-256: 64 hexadecimal digits')
  return hex
}

/** The fingerprints in a service's listing of them. */
export const fingerprintsIn = (said: string): string[] =>
  [...said.matchAll(/\b[0-9a-f]{64}\b/gi)].map(([found]) => found.toLowerCase())

/** Accounts that the system itself uses. */
export const reservedOf = ({ oper, accounts }: Control): ReadonlySet<string> =>
  new Set([oper.name, ...Object.keys(accounts)].map(name => name.toLowerCase()))

/** Free text in one line of bounded size; the split never cuts a code point. */
export function oneLine(text: string, bytes = 200): string {
  let line = text.replaceAll(/[\x00-\x1f\x7f]+/g, ' ').trim()
  while (Buffer.byteLength(line) > bytes) line = Array.from(line).slice(0, -1).join('')
  return line
}
