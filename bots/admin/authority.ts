import { includes, type Role } from '../../core/access/role.ts'
import type { Caller } from '../../core/command/command.ts'
import { ChanopError } from '../../core/error.ts'
import { holdsUntil } from '../../core/ledger/people/roles.ts'
import type { Tx } from '../../core/ledger/tx.ts'

/**
 * Until when the asker holds `needed` everywhere, and the operator's role without which nobody gives anything, Unix ms; null
 * for good. What they give ends with it at the latest, so that nobody makes a role for a time last. Throws `denied` when they
 * do not hold it.
 */
export function ownUntil(tx: Tx, { person, globalRole }: Caller, needed: Role, nowMs: number): number | null {
  const least = includes(needed, 'operator') ? needed : 'operator'
  const until = person ? holdsUntil(tx, person, least, '', nowMs) : 0
  if (until === 0) throw new ChanopError('denied', `you are ${globalRole} and can not make somebody ${needed}`)
  return until
}

/** Nobody changes what somebody has who stands above them. */
export function refuseSuperior(own: Role, name: string, role: Role): void {
  if (!includes(own, role)) throw new ChanopError('denied', `${name} is ${role}: only such a one may change that`)
}

export function mustBeVouched({ verified }: Caller): void {
  if (!verified) throw new ChanopError('denied', 'nobody vouches for you here: log in to your account and say it again')
}

/** Who has a role for a time does not touch what others, who hold `needed`, have for good. */
export function mustBeForGood(tx: Tx, caller: Caller, needed: Role, nowMs: number): void {
  if (ownUntil(tx, caller, needed, nowMs) === null) return
  throw new ChanopError('denied', `you are ${caller.globalRole} for a time: ask somebody who is so for good`)
}
