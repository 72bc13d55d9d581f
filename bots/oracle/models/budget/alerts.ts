import type { Config } from '../../../../config/schema.ts'
import { text } from '../../../../core/event.ts'
import { passMark, spendOf } from '../../../../core/ledger/oracle/spend.ts'
import type { Limit, NewTry } from '../../../../core/ledger/oracle/tries.ts'
import type { Tx } from '../../../../core/ledger/tx.ts'
import { alertRoomOf, Rooms } from '../../../../core/rooms.ts'
import { say } from '../../../../core/say.ts'
import { duration } from '../../../../core/text/text.ts'
import { labelOf, limitsOf } from './limits.ts'
import { usd } from './money.ts'
import { endOf } from './periods.ts'

/** `today's $5`, `the $50 of this month`. */
export const ofPeriod = ({ period, microUsd }: Limit): string =>
  period.length > 7 ? `today's ${usd(microUsd)}` : `this month's ${usd(microUsd)}`

/** Whose budget, in words that go before `has spent`. */
export function whose(tx: Tx, scope: string): string {
  const label = labelOf(tx, scope)
  if (scope === 'all') return 'all of us'
  if (scope.startsWith('room:')) return `the room ${label}`
  if (scope.startsWith('key:')) return `the key ${label}`
  return scope.startsWith('model:') ? `the model ${label}` : label
}

/** When a budget begins anew, from now. */
export function beginsAnew({ period }: Limit, timezone: string | null, nowMs: number): string {
  const endMs = endOf(period.length > 7 ? 'day' : 'month', nowMs, timezone)
  return duration(endMs - nowMs, 2)
}

/** The marks that a booking has passed: only the highest new one of each limit is told, and each once. */
export function passedMarks(tx: Tx, config: Config, booked: NewTry, nowMs: number): { key: string; line: string }[] {
  const { budget, timezone } = config
  return limitsOf(tx, budget, booked).flatMap(limit => {
    const spent = spendOf(tx, limit.period, limit.scope).costMicroUsd
    const percent = limit.microUsd === 0 ? 0 : (spent / limit.microUsd) * 100
    const passed = [...new Set([...budget.alertsAtPercent, 100])].filter(mark => percent >= mark).sort((a, b) => a - b)
    const fresh = passed.filter(mark => passMark(tx, limit.period, limit.scope, mark)).at(-1)
    if (fresh === undefined) return []
    const what = `budget: ${whose(tx, limit.scope)} spent ${usd(spent)} of ${ofPeriod(limit)}`
    const then = limit.hard
      ? `nothing more is asked for ${beginsAnew(limit, timezone, nowMs)}`
      : 'it is only told, and goes on'
    const line = fresh < 100 ? `${what} (${fresh} %)` : `${what}: ${then}`
    return [{ key: `budget.${limit.period}.${limit.scope}.${fresh}`, line }]
  })
}

/** Tells the alert room, in the transaction that booked. */
export function tellMarks(tx: Tx, config: Config, bot: string, booked: NewTry, nowMs: number): void {
  const room = alertRoomOf(new Rooms(config.rooms), config)
  const marks = passedMarks(tx, config, booked, nowMs)
  if (room) for (const { key, line } of marks) say(tx, { bot, content: text(line), in: room, key }, nowMs)
}
