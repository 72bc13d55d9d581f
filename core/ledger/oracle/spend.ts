import { type Row, sql } from '../sqlite.ts'
import type { Tx } from '../tx.ts'

/**
 * What was spent, by day (`2026-11-28`) or month (`2026-11`) and by scope: `all`, `unasked` (outside of turns),
 * `person:7`, `room:general`, `model:NAME`, `key:NETWORK:ACCOUNT`, `task:answer`. The sum of the tries' rows, and
 * of people and accounts what `carrySpend` brought them.
 */
export interface Spend {
  readonly period: string
  readonly scope: string
  /** Millionths of a US dollar. */
  readonly costMicroUsd: number
  /** Held back for tries that are under way. */
  readonly reservedMicroUsd: number
  readonly tries: number
  readonly inputTokens: number
  readonly cachedTokens: number
  readonly outputTokens: number
}

const none = (period: string, scope: string): Spend => ({
  period,
  scope,
  costMicroUsd: 0,
  reservedMicroUsd: 0,
  tries: 0,
  inputTokens: 0,
  cachedTokens: 0,
  outputTokens: 0,
})

const spendFrom = (row: Row): Spend => ({
  period: row['period'] as string,
  scope: row['scope'] as string,
  costMicroUsd: Number(row['cost_micro_usd']),
  reservedMicroUsd: Number(row['reserved_micro_usd']),
  tries: Number(row['tries']),
  inputTokens: Number(row['input_tokens']),
  cachedTokens: Number(row['cached_tokens']),
  outputTokens: Number(row['output_tokens']),
})

export function spendOf(tx: Tx, period: string, scope: string): Spend {
  const row = sql(tx, 'SELECT * FROM spend WHERE period = ? AND scope = ?').get(period, scope)
  return row ? spendFrom(row) : none(period, scope)
}

/** All scopes of a kind (`person`, `room`, `model`, `task`) in a period, the dearest first. */
export const spendBy = (tx: Tx, period: string, kind: string): Spend[] =>
  sql(
    tx,
    `SELECT * FROM spend WHERE period = ? AND scope >= ? || ':' AND scope < ? || ';'
     ORDER BY cost_micro_usd DESC, tries DESC, scope`,
  )
    .all(period, kind, kind)
    .map(spendFrom)

/** What was ever spent, by the scopes of a kind: what the months add up to. */
export const spendEver = (tx: Tx, kind: string): Spend[] =>
  sql(
    tx,
    `SELECT '' AS period, scope, sum(cost_micro_usd) AS cost_micro_usd, sum(reserved_micro_usd) AS reserved_micro_usd,
     sum(tries) AS tries, sum(input_tokens) AS input_tokens, sum(cached_tokens) AS cached_tokens, sum(output_tokens) AS output_tokens
     FROM spend WHERE scope >= ? || ':' AND scope < ? || ';' AND length(period) = 7 GROUP BY scope`,
  )
    .all(kind, kind)
    .map(spendFrom)

export function addSpend(tx: Tx, change: Spend): void {
  sql(
    tx,
    `INSERT INTO spend VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (period, scope) DO UPDATE SET
     cost_micro_usd = cost_micro_usd + excluded.cost_micro_usd,
     reserved_micro_usd = reserved_micro_usd + excluded.reserved_micro_usd, tries = tries + excluded.tries,
     input_tokens = input_tokens + excluded.input_tokens, cached_tokens = cached_tokens + excluded.cached_tokens,
     output_tokens = output_tokens + excluded.output_tokens`,
  ).run(
    change.period,
    change.scope,
    change.costMicroUsd,
    change.reservedMicroUsd,
    change.tries,
    change.inputTokens,
    change.cachedTokens,
    change.outputTokens,
  )
}

/**
 * Whoever becomes `to` counts from then on as having spent today and this month no less than `from` had; what was held back counts as
 * spent. It is done as often as one likes: the higher holds. The newest day is today when anybody spent anything today.
 */
export function carrySpend(tx: Tx, from: string, to: string): void {
  sql(
    tx,
    `INSERT INTO spend SELECT period, ?, cost_micro_usd + reserved_micro_usd, 0, 0, 0, 0, 0 FROM spend
     WHERE period IN ((SELECT max(period) FROM spend), (SELECT substr(max(period), 1, 7) FROM spend)) AND scope = ?
     ON CONFLICT (period, scope) DO UPDATE SET cost_micro_usd = max(cost_micro_usd, excluded.cost_micro_usd)`,
  ).run(to, from)
}

/** Notes that a mark of a budget was passed; true the first time. */
export const passMark = (tx: Tx, period: string, scope: string, percent: number): boolean =>
  sql(tx, 'INSERT OR IGNORE INTO spend_mark VALUES (?, ?, ?)').run(period, scope, percent).changes > 0
