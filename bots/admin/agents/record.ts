import { ChanopError } from '../../../core/error.ts'
import { type Agent, type AgentState, agentNamed, engaged } from '../../../core/ledger/agents/agents.ts'
import type { Tx } from '../../../core/ledger/tx.ts'

export function theAgent(tx: Tx, name: string): Agent {
  const found = agentNamed(tx, name)
  if (found) return found
  throw new ChanopError('not-found', `there is no agent ${name.slice(0, 40)}: !agents lists who there is`)
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
