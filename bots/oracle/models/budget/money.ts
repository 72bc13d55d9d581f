import type { Config } from '../../../../config/schema.ts'
/** `$4.02`, and as many places as a small sum needs: `$0.00042`. */
export function usd(microUsd: number): string {
  if (microUsd === 0) return '$0'
  const dollars = microUsd / 1e6
  if (dollars >= 0.995) return `$${dollars.toFixed(2).replace(/\.00$/, '')}`
  return `$${dollars
    .toPrecision(2)
    .replace(/(\.\d*?)0+$/, '$1')
    .replace(/\.$/, '')}`
}

/** What may be spent, in one line. */
export const budgetLine = ({ budget }: Pick<Config, 'budget'>): string =>
  `budget: ${usd(budget.dailyUsd * 1e6)} a day and ${usd(budget.monthlyUsd * 1e6)} a month, ${usd(budget.perPersonDailyUsd * 1e6)} a day for each person`
