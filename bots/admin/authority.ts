import { includes, type Role } from '../../core/access/role.ts'
import type { Caller } from '../../core/command/command.ts'
import { ChanopError } from '../../core/error.ts'
import { holdsUntil } from '../../core/ledger/people/roles.ts'
import { keyOfAccount } from '../../core/ledger/settings/api-keys.ts'
import type { Tx } from '../../core/ledger/tx.ts'

/** When the key ends that the asker speaks by; null: never, or they speak by none. */
export const keyUntil = (tx: Tx, { network, account }: Caller): number | null =>
  keyOfAccount(tx, network, account)?.untilMs ?? null

/**
 * Until when the asker holds `needed` everywhere, and the operator's role without which nobody gives anything, Unix ms; null
 * for good. What they give ends with it at the latest, so that nobody makes a role for a time, or a key with an end, last.
 * Throws `denied` when they do not hold it.
 */
export function ownUntil(tx: Tx, caller: Caller, needed: Role, nowMs: number): number | null {
  const { person, globalRole } = caller
  const least = includes(needed, 'operator') ? needed : 'operator'
  const until = person ? holdsUntil(tx, person, least, '', nowMs) : 0
  if (until === 0) throw new ChanopError('denied', `you are ${globalRole} and can not make somebody ${needed}`)
  const ends = [until, keyUntil(tx, caller)].filter(end => end !== null)
  return ends.length === 0 ? null : Math.min(...ends)
}

/** What is said besides of why something given ends, by a key with an end. */
export const andKey = (tx: Tx, caller: Caller): string => (keyUntil(tx, caller) === null ? '' : ' and this key lasts')

/** Nobody changes what somebody has who stands above them. */
export function refuseSuperior(own: Role, name: string, role: Role): void {
  if (!includes(own, role)) throw new ChanopError('denied', `${name} is ${role}: only such a one may change that`)
}

export function mustBeVouched({ verified }: Caller): void {
  if (!verified) throw new ChanopError('denied', 'nobody vouches for you here: log in to your account and say it again')
}

export const keyEnds = (): ChanopError =>
  new ChanopError('denied', 'a key with an end may not do that, it would outlast the key: say it in chat')

/** Who has a role for a time, or speaks by a key with an end, does not touch what others, who hold `needed`, have for good. */
export function mustBeForGood(tx: Tx, caller: Caller, needed: Role, nowMs: number): void {
  if (ownUntil(tx, caller, needed, nowMs) === null) return
  if (keyUntil(tx, caller) !== null) throw keyEnds()
  throw new ChanopError('denied', `you are ${caller.globalRole} for a time: ask somebody who is so for good`)
}
