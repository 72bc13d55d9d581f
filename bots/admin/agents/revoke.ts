import { type Agent, setAgentState } from '../../../core/ledger/agents/agents.ts'
import type { NewOrder } from '../../../core/ledger/out/orders.ts'
import { dropLoginsOf } from '../../../core/ledger/people/claims.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import { accountOrder } from './orders.ts'

/** Ends an engagement here and now; the order that goes with it ends its sessions and logins. */
export function revokeRecord(db: Tx, agent: Agent, reason: string, nowMs: number): void {
  setAgentState(db, agent.name, 'revoked', reason, nowMs)
  dropLoginsOf(db, agent.name)
}

/** What the agent is shown when it is put out is `reason`. */
export const suspension = ({ name, network }: Agent, reason: string, seq: number | string): NewOrder =>
  accountOrder({ network, account: name, kind: 'account.suspend', seq, step: 'suspend', args: { reason } })
