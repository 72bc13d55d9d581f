import type { NetworkId } from '../../event.ts'
import { sql } from '../sqlite.ts'
import type { Tx } from '../tx.ts'

/**
 * Accounts of a network that people and agents have, lower case and sorted: without those that an order is about to make,
 * change or delete.
 */
export const accountsOnRecord = (tx: Tx, network: NetworkId): string[] =>
  sql(
    tx,
    `SELECT user AS account FROM identity WHERE network = ?
     UNION SELECT name FROM agent WHERE network = ? AND state IN ('active', 'rotating', 'revoked')
     EXCEPT SELECT lower(args ->> 'account') FROM orders
       WHERE state < 10 AND network = ? AND args ->> 'account' IS NOT NULL
     ORDER BY 1`,
  )
    .all(network, network, network)
    .map(row => (row['account'] as string).toLowerCase())
