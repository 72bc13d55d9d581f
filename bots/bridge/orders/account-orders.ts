/** Orders about accounts: how each is carried out, and what the ledger keeps once it is done. */

import { isRole } from '../../../core/access/role.ts'
import type { AccountInfo, Accounts } from '../../../core/adapter.ts'
import { ChanopError } from '../../../core/error.ts'
import type { UserId } from '../../../core/event.ts'
import type { Order } from '../../../core/ledger/out/orders.ts'
import { forgetCertificates, keepCertificate } from '../../../core/ledger/people/certificates.ts'
import { personFor } from '../../../core/ledger/people/people.ts'
import { grant } from '../../../core/ledger/people/roles.ts'
import type { Tx } from '../../../core/ledger/tx.ts'

/** What an order needs to know besides what it says. */
export interface Given {
  /** A password, or ''. */
  readonly secret: string
  /** Fingerprints on record for its account. */
  readonly certificates: readonly string[]
}

export const unable = (what: string): ChanopError => new ChanopError('unsupported', `this network can not ${what}`)

/** Does one order; all of them may be repeated after a crash. */
export async function accountAct(accounts: Accounts, { kind, args }: Order, given: Given): Promise<string> {
  const account = args['account'] ?? ''
  if (accounts.reserved?.has(account.toLowerCase()))
    throw new ChanopError('denied', `${account} is an account of Chanop's own, which nobody else can have or change`)
  switch (kind) {
    case 'account.create':
      // Nobody's account is taken over: one that is there counts as made only if it opens with this order's password.
      await accounts.create(account, given.secret)
      return 'created'
    case 'account.password':
      return renew(accounts, account, args, given)
    case 'account.suspend':
      return suspended(await accounts.suspend(account, args['reason'] ?? 'suspended'))
    case 'account.restore':
      await accounts.restore(account)
      return 'restored'
    case 'account.drop':
      await accounts.drop(account)
      return 'deleted'
    case 'account.certificate':
      await accounts.addCertificate(account, args['fingerprint'] ?? '')
      return 'added'
    case 'account.certificate-del':
      await accounts.removeCertificate(account, args['fingerprint'] ?? '')
      return 'removed'
    case 'account.end-sessions':
      return ended(await accounts.endSessions(account, args['reason'] ?? 'ended by an operator'))
    case 'account.unlock':
      return unlocked(await accounts.unlock?.(args['what'] ?? ''))
    case 'account.check':
      return checked(await accounts.get(account), account)
    default:
      throw unable(kind)
  }
}

/** A new password, and nothing else that opens the account but what is on record; then its sessions end. */
async function renew(accounts: Accounts, account: string, args: Order['args'], given: Given): Promise<string> {
  if (!(await isThere(accounts, account, given.secret))) {
    // It was on record and is gone: whoever it was deleted by, its owner gets it back.
    await accounts.create(account, given.secret)
    return 'it was gone: made anew'
  }
  const cleared = await clearPlanted(accounts, account, given.certificates)
  const also = cleared === 0 ? '' : `; ${counted(cleared, 'certificate')} not on record taken away`
  if (args['sessions'] === 'keep') return `changed${also}`
  return ended(await accounts.endSessions(account, args['reason'] ?? 'the password was changed')) + also
}

/** Gives it the password. False: there is no such account. */
async function isThere(accounts: Accounts, account: string, password: string): Promise<boolean> {
  try {
    await accounts.setPassword(account, password)
    return true
  } catch (error) {
    if (error instanceof ChanopError && error.code === 'account-unknown') return false
    throw error
  }
}

/** Takes away the certificates that nobody was given by an order. Resolves with how many there were. */
export async function clearPlanted(accounts: Accounts, account: string, recorded: readonly string[]): Promise<number> {
  const planted = (await accounts.certificates(account)).filter(fingerprint => !recorded.includes(fingerprint))
  for (const fingerprint of planted) await accounts.removeCertificate(account, fingerprint)
  if (planted.length === 0) return 0
  const left = (await accounts.certificates(account)).filter(fingerprint => planted.includes(fingerprint))
  if (left.length > 0) throw new ChanopError('account-failed', `a certificate of ${account} could not be taken away`)
  return planted.length
}

const counted = (count: number, what = 'session'): string => `${count} ${what}${count === 1 ? '' : 's'}`
const ended = (sessions: number): string => `${counted(sessions)} ended`
const suspended = (sessions: number): string => (sessions === 0 ? 'suspended' : `suspended, ${ended(sessions)}`)

function unlocked(lifted: number | undefined): string {
  if (lifted === undefined) throw unable('lock logins')
  return lifted === 0 ? 'nothing was locked any more' : `${counted(lifted, 'lock')} lifted`
}

function checked(info: AccountInfo | null, account: string): string {
  if (!info) throw new ChanopError('account-unknown', `there is no account ${account}`)
  return `${counted(info.sessions)}${info.suspended ? ', suspended' : ''}`
}

/** In the transaction that settles an order that was done: the role that came with an account, the certificates it has. */
export function keepWhatFollows(tx: Tx, { kind, network, args }: Order, nowMs: number): void {
  const { account, role, by, fingerprint, until } = args
  if (account === undefined) return
  if (kind === 'account.certificate') keepCertificate(tx, network, account, fingerprint ?? '', nowMs)
  if (kind === 'account.certificate-del') forgetCertificates(tx, network, account, fingerprint ?? '')
  if (kind === 'account.drop') forgetCertificates(tx, network, account, null)
  // Given once the account is made: never to whoever had the name before.
  if (kind !== 'account.create' || role === undefined || !isRole(role)) return
  const person = personFor(tx, network, account.toLowerCase() as UserId, account, nowMs)
  grant(tx, { person, room: '', role, untilMs: until === undefined ? null : Number(until) }, by ?? '', nowMs)
}
