import type { Place, UserId } from '../../../core/event.ts'
import { type Agent, agents, engaged, mayEnter } from '../../../core/ledger/agents.ts'
import { groups } from '../../../core/ledger/groups.ts'
import { type Db, sql } from '../../../core/ledger/sqlite.ts'
import { select } from '../../../core/selector.ts'

export interface Member {
  readonly user: UserId
  readonly name: string
}

/** Who is in a channel, without our own bots, by name. */
export const membersOf = (db: Db, { network, channel }: Pick<Place, 'network' | 'channel'>): Member[] =>
  sql(
    db,
    `SELECT m.user, m.name FROM member m JOIN place p ON p.id = m.place
     WHERE p.network = ? AND p.channel = ? AND p.thread = '' ORDER BY m.name`,
  )
    .all(network, channel)
    .map(row => ({ user: row['user'] as UserId, name: row['name'] as string }))

/** Agents out of `from` that a channel's type makes enter: engaged now, and allowed to be there. */
export function joiners(
  db: Db,
  { network, channel }: Pick<Place, 'network' | 'channel'>,
  selectors: readonly string[],
  nowMs: number,
  from: readonly Agent[] = agents(db),
): Agent[] {
  if (selectors.length === 0) return []
  const all = from.filter(agent => agent.network === network && engaged(agent, nowMs) && mayEnter(agent, channel))
  const chosen = new Set(select(selectors.join(','), all, groups(db)).names)
  return all.filter(({ name }) => chosen.has(name))
}
