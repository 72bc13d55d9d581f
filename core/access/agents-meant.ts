import { ChanopError } from '../error.ts'
import type { Place } from '../event.ts'
import { type Agent, agents } from '../ledger/agents/agents.ts'
import { groups } from '../ledger/people/groups.ts'
import { membersOf } from '../ledger/people/members.ts'
import type { Tx } from '../ledger/tx.ts'
import { select } from './selector.ts'

/** The agents in any of these places: what `here` means there. */
export const withHere = (tx: Tx, places: readonly Place[]): Map<string, string[]> =>
  groups(tx).set('here', [...new Set(places.flatMap(place => membersOf(tx, place).map(({ user }) => user)))])

/**
 * The agents that a selector means, said in a room that is these places. Throws `not-found` when it, or a part of it, fits
 * nobody.
 */
export function chosen(tx: Tx, selector: string, places: readonly Place[]): Agent[] {
  const all = agents(tx)
  const { names, nobody } = select(selector, all, withHere(tx, places))
  const missing = nobody.map(part => `'${part.slice(0, 40)}'`).join(', ')
  if (nobody.length > 0) throw new ChanopError('not-found', `nobody fits ${missing}: !agents lists who there is`)
  if (names.length === 0)
    throw new ChanopError('not-found', `'${selector.slice(0, 60)}' fits nobody: !agents lists who there is`)
  const wanted = new Set(names)
  return all.filter(({ name }) => wanted.has(name))
}
