import { z } from 'zod'
import { durationMs } from '../../../core/command/parse/values.ts'
import { ChanopError } from '../../../core/error.ts'
import type { NetworkId, UserId } from '../../../core/event.ts'
import { identitiesOf, type Person, personAt, personByName, personFor } from '../../../core/ledger/people.ts'
import { grant, grants, owners, revoke, roleWritten } from '../../../core/ledger/roles.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import { includes, type Role, roles } from '../../../core/role.ts'
import { duration } from '../../../core/text.ts'
import { declare } from '../services.ts'

const identityForm = /^([a-z][a-z0-9-]*):(\S+)$/

/** Somebody by name, or by `network:account`; an account nobody met yet becomes a person when `make` is set. */
function find(tx: Tx, who: string, near: NetworkId, nowMs: number, make: boolean): Person {
  const known = personByName(tx, who)
  if (known) return known
  const [, network = near, user = who] = identityForm.exec(who) ?? []
  const owner = personAt(tx, network, user.toLowerCase())
  if (owner || make) return personFor(tx, network as NetworkId, user.toLowerCase() as UserId, user, nowMs)
  throw new ChanopError('not-found', `nobody is called ${who.slice(0, 60)}; role list shows who has a role`)
}

function mustStay(tx: Tx): void {
  if (owners(tx) === 0) throw new ChanopError('conflict', 'that is the last owner: make another one first')
}

const list = declare({
  name: 'role list',
  aliases: ['roles'],
  summary: 'who has which role, and where',
  role: 'member',
  reply: 'private',
  args: z.object({}),
  examples: [['!role list', /^alice: owner/]],
  async run({ ledger, atMs }) {
    const all = await ledger.read(db =>
      grants(db, atMs).map(held => ({ ...held, accounts: identitiesOf(db, held.person) })),
    )
    return {
      lines: all.map(({ person, role, room, untilMs, accounts }) => {
        const where = room === '' ? '' : ` in ${room}`
        const until = untilMs === null ? '' : ` for ${duration(untilMs - atMs, 2)} more`
        return `${person.name}: ${role}${where}${until} · ${accounts.map(at => `${at.network}:${at.user}`).join(', ')}`
      }),
    }
  },
})

const given = declare({
  name: 'role grant',
  summary: 'gives somebody a role, everywhere or in one room, for good or for a time',
  role: 'operator',
  reply: 'public',
  mutates: true,
  args: z.object({
    who: z.string().describe('a name, or network:account'),
    role: z.enum(roles),
    in: z.string().optional().meta({ named: true }).describe('a room; everywhere without'),
    for: durationMs().optional().meta({ named: true }).describe('2h, 3d; for good without'),
  }),
  examples: [
    ['!role grant bob member', 'bob is member'],
    ['!role grant bob operator in=ops for=2h', 'bob is operator in ops for 2h'],
  ],
  async run({ caller, services, atMs }, { who, role, in: room = '', for: forMs }) {
    if (!includes(caller.globalRole, role)) {
      throw new ChanopError('denied', `you are ${caller.globalRole} and can not make somebody ${role}`)
    }
    if (room !== '' && !Object.hasOwn(services.context.settings.current.rooms, room)) {
      throw new ChanopError('not-found', `no room ${room.slice(0, 60)}; rooms lists them`)
    }
    return {
      lines: [],
      effect: db => {
        const person = find(db, who, caller.network, atMs, true)
        guardSuperior(db, person, caller.globalRole, room)
        const untilMs = forMs === undefined ? null : atMs + forMs
        grant(db, { person, room, role, untilMs }, caller.person?.name ?? caller.account, atMs)
        if (room === '') mustStay(db)
        const where = room === '' ? '' : ` in ${room}`
        return [`${person.name} is ${role}${where}${forMs === undefined ? '' : ` for ${duration(forMs, 2)}`}`]
      },
    }
  },
})

/** Nobody changes the role of somebody who stands above them. */
function guardSuperior(tx: Tx, person: Person, own: Role, room: string): void {
  const held = roleWritten(tx, person, room)
  if (held && !includes(own, held))
    throw new ChanopError('denied', `${person.name} is ${held}: only such a one may change that`)
}

const taken = declare({
  name: 'role revoke',
  summary: 'takes a role away from somebody',
  role: 'operator',
  reply: 'public',
  mutates: true,
  args: z.object({
    who: z.string().describe('a name, or network:account'),
    in: z.string().optional().meta({ named: true }).describe('the room; everywhere without'),
  }),
  examples: [['!role revoke alice', 'that is the last owner: make another one first']],
  async run({ caller, atMs }, { who, in: room = '' }) {
    return {
      lines: [],
      effect: db => {
        const person = find(db, who, caller.network, atMs, false)
        guardSuperior(db, person, caller.globalRole, room)
        const where = room === '' ? '' : ` in ${room}`
        if (!revoke(db, person, room))
          throw new ChanopError('not-found', `${person.name} has no role${where} to take away`)
        mustStay(db)
        return [`${person.name} has no role${where} any more`]
      },
    }
  },
})

export const roleCommands = [list, given, taken]
