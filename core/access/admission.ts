/** Who may be in a place: everybody where its room is open, else its members alone. */
import type { Place, Sender, UserId } from '../event.ts'
import { type Agent, agentOf, agents, engaged, mayEnter } from '../ledger/agents/agents.ts'
import { participants } from '../ledger/people/admission.ts'
import type { Tx } from '../ledger/tx.ts'
import type { Rooms } from '../rooms.ts'
import { identify } from './identity.ts'
import { includes } from './role.ts'

/**
 * Accounts of its network that may enter a channel of a closed room: of people who are members there or everywhere, and
 * of agents whose engagement holds now and names the channel.
 */
export function admitted(
  tx: Tx,
  { network, channel }: Pick<Place, 'network' | 'channel'>,
  room: string,
  nowMs: number,
  among: readonly Agent[] = agents(tx),
): UserId[] {
  const people = participants(tx, network, room, nowMs)
  const programs = among
    .filter(agent => agent.network === network && engaged(agent, nowMs) && mayEnter(agent, channel))
    .map(({ name }) => name as UserId)
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
  if (agent?.network === place.network && engaged(agent, nowMs) && mayEnter(agent, place.channel)) return true
  return includes(identify(tx, network, sender, name, nowMs).role, 'member')
}
