import { createHash } from 'node:crypto'
import { ChanopError } from '../../../core/error.ts'
import type { NetworkId, UserId } from '../../../core/event.ts'
import { type Db, sql } from '../../../core/ledger/sqlite.ts'

/** How long a code can be used. */
export const linkMs = 600_000

/** An account as its network vouches for it. */
export interface Account {
  readonly network: NetworkId
  readonly user: UserId
  /** What the person is called when they become one. */
  readonly name: string
}

const hashOf = (code: string): string =>
  createHash('sha256')
    .update(`chanop link ${code.toUpperCase().replaceAll(/[^A-Z0-9]/g, '')}`)
    .digest('hex')

/** Makes a code an account's, in place of one it had. Only the code's hash is kept. */
export function offer(db: Db, { network, user, name }: Account, code: string, nowMs: number): void {
  sql(
    db,
    "DELETE FROM claim WHERE kind = 'link' AND (until_ms <= ? OR (subject ->> 'network' = ? AND subject ->> 'user' = ?))",
  ).run(nowMs, network, user)
  const subject = JSON.stringify({ network, user, name })
  sql(db, "INSERT INTO claim VALUES (?, 'link', ?, NULL, ?)").run(hashOf(code), subject, nowMs + linkMs)
}

/** Makes a code worthless; false when it was so already. */
export const burn = (db: Db, code: string): boolean =>
  sql(db, "DELETE FROM claim WHERE hash = ? AND kind = 'link'").run(hashOf(code)).changes > 0

/** The account that was given this code, which counts no more. Throws `not-found`. */
export function take(db: Db, code: string, nowMs: number): Account {
  const hash = hashOf(code)
  const row = sql(db, "SELECT subject FROM claim WHERE hash = ? AND kind = 'link' AND until_ms > ?").get(hash, nowMs)
  if (!row)
    throw new ChanopError(
      'not-found',
      'that code is wrong, used or older than 10 minutes: say link again where you got it',
    )
  burn(db, code)
  return JSON.parse(row['subject'] as string) as Account
}
