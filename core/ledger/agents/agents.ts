import type { NetworkId, Place, UserId } from '../../event.ts'
import { dropLoginsOf } from '../people/claims.ts'
import { leaveAllGroups } from '../people/groups.ts'
import { revokeSerial } from '../people/serials.ts'
import { revokeKeysOf } from '../settings/api-keys.ts'
import { type Row, sql } from '../sqlite.ts'
import type { Tx } from '../tx.ts'

/** Lines in a time: `5/s` is { count: 5, perMs: 1000 }. */
export interface Rate {
  readonly count: number
  readonly perMs: number
}

/**
 * `registering`: its account is being made. `rotating`: its password is being changed. `revoked`: its account is, or is
 * being, suspended. `deleted`: its account is being deleted. A row ends with its account.
 */
export type AgentState = 'registering' | 'active' | 'rotating' | 'revoked' | 'deleted'

/** A registered program. */
export interface Agent {
  /** Its account and nick, lower case. */
  readonly name: string
  readonly network: NetworkId
  readonly type: string
  /** `network:account` of who answers for it. */
  readonly owner: string
  readonly state: AgentState
  /** Where it may be: names, `#task-*` for all that begin so, `*` for every open room. */
  readonly channels: readonly string[]
  /** Names of the commands it may use; `*` is everything a member may. */
  readonly permissions: readonly string[]
  readonly skills: readonly string[]
  readonly rate: Rate
  /** Understands group mentions by itself. */
  readonly native: boolean
  /** The compact JWS in force. */
  readonly engagement: string | null
  /** Why it was revoked. */
  readonly reason: string | null
  readonly paused: boolean
  readonly createdMs: number
  readonly changedMs: number
  readonly expiresMs: number | null
  readonly createdBy: string
}

const list = (row: Row, column: string): string[] => JSON.parse(row[column] as string) as string[]

const agentOfRow = (row: Row): Agent => ({
  name: row['name'] as string,
  network: row['network'] as NetworkId,
  type: row['type'] as string,
  owner: row['owner'] as string,
  state: row['state'] as AgentState,
  channels: list(row, 'channels'),
  permissions: list(row, 'permissions'),
  skills: list(row, 'skills'),
  rate: JSON.parse(row['rate'] as string) as Rate,
  native: row['native'] === 1,
  engagement: row['engagement'] as string | null,
  reason: row['reason'] as string | null,
  paused: row['paused'] === 1,
  createdMs: Number(row['created_ms']),
  changedMs: Number(row['changed_ms']),
  expiresMs: row['expires_ms'] === null ? null : Number(row['expires_ms']),
  createdBy: row['created_by'] as string,
})

/** All records, by name. */
export const agents = (tx: Tx): Agent[] => sql(tx, 'SELECT * FROM agent ORDER BY name').all().map(agentOfRow)

export function agentNamed(tx: Tx, name: string): Agent | null {
  const row = sql(tx, 'SELECT * FROM agent WHERE name = ?').get(name.toLowerCase())
  return row ? agentOfRow(row) : null
}

/** The agent behind an account of a network: its own, or a key that acts for it. Only for senders for whom the network vouches. */
export function agentOf(tx: Tx, network: NetworkId, account: UserId): Agent | null {
  const found = agentNamed(tx, account)
  if (found?.network === network) return found
  const key = sql(tx, 'SELECT agent FROM api_key WHERE network = ? AND account = ? AND agent IS NOT NULL').get(
    network,
    account,
  )
  return key ? agentNamed(tx, key['agent'] as string) : null
}

/** Whether its engagement holds now. */
export const engaged = ({ state, expiresMs }: Agent, nowMs: number): boolean =>
  (state === 'active' || state === 'rotating') && (expiresMs === null || expiresMs > nowMs)

/** Whether its engagement covers a channel: enough where the room is open. */
export const mayEnter = ({ channels }: Pick<Agent, 'channels'>, channel: string): boolean =>
  channels.some(each => fitsName(each.toLowerCase(), channel.toLowerCase()))

/** `*`, which names no channel: who wrote it thought of none. */
export const isEverything = (pattern: string): boolean => /^[#&+!]?\*$/.test(pattern)

/** Whether its engagement names a channel, as a closed room asks for. */
export const names = ({ channels }: Pick<Agent, 'channels'>, channel: string): boolean =>
  mayEnter({ channels: channels.filter(each => !isEverything(each)) }, channel)

/** Whether its engagement lets it speak in a place; in private places it always may. */
export const mayBe = (agent: Pick<Agent, 'channels'>, place: Place): boolean =>
  place.private === true || mayEnter(agent, place.channel)

const fitsName = (pattern: string, channel: string): boolean =>
  pattern.endsWith('*') ? channel.startsWith(pattern.slice(0, -1)) : channel === pattern

/** Names and types, those that are being deleted left out. */
export const agentNames = (tx: Tx): Pick<Agent, 'name' | 'type'>[] =>
  sql(tx, "SELECT name, type FROM agent WHERE state <> 'deleted'")
    .all()
    .map(row => ({ name: row['name'] as string, type: row['type'] as string }))

/** How many agents there are of each type, those that are being deleted left out. */
export const agentTypes = (tx: Tx): Map<string, number> =>
  new Map(
    sql(tx, "SELECT type, count(*) AS n FROM agent WHERE state <> 'deleted' GROUP BY type ORDER BY type")
      .all()
      .map(row => [row['type'] as string, Number(row['n'])]),
  )

/** Whether some engagement is over and its agent is not suspended yet. */
export const engagementsEnd = (tx: Tx, nowMs: number): boolean =>
  sql(tx, "SELECT 1 FROM agent WHERE state IN ('active', 'rotating') AND expires_ms <= ? LIMIT 1").get(nowMs) !==
  undefined

export function insertAgent(tx: Tx, agent: Agent): void {
  sql(
    tx,
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

/** The same engagement for longer: the one before holds until its end. False when it was changed meanwhile. */
export const renewAgent = (tx: Tx, { name, engagement }: Agent, renewed: string): boolean =>
  sql(tx, 'UPDATE agent SET engagement = ? WHERE name = ? AND engagement IS ?').run(renewed, name, engagement).changes >
  0

/** What an operator can change, with the engagement that says so: the one before is taken back. Its state and all else stays. */
export function editAgent(tx: Tx, agent: Agent, nowMs: number): void {
  const before = agentNamed(tx, agent.name)?.engagement ?? null
  if (before !== agent.engagement) revokeSerial(tx, agent.name, before, nowMs)
  sql(
    tx,
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

/** Whoever answered for `owner`'s agents, `heir` does now; returns whose record changed. */
export function giveAgents(tx: Tx, owner: string, heir: string, nowMs: number): string[] {
  const mine = agentsOwnedBy(tx, owner)
  sql(tx, 'UPDATE agent SET owner = ?, changed_ms = ? WHERE owner = ?').run(heir, nowMs, owner)
  return mine
}

/** Names of those whom `network:account` answers for. */
export const agentsOwnedBy = (tx: Tx, owner: string): string[] =>
  sql(tx, "SELECT name FROM agent WHERE owner = ? AND state <> 'deleted' ORDER BY name")
    .all(owner)
    .map(row => row['name'] as string)

export function setAgentState(tx: Tx, name: string, state: AgentState, reason: string | null, nowMs: number): void {
  if (state === 'revoked' || state === 'deleted')
    revokeSerial(tx, name, agentNamed(tx, name)?.engagement ?? null, nowMs)
  sql(tx, 'UPDATE agent SET state = ?, reason = ?, changed_ms = ? WHERE name = ?').run(state, reason, nowMs, name)
}

export const forgetAgent = (tx: Tx, name: string, nowMs: number): void => {
  revokeSerial(tx, name, agentNamed(tx, name)?.engagement ?? null, nowMs)
  sql(tx, 'DELETE FROM agent WHERE name = ?').run(name)
  leaveNothing(tx, name, nowMs)
}

/** Its record is gone: the next of that name must not come into what was its. */
export function leaveNothing(tx: Tx, name: string, nowMs: number): void {
  leaveAllGroups(tx, name)
  revokeKeysOf(tx, name, nowMs)
  dropLoginsOf(tx, name)
}

export function setPaused(tx: Tx, names: readonly string[], paused: boolean): void {
  sql(tx, 'UPDATE agent SET paused = ? WHERE name IN (SELECT value FROM json_each(?))').run(
    paused ? 1 : 0,
    JSON.stringify(names),
  )
}
