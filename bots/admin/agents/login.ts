import type { Agent } from '../../../core/ledger/agents.ts'
import { standings } from '../../../core/ledger/networks.ts'
import type { Tx } from '../../../core/ledger/tx.ts'

/** `account=… password=… server=ircs://… fingerprint=…`: what a program needs to log in, in one line. */
export function loginLine(db: Tx, { name, network }: Pick<Agent, 'name' | 'network'>, password: string): string {
  const standing = standings(db).find(each => each.network === network)
  const server = standing?.address === undefined ? [] : [`server=${standing.address}`]
  const pin = standing?.fingerprint === undefined ? [] : [`fingerprint=${standing.fingerprint}`]
  return [`account=${name}`, `password=${password}`, ...server, ...pin].join(' ')
}
