import { type Agent, type AgentState, agentNamed, agents, engaged } from '../../../core/agent.ts'
import { ChanopError } from '../../../core/error.ts'
import { groups, leaveAllGroups } from '../../../core/ledger/groups.ts'
import { type Db, sql } from '../../../core/ledger/sqlite.ts'
import { select } from '../../../core/selector.ts'

/** The agents that a selector means. Throws `not-found` when it, or a part of it, fits nobody. */
export function chosen(db: Db, selector: string): Agent[] {
  const all = agents(db)
  const { names, nobody } = select(selector, all, groups(db))
  const missing = nobody.map(part => `'${part.slice(0, 40)}'`).join(', ')
  if (nobody.length > 0) throw new ChanopError('not-found', `nobody fits ${missing}: agents lists who there is`)
  if (names.length === 0)
    throw new ChanopError('not-found', `'${selector.slice(0, 60)}' fits nobody: agents lists who there is`)
  const wanted = new Set(names)
  return all.filter(({ name }) => wanted.has(name))
}

export function theAgent(db: Db, name: string): Agent {
  const found = agentNamed(db, name)
  if (found) return found
  throw new ChanopError('not-found', `there is no agent ${name.slice(0, 40)}: agents lists who there is`)
}

export function insertAgent(db: Db, agent: Agent): void {
  sql(
    db,
    `INSERT INTO agent (name, network, type, owner, state, channels, permissions, skills, rate, native, engagement, reason,
     paused, created_ms, changed_ms, expires_ms, created_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  ).run(
    agent.name,
    agent.network,
    agent.type,
    agent.owner,
    agent.state,
    JSON.stringify(agent.channels),
    JSON.stringify(agent.permissions),
    JSON.stringify(agent.skills),
    JSON.stringify(agent.rate),
    agent.native ? 1 : 0,
    agent.engagement,
    agent.reason,
    agent.paused ? 1 : 0,
    agent.createdMs,
    agent.changedMs,
    agent.expiresMs,
    agent.createdBy,
  )
}

/** What an operator can change, with the engagement that says so. Its state and all else stays. */
export function editAgent(db: Db, agent: Agent, nowMs: number): void {
  sql(
    db,
    `UPDATE agent SET type = ?, owner = ?, channels = ?, permissions = ?, skills = ?, rate = ?, native = ?, expires_ms = ?,
     engagement = ?, changed_ms = ? WHERE name = ?`,
  ).run(
    agent.type,
    agent.owner,
    JSON.stringify(agent.channels),
    JSON.stringify(agent.permissions),
    JSON.stringify(agent.skills),
    JSON.stringify(agent.rate),
    agent.native ? 1 : 0,
    agent.expiresMs,
    agent.engagement,
    nowMs,
    agent.name,
  )
}

export function setAgentState(db: Db, name: string, state: AgentState, reason: string | null, nowMs: number): void {
  sql(db, 'UPDATE agent SET state = ?, reason = ?, changed_ms = ? WHERE name = ?').run(state, reason, nowMs, name)
}

export const forgetAgent = (db: Db, name: string): void => {
  sql(db, 'DELETE FROM agent WHERE name = ?').run(name)
  leaveAllGroups(db, name)
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
