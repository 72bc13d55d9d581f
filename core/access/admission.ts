/** Who may be in a place: everybody where its room is open, else its members alone. */
import type { Place, Sender, UserId } from '../event.ts'
import { type Agent, agentOf, agents, engaged, mayEnter, names } from '../ledger/agents/agents.ts'
import { participants } from '../ledger/people/admission.ts'
import { groups } from '../ledger/people/groups.ts'
import { keptChannel } from '../ledger/settings/channels.ts'
import type { Tx } from '../ledger/tx.ts'
import type { Rooms } from '../rooms.ts'
import { identify } from './identity.ts'
import { includes } from './role.ts'
import { select } from './selector.ts'

type Where = Pick<Place, 'network' | 'channel'>

/** Of these agents those that belong into a closed channel: their engagement holds now and names it, or covers it and its type calls them. */
function belonging(tx: Tx, rooms: Rooms, { network, channel }: Where, among: readonly Agent[], nowMs: number): Agent[] {
  const able = among.filter(agent => agent.network === network && engaged(agent, nowMs) && mayEnter(agent, channel))
  const selectors = rooms.calledBy(keptChannel(tx, { network, channel })?.type ?? '')
  const called = selectors.length === 0 ? [] : select(selectors.join(','), able, groups(tx)).names
  return able.filter(agent => names(agent, channel) || called.includes(agent.name))
}

/**
 * Accounts of its network that may enter a channel of a closed room: of people who are members there or everywhere, and
 * of agents that belong there.
 */
export function admitted(
  tx: Tx,
  rooms: Rooms,
  where: Where,
  room: string,
  nowMs: number,
  among: readonly Agent[] = agents(tx),
): UserId[] {
  const people = participants(tx, where.network, room, nowMs)
  const programs = belonging(tx, rooms, where, among, nowMs).map(({ name }) => name as UserId)
  return [...new Set([...people, ...programs])].sort()
}

/** Whether somebody may be in a place, and so know of it. */
export function mayBeIn(
  tx: Tx,
  rooms: Rooms,
  place: Place,
  who: { readonly network: Place['network']; readonly sender: Sender },
  nowMs: number,
): boolean {
  const { open, name } = rooms.from(place)
  if (open) return true
  const { network, sender } = who
  if (!sender.verified) return false
  const agent = agentOf(tx, network, sender.id)
  if (agent && belonging(tx, rooms, place, [agent], nowMs).length > 0) return true
  return includes(identify(tx, network, sender, name, nowMs).role, 'member')
}
