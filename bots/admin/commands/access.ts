/** What becomes of agents: `rotate`, `revoke`, `restore`. */
import { z } from 'zod'
import { changes } from '../../../core/command/command.ts'
import { durationMs, named, rest } from '../../../core/command/parse/values.ts'
import { ChanopError } from '../../../core/error.ts'
import { type Agent, editAgent, setAgentState } from '../../../core/ledger/agents/agents.ts'
import { type NewOrder, placeOrder } from '../../../core/ledger/out/orders.ts'
import { dropLoginsOf } from '../../../core/ledger/people/claims.ts'
import { groupsOf } from '../../../core/ledger/people/groups.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import { newPassword } from '../../../core/new-password.ts'
import { duration, escapeInline } from '../../../core/text/text.ts'
import { guardAgents, listed, type Made, meant, ordered, selector, several, signed } from '../agents/asking.ts'
import { loginLine } from '../agents/login.ts'
import { accountOrder, passwordOrder } from '../agents/orders.ts'
import { mustReach } from '../agents/reach.ts'
import { mustBeAsRead, need, revokeRecord, suspension, theAgent } from '../agents/record.ts'
import { withTerms } from '../agents/terms.ts'
import { type Context, declare } from '../services.ts'

const selfGraceMs = 10_000

const rotate = declare({
  name: 'rotate',
  summary: 'gives agents new passwords and ends their sessions, at once or after a grace',
  ...changes('guest'),
  agents: true,
  args: z.object({
    selector: selector.optional().describe('which agents; an agent itself without'),
    grace: named(durationMs(), 'how long sessions go on'),
  }),
  confirm: async ({ selector: which }, context) => {
    if (which === undefined) return null
    return several(context, which, agents => {
      guardAgents(context, agents, 'rotate')
      return `new passwords for ${listed(agents.map(({ name }) => name))}; sessions end`
    })
  },
  examples: [['!rotate ghost', "nobody fits 'ghost': !agents lists who there is"]],
  async run(context, { selector: which, grace }) {
    const { caller, atMs, ledger } = context
    const agents = await ledger.read(db =>
      which === undefined ? [theAgent(db, caller.agent?.name ?? caller.account)] : meant(context, db, which),
    )
    guardAgents(context, agents, 'rotate')
    await mustReach(context, agents)
    const self = agents.length === 1 && caller.agent?.name === agents[0]?.name
    const graceMs = grace ?? (self ? selfGraceMs : 0)
    const items = agents.map(agent => renewed(context, agent, graceMs))
    const keep = (db: Tx): void => {
      for (const { agent, order } of items) {
        need(theAgent(db, agent.name), ['active', 'rotating'], 'rotated', atMs)
        setAgentState(db, agent.name, 'rotating', null, atMs)
        dropLoginsOf(db, agent.name)
        if (graceMs > 0) placeOrder(db, farewell(context, agent, graceMs, order.key), atMs)
      }
    }
    const then = graceMs > 0 ? `sessions end in ${duration(graceMs)}` : '{reason}'
    return ordered(context, 'rotated', items, keep, ({ agent, password }, db) => ({
      done: `${agent.name} has a new password, in your DM; ${then}`,
      failed: `${agent.name} keeps its password: {reason}`,
      secret: loginLine(db, agent, password),
    }))
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

const farewell = ({ event, atMs }: Context, { network, name }: Agent, graceMs: number, after: string): NewOrder =>
  accountOrder({
    network,
    account: name,
    kind: 'account.end-sessions',
    seq: event.seq,
    args: { reason: changed, after },
    notBeforeMs: atMs + graceMs,
  })

const revoke = declare({
  name: 'revoke',
  summary: 'suspends agents and disconnects them at once, with the reason shown',
  ...changes('operator'),
  args: z.object({ selector, reason: rest().optional().describe('what the agent is shown') }),
  confirm: ({ selector: which }, context) =>
    several(context, which, agents => `revokes ${agents.length}: ${listed(agents.map(({ name }) => name))}`),
  examples: [['!revoke @ghosts', "nobody fits '@ghosts': !agents lists who there is"]],
  async run(context, { selector: which, reason = 'revoked by an operator' }) {
    const { atMs, event, ledger } = context
    const agents = await ledger.read(db => meant(context, db, which))
    const items = agents.map(agent => ({ agent, order: suspension(agent, reason, event.seq) }))
    const keep = (db: Tx): void => {
      for (const { agent } of items) {
        need(theAgent(db, agent.name), ['active', 'rotating', 'revoked'], 'revoked', atMs)
        revokeRecord(db, agent, reason, atMs)
      }
    }
    return ordered(context, 'revoked', items, keep, ({ agent }) => ({
      done: `${agent.name} is revoked and disconnected (${escapeInline(reason.slice(0, 100))}): {reason}`,
      failed: `${agent.name} is revoked here, but its account was not suspended: {reason}`,
    }))
  },
})

const restore = declare({
  name: 'restore',
  summary: 'takes back a revocation; the password is the one it had',
  ...changes('operator'),
  args: z.object({ selector, for: named(durationMs(), 'a new end') }),
  confirm: ({ selector: which }, context) =>
    several(context, which, agents => `restores ${agents.length}: ${listed(agents.map(({ name }) => name))}`),
  examples: [['!restore ghost', "nobody fits 'ghost': !agents lists who there is"]],
  async run(context, { selector: which, for: forMs }) {
    const { atMs, event, ledger } = context
    const found = await ledger.read(db =>
      meant(context, db, which).map(agent => ({ agent, groups: groupsOf(db, agent.name) })),
    )
    const items = await Promise.all(
      found.map(async ({ agent, groups }) => {
        const later = await withTerms(context, agent, { for: forMs })
        const asked = { network: agent.network, account: agent.name, seq: event.seq, step: 'restore' as const }
        return {
          read: agent,
          agent: await signed(context, later, groups),
          order: accountOrder({ ...asked, kind: 'account.restore' }),
        }
      }),
    )
    const keep = (db: Tx): void => {
      for (const { agent, read } of items) {
        mustBeAsRead(db, read)
        const now = theAgent(db, agent.name)
        if (now.state !== 'revoked') throw new ChanopError('conflict', `${now.name} is not revoked: it is ${now.state}`)
        if (agent.expiresMs !== null && agent.expiresMs <= atMs)
          throw new ChanopError('conflict', `the time of ${agent.name} is over: !restore ${agent.name} for=30d`)
        editAgent(db, agent, atMs)
      }
    }
    return ordered(context, 'restored', items, keep, ({ agent }) => ({
      done: `${agent.name} is restored with the password it had; ${context.settings.prefix}rotate ${agent.name} if that leaked`,
      failed: `${agent.name} is not restored: {reason}`,
    }))
  },
})

export const accessCommands = [rotate, revoke, restore]
