import type { Agent } from '../../../core/agent.ts'
import type { NewOrder } from '../../../core/ledger/orders.ts'
import type { Db } from '../../../core/ledger/sqlite.ts'
import { dropClaims } from './claims.ts'
import { accountOrder } from './orders.ts'
import { setAgentState } from './record.ts'

/** Ends an engagement here and now; the order that goes with it ends its sessions and logins. */
export function revokeRecord(db: Db, agent: Agent, reason: string, nowMs: number): void {
  setAgentState(db, agent.name, 'revoked', reason, nowMs)
  dropClaims(db, agent.name)
}

/** What the agent is shown when it is put out is `reason`. */
export const suspension = ({ name, network }: Agent, reason: string, seq: number | string): NewOrder =>
  accountOrder({ network, account: name, kind: 'account.suspend', seq, step: 'suspend', args: { reason } })
