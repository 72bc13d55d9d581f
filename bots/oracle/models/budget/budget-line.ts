import type { Config } from '../../../../config/schema.ts'
import { usd } from './money.ts'

/** What may be spent, in one line. */
export const budgetLine = ({ budget }: Pick<Config, 'budget'>): string =>
  `budget: ${usd(budget.dailyUsd * 1e6)} a day and ${usd(budget.monthlyUsd * 1e6)} a month, ${usd(budget.perPersonDailyUsd * 1e6)} a day for each person`
