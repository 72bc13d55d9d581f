import { z } from 'zod'
import { includes } from '../../../core/access/role.ts'
import { changes } from '../../../core/command/command.ts'
import { named } from '../../../core/command/parse/values.ts'
import { ChanopError } from '../../../core/error.ts'
import { given } from '../../../core/given.ts'
import { agentNamed } from '../../../core/ledger/agents/agents.ts'
import { spendOf } from '../../../core/ledger/oracle/spend.ts'
import { type Person, personAt, personByName, personSpends } from '../../../core/ledger/people/people.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import { type Changes, changing } from '../../../core/settings/settings-changing.ts'
import { removed } from '../../../core/settings/settings-merge.ts'
import { duration, escapeInline } from '../../../core/text/text.ts'
import { amountsOf, labelOf } from '../models/budget/limits.ts'
import { usd } from '../models/budget/money.ts'
import { endOf, periodsAt } from '../models/budget/periods.ts'
import { callerSpends, tellable } from './caller.ts'
import { modelNamed } from './model-names.ts'
import { type Context, declare } from './services.ts'

/** `$0.42 of $5 today (8 %), $3 of $50 this month (6 %)`, or that there is no limit. */
function standOf(tx: Tx, { services }: Context, scope: string): string {
  const { budget, timezone } = services.context.settings.current
  const now = periodsAt(Date.now(), timezone)
  const { dailyUsd, monthlyUsd, hard } = amountsOf(budget, scope, labelOf(tx, scope))
  const part = (limitUsd: number | null, period: string, word: string): string => {
    const spent = spendOf(tx, period, scope).costMicroUsd
    if (limitUsd === null) return `${usd(spent)} ${word}, no limit`
    const percent = limitUsd === 0 ? 100 : Math.floor((spent / (limitUsd * 1e6)) * 100)
    return `${usd(spent)} of ${usd(limitUsd * 1e6)} ${word} (${percent} %)`
  }
  const soft = hard || (dailyUsd === null && monthlyUsd === null) ? '' : '; soft: it is told and goes on'
  return `${part(dailyUsd, now.day, 'today')}, ${part(monthlyUsd, now.month, 'this month')}${soft}`
}

function ownLimits(tx: Tx, { services }: Context): string[] {
  const { people, agents, rooms, models } = services.context.settings.current.budget
  return [
    ...Object.keys(people).flatMap(name => {
      const person = personByName(tx, name)
      return [person ? personSpends(person) : `account:${name}`]
    }),
    ...Object.keys(agents).map(name => `agent:${name}`),
    ...Object.keys(rooms).map(name => `room:${name}`),
    ...Object.keys(models).map(name => `model:${name}`),
  ]
}

const show = declare({
  name: 'budget show',
  aliases: ['budget'],
  summary: 'what may be spent on models, and what of it was',
  role: 'guest',
  reply: 'public',
  examples: [
    [
      '!budget show',
      /^all: \$0 of \$5 today \(0 %\), \$0 of \$50 this month \(0 %\)\nyou: \$0 of \$1 today \(0 %\), \$0 this month, no limit\nthe day ends in /,
      'all: $0 of $5 today (0 %), $0 of $50 this month (0 %)\nyou: $0 of $1 today (0 %), $0 this month, no limit\nthe day ends in 5h 12m',
    ],
  ],
  async run(context) {
    const { timezone } = context.services.context.settings.current
    const { person, room } = callerSpends(context)
    return context.ledger.read(tx => {
      const operator = includes(context.caller.globalRole, 'operator')
      const here = context.caller.private ? [] : [`room:${room}`]
      const limits = ownLimits(tx, context).filter(tellable(tx, context))
      const own = operator ? limits : here.filter(scope => limits.includes(scope))
      const ends = (kind: 'day' | 'month'): string => duration(endOf(kind, Date.now(), timezone) - Date.now(), 2)
      return {
        lines: [
          `all: ${standOf(tx, context, 'all')}`,
          `you: ${standOf(tx, context, person)}`,
          ...own
            .filter(scope => scope !== person)
            .map(scope => `${escapeInline(labelOf(tx, scope))}: ${standOf(tx, context, scope)}`),
          `the day ends in ${ends('day')}, the month in ${ends('month')}`,
        ],
      }
    })
  },
})

const amount = z
  .string()
  .regex(/^(\$?\d+(\.\d+)?|none)$/, 'write US dollars, e.g. 2.50, or none')
  .transform(typed => (typed === 'none' ? null : Number(typed.replace('$', ''))))

/** Where the settings keep limits of one person, agent, room or model. */
interface Own {
  readonly kind: 'people' | 'agents' | 'rooms' | 'models'
  readonly name: string
}

/** Whose limits a scope means: those of one, or general ones. Throws `not-found`. */
async function limitsMeant(context: Context, of: string): Promise<Own | General> {
  const [kind = '', ...rest] = of.split(':')
  const name = rest.join(':')
  const { settings } = context.services.context
  if (isGeneral(of)) return of
  if (name === '') throw new ChanopError('usage', whose)
  if (kind === 'model') return { kind: 'models', name: modelNamed(settings.current, name).name }
  if (kind === 'room') return { kind: 'rooms', name }
  if (kind === 'agent') return { kind: 'agents', name: await agentCalled(context, name) }
  if (kind !== 'person') throw new ChanopError('usage', whose)
  const person = await context.ledger.read(tx => personByName(tx, name) ?? personWith(tx, name))
  if (!person && !name.includes(':'))
    throw new ChanopError('not-found', `there is no person ${name}; !person list shows them`)
  return { kind: 'people', name: person?.name ?? name }
}

/** The person who has the account `network:account`: limits of theirs are kept by their name. */
function personWith(tx: Tx, written: string): Person | null {
  const [network = '', ...account] = written.toLowerCase().split(':')
  return personAt(tx, network, account.join(':'))
}

function limitsAt({ services }: Context, { kind, name }: Own): object | undefined {
  const known: Readonly<Record<string, object>> = services.context.settings.current.budget[kind]
  return Object.hasOwn(known, name) ? known[name] : undefined
}

async function agentCalled({ ledger }: Context, name: string): Promise<string> {
  const agent = await ledger.read(tx => agentNamed(tx, name))
  if (!agent) throw new ChanopError('not-found', `there is no agent ${name}; !agents lists them`)
  return agent.name
}

const whose = 'whose budget? all, people, agents, rooms, person:NAME, agent:NAME, room:NAME or model:NAME'

const general = {
  all: { daily: 'dailyUsd', monthly: 'monthlyUsd' },
  people: { daily: 'perPersonDailyUsd', monthly: 'perPersonMonthlyUsd' },
  agents: { daily: 'perAgentDailyUsd', monthly: 'perAgentMonthlyUsd' },
  rooms: { daily: 'perRoomDailyUsd', monthly: 'perRoomMonthlyUsd' },
}

type General = keyof typeof general

const isGeneral = (of: string): of is General => Object.hasOwn(general, of)

interface Amounts {
  readonly daily?: number | null | undefined
  readonly monthly?: number | null | undefined
  readonly hard?: boolean | undefined
}

const scopes = { people: 'person', agents: 'agent', rooms: 'room', models: 'model' } as const

/** What to store. Own limits are stored as a whole, so that what is not named of them stays as it is, or as it is in general. */
function changesOf(context: Context, own: Own | General, { daily, monthly, hard }: Amounts): Changes {
  const { settings } = context.services.context
  const changed =
    typeof own === 'string'
      ? given({ [general[own].daily]: daily, [general[own].monthly]: monthly, hard })
      : {
          [`${own.kind}.${own.name}`]: {
            ...amountsOf(settings.current.budget, `${scopes[own.kind]}:${own.name}`, own.name),
            ...given({ dailyUsd: daily, monthlyUsd: monthly, hard }),
          },
        }
  return Object.fromEntries(
    Object.entries(changed).map(([under, value]) => [`budget.${under}`, settings.check(`budget.${under}`, value)]),
  )
}

const set = declare({
  name: 'budget set',
  summary: 'changes what may be spent: by all, by each person, agent or room, or by one, such as agent:NAME',
  ...changes('owner'),
  args: z.object({
    of: z.string().max(200).describe('all, people, agents, rooms, person:NAME, agent:NAME, room:NAME, model:NAME'),
    daily: named(amount, 'US dollars, or none'),
    monthly: named(amount, 'US dollars, or none'),
    soft: named(z.enum(['yes', 'no']), 'yes: it is told and goes on'),
  }),
  examples: [
    ['!budget set all daily=2.5', 'all: $2.50 a day'],
    ['!budget set person:alice daily=3 monthly=20', 'person:alice: $3 a day, $20 a month'],
    ['!budget set rooms daily=none', 'rooms: no limit a day'],
    ['!budget set model:mini daily=1', 'no model mini; !model list shows them'],
    [
      '!budget set all',
      /^say daily=, monthly= or soft=/,
      'say daily=, monthly= or soft=, e.g. !budget set all daily=5',
    ],
  ],
  async run(context, { of, daily, monthly, soft }) {
    if (daily === undefined && monthly === undefined && soft === undefined) {
      throw new ChanopError(
        'usage',
        `say daily=, monthly= or soft=, e.g. ${context.settings.prefix}budget set all daily=5`,
      )
    }
    const hard = soft && soft === 'no'
    const changes = changesOf(context, await limitsMeant(context, of), { daily, monthly, hard })
    const said = (value: number | null | undefined, word: string): string[] =>
      value === undefined ? [] : [value === null ? `no limit a ${word}` : `${usd(value * 1e6)} a ${word}`]
    const hardness =
      hard === undefined ? [] : [hard ? 'nothing more is asked when it is spent' : 'it is told and goes on']
    return {
      lines: [`${escapeInline(of)}: ${[...said(daily, 'day'), ...said(monthly, 'month'), ...hardness].join(', ')}`],
      ...changing(context, changes),
    }
  },
})

const del = declare({
  name: 'budget del',
  summary: 'takes a limit of its own from a person, an agent, a room or a model: the general one holds again',
  ...changes('owner'),
  args: z.object({ of: z.string().max(200).describe('person:NAME, agent:NAME, room:NAME or model:NAME') }),
  examples: [['!budget del room:ops', 'room:ops has no limit of its own; !budget shows which have']],
  async run(context, { of }) {
    const own = await limitsMeant(context, of)
    if (typeof own === 'string' || !limitsAt(context, own)) {
      throw new ChanopError('not-found', `${of} has no limit of its own; !budget shows which have`)
    }
    return {
      lines: [`${escapeInline(of)}: the general limit holds again`],
      ...changing(context, { [`budget.${own.kind}.${own.name}`]: removed }),
    }
  },
})

export const budgetCommands = [show, set, del]
