import type { Agent } from '../../../core/ledger/agents/agents.ts'
import { networkStatuses } from '../../../core/ledger/settings/networks.ts'
import type { Tx } from '../../../core/ledger/tx.ts'

/** `account=… password=… server=ircs://… fingerprint=…`: what a program needs to log in, in one line. */
export function loginLine(db: Tx, { name, network }: Pick<Agent, 'name' | 'network'>, password: string): string {
  const status = networkStatuses(db).find(each => each.network === network)
  const server = status?.address === undefined ? [] : [`server=${status.address}`]
  const pin = status?.fingerprint === undefined ? [] : [`fingerprint=${status.fingerprint}`]
  return [`account=${name}`, `password=${password}`, ...server, ...pin].join(' ')
}
