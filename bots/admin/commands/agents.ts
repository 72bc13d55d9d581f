/** One agent or all of them looked at and kept in order: `agents` and `agent …`. */

import { z } from 'zod'
import { changes, type Ordered } from '../../../core/command/command.ts'
import { durationMs, flag, named, rest } from '../../../core/command/parse/values.ts'
import { ChanopError } from '../../../core/error.ts'
import {
  type Agent,
  agents,
  editAgent,
  forgetAgent,
  isEverything,
  setAgentState,
} from '../../../core/ledger/agents/agents.ts'
import { type NewOrder, placeOrder } from '../../../core/ledger/out/orders.ts'
import { certificatesOf } from '../../../core/ledger/people/certificates.ts'
import { groupsOf } from '../../../core/ledger/people/groups.ts'
import { presenceAt } from '../../../core/ledger/people/presence.ts'
import { lastHeard } from '../../../core/ledger/record/history.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import { ago, counted, dayMs, duration, escapeInline } from '../../../core/text/text.ts'
import { agentName, listed, meant, selector, several, signed } from '../agents/asking.ts'
import { inherit } from '../agents/heirs.ts'
import { accountOrder } from '../agents/orders.ts'
import { mustReach } from '../agents/reach.ts'
import { mustBeAsRead, need, theAgent } from '../agents/record.ts'
import { rateText, terms, withTerms } from '../agents/terms.ts'
import { outsideOf, putOut } from '../agents/watch.ts'
import { type Known, known } from '../known.ts'
import { declare } from '../services.ts'

const seenMs = (tx: Tx, { network, name }: Pick<Agent, 'network' | 'name'>): number | null =>
  presenceAt(tx, network, name)?.seenMs ?? lastHeard(tx, name)

export const nobodyHere = 'there is no agent nobody: !agents lists who there is'

const until = ({ expiresMs }: Agent, nowMs: number): string =>
  expiresMs === null ? '' : expiresMs > nowMs ? ` · ${duration(expiresMs - nowMs)} left` : ' · its time is over'

/** Of the channels where it may be, those that who reads it may know of. */
const channelsTold = ({ network, channels }: Pick<Agent, 'network' | 'channels'>, knows: Known): string[] =>
  channels.filter(channel => isEverything(channel) || knows.place({ network, channel }))

function channelsLine(agent: Agent, knows: Known): string {
  const told = channelsTold(agent, knows)
  const hidden = agent.channels.length - told.length
  const words = told.map(channel => (isEverything(channel) ? 'open rooms' : channel))
  return [...words, ...(hidden > 0 ? [`${hidden} closed`] : [])].join(' ')
}

/** One that never was here is only registered. */
const stateOf = (tx: Tx, agent: Agent): string =>
  agent.state === 'active' && seenMs(tx, agent) === null ? 'registered' : agent.state

const row = (agent: Agent, knows: Known, nowMs: number, state: string = agent.state): string =>
  `${agent.name} · ${agent.type} · ${state} · ${escapeInline(channelsLine(agent, knows))} · of ${escapeInline(agent.owner)}${until(agent, nowMs)}`

/** What programs are told of an agent: its signed engagement is `engagement`’s to tell. */
const told = ({ engagement: _signed, ...agent }: Agent, knows: Known): Omit<Agent, 'engagement'> => ({
  ...agent,
  channels: channelsTold(agent, knows),
})

const byState = (found: readonly { readonly state: string }[]): string => {
  const states = Map.groupBy(found, ({ state }) => state)
  const parts = [...states].map(([state, all]) => `${all.length} ${state}`)
  return `${counted(found.length, 'agent')}: ${parts.join(', ')}`
}

const list = declare({
  name: 'agent list',
  aliases: ['agents'],
  summary: 'the agents, or those that a selector means',
  role: 'member',
  reply: 'public',
  args: z.object({ selector: selector.optional() }),
  examples: [['!agents', 'no agents yet: !register NICK makes one']],
  async run(context, { selector: which }) {
    const { ledger, atMs } = context
    const found = await ledger.read(tx => (which === undefined ? agents(tx) : meant(context, tx, which)))
    if (found.length === 0) return `no agents yet: ${context.settings.prefix}register NICK makes one`
    return ledger.read(tx => {
      const knows = known(tx, context, 'public')
      const shown = found.map(agent => ({ agent, state: stateOf(tx, agent) }))
      return {
        lines: [byState(shown), ...shown.map(({ agent, state }) => row(agent, knows, atMs, state))],
        data: found.map(agent => told(agent, knows)),
      }
    })
  },
})

const show = declare({
  name: 'agent show',
  summary: 'all that is known of an agent',
  role: 'member',
  reply: 'private',
  args: z.object({ nick: agentName }),
  examples: [['!agent show nobody', nobodyHere]],
  async run(context, { nick }) {
    const { ledger, atMs } = context
    const agent = await ledger.read(tx => theAgent(tx, nick))
    const { first, groups, prints } = await ledger.read(tx => ({
      first: row(agent, known(tx, context, 'private'), atMs, stateOf(tx, agent)),
      groups: groupsOf(tx, nick),
      prints: certificatesOf(tx, agent.network, nick).map(({ fingerprint }) => `…${fingerprint.slice(-6)}`),
    }))
    const { permissions, skills, reason, createdBy, createdMs } = agent
    return {
      lines: [
        first + (reason === null ? '' : ` · ${escapeInline(reason)}`),
        escapeInline(`may use: ${permissions.join(', ') || 'no commands'} · ${rateText(agent.rate)}`),
        ...(skills.length > 0 ? [escapeInline(`skills: ${skills.join(', ')}`)] : []),
        ...(groups.length > 0 ? [`groups: ${groups.join(', ')}`] : []),
        prints.length > 0 ? `certificates: ${prints.join(', ')}` : 'no certificates',
        `registered by ${escapeInline(createdBy)} ${ago(createdMs, atMs)}`,
      ],
    }
  },
})

const edit = declare({
  name: 'agent edit',
  summary: 'changes what an agent may do; a new engagement is signed',
  ...changes('operator'),
  args: z.object({
    nick: agentName,
    ...terms,
    native: named(z.enum(['yes', 'no']), 'understands group mentions by itself'),
  }),
  examples: [['!agent edit nobody type=worker', nobodyHere]],
  async run(context, { nick, native, ...typed }) {
    const { ledger, atMs, event, services } = context
    if (native === undefined && Object.values(typed).every(value => value === undefined))
      throw new ChanopError('usage', `say what to change: !agent edit ${nick} channels=#a,#b rate=5/s for=30d`)
    const before = await ledger.read(tx => ({ agent: theAgent(tx, nick), groups: groupsOf(tx, nick) }))
    const wanted = await withTerms(context, before.agent, typed)
    const agent = await signed(
      context,
      native === undefined ? wanted : { ...wanted, native: native === 'yes' },
      before.groups,
    )
    return {
      effect: tx => {
        mustBeAsRead(tx, before.agent)
        editAgent(tx, agent, atMs)
        for (const channel of outsideOf(tx, agent)) putOut(tx, services.context, agent, { channel, seq: event.seq })
        return [row(agent, known(tx, context, 'public'), atMs)]
      },
    }
  },
})

const del = declare({
  name: 'agent del',
  summary: 'deletes an agent and its account; with --keep only the record',
  ...changes('operator'),
  args: z.object({
    nick: agentName,
    keep: flag('the account stays'),
  }),
  confirm: async ({ nick, keep }, { ledger }) => {
    const { name, createdMs } = await ledger.read(tx => theAgent(tx, nick))
    const text = keep
      ? `${nick} is no agent any more; its account stays`
      : `deletes ${nick} and its account, and ends its sessions`
    return { text, of: [name, String(createdMs)] }
  },
  examples: [['!agent del nobody', nobodyHere]],
  async run(context, { nick, keep }) {
    const { ledger, atMs, event, caller } = context
    const agent = await ledger.read(tx => theAgent(tx, nick))
    const { network, name } = agent
    await mustReach(context, [agent])
    if (keep)
      return { lines: [`${name} is no agent any more; its account stays`], effect: tx => forgetAgent(tx, name, atMs) }
    return {
      effect: tx => {
        need(theAgent(tx, name), ['active', 'rotating', 'revoked', 'deleted'], 'deleted', atMs)
        setAgentState(tx, name, 'deleted', null, atMs)
        return inherit(tx, caller, agent, atMs)
      },
      orders: [
        {
          order: accountOrder({ network, account: name, kind: 'account.drop', seq: event.seq, step: 'drop' }),
          done: `${name} is deleted`,
          failed: `${name} may nothing any more, but its account was not deleted: {reason}`,
        },
      ],
    }
  },
})

/** What the network says of it is the answer. */
const reasoned = (name: string, order: NewOrder): Ordered => ({
  order,
  done: `${name}: {reason}`,
  failed: `${name}: {reason}`,
})

const sessions = declare({
  name: 'agent sessions',
  summary: 'how often an agent is logged in',
  role: 'member',
  reply: 'public',
  args: z.object({ nick: agentName }),
  examples: [['!agent sessions nobody', nobodyHere]],
  async run({ ledger, event }, { nick }) {
    const { network, name } = await ledger.read(tx => theAgent(tx, nick))
    const order = accountOrder({ network, account: name, kind: 'account.check', seq: event.seq })
    return { orders: [reasoned(name, order)] }
  },
})

const kick = declare({
  name: 'agent kick',
  summary: 'ends the sessions of agents; they may log in again',
  ...changes('operator'),
  args: z.object({ selector, reason: rest().optional() }),
  confirm: ({ selector: which }, context) =>
    several(context, which, found => `ends the sessions of ${found.length}: ${listed(found.map(({ name }) => name))}`),
  examples: [['!agent kick ghost', "nobody fits 'ghost': !agents lists who there is"]],
  async run(context, { selector: which, reason = 'ended by an operator' }) {
    const { ledger, event } = context
    const found = await ledger.read(tx => meant(context, tx, which))
    return {
      orders: found.map(({ network, name }) => {
        const asked = { network, account: name, seq: event.seq, args: { reason } }
        return reasoned(name, accountOrder({ ...asked, kind: 'account.end-sessions' }))
      }),
    }
  },
})

/** When an agent was last seen to do anything, or was made. */
const lastSeen = (tx: Tx, { network, name, createdMs }: Agent): number =>
  Math.max(createdMs, seenMs(tx, { network, name }) ?? 0)

const idleSince = (tx: Tx, idleMs: number, nowMs: number): Agent[] =>
  agents(tx).filter(agent => agent.state !== 'deleted' && lastSeen(tx, agent) <= nowMs - idleMs)

const reap = declare({
  name: 'agent reap',
  summary: 'deletes agents that were not seen for a time, with their accounts',
  ...changes('operator'),
  args: z.object({ idle: durationMs().meta({ named: true }).describe('how long, e.g. 14d') }),
  confirm: async ({ idle }, { ledger, atMs }) => {
    if (idle < dayMs) throw new ChanopError('usage', 'idle is a day at least: !agent reap idle=14d')
    const found = await ledger.read(tx => idleSince(tx, idle, atMs))
    const names = found.map(({ name }) => name)
    return found.length === 0 ? null : { text: `deletes ${names.length}: ${listed(names)}`, of: names }
  },
  examples: [['!agent reap idle=14d', 'everybody was seen in the last 14d']],
  async run(context, { idle }) {
    const { ledger, atMs, event, caller, confirmed, settings } = context
    const idlers = await ledger.read(tx => idleSince(tx, idle, atMs))
    const found = idlers.filter(({ name }) => confirmed?.includes(name))
    await mustReach(context, found)
    if (found.length === 0) return `everybody was seen in the last ${duration(idle)}`
    return {
      lines: [`${found.length} agents are being deleted; ${settings.prefix}agents shows who is left`],
      effect: tx => {
        for (const { network, name } of found) {
          setAgentState(tx, name, 'deleted', null, atMs)
          placeOrder(
            tx,
            accountOrder({ network, account: name, kind: 'account.drop', seq: event.seq, step: 'drop' }),
            atMs,
          )
        }
        return found.flatMap(agent => inherit(tx, caller, agent, atMs))
      },
    }
  },
})

const certificate = declare({
  name: 'agent cert',
  summary: 'lets an agent log in by a certificate (SASL EXTERNAL), or takes one away',
  ...changes('operator'),
  args: z.object({
    verb: z.enum(['add', 'del']),
    nick: agentName,
    fingerprint: z
      .string()
      .regex(/^([0-9a-f]{64}|([0-9a-f]{2}:){31}[0-9a-f]{2})$/i, 'write its SHA-256: 64 hexadecimal digits')
      .describe('SHA-256 of the certificate, hex'),
  }),
  examples: [[`!agent cert add nobody ${'ab'.repeat(32)}`, nobodyHere]],
  async run(context, { verb, nick, fingerprint }) {
    const { ledger, event, atMs } = context
    const agent = await ledger.read(tx => theAgent(tx, nick))
    const { network } = agent
    await mustReach(context, [agent])
    need(agent, ['active', 'rotating'], 'changed', atMs)
    const kind = verb === 'add' ? 'account.certificate' : 'account.certificate-del'
    const order = accountOrder({ network, account: nick, kind, seq: event.seq, args: { fingerprint } })
    const short = fingerprint.replaceAll(':', '').slice(-6).toLowerCase()
    const done = `${nick}: certificate …${short} ${verb === 'add' ? 'opens its account' : 'is taken away'}`
    return { orders: [{ order, done, failed: `${nick}: {reason}` }] }
  },
})

export const agentsCommands = [list, show, edit, del, sessions, kick, reap, certificate]
