import { type ApiKey, keyOfAccount } from '../settings/api-keys.ts'
import { type Row, sql } from '../sqlite.ts'
import type { Tx } from '../tx.ts'
import { addSpend, type Spend, spendOf } from './spend.ts'
import { turnById } from './turns.ts'

/** US dollars for a million tokens, which are millionths of a dollar for one. */
export interface Price {
  readonly input: number
  readonly cached: number
  readonly output: number
}

/** One request to a model, before it is made. */
export interface NewTry {
  /** Null: outside of a turn. */
  readonly turn: number | null
  readonly task: string
  readonly room: string
  /** Whose budget it is on; null: nobody's. */
  readonly person: string | null
  /** Its name in the configuration. */
  readonly model: string
  /** Provider and model as they were then: `openai/gpt-4.1-mini`. */
  readonly service: string
  /** The process that makes it: see `processName`. */
  readonly owner: string
  readonly day: string
  readonly month: string
  readonly price: Price
  /** What of the request is booked when nobody says how large it was. */
  readonly inputTokens: number
  /** The most that it can cost. */
  readonly mostMicroUsd: number
}

/** Most that may be spent in a period by a scope of `Spend`. */
export interface Limit {
  readonly period: string
  readonly scope: string
  readonly microUsd: number
  /** Otherwise it is only told. */
  readonly hard: boolean
}

export interface Refusal {
  readonly limit: Limit
  readonly spend: Spend
  /** Not spent yet: what is under way holds it, and may leave some of it. */
  readonly held: boolean
}

export interface Booking {
  readonly inputTokens: number
  readonly cachedTokens: number
  readonly outputTokens: number
  /** Counted by us. */
  readonly estimated: boolean
  /** `stop`, `length`, `refusal`, `aborted`, `failed`, `lost` (its process died). */
  readonly outcome: string
  readonly error: string | null
}

export interface Try extends NewTry, Booking {
  readonly id: number
  readonly booked: boolean
  readonly atMs: number
  readonly costMicroUsd: number
}

/**
 * The gate: reserves the most that a try can cost, unless a hard limit is reached by what is spent and what others have
 * reserved. So a limit is passed by one try at most, however many begin at once.
 */
export function reserveTry(tx: Tx, wanted: NewTry, limits: readonly Limit[], nowMs: number): number | Refusal {
  // What costs nothing is under no limit.
  for (const limit of wanted.mostMicroUsd > 0 ? limits : []) {
    const spend = spendOf(tx, limit.period, limit.scope)
    if (!limit.hard || spend.costMicroUsd + spend.reservedMicroUsd < limit.microUsd) continue
    return { limit, spend, held: spend.costMicroUsd < limit.microUsd }
  }
  const { price } = wanted
  const id = Number(
    sql(
      tx,
      `INSERT INTO try (turn, task, room, person, model, service, owner, at_ms, day, month, input_price, cached_price,
       output_price, reserved_micro_usd, input_tokens) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ).run(
      wanted.turn,
      wanted.task,
      wanted.room,
      wanted.person,
      wanted.model,
      wanted.service,
      wanted.owner,
      nowMs,
      wanted.day,
      wanted.month,
      price.input,
      price.cached,
      price.output,
      wanted.mostMicroUsd,
      wanted.inputTokens,
    ).lastInsertRowid,
  )
  add(tx, wanted, { reservedMicroUsd: wanted.mostMicroUsd })
  return id
}

/** Millionths of a dollar, rounded up. */
export const costOf = (price: Price, used: Pick<Booking, 'inputTokens' | 'cachedTokens' | 'outputTokens'>): number =>
  Math.max(
    0,
    Math.ceil(
      (used.inputTokens - used.cachedTokens) * price.input +
        used.cachedTokens * price.cached +
        used.outputTokens * price.output -
        1e-6,
    ),
  )

/** Books what a try did, in place of what was reserved. Null: it was booked before, and nothing changes. */
export function bookTry(tx: Tx, id: number, booking: Booking, nowMs: number): Try | null {
  const before = tryOf(tx, id)
  if (!before || before.booked) return null
  const costMicroUsd = costOf(before.price, booking)
  const { inputTokens, cachedTokens, outputTokens } = booking
  sql(
    tx,
    `UPDATE try SET booked = 1, booked_ms = ?, cost_micro_usd = ?, input_tokens = ?, cached_tokens = ?,
     output_tokens = ?, estimated = ?, outcome = ?, error = ? WHERE id = ?`,
  ).run(
    nowMs,
    costMicroUsd,
    inputTokens,
    cachedTokens,
    outputTokens,
    booking.estimated ? 1 : 0,
    booking.outcome,
    booking.error,
    id,
  )
  const reservedMicroUsd = -before.mostMicroUsd
  add(tx, before, { reservedMicroUsd, costMicroUsd, tries: 1, inputTokens, cachedTokens, outputTokens })
  return { ...before, ...booking, booked: true, costMicroUsd }
}

/** What a try has been answered so far: booked if its process dies. */
export const noteOutput = (tx: Tx, id: number, outputTokens: number): void =>
  void sql(tx, 'UPDATE try SET output_tokens = ? WHERE id = ? AND booked = 0').run(outputTokens, id)

/** Tries that are under way, or whose process died. */
export const openTries = (tx: Tx): Try[] => sql(tx, 'SELECT * FROM try WHERE booked = 0 ORDER BY id').all().map(tryFrom)

export const triesOfTurn = (tx: Tx, turn: number): Try[] =>
  sql(tx, 'SELECT * FROM try WHERE turn = ? ORDER BY id').all(turn).map(tryFrom)

/** The newest tries, newest first. */
export const recentTries = (tx: Tx, limit: number): Try[] =>
  sql(tx, 'SELECT * FROM try ORDER BY id DESC LIMIT ?').all(limit).map(tryFrom)

const tryOf = (tx: Tx, id: number): Try | null => {
  const row = sql(tx, 'SELECT * FROM try WHERE id = ?').get(id)
  return row ? tryFrom(row) : null
}

const tryFrom = (row: Row): Try => ({
  id: Number(row['id']),
  turn: row['turn'] === null ? null : Number(row['turn']),
  task: row['task'] as string,
  room: row['room'] as string,
  person: row['person'] as string | null,
  model: row['model'] as string,
  service: row['service'] as string,
  owner: row['owner'] as string,
  atMs: Number(row['at_ms']),
  day: row['day'] as string,
  month: row['month'] as string,
  price: {
    input: Number(row['input_price']),
    cached: Number(row['cached_price']),
    output: Number(row['output_price']),
  },
  mostMicroUsd: Number(row['reserved_micro_usd']),
  costMicroUsd: Number(row['cost_micro_usd']),
  inputTokens: Number(row['input_tokens']),
  cachedTokens: Number(row['cached_tokens']),
  outputTokens: Number(row['output_tokens']),
  estimated: row['estimated'] === 1,
  booked: row['booked'] === 1,
  outcome: (row['outcome'] as string | null) ?? '',
  error: row['error'] as string | null,
})

/** The key that asked for it, wherever its question was said; outside of turns that in whose own conversation it is. */
export function keyBehind(tx: Tx, { turn, room }: Pick<NewTry, 'turn' | 'room'>): ApiKey | null {
  const by = turn === null ? null : turnById(tx, turn)?.by
  if (by) return keyOfAccount(tx, by.network, by.user)
  const [, network = '', account = ''] = /^([^:]+):@(.+)$/.exec(room) ?? []
  return keyOfAccount(tx, network, account)
}

/** What a key spends is booked on, whatever room it is in. */
export const keySpends = ({ network, account }: Pick<ApiKey, 'network' | 'account'>): string =>
  `key:${network}:${account}`

/** The scopes that can have a limit: only these hold something back. */
function limitedScopes(tx: Tx, wanted: NewTry): string[] {
  const { person, room, model } = wanted
  const key = keyBehind(tx, wanted)
  return [
    'all',
    `room:${room}`,
    `model:${model}`,
    ...(person === null ? [] : [person]),
    ...(key === null ? [] : [keySpends(key)]),
  ]
}

const otherScopes = ({ task, turn }: NewTry): string[] => [
  `task:${task}`,
  ...(turn === null && !asked.has(task) ? ['unasked'] : []),
]

/** Programs asked for these, though no turn did. */
const asked: ReadonlySet<string> = new Set(['gateway', 'embeddings'])

function add(tx: Tx, wanted: NewTry, change: Partial<Spend>): void {
  const booked = change.tries !== undefined
  const add = (scope: string, part: Partial<Spend>): void => {
    for (const period of [wanted.day, wanted.month]) addSpend(tx, { ...nothing, ...part, period, scope })
  }
  for (const scope of limitedScopes(tx, wanted)) add(scope, change)
  if (booked) for (const scope of otherScopes(wanted)) add(scope, { ...change, reservedMicroUsd: 0 })
}

const nothing = {
  costMicroUsd: 0,
  reservedMicroUsd: 0,
  tries: 0,
  inputTokens: 0,
  cachedTokens: 0,
  outputTokens: 0,
}
