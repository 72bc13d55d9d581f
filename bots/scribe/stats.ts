import type { NetworkId, UserId } from '../../core/event.ts'
import { agentOf } from '../../core/ledger/agents/agents.ts'
import { type Connection, sql } from '../../core/ledger/sqlite.ts'
import type { Tx } from '../../core/ledger/tx.ts'
import { bots as ours } from '../../core/process/bots.ts'
import { dayMs } from '../../core/text/text.ts'

/** Rooms by the names that facts carry; null: every room. Private places are in no count. */
export type Rooms = readonly string[] | null

export interface Stats {
  readonly messages: number
  readonly bytes: number
  readonly people: number
  readonly bots: number
  readonly agents: number
  readonly rooms: number
  /** Day of the first message, Unix ms. */
  readonly sinceMs: number | null
  readonly today: number
  readonly week: number
  readonly top: readonly { readonly name: string; readonly messages: number }[]
  readonly busiest: readonly { readonly name: string; readonly messages: number }[]
  /** The last days, oldest first, with those on which nothing was said. */
  readonly days: readonly number[]
}

const daysShown = 14
const from = `FROM tally t JOIN room r ON r.id = t.room
  WHERE (@rooms IS NULL OR r.name IN (SELECT value FROM json_each(@rooms)))`

const named = (rows: readonly Record<string, unknown>[]): { name: string; messages: number }[] =>
  rows.map(row => ({ name: row['name'] as string, messages: Number(row['n']) }))

/** What was said (commands and answers to them left out), counted when it was indexed: no slower when there is more. */
export function statsOf(index: Connection, ledger: Tx, rooms: Rooms, nowMs: number, most = 5): Stats {
  const day = Math.floor(nowMs / dayMs)
  const given = { rooms: rooms && JSON.stringify(rooms) }
  const sums = sql(
    index,
    `SELECT coalesce(sum(messages), 0) AS messages, coalesce(sum(bytes), 0) AS bytes, min(day) AS first,
     count(DISTINCT t.room) AS rooms, coalesce(sum(CASE WHEN day = @day THEN messages END), 0) AS today,
     coalesce(sum(CASE WHEN day > @day - 7 THEN messages END), 0) AS week ${from}`,
  ).get({ ...given, day })
  const top = sql(
    index,
    `SELECT max(w.name) AS name, sum(messages) AS n ${from.replace('WHERE', 'JOIN who w ON w.id = t.who WHERE')}
     GROUP BY w.network, w.user ORDER BY n DESC, name LIMIT ${most}`,
  ).all(given)
  const busiest = sql(
    index,
    `SELECT r.name, sum(messages) AS n ${from} GROUP BY r.id ORDER BY n DESC, r.name LIMIT ${most}`,
  )
  return {
    messages: Number(sums?.['messages']),
    bytes: Number(sums?.['bytes']),
    ...kindsOf(index, ledger, given),
    rooms: Number(sums?.['rooms']),
    sinceMs: sums?.['first'] == null ? null : Number(sums['first']) * dayMs,
    today: Number(sums?.['today']),
    week: Number(sums?.['week']),
    top: named(top),
    busiest: named(busiest.all(given)),
    days: daysOf(index, given, day),
  }
}

/** Who spoke, by what they are. */
function kindsOf(
  index: Connection,
  ledger: Tx,
  given: { rooms: string | null },
): Pick<Stats, 'people' | 'bots' | 'agents'> {
  const kinds = { people: 0, bots: 0, agents: 0 }
  const speakers = sql(
    index,
    `SELECT DISTINCT w.network, w.user ${from.replace('WHERE', 'JOIN who w ON w.id = t.who WHERE')}`,
  ).all(given)
  for (const { network, user } of speakers) {
    if (ours.some(bot => bot === user)) kinds.bots++
    else if (agentOf(ledger, network as NetworkId, user as UserId)) kinds.agents++
    else kinds.people++
  }
  return kinds
}

function daysOf(index: Connection, given: { rooms: string | null }, today: number): number[] {
  const rows = sql(index, `SELECT day, sum(messages) AS n ${from} AND day > @after AND day <= @today GROUP BY day`).all(
    {
      ...given,
      after: today - daysShown,
      today,
    },
  )
  const byDay = new Map(rows.map(row => [Number(row['day']), Number(row['n'])]))
  return Array.from({ length: daysShown }, (_, n) => byDay.get(today - daysShown + 1 + n) ?? 0)
}

const bars = '▁▂▃▄▅▆▇█'

/** Numbers as a row of bars. */
export function sparkline(values: readonly number[]): string {
  const most = Math.max(...values, 1)
  return values.map(value => (value === 0 ? '·' : bars[Math.ceil((value / most) * bars.length) - 1])).join('')
}
