import { z } from 'zod'
import { includes } from '../../../core/role.ts'
import { type Spend, spendBy, spendOf } from '../../../core/ledger/spend.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import { count, escapeInline } from '../../../core/text.ts'
import { labelOf } from '../models/limits.ts'
import { usd } from '../models/money.ts'
import { periodsAt } from '../models/periods.ts'
import { declare } from './services.ts'
import { callerSpends } from './caller.ts'

const most = 6

/** `$0.42 in 12 requests, 34,000 tokens read (20,000 cached), 1,200 written`. */
function sums({ costMicroUsd, reservedMicroUsd, tries, inputTokens, cachedTokens, outputTokens }: Spend): string {
  const cached = cachedTokens > 0 ? ` (${count(cachedTokens)} cached)` : ''
  const held = reservedMicroUsd > 0 ? `, ${usd(reservedMicroUsd)} held for what is under way` : ''
  const requests = `${count(tries)} request${tries === 1 ? '' : 's'}`
  return `${usd(costMicroUsd)} in ${requests}, ${count(inputTokens)} tokens read${cached}, ${count(outputTokens)} written${held}`
}

function ranked(tx: Tx, period: string, kinds: readonly string[], title: string): string[] {
  const all = kinds.flatMap(kind => spendBy(tx, period, kind)).filter(({ tries }) => tries > 0)
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

export const usage = declare({
  name: 'usage',
  summary: 'what models cost: all of it, yours, and by whom, where and for what',
  role: 'guest',
  reply: 'public',
  args: z.object({
    period: z
      .string()
      .regex(
        /^(today|month|\d{4}-\d\d(-\d\d)?)$/,
        'write today, month, a day such as 2026-11-28 or a month such as 2026-11',
      )
      .default('today'),
  }),
  examples: [
    [
      '!usage',
      /^\d{4}-\d\d-\d\d: \$0 in 0 requests, 0 tokens read, 0 written\nyou: \$0 in 0 requests.*\noutside of answers: \$0 in 0 requests$/,
      '2026-04-01: $0 in 0 requests, 0 tokens read, 0 written\nyou: $0 in 0 requests\noutside of answers: $0 in 0 requests',
    ],
    ['!usage month', /^\d{4}-\d\d: \$0 in 0 requests/, '2026-04: $0 in 0 requests, 0 tokens read, 0 written'],
  ],
  async run(context, { period }) {
    const { timezone } = context.services.context.settings.current
    const now = periodsAt(Date.now(), timezone)
    const chosen = period === 'today' ? now.day : period === 'month' ? now.month : period
    const { room, person } = callerSpends(context)
    return context.ledger.read(tx => {
      const lines = [`${chosen}: ${sums(spendOf(tx, chosen, 'all'))}`, `you: ${sums(spendOf(tx, chosen, person))}`]
      if (!includes(context.caller.globalRole, 'operator')) {
        if (!context.caller.private) lines.push(`here: ${sums(spendOf(tx, chosen, `room:${room}`))}`)
        return { lines: [...lines, unasked(tx, chosen)] }
      }
      return {
        lines: [
          ...lines,
          ...ranked(tx, chosen, ['person', 'account', 'strangers'], 'people'),
          ...ranked(tx, chosen, ['room'], 'rooms'),
          ...ranked(tx, chosen, ['model'], 'models'),
          ...ranked(tx, chosen, ['task'], 'for'),
          unasked(tx, chosen),
        ],
      }
    })
  },
})
