import { z } from 'zod'
import { includes } from '../../../core/access/role.ts'
import { durationMs, named } from '../../../core/command/parse/values.ts'
import { ChanopError } from '../../../core/error.ts'
import type { NetworkId, UserId } from '../../../core/event.ts'
import { given } from '../../../core/given.ts'
import { agentOf, type Rate } from '../../../core/ledger/agents/agents.ts'
import { duration } from '../../../core/text/text.ts'
import { accountForm, idMeant, written } from '../meant.ts'
import type { Context } from '../services.ts'
import { refuseType } from './names.ts'
import { type Unsigned, withinReach } from './reach.ts'

const words = (pattern: RegExp, form: string) =>
  z.string().transform((typed, context): string[] => {
    const all = typed.split(/[\s,]+/).filter(Boolean)
    const bad = all.find(word => !pattern.test(word))
    if (bad === undefined && all.length <= 100) return [...new Set(all)]
    context.addIssue({ code: 'custom', message: `'${(bad ?? 'so many').slice(0, 40)}' does not fit: ${form}` })
    return z.NEVER
  })

const unitsMs = { s: 1000, m: 60_000, h: 3_600_000 } as const

const rate = z.string().transform((typed, context): Rate => {
  const found = /^([1-9]\d{0,3})\/(\d{0,3})([smh])$/.exec(typed)
  if (found)
    return { count: Number(found[1]), perMs: Number(found[2] || 1) * unitsMs[found[3] as keyof typeof unitsMs] }
  context.addIssue({ code: 'custom', message: 'write lines in a time: 5/s, 30/m or 10/30s' })
  return z.NEVER
})

export const defaultRate: Rate = { count: 5, perMs: 1000 }

/** What `register`, `adopt` and `agent edit` say of an agent, each as key=value. */
export const terms = {
  type: named(z.string().regex(/^[a-z][a-z0-9-]{0,19}$/, 'write a lower-case word, e.g. worker'), 'worker unless said'),
  channels: named(
    words(/^(\*|[#&+!][^\s,\u0007]{0,63})$/, 'write #a,#task-* or *'),
    'where it may be; * is every open room, and so unless said: a closed one is named',
  ),
  permissions: named(
    words(/^(\*|[a-z][a-z0-9.-]*)$/, 'write names of commands, with a dot for a blank: last,log.show'),
    'commands it may use; none unless said',
  ),
  owner: named(z.string().min(1).max(100), 'network:account, or a name; you unless said'),
  for: named(durationMs(), 'until it ends; without an end unless said'),
  skills: named(words(/^[a-z0-9][a-z0-9._+-]{0,30}$/i, 'write words')),
  rate: named(rate, 'lines in a time; 5/s unless said'),
}

type Said<T extends z.ZodRawShape> = Partial<z.output<z.ZodObject<T>>>
export type Terms = Said<typeof terms>

/** The names of commands as declared. Nobody grants more than they may do, and owners' commands belong to no agent. */
async function permissionsOf({ services, ledger, caller }: Context, typed: readonly string[]): Promise<string[]> {
  const catalogue = await ledger.read(db => services.catalogue.refresh(db))
  return typed.map(word => {
    if (word === '*') return word // what goes beyond the giver is refused with all else that does
    const command = catalogue.named(word) ?? catalogue.named(word.replace('.', ' '))
    if (!command) throw new ChanopError('not-found', `permissions: there is no command ${word}; !help lists them`)
    if (command.role === 'owner' || (!caller.agent && !includes(caller.globalRole, command.role))) {
      throw new ChanopError('denied', `${command.name} can not be granted by you to an agent: it needs ${command.role}`)
    }
    return command.name
  })
}

/** Who answers for an agent has an account that is known: nobody gets agents by taking a name. */
async function ownerOf({ ledger }: Context, network: NetworkId, typed: string): Promise<string> {
  const [, where = network, user = typed] = accountForm.exec(typed) ?? []
  const near = where.toLowerCase() as NetworkId
  const { label, known } = await ledger.read(tx => {
    const { account, person } = idMeant(tx, near, user as UserId)
    return { label: written(account), known: person !== null || agentOf(tx, near, account.user) !== null }
  })
  if (known) return label
  throw new ChanopError(
    'not-found',
    `owner: nobody with the account ${label.slice(0, 80)} is known; !person list shows them`,
  )
}

/** An agent's terms with what was typed over them, within what who typed it may give. */
export async function withTerms<T extends Unsigned>(context: Context, agent: T, typed: Terms): Promise<T> {
  const { atMs } = context
  const { type, channels, permissions, skills, rate } = typed
  if (type !== undefined && type !== agent.type) await context.ledger.read(tx => refuseType(tx, type))
  const owner = typed.owner === undefined ? undefined : await ownerOf(context, agent.network, typed.owner)
  const wanted = {
    ...agent,
    ...given({ type, channels, owner, skills, rate }),
    ...(permissions ? { permissions: await permissionsOf(context, permissions) } : {}),
    ...(typed.for === undefined ? {} : { expiresMs: atMs + typed.for }),
  }
  return withinReach(context, { before: agent.state === 'registering' ? null : agent, wanted, said: typed })
}

export const rateText = ({ count, perMs }: Rate): string => `${count} lines in ${duration(perMs)}`
