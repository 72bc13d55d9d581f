import { z } from 'zod'
import { includes, type Role, roles } from '../../../core/access/role.ts'
import { byOf, type Caller, changes } from '../../../core/command/command.ts'
import { durationMs, named, nameOf } from '../../../core/command/parse/values.ts'
import { ChanopError } from '../../../core/error.ts'
import { type Account, identitiesOf, type Person } from '../../../core/ledger/people/people.ts'
import {
  grant,
  grants,
  type Held,
  owners,
  revoke,
  revokeGiven,
  rolesWritten,
} from '../../../core/ledger/people/roles.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import { duration, escapeInline } from '../../../core/text/text.ts'
import { andKey, mustBeForGood, ownUntil, refuseSuperior } from '../authority.ts'
import { known } from '../known.ts'
import { accountMeant, noRoom, personMeant, written } from '../meant.ts'
import { declare } from '../services.ts'

function mustStay(tx: Tx): void {
  if (owners(tx) === 0) throw new ChanopError('conflict', 'that is the last owner: make another one first')
}

const list = declare({
  name: 'role list',
  aliases: ['roles'],
  summary: 'who has which role, and where',
  role: 'member',
  reply: 'private',
  examples: [['!role list', /^alice: owner/, 'alice: owner · irc:alice']],
  async run(context) {
    const { ledger, atMs } = context
    const all = await ledger.read(db => {
      const knows = known(db, context, 'private')
      return grants(db, atMs)
        .filter(({ room }) => room === '' || knows.room(room))
        .map(held => ({ ...held, accounts: identitiesOf(db, held.person) }))
    })
    return {
      data: all,
      lines: all.map(({ person, role, room, untilMs, accounts }) => {
        const where = room === '' ? '' : ` in ${room}`
        const until = untilMs === null ? '' : ` for ${duration(untilMs - atMs, 2)} more`
        return escapeInline(`${person.name}: ${role}${where}${until} · ${accounts.map(written).join(', ')}`)
      }),
    }
  },
})

const given = declare({
  name: 'role grant',
  summary: 'gives somebody a role, everywhere or in one room, for good or for a time',
  ...changes('operator'),
  args: z.object({
    who: nameOf('person').describe('a name, or network:account'),
    role: z.enum(roles),
    in: named(nameOf('room'), 'a room; everywhere without'),
    for: named(durationMs(), '2h, 3d; for good without'),
  }),
  examples: [
    ['!role grant bob member', 'irc:bob is member'],
    ['!role grant bob operator in=ops for=2h', 'irc:bob is operator in ops for 2h'],
  ],
  confirm: async ({ who, role, in: room }, { ledger, caller }) => {
    mayMake(caller, role)
    if (role !== 'owner' || room !== undefined) return null
    return ledger.read(tx => {
      const { account, person } = accountMeant(tx, who, caller.network)
      return becomesOwner(person ? shown(tx, { ...person, account }) : written(account))
    })
  },
  async run({ caller, services, atMs }, { who, role, in: room = '', for: forMs }) {
    mayMake(caller, role)
    if (room !== '' && !Object.hasOwn(services.context.settings.current.rooms, room)) throw noRoom(room)
    return {
      effect: tx => {
        const person = personMeant(tx, who, caller.network, atMs)
        const own = ownUntil(tx, caller, role, atMs)
        const wished = forMs === undefined ? null : atMs + forMs
        const untilMs = own === null ? wished : Math.min(wished ?? own, own)
        guardGrant(tx, person, { role, room, untilMs }, caller, atMs)
        const held = room === '' ? rolesWritten(tx, person, '') : []
        const besides = room === '' ? endGiven(tx, person, cutShort(held, { role, untilMs })) : ''
        grant(tx, { person, room, role, untilMs }, byOf(caller), atMs)
        if (room === '') mustStay(tx)
        const where = room === '' ? '' : ` in ${room}`
        const time = untilMs === null ? '' : ` for ${duration(untilMs - atMs, 2)}`
        const cut = untilMs === wished ? '' : `, as long as you are${andKey(tx, caller)}`
        return [escapeInline(`${shown(tx, person)} is ${role}${where}${time}${cut}${besides}`)]
      },
    }
  },
})

/** Of what is held for a time: what a grant takes away or cuts short. */
const cutShort = (held: readonly Held[], { role, untilMs }: Pick<Held, 'role' | 'untilMs'>): Held[] =>
  held.filter(
    each => each.untilMs !== null && !(includes(role, each.role) && (untilMs === null || untilMs >= each.untilMs)),
  )

/** What is confirmed before somebody is made an owner. */
export const becomesOwner = (who: string): string =>
  escapeInline(`${who} becomes owner and may do everything, take your own role too`)

export function mayMake({ globalRole }: Caller, role: Role): void {
  if (includes(globalRole, role)) return
  throw new ChanopError('denied', `you are ${globalRole} and can not make somebody ${role}`)
}

/** The account that was meant, and by which others the same person has it too. */
function shown(tx: Tx, { account, ...person }: Person & { account: Account }): string {
  const others = identitiesOf(tx, person).filter(({ network, user }) => written({ network, user }) !== written(account))
  return others.length === 0 ? written(account) : `${written(account)} (also ${others.map(written).join(', ')})`
}

/** What was given by a role for a time ends with it, also when that ends early. What is said of it. */
export function endGiven(tx: Tx, person: Person, held: readonly Held[]): string {
  const timed = held.find(({ untilMs }) => untilMs !== null)
  const names = timed?.untilMs == null ? [] : revokeGiven(tx, person, timed.untilMs).map(({ name }) => name)
  return names.length === 0 ? '' : `; what they gave ends with it: ${[...new Set(names)].join(', ')}`
}

/** Throws when the change is not the asker's to make. A role for a time adds to what is held for good, it never lowers it. */
function guardGrant(tx: Tx, person: Person, to: Held & { room: string }, caller: Caller, nowMs: number): void {
  const held = rolesWritten(tx, person, to.room)
  for (const { role } of held) refuseSuperior(caller.globalRole, person.name, role)
  const [stays] = held.filter(({ untilMs }) => untilMs === null)
  if (to.untilMs === null && stays) mustBeForGood(tx, caller, stays.role, nowMs)
  if (to.untilMs !== null && stays && includes(stays.role, to.role))
    throw new ChanopError(
      'conflict',
      `${person.name} is ${stays.role} for good: a role for a time adds nothing to that`,
    )
}

const taken = declare({
  name: 'role revoke',
  summary: 'takes a role away from somebody',
  ...changes('operator'),
  args: z.object({
    who: nameOf('person').describe('a name, or network:account'),
    in: named(nameOf('room'), 'the room; everywhere without'),
  }),
  examples: [['!role revoke alice', 'that is the last owner: make another one first']],
  async run({ caller, atMs }, { who, in: room = '' }) {
    return {
      effect: tx => {
        const { account, person } = accountMeant(tx, who, caller.network)
        const where = room === '' ? '' : ` in ${room}`
        const held = person ? rolesWritten(tx, person, room) : []
        if (!person || held.length === 0)
          throw new ChanopError('not-found', `${written(account)} has no role${where} to take away`)
        for (const { role } of held) refuseSuperior(caller.globalRole, person.name, role)
        for (const { role, untilMs } of held) if (untilMs === null) mustBeForGood(tx, caller, role, atMs)
        revoke(tx, person, room)
        const besides = room === '' ? endGiven(tx, person, held) : ''
        mustStay(tx)
        return [escapeInline(`${shown(tx, { ...person, account })} has no role${where} any more${besides}`)]
      },
    }
  },
})

export const roleCommands = [list, given, taken]
