import { z } from 'zod'
import { managedNetworks } from '../../../config/networks.ts'
import { includes, type Role, roles } from '../../../core/access/role.ts'
import { byOf, type Caller, changes } from '../../../core/command/command.ts'
import { ChanopError } from '../../../core/error.ts'
import type { NetworkId, UserId } from '../../../core/event.ts'
import { agentNamed, agentsOwnedBy } from '../../../core/ledger/agents/agents.ts'
import { type NewOrder, placeOrder } from '../../../core/ledger/out/orders.ts'
import {
  dropIdentity,
  forgetEmpty,
  identitiesOf,
  type Person,
  people,
  personAt,
  personByName,
} from '../../../core/ledger/people/people.ts'
import { owners, revokeAll, roleIn, rolesWritten } from '../../../core/ledger/people/roles.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import { newPassword } from '../../../core/new-password.ts'
import { duration, escapeInline } from '../../../core/text/text.ts'
import { listed } from '../agents/asking.ts'
import { inherit } from '../agents/heirs.ts'
import { refuseReserved } from '../agents/names.ts'
import { andKey, mustBeForGood, mustBeVouched, ownUntil, refuseSuperior } from '../authority.ts'
import { written } from '../meant.ts'
import { type Context, declare } from '../services.ts'
import { welcome } from '../welcome.ts'
import { becomesOwner, endGiven, mayMake } from './roles.ts'

export const account = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_-]{0,31}$/, 'write a name of letters, digits, _ and -, beginning with a letter')

/** The managed network, where we may make accounts. */
export function managed({ services }: Context): NetworkId {
  const [first] = managedNetworks(services.context.settings.current)
  if (!first) throw new ChanopError('unsupported', 'no network here lets us make accounts: !networks lists them')
  return first
}

const keyed = (context: Context, kind: string): string => `${kind}.${context.event.seq}`

function sealed(context: Context, order: Omit<NewOrder, 'sealed'>, password: string): NewOrder {
  return { ...order, sealed: context.services.context.vault.seal(`order:${order.key}`, password) }
}

const add = declare({
  name: 'person add',
  summary: 'makes an account for a person; the login comes once, to you alone, with lines for their client',
  ...changes('operator'),
  args: z.object({
    account,
    role: z.enum(roles).default('member').meta({ named: true }).describe('member unless said'),
  }),
  confirm: ({ account, role }, { caller }) => confirmOwner(caller, account, role),
  examples: [['!person add bob', 'bob has an account as member; the login is in your DM']],
  async run(context, { account, role }) {
    const { caller, atMs } = context
    mayMake(caller, role)
    const network = managed(context)
    const password = newPassword()
    const by = byOf(caller)
    const { untilMs, note, login, key } = await context.ledger.read(tx => ({
      untilMs: ownUntil(tx, caller, role, atMs),
      key: andKey(tx, caller),
      login: welcome(tx, { account, network }, password),
      note: namesake(tx, account),
    }))
    // The role comes with the account, when that is made: an account that was there keeps having none.
    const order = sealed(
      context,
      {
        key: keyed(context, 'person.add'),
        network,
        kind: 'account.create',
        args: { account, role, by, ...(untilMs === null ? {} : { until: String(untilMs) }) },
      },
      password,
    )
    const time =
      untilMs === null ? '' : ` for ${duration(untilMs - atMs, 2)}, as long as you are ${caller.globalRole}${key}`
    return {
      effect: db => {
        refuseKnown(db, network, account)
        refuseReserved(db, context, account)
        return inherit(db, caller, { network, name: account }, atMs)
      },
      orders: [
        {
          order,
          done: `${account} has an account as ${role}${time}; the login is in your DM${note}`,
          failed: `${account} has no account: {reason}`,
          secret: login,
        },
      ],
    }
  },
})

/** What is confirmed before an account is made, or promised by a code, that is an owner's. */
export function confirmOwner(caller: Caller, account: string, role: Role): string | null {
  mayMake(caller, role)
  return role === 'owner' ? becomesOwner(account) : null
}

function mustHave(tx: Tx, network: NetworkId, account: string): Person {
  const person = personAt(tx, network, account.toLowerCase())
  if (!person) throw new ChanopError('not-found', `no person has the account ${account}; !person list shows them`)
  return person
}

/** Said when somebody else has the name already: theirs is another one then. */
function namesake(tx: Tx, account: string): string {
  const other = personByName(tx, account)
  if (!other) return ''
  const accounts = identitiesOf(tx, other).map(written).join(', ')
  return escapeInline(
    ` · the name ${other.name} is ${accounts} already: write network:account where you mean one of them`,
  )
}

/** Somebody who stands above the asker keeps what they have, and so does everybody before one who is so for a time. */
function guard(tx: Tx, network: NetworkId, account: string, caller: Caller, nowMs: number): Person {
  const person = mustHave(tx, network, account)
  const role = roleIn(tx, person, '', nowMs)
  refuseSuperior(caller.globalRole, account, role)
  mustBeForGood(tx, caller, role, nowMs)
  return person
}

function refuseSelf(caller: Caller, network: NetworkId, account: string): void {
  if (network !== caller.network || account.toLowerCase() !== caller.account) return
  throw new ChanopError('conflict', 'that is you: let another owner do it')
}

export function refuseKnown(tx: Tx, network: NetworkId, account: string): void {
  const known = personAt(tx, network, account.toLowerCase())
  if (known) throw new ChanopError('conflict', `${account} is a person here already; !person passwd gives a new login`)
  if (agentNamed(tx, account)) throw new ChanopError('conflict', `${account} is an agent already: choose another name`)
}

const list = declare({
  name: 'person list',
  aliases: ['people', 'persons'],
  summary: 'the people who have an account here, and their roles',
  role: 'operator',
  reply: 'private',
  examples: [['!person list', /^alice: owner · irc:alice/, 'alice: owner · irc:alice']],
  async run({ ledger, atMs, settings }) {
    const rows = await ledger.read(tx =>
      people(tx).map(person => {
        const accounts = identitiesOf(tx, person).map(written)
        return escapeInline(`${person.name}: ${roleIn(tx, person, '', atMs)} · ${accounts.join(', ') || 'no account'}`)
      }),
    )
    return { lines: rows.length > 0 ? rows : [`nobody yet: ${settings.prefix}person add NAME`] }
  },
})

const passwd = declare({
  name: 'person passwd',
  summary: 'gives an account a new password and ends its sessions; the login comes once, to you alone',
  role: 'guest',
  reply: 'private',
  mutates: true,
  args: z.object({ account: account.optional().describe('your own without') }),
  examples: [['!person passwd nobody', 'no person has the account nobody; !person list shows them']],
  async run(context, { account: named }) {
    const { caller, atMs } = context
    mustBeVouched(caller)
    const network = managed(context)
    const own = named === undefined || (network === caller.network && named.toLowerCase() === caller.account)
    if (!own && !includes(caller.globalRole, 'operator'))
      throw new ChanopError('denied', 'that is not your account: ask an operator')
    if (own && network !== caller.network) throw new ChanopError('usage', `say which account on ${network}`)
    const account = named ?? caller.account
    const password = newPassword()
    // Who asks for their own hears the new one first.
    const args = { account, reason: changed, ...(own ? { sessions: 'keep' } : {}) }
    const order = sealed(
      context,
      { key: keyed(context, 'person.passwd'), network, kind: 'account.password', args },
      password,
    )
    return {
      effect: db => {
        if (own) mustHave(db, network, account)
        else guard(db, network, account, caller, atMs)
        if (own) placeOrder(db, farewell(order, atMs + ownGraceMs), atMs)
      },
      orders: [
        {
          order,
          done: `${account} has a new password; ${own ? `your sessions end in ${duration(ownGraceMs)}` : '{reason}'}`,
          failed: `${account} keeps its password: {reason}`,
          secret: `account=${account} password=${password}`,
        },
      ],
    }
  },
})

const changed = 'the password was changed: log in with the new one'
const ownGraceMs = 10_000

const farewell = ({ key, network, args }: NewOrder, notBeforeMs: number): NewOrder => ({
  key: `${key}.end`,
  network,
  kind: 'account.end-sessions',
  args: { account: args['account'] ?? '', reason: changed, after: key },
  notBeforeMs,
})

const del = declare({
  name: 'person del',
  summary: 'deletes a person’s account and takes their roles',
  ...changes('operator'),
  args: z.object({ account }),
  confirm: async ({ account }, context) => {
    const { caller, ledger, atMs } = context
    const network = managed(context)
    refuseSelf(caller, network, account)
    return ledger.read(db => {
      const person = guard(db, network, account, caller, atMs)
      const role = roleIn(db, person, '', atMs)
      const theirs = agentsOwnedBy(db, written({ network, user: account.toLowerCase() as UserId }))
      const whose = theirs.length === 0 ? '' : `; whoever asks answers for ${listed(theirs)} then`
      const text = `deletes the account ${account} (${role}) and ends its sessions${whose}`
      return { text: escapeInline(text), of: [String(person.id), role, ...theirs] }
    })
  },
  examples: [['!person del bob', 'no person has the account bob; !person list shows them']],
  async run(context, { account }) {
    const { caller, atMs } = context
    const network = managed(context)
    refuseSelf(caller, network, account)
    return {
      effect: db => {
        const person = guard(db, network, account, caller, atMs)
        const besides = endGiven(db, person, rolesWritten(db, person, ''))
        revokeAll(db, person)
        if (owners(db) === 0) throw new ChanopError('conflict', 'that is the last owner: make another one first')
        dropIdentity(db, network, account.toLowerCase() as UserId)
        forgetEmpty(db, person)
        return [
          ...(besides === '' ? [] : [escapeInline(`${account} had a role for a time${besides}`)]),
          ...inherit(db, caller, { network, name: account }, atMs),
        ]
      },
      orders: [
        {
          order: { key: keyed(context, 'person.del'), network, kind: 'account.drop', args: { account } },
          done: `${account} is deleted`,
          failed: `${account} has no role any more, but its account could not be deleted: {reason}`,
        },
      ],
    }
  },
})

export const peopleCommands = [add, list, passwd, del]
