import type { Config } from '../../../../config/schema.ts'
import { keyBehind, keySpends, type Limit, type NewTry } from '../../../../core/ledger/oracle/tries.ts'
import { personById } from '../../../../core/ledger/people/people.ts'
import type { Tx } from '../../../../core/ledger/tx.ts'

type Budget = Config['budget']

interface Amounts {
  readonly dailyUsd: number | null
  readonly monthlyUsd: number | null
  readonly hard: boolean
}

/** How people call a scope: `bob`, `general`, a model's name, `irc:guest7`; the scope `all` is `all`. */
export function labelOf(tx: Tx, scope: string): string {
  const [kind = '', ...rest] = scope.split(':')
  const name = rest.join(':')
  if (kind === 'person') return personById(tx, Number(name))?.name ?? 'somebody who was deleted'
  if (kind === 'strangers') return `strangers on ${name}`
  return name === '' ? kind : name
}

/** What holds for a scope: its own limits, or the general ones of its kind. */
export function amountsOf(budget: Budget, scope: string, label: string): Amounts {
  const { hard } = budget
  if (scope === 'all') return { dailyUsd: budget.dailyUsd, monthlyUsd: budget.monthlyUsd, hard }
  const own = (of: Readonly<Record<string, Amounts>>): Amounts | undefined =>
    Object.hasOwn(of, label) ? of[label] : undefined
  if (scope.startsWith('room:')) {
    return own(budget.rooms) ?? { dailyUsd: budget.perRoomDailyUsd, monthlyUsd: budget.perRoomMonthlyUsd, hard }
  }
  if (scope.startsWith('agent:')) {
    return own(budget.agents) ?? { dailyUsd: budget.perAgentDailyUsd, monthlyUsd: budget.perAgentMonthlyUsd, hard }
  }
  if (scope.startsWith('model:')) return own(budget.models) ?? { dailyUsd: null, monthlyUsd: null, hard }
  return own(budget.people) ?? { dailyUsd: budget.perPersonDailyUsd, monthlyUsd: budget.perPersonMonthlyUsd, hard }
}

/** What the key that asked may spend a day. */
function limitsOfKey(tx: Tx, wanted: Pick<NewTry, 'turn' | 'room' | 'day'>): Limit[] {
  const key = keyBehind(tx, wanted)
  if (key === null || key.budgetUsd === null) return []
  return [{ period: wanted.day, scope: keySpends(key), microUsd: Math.round(key.budgetUsd * 1e6), hard: true }]
}

/** The limits that a try is under, the general ones first. */
export function limitsOf(
  tx: Tx,
  budget: Budget,
  wanted: Pick<NewTry, 'turn' | 'person' | 'room' | 'model' | 'day' | 'month'>,
): Limit[] {
  const scopes = [
    'all',
    ...(wanted.person === null ? [] : [wanted.person]),
    `room:${wanted.room}`,
    `model:${wanted.model}`,
  ]
  return scopes
    .flatMap(scope => {
      const { dailyUsd, monthlyUsd, hard } = amountsOf(budget, scope, labelOf(tx, scope))
      const limit = (usd: number | null, period: string): Limit[] =>
        usd === null ? [] : [{ period, scope, microUsd: Math.round(usd * 1e6), hard }]
      return [...limit(dailyUsd, wanted.day), ...limit(monthlyUsd, wanted.month)]
    })
    .concat(limitsOfKey(tx, wanted))
}
