import { z } from 'zod'
import { chosen } from '../../../core/access/agents-meant.ts'
import { includes } from '../../../core/access/role.ts'
import { agentSpends } from '../../../core/access/spender.ts'
import type { CommandContext } from '../../../core/command/command.ts'
import { ChanopError } from '../../../core/error.ts'
import { type Spend, spendBy, spendOf } from '../../../core/ledger/oracle/spend.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import { count, escapeInline } from '../../../core/text/text.ts'
import { labelOf } from '../models/budget/limits.ts'
import { usd } from '../models/budget/money.ts'
import { periodsAt } from '../models/budget/periods.ts'
import { callerSpends, tellable } from './caller.ts'
import { declare, type OracleServices } from './services.ts'

type Context = CommandContext<OracleServices>

const most = 6

/** `$0.42 in 12 requests, 34,000 tokens read (20,000 cached), 1,200 written`. */
function sums({ costMicroUsd, reservedMicroUsd, tries, inputTokens, cachedTokens, outputTokens }: Spend): string {
  const cached = cachedTokens > 0 ? ` (${count(cachedTokens)} cached)` : ''
  const held = reservedMicroUsd > 0 ? `, ${usd(reservedMicroUsd)} held for what is under way` : ''
  const requests = `${count(tries)} request${tries === 1 ? '' : 's'}`
  return `${usd(costMicroUsd)} in ${requests}, ${count(inputTokens)} tokens read${cached}, ${count(outputTokens)} written${held}`
}

/** Rooms that not everybody who reads it may know of are left out. */
function ranked(tx: Tx, context: Context, period: string, kinds: readonly string[], title: string): string[] {
  const tells = tellable(tx, context)
  const all = kinds.flatMap(kind => spendBy(tx, period, kind)).filter(({ tries, scope }) => tries > 0 && tells(scope))
  all.sort((a, b) => b.costMicroUsd - a.costMicroUsd || b.tries - a.tries)
  if (all.length === 0) return []
  const shown = all
    .slice(0, most)
    .map(({ scope, costMicroUsd }) => `${escapeInline(labelOf(tx, scope))} ${usd(costMicroUsd)}`)
  const more = all.length > most ? `, and ${all.length - most} more` : ''
  return [`${title}: ${shown.join(', ')}${more}`]
}

function unasked(tx: Tx, period: string): string {
  const { costMicroUsd, tries } = spendOf(tx, period, 'unasked')
  const tests = tries > 0 ? ' (tests, and what was asked for outside of an answer)' : ''
  return `outside of answers: ${usd(costMicroUsd)} in ${count(tries)} request${tries === 1 ? '' : 's'}${tests}`
}

const periodForm = /^(today|month|\d{4}-\d\d(-\d\d)?)$/

function periodCalled({ services }: Context, period: string | undefined): string {
  const now = periodsAt(Date.now(), services.context.settings.current.timezone)
  return period === 'month' ? now.month : period === undefined || period === 'today' ? now.day : period
}

/** What each of these agents spent, for operators and who answers for them. */
function ofAgents(tx: Tx, { caller, services }: Context, selector: string, period: string): string[] {
  const asker = caller.verified ? `${caller.network}:${caller.account}` : null
  const isOperator = includes(caller.globalRole, 'operator')
  const agents = chosen(tx, selector, services.context.rooms.with(caller.place))
  const strange = agents.find(({ name, owner }) => !isOperator && owner !== asker && caller.agent?.name !== name)
  if (strange) throw new ChanopError('denied', `what ${strange.name} spends is for operators and its owner`)
  return agents.map(agent => `${escapeInline(agent.name)}: ${sums(spendOf(tx, period, agentSpends(agent)))}`)
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
    const { room, person } = callerSpends(context)
    return context.ledger.read(tx => {
      if (of !== undefined) return { lines: ofAgents(tx, context, of, during) }
      const lines = [`${during}: ${sums(spendOf(tx, during, 'all'))}`, `you: ${sums(spendOf(tx, during, person))}`]
      if (!includes(context.caller.globalRole, 'operator')) {
        if (!context.caller.private) lines.push(`here: ${sums(spendOf(tx, during, `room:${room}`))}`)
        return { lines: [...lines, unasked(tx, during)] }
      }
      return {
        lines: [
          ...lines,
          ...ranked(tx, context, during, ['person', 'account', 'strangers'], 'people'),
          ...ranked(tx, context, during, ['agent'], 'agents'),
          ...ranked(tx, context, during, ['room'], 'rooms'),
          ...ranked(tx, context, during, ['model'], 'models'),
          ...ranked(tx, context, during, ['task'], 'for'),
          unasked(tx, during),
        ],
      }
    })
  },
})
