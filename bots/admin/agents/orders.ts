import type { NetworkId } from '../../../core/event.ts'
import { given } from '../../../core/given.ts'
import type { Step } from '../../../core/ledger/agents/agent-steps.ts'
import type { NewOrder, OrderKind } from '../../../core/ledger/out/orders.ts'
import type { Vault } from '../../../core/vault/secrets.ts'

export interface AccountOrder {
  readonly network: NetworkId
  readonly account: string
  readonly kind: OrderKind
  /** Makes the key, with the account: the fact that asked for it, or another number that is never used again. */
  readonly seq: number | string
  readonly step?: Step
  readonly args?: Readonly<Record<string, string>>
  readonly notBeforeMs?: number
}

/** An order about an agent's account; `step` moves its record on when the order ends. */
export function accountOrder(asked: AccountOrder): NewOrder {
  const { network, account, kind, seq, step, args = {}, notBeforeMs } = asked
  return {
    key: `agent.${kind}.${account}.${seq}`,
    network,
    kind,
    args: { account, ...(step ? { agent: step } : {}), ...args },
    ...given({ notBeforeMs }),
  }
}

/** The same with a password, sealed until it is carried out and emptied then. */
export function passwordOrder(vault: Vault, password: string, asked: AccountOrder): NewOrder {
  const order = accountOrder(asked)
  return { ...order, sealed: vault.seal(`order:${order.key}`, password) }
}
