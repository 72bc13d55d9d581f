import { ChanopError } from '../../../core/error.ts'
import type { Place } from '../../../core/event.ts'
import { type Agent, type AgentState, agentNamed, agents, engaged } from '../../../core/ledger/agents.ts'
import { groups } from '../../../core/ledger/groups.ts'
import { membersOf } from '../../../core/ledger/members.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import { select } from '../../../core/selector.ts'

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
  if (nobody.length > 0) throw new ChanopError('not-found', `nobody fits ${missing}: agents lists who there is`)
  if (names.length === 0)
    throw new ChanopError('not-found', `'${selector.slice(0, 60)}' fits nobody: agents lists who there is`)
  const wanted = new Set(names)
  return all.filter(({ name }) => wanted.has(name))
}

export function theAgent(tx: Tx, name: string): Agent {
  const found = agentNamed(tx, name)
  if (found) return found
  throw new ChanopError('not-found', `there is no agent ${name.slice(0, 40)}: agents lists who there is`)
}

/** Refuses what can't be done to an agent in its state. */
export function need(agent: Agent, states: readonly AgentState[], what: string, nowMs: number): void {
  const { name, state } = agent
  if (state === 'registering')
    throw new ChanopError('conflict', `${name} is still being registered: say it again in a moment`)
  if (states.includes(state)) return
  if (state === 'deleted') throw new ChanopError('conflict', `${name} is being deleted`)
  if (state === 'revoked')
    throw new ChanopError('conflict', `${name} is revoked and can not be ${what}: restore ${name} first`)
  throw new ChanopError('conflict', `${name} is ${engaged(agent, nowMs) ? 'active' : state} and can not be ${what}`)
}
