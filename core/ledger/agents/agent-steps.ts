import { states } from '../out/deliveries.ts'
import { sql } from '../sqlite.ts'
import type { Tx } from '../tx.ts'
import { type AgentState, leaveNothing } from './agents.ts'

/** What an order means for the record of the account it is about; kept in its argument `agent`. */
export type Step = 'register' | 'rotate' | 'suspend' | 'restore' | 'drop'

/**
 * Moves a record on with the end of an order, in the transaction that settles the order: no record is active without an
 * account, and none is gone while its account is there.
 */
export function settleAgent(
  tx: Tx,
  order: { readonly network: string; readonly account: string; readonly step: string },
  end: { readonly done: boolean; readonly why: string },
  nowMs: number,
): void {
  const name = order.account.toLowerCase()
  const move = (from: AgentState, to: AgentState, reason: string | null = null): void => {
    sql(tx, 'UPDATE agent SET state = ?, reason = ?, changed_ms = ? WHERE name = ? AND network = ? AND state = ?').run(
      to,
      reason,
      nowMs,
      name,
      order.network,
      from,
    )
  }
  const drop = (from: AgentState): void => {
    const { changes } = sql(tx, 'DELETE FROM agent WHERE name = ? AND network = ? AND state = ?').run(
      name,
      order.network,
      from,
    )
    if (changes > 0) leaveNothing(tx, name, nowMs)
  }
  if (order.step === 'register') return end.done ? move('registering', 'active') : drop('registering')
  if (order.step === 'rotate') return move('rotating', 'active')
  if (order.step === 'restore' && end.done) return move('revoked', 'active')
  if (order.step === 'drop') return end.done ? drop('deleted') : move('deleted', 'revoked', end.why)
}

/**
 * Brings records and orders together, whatever was left: a record that waits for an order that is not open any more is ended
 * as that order ended. Orders that are open go on by themselves. Returns what was repaired.
 */
export function repairAgents(tx: Tx, nowMs: number): readonly string[] {
  const rows = sql(
    tx,
    `SELECT a.name, a.network, a.state, o.state AS ended, o.args ->> 'agent' AS step, o.error FROM agent a
     LEFT JOIN orders o ON o.id = (SELECT max(n.id) FROM orders n WHERE n.network = a.network
       AND n.args ->> 'account' = a.name AND n.args ->> 'agent' IN ('register', 'rotate', 'drop'))
     WHERE a.state IN ('registering', 'rotating', 'deleted') AND (o.state IS NULL OR o.state >= 10)`,
  ).all()
  const steps = { registering: 'register', rotating: 'rotate', deleted: 'drop' }
  for (const row of rows) {
    const step = steps[row['state'] as keyof typeof steps]
    const order = { network: row['network'] as string, account: row['name'] as string, step }
    const done = row['step'] === step && row['ended'] === states.sent
    settleAgent(tx, order, { done, why: String(row['error'] ?? 'its order is gone') }, nowMs)
  }
  return rows.map(row => `${row['name'] as string} was ${row['state'] as string}`)
}
