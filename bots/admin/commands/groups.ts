/** Named groups of agents and people. */

import { z } from 'zod'
import { select } from '../../../core/access/selector.ts'
import { byOf, changes } from '../../../core/command/command.ts'
import { rest } from '../../../core/command/parse/values.ts'
import { ChanopError } from '../../../core/error.ts'
import { agentNamed, agents, agentTypes, editAgent } from '../../../core/ledger/agents/agents.ts'
import {
  dropGroup,
  groupExists,
  groupMembers,
  groups,
  groupsOf,
  joinGroup,
  leaveGroup,
  makeGroup,
  personMember,
} from '../../../core/ledger/people/groups.ts'
import { personByName } from '../../../core/ledger/people/people.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import { escapeInline } from '../../../core/text/text.ts'
import { signed } from '../agents/asking.ts'
import { refuseReserved } from '../agents/names.ts'
import { mustReachGroup } from '../agents/reach.ts'
import { mustBeAsRead } from '../agents/record.ts'
import { chunks } from '../fleet/naming.ts'
import { type Context, declare } from '../services.ts'

const groupName = z
  .string()
  .regex(/^@?[A-Za-z][A-Za-z0-9_-]{0,30}$/, 'write a name of letters, digits, _ and -')
  .transform(typed => typed.replace(/^@/, '').toLowerCase())

const noGroup = (name: string): ChanopError =>
  new ChanopError('not-found', `there is no group ${name}; !group list shows them`)

/** A name that already means somebody else would change what people say by it. */
function refuseName(tx: Tx, context: Context, name: string): void {
  if (agentNamed(tx, name)) throw new ChanopError('conflict', `${name} is an agent already: choose another name`)
  if (personByName(tx, name)) throw new ChanopError('conflict', `${name} is a person already: choose another name`)
  refuseReserved(tx, context, name)
}

const oracle = 'oracle'

/** Agents that a selector means, people by name (`person:bob`) and the oracle, as members are written. */
function membersMeant(tx: Tx, selector: string): string[] {
  const parts = selector.split(/[\s,]+/).filter(part => part !== '')
  const people = parts.filter(part => /^person:/i.test(part))
  const ours = parts.filter(part => part.replace(/^@/, '').toLowerCase() === oracle)
  const others = parts.filter(part => !people.includes(part) && !ours.includes(part))
  const { names, nobody } = select(others.join(','), agents(tx), groups(tx))
  const found = people.map(part => {
    const person = personByName(tx, part.slice('person:'.length))
    if (!person) throw new ChanopError('not-found', `nobody is called ${part.slice(7, 60)}; !person list shows them`)
    return personMember(person.name)
  })
  if (nobody.length > 0) {
    const shown = nobody.map(part => `'${part.slice(0, 40)}'`).join(', ')
    throw new ChanopError('not-found', `no agent fits ${shown}; a person is written person:NAME`)
  }
  return [...names, ...found, ...(ours.length > 0 ? [oracle] : [])]
}

/**
 * Members come into a group or leave it; gives how many did. An engagement names the groups of its agent: those of the members are
 * signed anew.
 */
async function moving(context: Context, group: string, members: readonly string[], way: 'in' | 'out') {
  const { ledger, caller, atMs } = context
  const moved = (now: readonly string[], what: readonly string[]): string[] =>
    way === 'in' ? [...new Set([...now, ...what])] : now.filter(each => !what.includes(each))
  const found = await ledger.read(db =>
    members.flatMap(name => {
      const agent = agentNamed(db, name)
      return agent ? [{ agent, now: groupsOf(db, name) }] : []
    }),
  )
  const agentsAnew = await Promise.all(
    found.map(({ agent, now }) => signed(context, agent, moved(now, [group]).sort())),
  )
  return (db: Tx): number => {
    mustReachGroup(db, context, group, now => moved(now, members))
    for (const { agent } of found) mustBeAsRead(db, agent)
    const move = (member: string): boolean =>
      way === 'in' ? joinGroup(db, group, member, byOf(caller), atMs) : leaveGroup(db, group, member)
    const went = members.filter(move)
    // Who stays as they were keep the engagement that they have.
    for (const agent of agentsAnew) if (went.includes(agent.name)) editAgent(db, agent, atMs)
    return went.length
  }
}

const list = declare({
  name: 'group list',
  aliases: ['group', 'groups'],
  summary: 'the named groups, and the types that are groups by themselves',
  role: 'member',
  reply: 'public',
  examples: [['!groups', '@crew: 1\ntypes: @worker: 2']],
  async run({ ledger, settings }) {
    const { named, types } = await ledger.read(tx => ({
      named: [...groups(tx)].map(([name, members]) => [name, members.length] as const),
      types: [...agentTypes(tx)],
    }))
    const shown = (counted: readonly (readonly [string, number])[]): string[] =>
      chunks(counted.map(([name, count]) => `@${name}: ${count}`))
    if (named.length + types.length === 0) return `no groups yet: ${settings.prefix}group add NAME makes one`
    return { lines: [...shown(named), ...shown(types).map(line => `types: ${line}`)].map(escapeInline) }
  },
})

const show = declare({
  name: 'group show',
  summary: 'who is in a group, or whom a selector means',
  role: 'member',
  reply: 'public',
  args: z.object({ group: rest().max(500).meta({ type: 'selector' }) }),
  examples: [
    ['!group show crew', '@crew: worker-001 (1)'],
    ['!group show @worker*', '@worker*: worker-001, worker-002 (2)'],
    ['!group show nobody', 'there is no group nobody; !group list shows them'],
  ],
  async run({ ledger }, { group }) {
    return ledger.read(db => {
      const name = groupName.safeParse(group)
      const isNamed = name.success && groupExists(db, name.data)
      if (!isNamed && !/[@*,\s]/.test(group)) throw noGroup(group.slice(0, 40))
      const members = isNamed ? groupMembers(db, name.data) : select(group, agents(db), groups(db)).names
      const title = isNamed ? `@${name.data}` : group
      if (members.length === 0) return escapeInline(`${title}: nobody`)
      const shown = chunks(members)
      return {
        lines: shown.map((line, at) =>
          escapeInline(
            `${at === 0 ? `${title}: ` : ''}${line}${at === shown.length - 1 ? ` (${members.length})` : ''}`,
          ),
        ),
      }
    })
  },
})

const addTo = declare({
  name: 'group add',
  summary: 'makes a group, and puts agents and people into it',
  ...changes('operator'),
  args: z.object({
    group: groupName,
    members: rest()
      .max(2000)
      .meta({ type: 'selector' })
      .optional()
      .describe('worker-1, @scout, person:bob, oracle; none makes an empty group'),
  }),
  examples: [
    ['!group add night worker-001,worker-002', '@night: 2 added'],
    ['!group add worker worker-001', 'worker is a type already: choose another name'],
  ],
  async run(context, { group, members }) {
    const chosen = await context.ledger.read(db => {
      if (!groupExists(db, group)) refuseName(db, context, group)
      return members === undefined ? [] : membersMeant(db, members)
    })
    const into = await moving(context, group, chosen, 'in')
    return {
      effect: db => {
        const made = makeGroup(db, group, byOf(context.caller), context.atMs)
        const added = into(db)
        return [`@${group}: ${members === undefined ? (made ? 'made' : 'is there already') : `${added} added`}`]
      },
    }
  },
})

const del = declare({
  name: 'group del',
  summary: 'takes members out of a group; without any, deletes the group',
  ...changes('operator'),
  args: z.object({ group: groupName, members: rest().max(2000).meta({ type: 'selector' }).optional() }),
  examples: [
    ['!group del crew worker-001', '@crew: 1 taken out'],
    ['!group del crew', '@crew is deleted'],
    ['!group del nobody', 'there is no group nobody; !group list shows them'],
  ],
  async run(context, { group, members }) {
    const chosen = await context.ledger.read(db => {
      if (!groupExists(db, group)) throw noGroup(group)
      return members === undefined ? groupMembers(db, group) : membersMeant(db, members)
    })
    const out = await moving(context, group, chosen, 'out')
    return {
      effect: db => {
        const taken = out(db)
        if (members === undefined) dropGroup(db, group)
        return [members === undefined ? `@${group} is deleted` : `@${group}: ${taken} taken out`]
      },
    }
  },
})

/** The asker comes into a group that is there, or leaves it. */
async function movingSelf(context: Context, group: string, way: 'in' | 'out') {
  const { agent, person } = context.caller
  const self = agent?.name ?? (person && personMember(person.name))
  if (!self) throw new ChanopError('denied', 'nobody here knows you: an operator can make you a person first')
  if (!(await context.ledger.read(db => groupExists(db, group)))) throw noGroup(group)
  return moving(context, group, [self], way)
}

const join = declare({
  name: 'group join',
  summary: 'you are in a group from now on: who calls it calls you',
  ...changes('member'),
  args: z.object({ group: groupName }),
  examples: [['!group join crew', 'you are in @crew']],
  async run(context, { group }) {
    const into = await movingSelf(context, group, 'in')
    return { lines: [`you are in @${group}`], effect: db => void into(db) }
  },
})

const part = declare({
  name: 'group part',
  summary: 'you leave a group',
  ...changes('member'),
  args: z.object({ group: groupName }),
  examples: [['!group part crew', 'you are not in @crew; !group show crew tells who is']],
  async run(context, { group }) {
    const out = await movingSelf(context, group, 'out')
    const notIn = `you are not in @${group}; ${context.settings.prefix}group show ${group} tells who is`
    return { effect: db => [out(db) > 0 ? `you left @${group}` : notIn] }
  },
})

export const groupCommands = [list, show, addTo, del, join, part]
