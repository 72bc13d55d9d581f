/** Nobody gives, or takes hold of, more than they have themselves, nor for longer. */

import { includes } from '../../../core/access/role.ts'
import { type Groups, select } from '../../../core/access/selector.ts'
import { ChanopError } from '../../../core/error.ts'
import type { ChannelId } from '../../../core/event.ts'
import { type Agent, agents, isEverything, mayEnter, type Rate } from '../../../core/ledger/agents/agents.ts'
import { groups } from '../../../core/ledger/people/groups.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import type { Rooms } from '../../../core/rooms.ts'
import { duration, time } from '../../../core/text/text.ts'
import { keyEnds, keyUntil, ownUntil } from '../authority.ts'
import type { AdminServices, Context } from '../services.ts'

type Catalogue = AdminServices['catalogue']
export type Unsigned = Omit<Agent, 'engagement'>

const denied = (why: string): ChanopError => new ChanopError('denied', why)

/** What an engagement lets its agent do: what it names and, by `*`, what a member may. */
export function permits(own: Unsigned, permission: string, catalogue: Catalogue): boolean {
  if (own.permissions.includes(permission)) return true
  const command = catalogue.named(permission)
  return own.permissions.includes('*') && command !== undefined && includes('member', command.role)
}

/** Whether all channels that `pattern` means are among those of `own`. Its `*` is for open rooms: it gives no closed one. */
function holds(own: Unsigned, pattern: string, rooms: Rooms): boolean {
  const wanted = pattern.toLowerCase()
  const { open } = rooms.from({ network: own.network, channel: wanted as ChannelId })
  return own.channels.some(channel => {
    const each = channel.toLowerCase()
    if (isEverything(each)) return open || isEverything(wanted)
    return each.endsWith('*') ? wanted.startsWith(each.slice(0, -1)) : each === wanted
  })
}

const slower = (rate: Rate, than: Rate): boolean =>
  rate.count <= than.count && rate.count * than.perMs <= than.count * rate.perMs

const outlasts = (endMs: number | null, untilMs: number | null): boolean =>
  untilMs !== null && (endMs === null || endMs > untilMs)

/** Types of channels that let an agent in by its name, its type or its groups. */
const entered = (rooms: Rooms, named: Groups, agent: Unsigned): string[] =>
  rooms
    .callingTypes()
    .filter(
      type => mayEnter(agent, `#${type}`) && select(rooms.calledBy(type).join(','), [agent], named).names.length > 0,
    )

/** By which groups agents are called, now and `after` a change. */
interface Called {
  readonly rooms: Rooms
  readonly named: Groups
  readonly after?: Groups
}

/** What closed channels are open to `agent` by what it is called, and are not to `own`; null: none. */
function callsBeyond(own: Unsigned, agent: Unsigned, { rooms, named, after = named }: Called): string | null {
  const has = entered(rooms, named, own)
  const type = entered(rooms, after, agent).find(each => !has.includes(each) && !holds(own, `#${each}*`, rooms))
  return type === undefined ? null : `a place in the channels #${type}*`
}

/** What of `agent` goes beyond `own`; null: nothing does. */
function beyond(own: Unsigned, agent: Unsigned, { catalogue, rooms, named }: Measure): string | null {
  const permission = agent.permissions.find(each => !permits(own, each, catalogue))
  if (permission !== undefined) return `the permission ${permission}`
  const channel = agent.channels.find(each => !holds(own, each, rooms))
  if (channel !== undefined) return isEverything(channel) ? 'every open room' : `the channel ${channel}`
  if (!slower(agent.rate, own.rate)) return 'a higher rate'
  if (outlasts(agent.expiresMs, own.expiresMs)) return 'a later end'
  return callsBeyond(own, agent, { rooms, named })
}

/** What reach is measured by. */
interface Measure {
  readonly catalogue: Catalogue
  readonly rooms: Rooms
  readonly named: Groups
}

const measure = ({ ledger, services }: Context): Promise<Measure> =>
  ledger.read(tx => ({
    catalogue: services.catalogue.refresh(tx),
    rooms: services.context.rooms,
    named: groups(tx),
  }))

/** What a new agent has where nothing was said: no more than the agent that makes it. */
function narrowed<T extends Unsigned>(own: Agent, agent: T, said: Partial<Record<keyof Unsigned | 'for', unknown>>): T {
  return {
    ...agent,
    ...(said.channels === undefined ? { channels: own.channels } : {}),
    ...(said.rate === undefined && !slower(agent.rate, own.rate) ? { rate: own.rate } : {}),
    ...(said.for === undefined ? { expiresMs: own.expiresMs } : {}),
  }
}

/**
 * The agent as its maker may have it; `before` is null for a new one, and `said` what was typed. An agent gives no more than its
 * own engagement, and who has a role for a time makes none that outlasts it and changes none that does. Throws `denied`.
 */
export async function withinReach<T extends Unsigned>(
  context: Context,
  { before, wanted, said }: { before: Unsigned | null; wanted: T; said: Parameters<typeof narrowed>[2] },
): Promise<T> {
  const { caller, ledger, atMs } = context
  const own = caller.agent
  if (own) {
    const agent = before ? wanted : narrowed(own, wanted, said)
    const more = beyond(own, agent, await measure(context))
    if (more !== null) throw denied(`${own.name} can not give ${more}: it has not so much itself; ask an operator`)
    if (agent.owner !== before?.owner && agent.owner !== own.owner && agent.owner !== `${own.network}:${own.name}`)
      throw denied(`${own.name} can give an agent to nobody but ${own.owner}: ask an operator`)
    return agent
  }
  const untilMs = await ledger.read(tx => ownUntil(tx, caller, 'operator', atMs))
  if (untilMs === null) return wanted
  if (before && outlasts(before.expiresMs, untilMs)) throw lasting(before.name, untilMs)
  if (!before && said.for === undefined) return { ...wanted, expiresMs: untilMs }
  if (outlasts(wanted.expiresMs, untilMs))
    throw denied(`you are ${caller.globalRole} until ${time(untilMs)}: for=${duration(untilMs - atMs)} at most`)
  return wanted
}

const lasting = (name: string, untilMs: number): ChanopError =>
  denied(`${name} stays longer than your role or key, which ends ${time(untilMs)}: ask somebody who has it for good`)

/** Whose logins the caller may have, or whom they may delete: for an agent itself and those that may no more than it. */
export async function mustReach(context: Context, agents: readonly Agent[]): Promise<void> {
  const { caller, ledger, atMs } = context
  const own = caller.agent
  const keyEnd = await ledger.read(tx => keyUntil(tx, caller))
  if (agents.some(agent => outlasts(agent.expiresMs, keyEnd))) throw keyEnds()
  if (own) {
    const by = await measure(context)
    for (const agent of agents) {
      const more = agent.name === own.name ? null : beyond(own, agent, by)
      if (more !== null) throw denied(`${agent.name} has ${more}, which ${own.name} has not: ask an operator`)
    }
    return
  }
  if (!includes(caller.globalRole, 'operator')) return
  const untilMs = await ledger.read(tx => ownUntil(tx, caller, 'operator', atMs))
  const label = `${caller.network}:${caller.account}`
  const longer = agents.find(agent => agent.owner !== label && outlasts(agent.expiresMs, untilMs))
  if (longer && untilMs !== null) throw lasting(longer.name, untilMs)
}

/** What an agent makes of a group's members opens no closed channel that is not open to it. Throws `denied`. */
export function mustReachGroup(
  tx: Tx,
  { caller, services }: Context,
  group: string,
  change: (members: readonly string[]) => readonly string[],
): void {
  const own = caller.agent
  if (!own) return
  const { rooms } = services.context
  const named = groups(tx)
  const after = new Map([...named, [group, [...change(named.get(group) ?? [])]]])
  for (const agent of agents(tx)) {
    const more = callsBeyond(own, agent, { rooms, named, after })
    const had = callsBeyond(own, agent, { rooms, named })
    if (more !== null && more !== had)
      throw denied(`${own.name} can not give ${agent.name} ${more}: it has not so much itself; ask an operator`)
  }
}
