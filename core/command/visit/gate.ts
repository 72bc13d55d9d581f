import { identify } from '../../access/identity.ts'
import { includes, type Role } from '../../access/role.ts'
import { ChanopError } from '../../error.ts'
import { type MessageEvent, type Place, saidMs } from '../../event.ts'
import { type Agent, agentOf, engaged, mayBe } from '../../ledger/agents/agents.ts'
import { roleIn } from '../../ledger/people/roles.ts'
import type { Stored } from '../../ledger/record/events.ts'
import type { Tx } from '../../ledger/tx.ts'
import { duration, escapeInline } from '../../text/text.ts'
import type { Caller } from '../command.ts'
import type { Published } from '../help/published.ts'

/** A command older than this is never carried out. */
export const freshMs = 60_000

/** Who asks, as the platform vouches for it and the ledger knows it. */
export function callerOf(db: Tx, { event, room }: Stored<MessageEvent>, nowMs: number): Caller {
  const { place, sender } = event
  const here = identify(db, place.network, sender, room, nowMs)
  return {
    person: here.person,
    agent: sender.verified ? agentOf(db, place.network, sender.id) : null,
    name: sender.name,
    account: sender.id,
    verified: sender.verified,
    role: here.role,
    globalRole: identify(db, place.network, sender, '', nowMs).role,
    network: place.network,
    place,
    room,
    private: place.private === true,
  }
}

/** It was said here and now, and came too late: the ledger took nothing, or a clock is wrong. Its asker is told. */
export const stale = 'stale: older than 60 s'

export function lateLine(
  prefix: string,
  { name }: Published,
  { event }: Pick<Stored<MessageEvent>, 'event'>,
  nowMs: number,
): string {
  return `${prefix}${name} of ${escapeInline(event.sender.name)} was not carried out: it was ${duration(nowMs - saidMs(event))} old when it could be; say it again`
}

/** Why a text shaped as a command carries none; null: it may. Law 4 of docs/architecture.md. */
export function inert({ event, receivedMs }: Stored<MessageEvent>, caller: Caller, nowMs: number): string | null {
  if ((event.hops ?? 0) > 0) return 'bridged: a relayed message carries no command'
  if (event.origin !== 'live') return 'backfill: it was fetched after the fact'
  if (nowMs - receivedMs > freshMs || receivedMs - saidMs(event) > freshMs) return stale
  if (event.content.style === 'action') return 'action: what somebody does is told, not asked for'
  if (event.content.style === 'notice') return 'notice: no program acts on a notice'
  if (event.sender.kind === 'bot' && !caller.agent && (!caller.verified || caller.role === 'guest'))
    return 'bot: a program without a role'
  return null
}

/** Why this caller may not; null: they may. Of people: operator and owner count everywhere or, where declared, in this room. */
export function refusal(command: Published, caller: Caller, nowMs: number = Date.now()): string | null {
  if (caller.agent) return agentRefusal(command, caller.agent, caller.place, nowMs)
  const roomIsEnough = command.scope === 'room' || includes('member', command.role)
  const held = roomIsEnough ? caller.role : caller.globalRole
  if (includes(held, command.role)) return null
  const everywhere = !roomIsEnough && includes(caller.role, command.role) ? ' everywhere, not in this room alone' : ''
  if (!caller.verified) {
    return `${command.name} needs ${command.role}; nobody vouches for you here: log in to your account and say it again`
  }
  return `${command.name} needs ${command.role}${everywhere}; you are ${held}`
}

/**
 * For commands with `scope: 'room'`: what counts is the role in the room that they are about, wherever they are said. An
 * agent's engagement has named the command already. Throws `denied`.
 */
export function mustHoldIn(tx: Tx, caller: Caller, room: string, needed: Role, nowMs: number): void {
  if (caller.agent || includes(caller.globalRole, needed)) return
  const held = caller.person ? roleIn(tx, caller.person, room, nowMs) : 'guest'
  if (!includes(held, needed)) throw new ChanopError('denied', `that needs ${needed} in ${room}; you are ${held} there`)
}

/** An agent has the permissions that its engagement names, and no role: owners' commands are never among them. */
function agentRefusal(command: Published, agent: Agent, place: Place, nowMs: number): string | null {
  if (!engaged(agent, nowMs))
    return `the engagement of ${agent.name} is over; an operator can restore it: !restore ${agent.name}`
  if (!mayBe(agent, place)) return `the engagement of ${agent.name} does not name ${place.channel}`
  if (command.agents) return null
  const { permissions, name } = agent
  const names = [command.name, ...command.aliases]
  const listed =
    names.some(word => permissions.includes(word)) || (permissions.includes('*') && includes('member', command.role))
  if (listed && command.role !== 'owner') return null
  return `${command.name} is not in the engagement of ${name}; an operator can add it: !agent edit ${name} permissions=…`
}
