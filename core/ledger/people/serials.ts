/** Serials of signed engagements, and which of them were taken back. */
import { sql } from '../sqlite.ts'
import type { Tx } from '../tx.ts'

/** What a signed engagement is known by. */
export interface Serial {
  readonly jti: string
  /** When it ends by itself, Unix ms. */
  readonly untilMs: number
}

export interface RevokedSerial extends Serial {
  readonly agent: string
  readonly atMs: number
}

/** Of a compact JWS of ours, not verified; null: there is none, or it is of the time before serials. */
export function serialOf(jws: string | null): Serial | null {
  const payload = jws?.split('.')[1]
  if (payload === undefined) return null
  const { jti, exp } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { jti?: unknown; exp?: unknown }
  return typeof jti === 'string' && typeof exp === 'number' ? { jti, untilMs: exp * 1000 } : null
}

export function revokeSerial(tx: Tx, agent: string, jws: string | null, nowMs: number): void {
  const serial = serialOf(jws)
  if (!serial || serial.untilMs <= nowMs) return
  sql(tx, 'INSERT INTO revoked_serial (jti, agent, at_ms, until_ms) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING').run(
    serial.jti,
    agent,
    nowMs,
    serial.untilMs,
  )
}

/** Those that would still hold, the oldest first. */
export const revokedSerials = (tx: Tx, nowMs: number): RevokedSerial[] =>
  sql(tx, 'SELECT jti, agent, at_ms, until_ms FROM revoked_serial WHERE until_ms > ? ORDER BY at_ms, jti')
    .all(nowMs)
    .map(row => ({
      jti: row['jti'] as string,
      agent: row['agent'] as string,
      atMs: Number(row['at_ms']),
      untilMs: Number(row['until_ms']),
    }))

/** Changes when the list does. */
export function serialsStamp(tx: Tx): string {
  const row = sql(tx, 'SELECT count(*) AS n, max(at_ms) AS last FROM revoked_serial').get()
  return `${Number(row?.['n'])}.${Number(row?.['last'] ?? 0)}`
}

export function forgetSerials(tx: Tx, nowMs: number): void {
  sql(tx, 'DELETE FROM revoked_serial WHERE until_ms <= ?').run(nowMs)
}
