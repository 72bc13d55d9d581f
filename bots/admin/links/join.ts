import { agentOf } from '../../../core/agent.ts'
import { ChanopError } from '../../../core/error.ts'
import type { NetworkId, UserId } from '../../../core/event.ts'
import { dropIdentity, identitiesOf, ownerAccounts, type Person, personFor } from '../../../core/identity.ts'
import { type Db, sql } from '../../../core/ledger/sqlite.ts'
import type { Account } from './codes.ts'

const personOf = (db: Db, network: NetworkId, user: UserId): Person | null => {
  const row = sql(
    db,
    'SELECT p.id, p.name FROM identity i JOIN person p ON p.id = i.person WHERE i.network = ? AND i.user = ?',
  ).get(network, user)
  return row ? { id: Number(row['id']), name: row['name'] as string } : null
}

const written = ({ network, user }: Pick<Account, 'network' | 'user'>): string => `${network}:${user}`

/** A program's account speaks for a program: it lends nobody its place, and has none to share. */
export function refuseAgent(db: Db, { network, user }: Pick<Account, 'network' | 'user'>): void {
  if (agentOf(db, network, user)) {
    throw new ChanopError('denied', `${network}:${user} is an agent: accounts of agents are not linked`)
  }
}

const heldBy = (db: Db, person: Person, nowMs: number): string[] =>
  sql(db, 'SELECT role, room FROM role WHERE person = ? AND (until_ms IS NULL OR until_ms > ?) ORDER BY room')
    .all(person.id, nowMs)
    .map(row => `${String(row['role'])}${row['room'] ? ` in ${String(row['room'])}` : ''}`)

/**
 * Makes `joining` an account of the person who has `giver`. Both have proved that they are theirs: one was given the code,
 * the other said it. The joining account brings no role along: one that has any is refused, so that nobody is given what
 * somebody else's account may. Throws `conflict`, `denied`.
 */
export function join(db: Db, giver: Account, joining: Account, nowMs: number): Person {
  if (giver.network === joining.network && giver.user === joining.user) {
    throw new ChanopError('conflict', 'that is the account the code was given to: say it with your other account')
  }
  refuseAgent(db, giver)
  refuseAgent(db, joining)
  const before = personOf(db, joining.network, joining.user)
  const to = personFor(db, giver.network, giver.user, giver.name, nowMs)
  if (before?.id === to.id)
    throw new ChanopError('conflict', `${written(joining)} and ${written(giver)} are one already`)
  if (before) leave(db, before, joining, nowMs)
  sql(db, 'INSERT INTO identity VALUES (?, ?, ?)').run(joining.network, joining.user, to.id)
  return to
}

/** Takes an account from a person without roles; what is left of nobody goes with it. */
function leave(db: Db, person: Person, account: Account, nowMs: number): void {
  const held = heldBy(db, person, nowMs)
  if (held.length > 0) {
    throw new ChanopError(
      'conflict',
      `${written(account)} is ${person.name} here, ${held.join(', ')}: an owner must role revoke that first, or make the code with that account and say it with the other`,
    )
  }
  dropIdentity(db, account.network, account.user)
  forgetEmpty(db, person)
}

/** A person without accounts: the next of that name must not come into what was theirs. */
export function forgetEmpty(db: Db, person: Person): void {
  if (identitiesOf(db, person).length > 0) return
  sql(db, 'DELETE FROM party WHERE member = ?').run(`person:${person.name}`)
  sql(db, 'DELETE FROM person WHERE id = ?').run(person.id)
}

/** Takes an account out of its person. Throws when it is the only one of theirs, or of the owners. */
export function part(db: Db, person: Person, { network, user }: { network: NetworkId; user: UserId }): void {
  const all = identitiesOf(db, person)
  if (!all.some(each => each.network === network && each.user === user)) {
    throw new ChanopError('not-found', `${network}:${user} is no account of ${person.name}; link list shows them`)
  }
  if (all.length === 1) {
    throw new ChanopError('conflict', `${network}:${user} is the only account of ${person.name}: it stays`)
  }
  dropIdentity(db, network, user)
  if (ownerAccounts(db).length === 0) throw new ChanopError('conflict', 'no owner would have an account any more')
}
