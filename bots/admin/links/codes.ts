import { codeHash } from '../../../core/access/claim-codes.ts'
import { ChanopError } from '../../../core/error.ts'
import { dropClaim, type Giver, keepLinkCode, linkCode } from '../../../core/ledger/people/claims.ts'
import type { Tx } from '../../../core/ledger/tx.ts'

/** How long a code can be used. */
export const linkMs = 600_000

const hashOf = (code: string): string => codeHash('link', code)

/** Makes a code an account's, in place of one it had. Only the code's hash is kept. */
export function offer(tx: Tx, giver: Giver, code: string, nowMs: number): void {
  keepLinkCode(tx, hashOf(code), giver, nowMs + linkMs, nowMs)
}

/** Makes a code worthless; false when it was so already. */
export const burn = (tx: Tx, code: string): boolean => dropClaim(tx, hashOf(code), 'link')

/** The account that was given this code, which counts no more. Throws `not-found`. */
export function take(tx: Tx, code: string, nowMs: number): Giver {
  const giver = linkCode(tx, hashOf(code), nowMs)
  if (!giver)
    throw new ChanopError(
      'not-found',
      'that code is wrong, used or older than 10 minutes: say !link again where you got it',
    )
  burn(tx, code)
  return giver
}
