import { ChanopError } from '../../../core/error.ts'
import { type Agent, type AgentState, agentNamed, engaged, setAgentState } from '../../../core/ledger/agents/agents.ts'
import type { NewOrder } from '../../../core/ledger/out/orders.ts'
import { dropLoginsOf } from '../../../core/ledger/people/claims.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import { accountOrder } from './orders.ts'

export function theAgent(tx: Tx, name: string): Agent {
  const found = agentNamed(tx, name)
  if (found) return found
  throw new ChanopError('not-found', `there is no agent ${name.slice(0, 40)}: !agents lists who there is`)
}

/** Refuses to write over what somebody else changed since an agent was read: its engagement is another one then, or its owner. */
export function mustBeAsRead(tx: Tx, { name, engagement, owner }: Agent): void {
  const now = theAgent(tx, name)
  if (now.engagement !== engagement || now.owner !== owner)
    throw new ChanopError('conflict', `${name} was changed meanwhile: say it again`)
}

/** Refuses what can't be done to an agent in its state. */
export function need(agent: Agent, states: readonly AgentState[], what: string, nowMs: number): void {
  const { name, state } = agent
  if (state === 'registering')
    throw new ChanopError('conflict', `${name} is still being registered: say it again in a moment`)
  if (states.includes(state)) return
  if (state === 'deleted') throw new ChanopError('conflict', `${name} is being deleted`)
  if (state === 'revoked')
    throw new ChanopError('conflict', `${name} is revoked and can not be ${what}: !restore ${name} first`)
  throw new ChanopError('conflict', `${name} is ${engaged(agent, nowMs) ? 'active' : state} and can not be ${what}`)
}

/** Ends an engagement here and now; the order that goes with it ends its sessions and logins. */
export function revokeRecord(db: Tx, agent: Agent, reason: string, nowMs: number): void {
  setAgentState(db, agent.name, 'revoked', reason, nowMs)
  dropLoginsOf(db, agent.name)
}

/** What the agent is shown when it is put out is `reason`. */
export const suspension = ({ name, network }: Agent, reason: string, seq: number | string): NewOrder =>
  accountOrder({ network, account: name, kind: 'account.suspend', seq, step: 'suspend', args: { reason } })
