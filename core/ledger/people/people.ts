import type { NetworkId, UserId } from '../../event.ts'
import { carrySpend } from '../oracle/spend.ts'
import { keyOfAccount, revokeKey } from '../settings/api-keys.ts'
import { type Row, sql } from '../sqlite.ts'
import type { Tx } from '../tx.ts'
import { leaveAllGroups, personMember } from './groups.ts'

export interface Person {
  readonly id: number
  readonly name: string
}

/** Who somebody is on one network, as the platform vouches for it. */
export interface Account {
  readonly network: NetworkId
  readonly user: UserId
}

/** A person from the columns id and name. */
export const personOf = (row: Row): Person => ({ id: Number(row['id']), name: row['name'] as string })

/** Accounts from the columns network and user. */
export const accountOf = (row: Row): Account => ({
  network: row['network'] as NetworkId,
  user: row['user'] as UserId,
})

/** The person who has an account. */
export function personAt(tx: Tx, network: string, user: string): Person | null {
  const row = sql(
    tx,
    'SELECT p.id, p.name FROM identity i JOIN person p ON p.id = i.person WHERE i.network = ? AND i.user = ?',
  ).get(network, user)
  return row ? personOf(row) : null
}

export function personByName(tx: Tx, name: string): Person | null {
  const row = sql(tx, 'SELECT id, name FROM person WHERE name = ?').get(name)
  return row ? personOf(row) : null
}

/** The person who has an account; made, named after `name`, when there is none. */
export function personFor(tx: Tx, network: NetworkId, user: UserId, name: string, nowMs: number): Person {
  const known = personAt(tx, network, user)
  if (known) return known
  let free = name
  for (let n = 2; personByName(tx, free); n++) free = `${name}-${n}`
  const made = sql(
    tx,
    `INSERT INTO person (id, name, created_ms)
     SELECT max(id, (SELECT coalesce(max(id), 0) FROM person)) + 1, ?, ? FROM person_gone`,
  ).run(free, nowMs)
  const id = Number(made.lastInsertRowid)
  addIdentity(tx, { id, name: free }, { network, user })
  return { id, name: free }
}

export const identitiesOf = (tx: Tx, person: Person): Account[] =>
  sql(tx, 'SELECT network, user FROM identity WHERE person = ? ORDER BY network').all(person.id).map(accountOf)

/** Everybody there is, by name. */
export const people = (tx: Tx): Person[] => sql(tx, 'SELECT id, name FROM person ORDER BY name').all().map(personOf)

/** Whose budget an account is on as long as it is nobody's, and a person's: see `spenderOf`. */
export const accountSpends = ({ network, user }: Account): string => `account:${network}:${user}`
export const personSpends = ({ id }: Pick<Person, 'id'>): string => `person:${id}`

/** Makes an account theirs. What either has spent counts on: no link gives a new budget, nor does taking it away. */
export function addIdentity(tx: Tx, person: Person, account: Account): void {
  sql(tx, 'INSERT INTO identity VALUES (?, ?, ?)').run(account.network, account.user, person.id)
  carrySpend(tx, accountSpends(account), personSpends(person))
}

export function dropIdentity(tx: Tx, network: NetworkId, user: UserId): void {
  const person = personAt(tx, network, user)
  if (person) carrySpend(tx, personSpends(person), accountSpends({ network, user }))
  sql(tx, 'DELETE FROM identity WHERE network = ? AND user = ?').run(network, user)
}

/** Accounts of a person by which they speak themselves: keys that speak for them are none. */
export const ownIdentitiesOf = (tx: Tx, person: Person): Account[] =>
  identitiesOf(tx, person).filter(({ network, user }) => keyOfAccount(tx, network, user) === null)

/**
 * A person without accounts is nobody: the next of that name must not come into what was theirs. Keys end with them.
 */
export function forgetEmpty(tx: Tx, person: Person): void {
  if (ownIdentitiesOf(tx, person).length > 0) return
  for (const { network, user } of identitiesOf(tx, person)) revokeKey(tx, { network, account: user }, Date.now())
  leaveAllGroups(tx, personMember(person.name))
  sql(tx, 'DELETE FROM person WHERE id = ?').run(person.id)
}

export function personById(tx: Tx, id: number): Person | null {
  const row = sql(tx, 'SELECT id, name FROM person WHERE id = ?').get(id)
  return row ? personOf(row) : null
}
