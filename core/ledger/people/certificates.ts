/** Certificates that were given to accounts by an order: whatever else opens one was planted. */
import type { NetworkId } from '../../event.ts'
import { sql } from '../sqlite.ts'
import type { Tx } from '../tx.ts'

export interface AccountCertificate {
  /** SHA-256, lower-case hex. */
  readonly fingerprint: string
  readonly addedMs: number
}

/** Lower case, without the colons that people write in it. */
const plain = (fingerprint: string): string => fingerprint.replaceAll(':', '').toLowerCase()

export const certificatesOf = (tx: Tx, network: NetworkId, account: string): AccountCertificate[] =>
  sql(
    tx,
    'SELECT fingerprint, added_ms FROM certificate WHERE network = ? AND account = ? ORDER BY added_ms, fingerprint',
  )
    .all(network, account.toLowerCase())
    .map(row => ({ fingerprint: row['fingerprint'] as string, addedMs: Number(row['added_ms']) }))

export function keepCertificate(tx: Tx, network: NetworkId, account: string, fingerprint: string, nowMs: number): void {
  sql(
    tx,
    'INSERT INTO certificate (network, account, fingerprint, added_ms) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING',
  ).run(network, account.toLowerCase(), plain(fingerprint), nowMs)
}

/** One of them, or all that an account had. */
export function forgetCertificates(tx: Tx, network: NetworkId, account: string, fingerprint: string | null): void {
  sql(
    tx,
    'DELETE FROM certificate WHERE network = @network AND account = @account AND fingerprint = ifnull(@fingerprint, fingerprint)',
  ).run({ network, account: account.toLowerCase(), fingerprint: fingerprint === null ? null : plain(fingerprint) })
}
