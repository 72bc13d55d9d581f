import { codeHash } from '../../../core/access/claim-codes.ts'
import { ChanopError } from '../../../core/error.ts'
import { dropClaim, keepLogin, waitingLogin } from '../../../core/ledger/people/claims.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import type { Vault } from '../../../core/vault/secrets.ts'

export const claimMs = 600_000
export const hashOf = (code: string): string => codeHash('claim', code)

const box = (hash: string): string => `claim:${hash}`

/** Keeps a login until its code is used or its time is over. Only the code's hash is kept. */
export function keepClaim(
  tx: Tx,
  vault: Vault,
  claim: { readonly code: string; readonly agent: string; readonly login: string; readonly untilMs: number },
): void {
  const hash = hashOf(claim.code)
  const sealed = vault.seal(box(hash), claim.login)
  keepLogin(tx, hash, { agent: claim.agent, sealed }, claim.untilMs)
}

/** What a code hands over. Throws `not-found` for one that is wrong, used or over. */
export function claimed(tx: Tx, vault: Vault, code: string, nowMs: number): { agent: string; login: string } {
  const hash = hashOf(code)
  const found = waitingLogin(tx, hash, nowMs)
  if (found) return { agent: found.agent, login: vault.open(box(hash), found.sealed) }
  const why = 'it was used, has run out, or is mistyped; ask whoever gave it for another'
  throw new ChanopError('not-found', `no login waits for that code: ${why}`)
}

/** Hands a login over and forgets it, in one transaction. Throws as `claimed` does. */
export function redeem(tx: Tx, vault: Vault, code: string, nowMs: number): { agent: string; login: string } {
  const found = claimed(tx, vault, code, nowMs)
  dropClaim(tx, hashOf(code), 'agent')
  return found
}
