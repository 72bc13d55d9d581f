import type { NetworkId, UserId } from './event.ts'
import { type Db, type Row, sql } from './ledger/sqlite.ts'

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
  /** Where it may be: names, `#task-*` for all that begin so, `*` for everywhere. */
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
export const agents = (db: Db): Agent[] => sql(db, 'SELECT * FROM agent ORDER BY name').all().map(agentOfRow)

export function agentNamed(db: Db, name: string): Agent | null {
  const row = sql(db, 'SELECT * FROM agent WHERE name = ?').get(name.toLowerCase())
  return row ? agentOfRow(row) : null
}

/** The agent behind an account of a network. Only for senders for whom the network vouches. */
export function agentOf(db: Db, network: NetworkId, account: UserId): Agent | null {
  const found = agentNamed(db, account)
  return found?.network === network ? found : null
}

/** Whether its engagement holds now. */
export const engaged = ({ state, expiresMs }: Agent, nowMs: number): boolean =>
  (state === 'active' || state === 'rotating') && (expiresMs === null || expiresMs > nowMs)

/** Whether it may be in a channel. */
export const mayEnter = ({ channels }: Pick<Agent, 'channels'>, channel: string): boolean =>
  channels.some(each => fitsName(each.toLowerCase(), channel.toLowerCase()))

const fitsName = (pattern: string, channel: string): boolean =>
  pattern.endsWith('*') ? channel.startsWith(pattern.slice(0, -1)) : channel === pattern

/** What an order means for the record of the account it is about; kept in its argument `agent`. */
export type Step = 'register' | 'rotate' | 'suspend' | 'restore' | 'drop'

/**
 * Moves a record on with the end of an order, in the transaction that settles the order: no record is active without an
 * account, and none is gone while its account is there.
 */
export function settleAgent(
  db: Db,
  order: { readonly network: string; readonly account: string; readonly step: string },
  end: { readonly done: boolean; readonly why: string },
  nowMs: number,
): void {
  const name = order.account.toLowerCase()
  const move = (from: AgentState, to: AgentState, reason: string | null = null): void => {
    sql(db, 'UPDATE agent SET state = ?, reason = ?, changed_ms = ? WHERE name = ? AND network = ? AND state = ?').run(
      to,
      reason,
      nowMs,
      name,
      order.network,
      from,
    )
  }
  const drop = (from: AgentState): void => {
    sql(db, 'DELETE FROM agent WHERE name = ? AND network = ? AND state = ?').run(name, order.network, from)
  }
  if (order.step === 'register') return end.done ? move('registering', 'active') : drop('registering')
  if (order.step === 'rotate') return move('rotating', 'active')
  if (order.step === 'restore' && end.done) return move('revoked', 'active')
  if (order.step === 'drop') return end.done ? drop('deleted') : move('deleted', 'revoked', end.why)
}

/** How many agents there are of each type, those that are being deleted left out. */
export const agentTypes = (db: Db): Map<string, number> =>
  new Map(
    sql(db, "SELECT type, count(*) AS n FROM agent WHERE state <> 'deleted' GROUP BY type ORDER BY type")
      .all()
      .map(row => [row['type'] as string, Number(row['n'])]),
  )
