import type { NetworkId } from '../../event.ts'
import { sql } from '../sqlite.ts'
import type { Tx } from '../tx.ts'

/** A file of the media store. */
export interface MediaRow {
  /** SHA-256 of its bytes, hex. */
  readonly hash: string
  readonly sizeBytes: number
}

const mediaOf = (row: Record<string, unknown>): MediaRow => ({
  hash: row['hash'] as string,
  sizeBytes: Number(row['size_bytes']),
})

/** The file is in the store, and was used just now. */
export function noteMedia(tx: Tx, { hash, sizeBytes }: MediaRow, nowMs: number): void {
  sql(
    tx,
    'INSERT INTO media VALUES (?, ?, ?, ?) ON CONFLICT (hash) DO UPDATE SET used_ms = max(used_ms, excluded.used_ms)',
  ).run(hash, sizeBytes, nowMs, nowMs)
}

/** A file that is used now; null when it is not in the store. */
export function touchMedia(tx: Tx, hash: string, nowMs: number): MediaRow | null {
  const row = sql(tx, 'UPDATE media SET used_ms = max(used_ms, ?) WHERE hash = ? RETURNING hash, size_bytes').get(
    nowMs,
    hash,
  )
  return row ? mediaOf(row) : null
}

export function mediaByHash(tx: Tx, hash: string): MediaRow | null {
  const row = sql(tx, 'SELECT hash, size_bytes FROM media WHERE hash = ?').get(hash)
  return row ? mediaOf(row) : null
}

/** What became of a file that a message of a network carried: copied, or why it can't be had. */
export type Copied = MediaRow | { readonly error: string }

export function noteCopied(tx: Tx, network: NetworkId, ref: string, copied: Copied, nowMs: number): void {
  const [hash, error] = 'hash' in copied ? [copied.hash, null] : [null, copied.error]
  if ('hash' in copied) noteMedia(tx, copied, nowMs)
  sql(
    tx,
    `INSERT INTO media_ref VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (network, ref) DO UPDATE SET hash = excluded.hash, error = excluded.error, at_ms = excluded.at_ms`,
  ).run(network, ref, hash, error, nowMs)
}

/** Null when it was never copied, or is not in the store any more. */
export function copiedAs(tx: Tx, network: NetworkId, ref: string): Copied | null {
  const row = sql(
    tx,
    `SELECT m.hash, m.size_bytes, r.error FROM media_ref r LEFT JOIN media m ON m.hash = r.hash
     WHERE r.network = ? AND r.ref = ?`,
  ).get(network, ref)
  if (row?.['hash']) return mediaOf(row)
  return row?.['error'] ? { error: row['error'] as string } : null
}

export const mediaBytes = (tx: Tx): number =>
  Number(sql(tx, 'SELECT coalesce(sum(size_bytes), 0) AS bytes FROM media').get()?.['bytes'])

/** Files not used since, the longest unused first. */
export const unusedMedia = (tx: Tx, beforeMs: number, limit: number): MediaRow[] =>
  sql(tx, 'SELECT hash, size_bytes FROM media WHERE used_ms < ? ORDER BY used_ms LIMIT ?')
    .all(beforeMs, limit)
    .map(mediaOf)

/** False: it was used at or after `beforeMs`, and stays. */
export function dropMedia(tx: Tx, hash: string, beforeMs: number): boolean {
  const { changes } = sql(tx, 'DELETE FROM media WHERE hash = ? AND used_ms < ?').run(hash, beforeMs)
  if (changes > 0) sql(tx, 'DELETE FROM media_ref WHERE hash = ?').run(hash)
  return changes > 0
}

/** What a link opens. */
export interface MediaLink {
  readonly hash: string
  readonly name: string
  readonly type: string | null
}

/** Keeps a link until then; those whose time is over are forgotten. */
export function keepLink(
  tx: Tx,
  tokenHash: string,
  { hash, name, type }: MediaLink,
  untilMs: number,
  nowMs: number,
): void {
  sql(tx, 'DELETE FROM media_link WHERE until_ms <= ?').run(nowMs)
  sql(tx, 'INSERT INTO media_link VALUES (?, ?, ?, ?, ?)').run(tokenHash, hash, name, type, untilMs)
}

export function linkedBy(tx: Tx, tokenHash: string, nowMs: number): MediaLink | null {
  const row = sql(tx, 'SELECT hash, name, type FROM media_link WHERE token = ? AND until_ms > ?').get(tokenHash, nowMs)
  return row ? { hash: row['hash'] as string, name: row['name'] as string, type: row['type'] as string | null } : null
}
