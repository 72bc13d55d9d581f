import type { Config } from '../../../config/schema.ts'
import { includes } from '../../../core/access/role.ts'
import type { Caller } from '../../../core/command/command.ts'
import { withPrefix } from '../../../core/command/help/hint.ts'
import { callerOf, inert } from '../../../core/command/visit/gate.ts'
import type { MessageEvent } from '../../../core/event.ts'
import { type Agent, agentOf, engaged, mayBe } from '../../../core/ledger/agents/agents.ts'
import { lastCallAsking } from '../../../core/ledger/out/calls.ts'
import { groupMembers } from '../../../core/ledger/people/groups.ts'
import { bySeq, type Stored } from '../../../core/ledger/record/events.ts'
import { keptChannel } from '../../../core/ledger/settings/channels.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import type { Rooms } from '../../../core/rooms.ts'
import { placesOf } from './call.ts'
import type { Mention } from './mention.ts'
import { choose, type Here, present } from './targets.ts'

/** The permission an engagement has to name, and the command that does the same. */
export const callPermission = 'call'
/** Calls older than this do not count as the reason of another one. */
const causeMs = 600_000

export type Decision =
  /** Nobody is woken and nothing is said. */
  | { readonly is: 'silent' }
  | { readonly is: 'no'; readonly line: string }
  | { readonly is: 'go'; readonly here: readonly Here[] }

export interface Question {
  readonly stored: Stored<MessageEvent>
  readonly mention: Mention
}

/** May this message call a group, and who of it is here? */
export function decide(tx: Tx, { stored, mention }: Question, config: Config, rooms: Rooms, nowMs: number): Decision {
  const caller = callerOf(tx, stored, nowMs)
  if (inert(stored, caller, nowMs) !== null) return { is: 'silent' }
  // The oracle hears its groups itself.
  const members = groupMembers(tx, mention.selector.replace(/^@/, '').toLowerCase())
  if (members.length > 0 && members.every(member => member === 'oracle')) return { is: 'silent' }
  const refused = refusal(tx, caller, stored, config, nowMs)
  if (refused !== null) return { is: 'no', line: withPrefix(refused, config.commands.prefix) }
  return whoIsHere(tx, { stored, mention }, config, rooms, nowMs)
}

/** Who of a selector is in the room of a message, without the one who calls and those who are paused. */
export function whoIsHere(
  tx: Tx,
  { stored, mention: { selector } }: Question,
  config: Config,
  rooms: Rooms,
  nowMs: number,
): Decision {
  const own = `${stored.event.place.network}\n${stored.event.sender.id}`
  const places = placesOf(rooms, stored)
  const { targets } = choose(tx, selector, places, nowMs)
  const others = targets.filter(({ accounts }) => !accounts.includes(own))
  const awake = others.filter(({ agent }) => agent?.paused !== true)
  const here = present(tx, awake, places)
  if (here.length === 0)
    return { is: 'no', line: withPrefix(nobodyLine(selector, others.length, awake.length), config.commands.prefix) }
  const { most } = config.fleet
  if (here.length > most) {
    return { is: 'no', line: `${selector} is ${here.length} here, more than ${most} are never called at once` }
  }
  return { is: 'go', here }
}

function nobodyLine(selector: string, known: number, awake: number): string {
  if (known === 0) return `${selector}: nobody fits; !agents lists who there is`
  if (awake === 0) return `${selector}: all ${known} are paused; !resume ${selector} wakes them`
  return `${selector}: none of ${known} is in this room; !who ${selector} shows where they are`
}

function refusal(tx: Tx, caller: Caller, stored: Stored<MessageEvent>, config: Config, nowMs: number): string | null {
  if (caller.agent) return agentRefusal(tx, caller.agent, stored, config, nowMs)
  const { channel } = stored.event.place
  const locked = keptChannel(tx, stored.event.place)?.locked === true && !includes(config.fleet.role, 'operator')
  const needed = locked ? 'operator' : config.fleet.role
  if (includes(caller.role, needed)) return null
  const why = locked ? `${channel} is locked: to call agents here` : 'to call a group'
  if (!caller.verified)
    return `${why} you have to be ${needed}, and nobody vouches for you here: log in to your account`
  return `${why} you have to be ${needed}; you are ${caller.role}`
}

function agentRefusal(tx: Tx, agent: Agent, stored: Stored, config: Config, nowMs: number): string | null {
  const { name, permissions } = agent
  if (!engaged(agent, nowMs)) return `the engagement of ${name} is over`
  const { place } = stored.event
  if (!mayBe(agent, place)) return `the engagement of ${name} does not name ${place.channel}`
  if (!permissions.includes(callPermission) && !permissions.includes('*')) {
    return `${name} may not call groups; !agent edit ${name} permissions=${callPermission} lets it`
  }
  const { hops } = config.fleet
  if (hopsBefore(tx, stored, hops) < hops) return null
  return `${name} was called by an agent itself: calls of agents stop after ${hops}`
}

/** How many agents called one after the other until this message was said: the guard against loops. */
function hopsBefore(tx: Tx, { seq, event }: Pick<Stored, 'seq' | 'event'>, most: number): number {
  const label = `${event.place.network}:${event.sender.id}`
  let cause = causeOf(tx, label, seq, event.atMs)
  for (let hops = 0; hops <= most; hops++) {
    if (!cause) return hops
    const { place, sender } = cause.event
    const by = sender.verified ? agentOf(tx, place.network, sender.id) : null
    if (!by) return hops
    cause = causeOf(tx, `${by.network}:${by.name}`, cause.seq, cause.event.atMs)
  }
  return most + 1
}

/** What called an agent last before `seq`. */
function causeOf(tx: Tx, label: string, seq: number, atMs: number): Stored | null {
  const called = lastCallAsking(tx, label, seq, atMs - causeMs)
  return called === null ? null : bySeq(tx, called)
}
