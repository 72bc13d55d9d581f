import { ChanopError } from '../../../core/error.ts'
import { agentOf } from '../../../core/ledger/agents/agents.ts'
import type { Giver } from '../../../core/ledger/people/claims.ts'
import {
  type Account,
  addIdentity,
  dropIdentity,
  forgetEmpty,
  identitiesOf,
  ownIdentitiesOf,
  type Person,
  personAt,
  personFor,
} from '../../../core/ledger/people/people.ts'
import { grantsOf, holds, ownerAccounts } from '../../../core/ledger/people/roles.ts'
import { keyOfAccount } from '../../../core/ledger/settings/api-keys.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import { safeName } from '../../../core/text/text.ts'
import { written } from '../meant.ts'

/** A program's account speaks for a program: it lends nobody its place, and has none to share. */
export function refuseAgent(tx: Tx, { network, user }: Pick<Giver, 'network' | 'user'>): void {
  if (keyOfAccount(tx, network, user)) {
    throw new ChanopError('denied', `${network}:${user} is a key: it acts for one owner and is not linked`)
  }
  if (agentOf(tx, network, user)) {
    throw new ChanopError('denied', `${network}:${user} is an agent: accounts of agents are not linked`)
  }
}

const heldBy = (tx: Tx, person: Person, nowMs: number): string[] =>
  grantsOf(tx, person)
    .filter(each => holds(each, nowMs))
    .map(({ role, room }) => `${role}${room === '' ? '' : ` in ${room}`}`)

/**
 * Makes `joining` an account of the person who has `giver`. Both have proved that they are theirs: one was given the code,
 * the other said it. The joining account brings no role along: one that has any is refused, so that nobody is given what
 * somebody else's account may. Throws `conflict`, `denied`.
 */
export function join(tx: Tx, giver: Giver, joining: Giver, nowMs: number): Person {
  if (giver.network === joining.network && giver.user === joining.user) {
    throw new ChanopError('conflict', 'that is the account the code was given to: say it with your other account')
  }
  refuseAgent(tx, giver)
  refuseAgent(tx, joining)
  const before = personAt(tx, joining.network, joining.user)
  const to = personFor(tx, giver.network, giver.user, safeName(giver.name, 64), nowMs)
  if (before?.id === to.id)
    throw new ChanopError('conflict', `${written(joining)} and ${written(giver)} are one already`)
  if (before) leave(tx, before, joining, nowMs)
  addIdentity(tx, to, joining)
  return to
}

/** Takes an account from a person without roles; what is left of nobody goes with it. */
function leave(tx: Tx, person: Person, account: Giver, nowMs: number): void {
  const held = heldBy(tx, person, nowMs)
  if (held.length > 0) {
    throw new ChanopError(
      'conflict',
      `${written(account)} is ${person.name} here, ${held.join(', ')}: an owner must !role revoke that first, or make the code with that account and say it with the other`,
    )
  }
  dropIdentity(tx, account.network, account.user)
  forgetEmpty(tx, person)
}

/** Takes an account out of its person. Throws when it is the only one by which they speak themselves, or the only one of the owners. */
export function part(tx: Tx, person: Person, { network, user }: Account): void {
  const isMeant = (each: Account): boolean => each.network === network && each.user === user
  if (!identitiesOf(tx, person).some(isMeant)) {
    throw new ChanopError('not-found', `${network}:${user} is no account of ${person.name}; !link list shows them`)
  }
  if (keyOfAccount(tx, network, user)?.revokedMs === null) {
    throw new ChanopError('conflict', `${network}:${user} is a key of ${person.name}: !key revoke ends it`)
  }
  if (ownIdentitiesOf(tx, person).every(isMeant)) {
    throw new ChanopError('conflict', `${network}:${user} is the only account of ${person.name}: it stays`)
  }
  dropIdentity(tx, network, user)
  if (ownerAccounts(tx).length === 0) throw new ChanopError('conflict', 'no owner would have an account any more')
}
