import { z } from 'zod'
import { chosen } from '../../../core/access/agents-meant.ts'
import { includes } from '../../../core/access/role.ts'
import { agentSpends } from '../../../core/access/spender.ts'
import { ChanopError } from '../../../core/error.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import { count, counted, escapeInline } from '../../../core/text/text.ts'
import { usd } from '../models/budget/money.ts'
import { periodsAt } from '../models/budget/periods.ts'
import { callerSpends, tellable } from './caller.ts'
import { type Context, declare } from './services.ts'
import { chartOf, daysOf, type Figures, most, type Named, type Sums, sharesOf, sumsOf } from './usage-figures.ts'

/** `$0.42 in 12 requests, 34,000 tokens read (20,000 cached), 1,200 written`. */
function told({ costMicroUsd, reservedMicroUsd, tries, inputTokens, cachedTokens, outputTokens }: Sums): string {
  const cached = cachedTokens > 0 ? ` (${count(cachedTokens)} cached)` : ''
  const held = reservedMicroUsd > 0 ? `, ${usd(reservedMicroUsd)} held for what is under way` : ''
  return `${usd(costMicroUsd)} in ${counted(tries, 'request')}, ${count(inputTokens)} tokens read${cached}, ${count(outputTokens)} written${held}`
}

function ranked(title: string, all: readonly Named[]): string[] {
  if (all.length === 0) return []
  const shown = all.slice(0, most).map(({ name, costMicroUsd }) => `${escapeInline(name)} ${usd(costMicroUsd)}`)
  const more = all.length > most ? `, and ${all.length - most} more` : ''
  return [`${title}: ${shown.join(', ')}${more}`]
}

function unaskedLine({ costMicroUsd, tries }: Sums): string {
  const tests = tries > 0 ? ' (tests, and what was asked for outside of an answer)' : ''
  return `outside of answers: ${usd(costMicroUsd)} in ${counted(tries, 'request')}${tests}`
}

const linesOf = ({ period, all, you, here, unasked, by }: Figures): string[] => [
  `${period}: ${told(all)}`,
  `you: ${told(you)}`,
  ...(here ? [`here: ${told(here)}`] : []),
  ...(by
    ? [
        ...ranked('people', by.people),
        ...ranked('agents', by.agents),
        ...ranked('rooms', by.rooms),
        ...ranked('models', by.models),
        ...ranked('for', by.tasks),
      ]
    : []),
  unaskedLine(unasked),
]

const periodForm = /^(today|month|\d{4}-\d\d(-\d\d)?)$/

function periodCalled({ services }: Context, period: string | undefined): string {
  const now = periodsAt(Date.now(), services.context.settings.current.timezone)
  return period === 'month' ? now.month : period === undefined || period === 'today' ? now.day : period
}

/** What each of these agents spent, for operators and who answers for them. */
function ofAgents(tx: Tx, { caller, services }: Context, selector: string, period: string): Named[] {
  const asker = caller.verified ? `${caller.network}:${caller.account}` : null
  const isOperator = includes(caller.globalRole, 'operator')
  const agents = chosen(tx, selector, services.context.rooms.with(caller.place))
  const strange = agents.find(({ name, owner }) => !isOperator && owner !== asker && caller.agent?.name !== name)
  if (strange) throw new ChanopError('denied', `what ${strange.name} spends is for operators and its owner`)
  return agents.map(agent => ({ name: agent.name, ...sumsOf(tx, period, agentSpends(agent)) }))
}

/** What the asker may know. */
function figuresFor(tx: Tx, context: Context, period: string): Figures {
  const { room, person } = callerSpends(context)
  const isOperator = includes(context.caller.globalRole, 'operator')
  const { day } = periodsAt(Date.now(), context.services.context.settings.current.timezone)
  return {
    period,
    all: sumsOf(tx, period, 'all'),
    you: sumsOf(tx, period, person),
    ...(isOperator || context.caller.private ? {} : { here: sumsOf(tx, period, `room:${room}`) }),
    unasked: sumsOf(tx, period, 'unasked'),
    ...(isOperator ? { by: sharesOf(tx, period, tellable(tx, context)) } : {}),
    days: daysOf(tx, period, day),
  }
}

export const usage = declare({
  name: 'usage',
  summary: 'what models cost: all of it, yours, and by whom, where and for what',
  role: 'guest',
  reply: 'public',
  args: z.object({
    of: z
      .string()
      .min(1)
      .max(200)
      .meta({ type: 'selector' })
      .optional()
      .describe('agents; without: all, you, and by whom'),
    period: z
      .string()
      .regex(periodForm, 'write today, month, a day such as 2026-11-28 or a month such as 2026-11')
      .optional(),
  }),
  examples: [
    [
      '!usage',
      /^\d{4}-\d\d-\d\d: \$0 in 0 requests, 0 tokens read, 0 written\nyou: \$0 in 0 requests.*\noutside of answers: \$0 in 0 requests$/,
      '2026-04-01: $0 in 0 requests, 0 tokens read, 0 written\nyou: $0 in 0 requests\noutside of answers: $0 in 0 requests',
    ],
    ['!usage @ghosts', "nobody fits '@ghosts': !agents lists who there is"],
    ['!usage month', /^\d{4}-\d\d: \$0 in 0 requests/, '2026-04: $0 in 0 requests, 0 tokens read, 0 written'],
  ],
  async run(context, given) {
    // What comes first may be either.
    const [of, period] =
      given.of !== undefined && periodForm.test(given.of) ? [undefined, given.of] : [given.of, given.period]
    const during = periodCalled(context, period)
    return context.ledger.read(tx => {
      if (of !== undefined) {
        const agents = ofAgents(tx, context, of, during)
        return {
          lines: agents.map(agent => `${escapeInline(agent.name)}: ${told(agent)}`),
          data: { period: during, agents },
        }
      }
      const data = figuresFor(tx, context, during)
      const chart = chartOf(data)
      return { lines: linesOf(data), data, ...(chart ? { picture: { name: 'usage', chart } } : {}) }
    })
  },
})
