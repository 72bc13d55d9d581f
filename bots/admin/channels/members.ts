import { select } from '../../../core/access/selector.ts'
import type { Place } from '../../../core/event.ts'
import { type Agent, agents, engaged, mayEnter } from '../../../core/ledger/agents/agents.ts'
import { groups } from '../../../core/ledger/people/groups.ts'
import type { Tx } from '../../../core/ledger/tx.ts'

/** Agents out of `from` that a channel's type makes enter: engaged now, and allowed to be there. */
export function joiners(
  tx: Tx,
  { network, channel }: Pick<Place, 'network' | 'channel'>,
  selectors: readonly string[],
  nowMs: number,
  from: readonly Agent[] = agents(tx),
): Agent[] {
  if (selectors.length === 0) return []
  const all = from.filter(agent => agent.network === network && engaged(agent, nowMs) && mayEnter(agent, channel))
  const chosen = new Set(select(selectors.join(','), all, groups(tx)).names)
  return all.filter(({ name }) => chosen.has(name))
}
