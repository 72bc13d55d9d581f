/** Agents come, get new passwords and go: `register`, `adopt`, `rotate`, `revoke`, `restore`. */
import { z } from 'zod'
import { type Agent, agentNamed } from '../../../core/agent.ts'
import type { Answer, CommandContext, Ordered } from '../../../core/command/command.ts'
import { bots } from '../../../core/command/desk.ts'
import { durationMs, rest } from '../../../core/command/values.ts'
import { ChanopError } from '../../../core/error.ts'
import { directly } from '../../../core/event.ts'
import { includes } from '../../../core/identity.ts'
import { type NewOrder, place as placeOrder } from '../../../core/ledger/orders.ts'
import { type Db, sql } from '../../../core/ledger/sqlite.ts'
import { Rooms } from '../../../core/rooms.ts'
import { newPassword } from '../../../core/secrets.ts'
import { expandNames } from '../../../core/selector.ts'
import { duration, escapeInline } from '../../../core/text.ts'
import { keepBatch } from '../agents/batch.ts'
import { claimMs, dropClaims, keepClaim, newCode } from '../agents/claims.ts'
import { loginLine } from '../agents/login.ts'
import { accountOrder, passwordOrder } from '../agents/orders.ts'
import { chosen, editAgent, groupsOf, insertAgent, need, setAgentState, theAgent } from '../agents/record.ts'
import { revokeRecord, suspension } from '../agents/revoke.ts'
import { defaultRate, type Terms, terms, withTerms } from '../agents/terms.ts'
import { type AdminServices, declare } from '../services.ts'
import { managed } from './people.ts'

type Context = CommandContext<AdminServices>

/** More than these are told in one line, and their logins are left in a file. */
const fewAgents = 5

export const agentName = z
  .string()
  .regex(/^[A-Za-z0-9_][A-Za-z0-9_-]{0,31}$/, 'write a name of letters, digits, _ and -')
  .transform(typed => typed.toLowerCase())

export const selector = z.string().min(1).max(2000).describe('worker-1, a,b, @all, @worker, @wor*; ,-x leaves out x')

export const byOf = ({ caller }: Context): string => caller.person?.name ?? caller.account

const reserved = new Set<string>([...bots, 'all'])

async function drafted(context: Context, name: string, typed: Terms): Promise<Agent> {
  const { caller, atMs } = context
  const network = managed(context)
  const blank: Omit<Agent, 'engagement'> = {
    name,
    network,
    type: 'worker',
    owner: `${caller.network}:${caller.account}`,
    state: 'registering',
    channels: ['*'],
    permissions: [],
    skills: [],
    rate: defaultRate,
    native: false,
    reason: null,
    paused: false,
    createdMs: atMs,
    changedMs: atMs,
    expiresMs: null,
    createdBy: byOf(context),
  }
  return signed(context, await withTerms(context, blank, typed), [])
}

/** The agent with an engagement that says what it says now. */
export async function signed(
  { services, atMs }: Context,
  agent: Omit<Agent, 'engagement'>,
  groups: readonly string[],
): Promise<Agent> {
  return { ...agent, engagement: await services.signer.sign(agent, groups, atMs) }
}

function refuseTaken(db: Db, { name, network }: Agent): void {
  const known = agentNamed(db, name)
  if (known)
    throw new ChanopError('account-exists', `${name} is an agent already (${known.state}): choose another name`)
  const person = sql(db, 'SELECT 1 FROM identity WHERE network = ? AND user = ?').get(network, name)
  if (person || reserved.has(name))
    throw new ChanopError('account-exists', `${name} is taken by a ${person ? 'person' : 'bot'}: choose another name`)
}

/** Orders of one command whose end is told in one line; their passwords go into a file. */
function batched(
  context: Context,
  verb: string,
  items: readonly { readonly agent: Agent; readonly order: NewOrder; readonly password?: string }[],
): (db: Db) => void {
  const { caller, event, atMs, services } = context
  const places = new Rooms(services.context.settings.current.rooms).with(caller.place)
  const direct = caller.private ? caller.place : directly(caller.network, caller.account)
  return db => {
    for (const { order } of items) placeOrder(db, order, atMs)
    keepBatch(db, services.context.vault, {
      id: `${verb}-${event.seq}`,
      verb,
      places: caller.private ? [caller.place] : places,
      direct,
      items: items.map(({ agent, order, password }) => ({
        name: agent.name,
        key: order.key,
        ...(password === undefined ? {} : { password }),
      })),
    })
  }
}

const listed = (names: readonly string[]): string =>
  names.length <= 10 ? names.join(', ') : `${names.slice(0, 5).join(', ')} … ${names.at(-1)} (${names.length})`

const register = declare({
  name: 'register',
  summary: 'makes an account and an engagement for a program; the login comes once, to you alone',
  role: 'operator',
  reply: 'public',
  mutates: true,
  args: z.object({
    nick: z.string().min(1).max(80).describe('a name, or many: worker-{001..500}'),
    ...terms,
    claim: z.boolean().default(false).meta({ flag: true }).describe('a code instead of the password, for ten minutes'),
  }),
  examples: [
    ['!register worker-1 channels=#general for=30d', 'worker-1 is registered as worker; its login is in your DM'],
  ],
  async run(context, { nick, claim, ...typed }) {
    const names = expandNames(nick)?.map(name => agentName.safeParse(name))
    const bad = names?.find(({ success }) => !success)
    if (!names || bad)
      throw new ChanopError('usage', `write a name of letters, digits, _ and - (32 at most), or worker-{1..500}`)
    if (claim && names.length > 1)
      throw new ChanopError('usage', 'a claim code is for one agent: register them one by one')
    const agents = await Promise.all(names.map(name => drafted(context, name.data as string, typed)))
    const orders = agents.map(agent => made(context, agent))
    const keep = (db: Db): void => {
      for (const { agent } of orders) {
        refuseTaken(db, agent)
        insertAgent(db, agent)
      }
    }
    if (orders.length > fewAgents) return many(context, 'registered', orders, keep)
    const server = await context.ledger.read(db => orders.map(({ agent, password }) => loginLine(db, agent, password)))
    const code = claim ? newCode() : null
    return {
      lines: [],
      effect: db => {
        keep(db)
        if (code !== null)
          claimable(db, context, code, { agent: (orders[0] as Made).agent.name, login: server[0] as string })
      },
      orders: orders.map(({ agent, order }, index) => ({
        order,
        done: `${agent.name} is registered as ${agent.type}; its ${code === null ? 'login' : 'claim code'} is in your DM`,
        failed: `${agent.name} is not registered: {reason}`,
        secret: code === null ? `${server[index]}\nengagement=${agent.engagement}` : claimText(agent.name, code),
      })),
    }
  },
})

interface Made {
  readonly agent: Agent
  readonly order: NewOrder
  readonly password: string
}

function made({ event, services }: Context, agent: Agent): Made {
  const password = newPassword()
  const asked = { network: agent.network, account: agent.name, seq: event.seq, step: 'register' as const }
  return {
    agent,
    password,
    order: passwordOrder(services.context.vault, password, { ...asked, kind: 'account.create' }),
  }
}

function claimable(db: Db, { services, atMs }: Context, code: string, kept: { agent: string; login: string }): void {
  keepClaim(db, services.context.vault, { code, ...kept, untilMs: atMs + claimMs })
}

const claimText = (name: string, code: string): string =>
  `claim code of ${name}: ${code} · once, within ${duration(claimMs)}: npm run claim -- ${code} on the host, or claim ${code} in a DM to admin`

function many(
  context: Context,
  verb: string,
  items: readonly { readonly agent: Agent; readonly order: NewOrder; readonly password?: string }[],
  keep: (db: Db) => void,
): Answer {
  const batch = batched(context, verb, items)
  const names = listed(items.map(({ agent }) => agent.name))
  return {
    lines: [`${items.length} agents are being ${verb}: ${names}; I say when it is done`],
    effect: db => {
      keep(db)
      batch(db)
    },
  }
}

const adopt = declare({
  name: 'adopt',
  summary: 'makes an agent of an account that is there; its password stays as it is',
  role: 'operator',
  reply: 'public',
  mutates: true,
  args: z.object({ account: agentName, ...terms }),
  examples: [['!adopt oldbot type=observer', 'oldbot is an agent now; its password is as it was']],
  async run(context, { account, ...typed }) {
    const agent = await drafted(context, account, typed)
    const asked = { network: agent.network, account: agent.name, seq: context.event.seq, step: 'register' as const }
    return {
      lines: [],
      effect: db => {
        refuseTaken(db, agent)
        insertAgent(db, agent)
      },
      orders: [
        {
          order: accountOrder({ ...asked, kind: 'account.check' }),
          done: `${agent.name} is an agent now; its password is as it was`,
          failed: `${agent.name} is not adopted: {reason}`,
        },
      ],
    }
  },
})

const selfGraceMs = 10_000

/** Whether an agent is the caller's: their own account, or they answer for it. */
export const isOwn = ({ caller }: Context, agent: Agent): boolean => {
  const who = `${caller.network}:${caller.account}`
  return caller.verified && (who === `${agent.network}:${agent.name}` || who === agent.owner)
}

/** An operator, whoever answers for all of them, the agent itself, or one whose engagement names the command. */
export function guardAgents(context: Context, agents: readonly Agent[], command: string): void {
  const { caller } = context
  if (!caller.agent && includes(caller.globalRole, 'operator')) return
  if (caller.agent?.permissions.includes(command)) return
  const other = agents.find(agent => !isOwn(context, agent))
  if (other) throw new ChanopError('denied', `${other.name} is not yours: ask an operator`)
}

const rotate = declare({
  name: 'rotate',
  summary: 'gives agents new passwords and ends their sessions, at once or after a grace',
  role: 'guest',
  agents: true,
  reply: 'public',
  mutates: true,
  args: z.object({
    selector: selector.optional().describe('which agents; an agent itself without'),
    grace: durationMs().optional().meta({ named: true }).describe('how long sessions go on'),
  }),
  confirm: async ({ selector: which }, context) => {
    const agents = which === undefined ? [] : await context.ledger.read(db => chosen(db, which))
    guardAgents(context, agents, 'rotate')
    return agents.length > 1 ? `new passwords for ${listed(agents.map(({ name }) => name))}; sessions end` : null
  },
  examples: [['!rotate ghost', "nobody fits 'ghost': agents lists who there is"]],
  async run(context, { selector: which, grace }) {
    const { caller, atMs, ledger } = context
    const agents = await ledger.read(db => (which === undefined ? [theAgent(db, caller.account)] : chosen(db, which)))
    guardAgents(context, agents, 'rotate')
    const self = agents.length === 1 && caller.agent?.name === agents[0]?.name
    const graceMs = grace ?? (self ? selfGraceMs : 0)
    const items = agents.map(agent => renewed(context, agent, graceMs))
    const keep = (db: Db): void => {
      for (const { agent } of items) {
        need(theAgent(db, agent.name), ['active', 'rotating'], 'rotated', atMs)
        setAgentState(db, agent.name, 'rotating', null, atMs)
        dropClaims(db, agent.name)
        if (graceMs > 0) placeOrder(db, farewell(context, agent, graceMs), atMs)
      }
    }
    if (items.length > fewAgents) return many(context, 'rotated', items, keep)
    const logins = await ledger.read(db => items.map(({ agent, password }) => loginLine(db, agent, password)))
    const then = graceMs > 0 ? `sessions end in ${duration(graceMs)}` : '{reason}'
    return {
      lines: [],
      effect: keep,
      orders: items.map(({ agent, order }, index) => ({
        order,
        done: `${agent.name} has a new password, in your DM; ${then}`,
        failed: `${agent.name} keeps its password: {reason}`,
        secret: logins[index] as string,
      })),
    }
  },
})

const changed = 'the password was changed: log in with the new one'

function renewed({ event, services }: Context, agent: Agent, graceMs: number): Made {
  const password = newPassword()
  const args = { reason: changed, ...(graceMs > 0 ? { sessions: 'keep' } : {}) }
  const asked = { network: agent.network, account: agent.name, seq: event.seq, step: 'rotate' as const, args }
  return {
    agent,
    password,
    order: passwordOrder(services.context.vault, password, { ...asked, kind: 'account.password' }),
  }
}

const farewell = ({ event, atMs }: Context, { network, name }: Agent, graceMs: number): NewOrder =>
  accountOrder({
    network,
    account: name,
    kind: 'account.end-sessions',
    seq: event.seq,
    args: { reason: changed },
    notBeforeMs: atMs + graceMs,
  })

const revoke = declare({
  name: 'revoke',
  summary: 'suspends agents and disconnects them at once, with the reason shown',
  role: 'operator',
  reply: 'public',
  mutates: true,
  args: z.object({ selector, reason: rest().optional().describe('what the agent is shown') }),
  confirm: async ({ selector: which }, { ledger }) => {
    const agents = await ledger.read(db => chosen(db, which))
    return agents.length > 1 ? `revokes ${agents.length}: ${listed(agents.map(({ name }) => name))}` : null
  },
  examples: [['!revoke @ghosts', "nobody fits '@ghosts': agents lists who there is"]],
  async run(context, { selector: which, reason = 'revoked by an operator' }) {
    const { atMs, event, ledger } = context
    const agents = await ledger.read(db => chosen(db, which))
    const items = agents.map(agent => ({ agent, order: suspension(agent, reason, event.seq) }))
    const keep = (db: Db): void => {
      for (const { agent } of items) {
        need(theAgent(db, agent.name), ['active', 'rotating', 'revoked'], 'revoked', atMs)
        revokeRecord(db, agent, reason, atMs)
      }
    }
    if (items.length > fewAgents) return many(context, 'revoked', items, keep)
    return {
      lines: [],
      effect: keep,
      orders: items.map(({ agent, order }) => ({
        order,
        done: `${agent.name} is revoked and disconnected (${escapeInline(reason.slice(0, 100))})`,
        failed: `${agent.name} is revoked here, but its account was not suspended: {reason}`,
      })),
    }
  },
})

const restore = declare({
  name: 'restore',
  summary: 'takes back a revocation; the password is the one it had',
  role: 'operator',
  reply: 'public',
  mutates: true,
  args: z.object({ selector, for: durationMs().optional().meta({ named: true }).describe('a new end') }),
  confirm: async ({ selector: which }, { ledger }) => {
    const agents = await ledger.read(db => chosen(db, which))
    return agents.length > 1 ? `restores ${agents.length}: ${listed(agents.map(({ name }) => name))}` : null
  },
  examples: [['!restore ghost', "nobody fits 'ghost': agents lists who there is"]],
  async run(context, { selector: which, for: forMs }) {
    const { atMs, event, ledger } = context
    const found = await ledger.read(db => chosen(db, which).map(agent => ({ agent, groups: groupsOf(db, agent.name) })))
    const items = await Promise.all(
      found.map(async ({ agent, groups }) => {
        const later = await withTerms(context, agent, { for: forMs })
        const asked = { network: agent.network, account: agent.name, seq: event.seq, step: 'restore' as const }
        return {
          agent: await signed(context, later, groups),
          order: accountOrder({ ...asked, kind: 'account.restore' }),
        }
      }),
    )
    const keep = (db: Db): void => {
      for (const { agent } of items) {
        const now = theAgent(db, agent.name)
        if (now.state !== 'revoked') throw new ChanopError('conflict', `${now.name} is not revoked: it is ${now.state}`)
        if (agent.expiresMs !== null && agent.expiresMs <= atMs)
          throw new ChanopError('conflict', `the time of ${agent.name} is over: restore ${agent.name} for=30d`)
        editAgent(db, agent, atMs)
      }
    }
    if (items.length > fewAgents) return many(context, 'restored', items, keep)
    const orders: Ordered[] = items.map(({ agent, order }) => ({
      order,
      done: `${agent.name} is restored with the password it had; rotate ${agent.name} if that leaked`,
      failed: `${agent.name} is not restored: {reason}`,
    }))
    return { lines: [], effect: keep, orders }
  },
})

export const agentsCommands = [register, adopt, rotate, revoke, restore]
