import { z } from 'zod'
import { includes } from '../../../core/access/role.ts'
import type { Caller } from '../../../core/command/command.ts'
import type { Published } from '../../../core/command/help/published.ts'
import { resolve } from '../../../core/command/parse/suggest.ts'
import { named, nameOf, rest } from '../../../core/command/parse/values.ts'
import { isIgnored } from '../../../core/command/visit/desk.ts'
import { refusal } from '../../../core/command/visit/gate.ts'
import { ChanopError } from '../../../core/error.ts'
import type { NetworkId, UserId } from '../../../core/event.ts'
import { type Agent, agentNamed } from '../../../core/ledger/agents/agents.ts'
import { identitiesOf, type Person } from '../../../core/ledger/people/people.ts'
import { type Grant, grantsOf, holds, roleIn } from '../../../core/ledger/people/roles.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import { duration, escapeInline } from '../../../core/text/text.ts'
import { type Known, known } from '../known.ts'
import { accountForm, accountMeant, idMeant, noRoom } from '../meant.ts'
import { type Context, declare } from '../services.ts'

/** Somebody as the router would see them here. */
interface Somebody {
  readonly name: string
  readonly caller: Caller
}

function callerFor(
  { caller }: Context,
  account: { network: NetworkId; user: UserId },
  as: Pick<Caller, 'person' | 'agent' | 'role' | 'globalRole'> & { name: string; room: string },
): Caller {
  const { network, user } = account
  return { ...caller, ...as, network, account: user, verified: true, place: { ...caller.place, network } }
}

function ofPerson(tx: Tx, context: Context, person: Person, room: string): Somebody {
  const [account] = identitiesOf(tx, person)
  const roleHere = roleIn(tx, person, room, context.atMs)
  const globalRole = roleIn(tx, person, '', context.atMs)
  const { network, account: user } = context.caller
  const at = account ?? { network, user }
  return {
    name: person.name,
    caller: callerFor(context, at, { person, agent: null, role: roleHere, globalRole, name: person.name, room }),
  }
}

const ofAgent = (context: Context, agent: Agent, room: string): Somebody => ({
  name: agent.name,
  caller: callerFor(
    context,
    { network: agent.network, user: agent.name as UserId },
    { person: null, agent, role: 'guest', globalRole: 'guest', name: agent.name, room },
  ),
})

/** A person or agent by name, or anybody by `network:account`: of an account nobody knows, what a guest may. */
function find(tx: Tx, context: Context, who: string, room: string): Somebody {
  const bare = who.replace(/^@/, '')
  const [, network = context.caller.network as string, user = bare] = accountForm.exec(bare) ?? []
  const agent = agentNamed(tx, user)
  if (agent?.network === network) return ofAgent(context, agent, room)
  const full = accountForm.test(bare)
  const person = full
    ? idMeant(tx, network as NetworkId, user as UserId).person
    : accountMeant(tx, bare, context.caller.network).person
  if (person) return ofPerson(tx, context, person, room)
  const nobody = { person: null, agent: null, role: 'guest', globalRole: 'guest', name: user, room } as const
  return {
    name: bare,
    caller: callerFor(context, { network: network as NetworkId, user: user.toLowerCase() as UserId }, nobody),
  }
}

/** `operator in ops for 2h more (by olga)` */
function heldLine({ role, room, untilMs, by }: Grant, nowMs: number): string {
  const where = room === '' ? 'everywhere' : `in ${room}`
  const until = untilMs === null ? '' : ` for ${duration(Math.max(0, untilMs - nowMs), 2)} more`
  return `${role} ${where}${until} (by ${by})`
}

function held(tx: Tx, { caller }: Somebody, knows: Known, nowMs: number): string {
  const { agent, person } = caller
  if (agent) {
    const ends =
      agent.expiresMs === null ? '' : `, engaged for ${duration(Math.max(0, agent.expiresMs - nowMs), 2)} more`
    const may = agent.permissions.length > 0 ? agent.permissions.join(', ') : 'nothing'
    return `agent, ${agent.state}${agent.paused ? ', paused' : ''}${ends}, permissions: ${may}`
  }
  const all = person ? grantsOf(tx, person).filter(({ room }) => room === '' || knows.room(room)) : []
  const lines = [
    ...all.filter(each => holds(each, nowMs)).map(each => heldLine(each, nowMs)),
    ...all.filter(each => !holds(each, nowMs)).map(endedLine),
  ]
  return lines.join('; ') || 'guest: no role'
}

const endedLine = ({ role, room }: Grant): string => `${role} ${room === '' ? 'everywhere' : `in ${room}`} has ended`

/** What the command itself asks for, whoever says it. */
function demands({ role, scope, where, bot }: Published): string {
  const reach = scope === 'room' || includes('member', role) ? '' : ' everywhere'
  const need = role === 'guest' ? 'is for everybody' : `needs ${role}${reach}`
  return where === 'dm' ? `${need}, in a direct message to ${bot}` : need
}

const can = declare({
  name: 'can',
  summary: 'whether somebody may do something, and why; nothing is run',
  role: 'member',
  reply: 'private',
  args: z.object({
    who: nameOf('person').describe('a name, an agent, or network:account'),
    in: named(nameOf('room'), 'a room; this one without'),
    command: rest().max(200).describe('as it would be typed'),
  }),
  examples: [
    [
      '!can alice role grant',
      /^yes: role grant needs operator everywhere; alice is owner everywhere/,
      'yes: role grant needs operator everywhere; alice is owner everywhere (by the configuration)',
    ],
    [
      '!can irc:bob restart oracle',
      /^no: restart needs operator everywhere; irc:bob is guest: no role/,
      'no: restart needs operator everywhere; irc:bob is guest: no role',
    ],
  ],
  async run(context, { who, in: room = context.caller.room, command }) {
    const { services, settings, atMs } = context
    const config = services.context.settings.current
    return context.ledger.read(db => {
      const knows = known(db, context, 'private')
      if (room !== context.caller.room && !(Object.hasOwn(config.rooms, room) && knows.room(room))) throw noRoom(room)
      const line = command.startsWith(settings.prefix) ? command.slice(settings.prefix.length) : command
      const found = resolve(services.catalogue.refresh(db), line, false)
      if (found.is !== 'command') {
        const near = found.near ? `did you mean ${found.near}?` : '!help lists them'
        throw new ChanopError('not-found', `no command ${line.slice(0, 40)}; ${near}`)
      }
      const somebody = find(db, context, who, room)
      const { caller, name } = somebody
      const ignored = isIgnored(config.ignore, {
        place: caller.place,
        sender: { id: caller.account, name, kind: 'person', verified: true },
      })
      const no = refusal(found.command, caller, atMs)
      const verdict = ignored ? `no: ${name} is ignored` : no === null ? 'yes' : 'no'
      const what = `${found.command.name} ${demands(found.command)}`
      return escapeInline(`${verdict}: ${what}; ${name} is ${held(db, somebody, knows, atMs)}`)
    })
  },
})

export const canCommands = [can]
