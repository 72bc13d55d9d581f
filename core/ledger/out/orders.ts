import type { NetworkId } from '../../event.ts'
import { settleAgent } from '../agents/agent-steps.ts'
import { type Row, sql } from '../sqlite.ts'
import type { Tx } from '../tx.ts'
import { states } from './deliveries.ts'

/** What must happen on a network besides messages. `args` is shown in logs and holds no secret. */
export type OrderKind =
  | 'account.create'
  | 'account.password'
  | 'account.suspend'
  | 'account.restore'
  | 'account.drop'
  | 'account.certificate'
  | 'account.certificate-del'
  | 'account.end-sessions'
  /** Lifts what wrong passwords for an account, or from an address, locked. */
  | 'account.unlock'
  /** Looks whether it is there; its result says how many are logged in to it. */
  | 'account.check'
  | 'place.join'
  | 'place.part'
  | 'place.mode'
  | 'place.kick'
  | 'place.bring'
  | 'place.keep'
  | 'place.release'
  /** Who may be in a closed channel: as the ledger has it when the order is carried out. */
  | 'place.admit'

export interface NewOrder {
  /** Idempotency key: the same key is the same order, as long as anything may ask for it again (`retention.ts`). */
  readonly key: string
  readonly network: NetworkId
  readonly kind: OrderKind
  readonly args: Readonly<Record<string, string>>
  /** A password or the like, sealed by the vault. */
  readonly sealed?: Buffer
  /** Not to be carried out before; Unix ms. */
  readonly notBeforeMs?: number
}

export interface Order {
  readonly id: number
  readonly key: string
  readonly network: NetworkId
  readonly kind: OrderKind
  readonly args: Readonly<Record<string, string>>
  readonly sealed: Buffer | null
  readonly state: 'queued' | 'sending' | 'done' | 'failed'
  readonly attempts: number
  readonly notBeforeMs: number
  readonly result: string | null
  readonly error: string | null
}

/** Writes an order; the id of the one there is when its key is known. */
export function placeOrder(db: Tx, order: NewOrder, nowMs: number): number {
  sql(
    db,
    `INSERT INTO orders (key, network, kind, args, sealed, state, created_ms, not_before_ms)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING`,
  ).run(
    order.key,
    order.network,
    order.kind,
    JSON.stringify(order.args),
    order.sealed ?? null,
    states.queued,
    nowMs,
    order.notBeforeMs ?? 0,
  )
  return Number(sql(db, 'SELECT id FROM orders WHERE key = ?').get(order.key)?.['id'])
}

function orderOf(row: Row): Order {
  const state = Number(row['state'])
  return {
    id: Number(row['id']),
    key: row['key'] as string,
    network: row['network'] as NetworkId,
    kind: row['kind'] as OrderKind,
    args: JSON.parse(row['args'] as string) as Record<string, string>,
    sealed: row['sealed'] as Buffer | null,
    state:
      state === states.sent
        ? 'done'
        : state === states.failed
          ? 'failed'
          : state === states.queued
            ? 'queued'
            : 'sending',
    attempts: Number(row['attempts']),
    notBeforeMs: Number(row['not_before_ms']),
    result: row['result'] as string | null,
    error: row['error'] as string | null,
  }
}

/** Open orders with an id above `afterId`, in the order they were given. */
export const openOrders = (db: Tx, afterId = 0): Order[] =>
  sql(db, 'SELECT * FROM orders WHERE state < 10 AND id > ? ORDER BY id').all(afterId).map(orderOf)

/** Networks on which something is to be done. */
export const orderedNetworks = (db: Tx): NetworkId[] =>
  sql(db, 'SELECT DISTINCT network FROM orders WHERE state < 10')
    .all()
    .map(row => row['network'] as NetworkId)

export const orderByKey = (db: Tx, key: string): Order | null => {
  const row = sql(db, 'SELECT * FROM orders WHERE key = ?').get(key)
  return row ? orderOf(row) : null
}

/**
 * An order has ended: empties its secret, releases the deliveries that waited for this end, with `{reason}` in their
 * text replaced, cancels those that waited for the other, and moves on the record of the agent it is about. Returns the
 * ids of the released.
 */
export function settleOrder(
  db: Tx,
  id: number,
  end: { done: true; result: string } | { done: false; error: string },
  nowMs: number,
): number[] {
  const settled = sql(
    db,
    `UPDATE orders SET state = ?, settled_ms = ?, result = ?, error = ?, sealed = NULL WHERE id = ? AND state < 10
     RETURNING network, args ->> 'account' AS account, args ->> 'agent' AS step`,
  ).get(end.done ? states.sent : states.failed, nowMs, end.done ? end.result : null, end.done ? null : end.error, id)
  if (settled?.['step']) {
    const about = { network: settled['network'] as string, account: settled['account'] as string }
    const why = end.done ? end.result : end.error
    settleAgent(db, { ...about, step: settled['step'] as string }, { done: end.done, why }, nowMs)
  }
  const rows = sql(db, `SELECT id, act, waits_for FROM delivery WHERE waits_on = ? AND state = ${states.held}`).all(id)
  const released: number[] = []
  const reason = JSON.stringify(end.done ? end.result : end.error).slice(1, -1)
  for (const row of rows) {
    const wanted = (row['waits_for'] === 'done') === end.done
    const act = wanted ? (row['act'] as string).replaceAll('{reason}', () => reason) : '{}'
    const state = wanted ? states.queued : states.cancelled
    sql(db, 'UPDATE delivery SET state = ?, act = ? WHERE id = ?').run(state, act, row['id'])
    if (wanted) released.push(Number(row['id']))
  }
  return released
}

/**
 * What became of the words that waited for the order of this key. `open`: it is. `waiting`: it is done and they are not out
 * yet. `void`: it failed, or is not there.
 */
export function wordsOf(db: Tx, key: string): 'open' | 'waiting' | 'said' | 'void' {
  const order = orderByKey(db, key)
  if (!order || order.state === 'failed') return 'void'
  if (order.state !== 'done') return 'open'
  const left = sql(db, 'SELECT 1 FROM delivery WHERE waits_on = ? AND state < 10 LIMIT 1').get(order.id)
  return left ? 'waiting' : 'said'
}

/** It is being carried out: may have happened whatever comes. */
export function beginOrder(db: Tx, id: number): void {
  sql(db, 'UPDATE orders SET state = ? WHERE id = ?').run(states.sending, id)
}

/** It failed, and is to be tried again. */
export function triedOrder(db: Tx, id: number, error: string): void {
  sql(db, 'UPDATE orders SET attempts = attempts + 1, error = ? WHERE id = ?').run(error, id)
}
