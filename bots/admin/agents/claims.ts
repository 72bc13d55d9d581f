import { createHash, randomInt } from 'node:crypto'
import { ChanopError } from '../../../core/error.ts'
import { type Db, sql } from '../../../core/ledger/sqlite.ts'
import type { Vault } from '../../../core/secrets.ts'

export const claimMs = 600_000
const letters = 'ABCDEFGHJKLMNPQRSTUVWXYZ23456789'

/** 60 random bits in letters that are not mistaken for each other: `ABCD-EFGH-JKLM`. */
export function newCode(): string {
  const drawn = Array.from({ length: 12 }, () => letters[randomInt(letters.length)]).join('')
  return drawn.replace(/(....)(....)/, '$1-$2-')
}

const hashOf = (code: string): string =>
  createHash('sha256')
    .update(`chanop claim ${code.toUpperCase().replaceAll(/[^A-Z0-9]/g, '')}`)
    .digest('hex')

const box = (hash: string): string => `claim:${hash}`

/** Keeps a login until its code is used or its time is over. Only the code's hash is kept. */
export function keepClaim(
  db: Db,
  vault: Vault,
  claim: { readonly code: string; readonly agent: string; readonly login: string; readonly untilMs: number },
): void {
  const hash = hashOf(claim.code)
  sql(db, 'INSERT INTO claim VALUES (?, ?, ?, ?, ?)').run(
    hash,
    'agent',
    claim.agent,
    vault.seal(box(hash), claim.login),
    claim.untilMs,
  )
}

/** What a code hands over. Throws `not-found` for one that is wrong, used or over. */
export function claimed(db: Db, vault: Vault, code: string, nowMs: number): { agent: string; login: string } {
  const hash = hashOf(code)
  const row = sql(
    db,
    `SELECT c.subject, c.sealed FROM claim c JOIN agent a ON a.name = c.subject AND a.state IN ('active', 'rotating')
     WHERE c.hash = ? AND c.kind = 'agent' AND c.until_ms > ?`,
  ).get(hash, nowMs)
  if (row) return { agent: row['subject'] as string, login: vault.open(box(hash), row['sealed'] as Buffer) }
  const why = 'it was used, or its time is over; rotate gives a new one'
  throw new ChanopError('not-found', `no login waits for that code: ${why}`)
}

/** Hands a login over and forgets it, in one transaction. Throws as `claimed` does. */
export function redeem(db: Db, vault: Vault, code: string, nowMs: number): { agent: string; login: string } {
  const found = claimed(db, vault, code, nowMs)
  sql(db, 'DELETE FROM claim WHERE hash = ?').run(hashOf(code))
  return found
}

/** An agent's codes count no more: its password is another, or it is gone. */
export const dropClaims = (db: Db, agent: string): void => {
  sql(db, "DELETE FROM claim WHERE kind = 'agent' AND subject = ?").run(agent)
}

export const forgetOldClaims = (db: Db, nowMs: number): void => {
  sql(db, "DELETE FROM claim WHERE kind = 'agent' AND until_ms <= ?").run(nowMs)
}
