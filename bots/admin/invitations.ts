/** Accounts for people who fetch them by a code: nothing is made before, and only the code's hash is kept. */

import { includes, isRole } from '../../core/access/role.ts'
import { ChanopError } from '../../core/error.ts'
import type { UserId } from '../../core/event.ts'
import { agentNamed, giveAgents } from '../../core/ledger/agents/agents.ts'
import { type NewOrder, placeOrder } from '../../core/ledger/out/orders.ts'
import { dropClaim, type Invitation, keepInvitation, waitingInvitation } from '../../core/ledger/people/claims.ts'
import { personAt } from '../../core/ledger/people/people.ts'
import { roleIn } from '../../core/ledger/people/roles.ts'
import type { Tx } from '../../core/ledger/tx.ts'
import type { Vault } from '../../core/vault/secrets.ts'
import { hashOf } from './agents/claims.ts'
import { written } from './meant.ts'

export const invite = (tx: Tx, code: string, invitation: Invitation, untilMs: number): void =>
  keepInvitation(tx, hashOf(code), invitation, untilMs)

/**
 * What a code invites to; null for a code of another kind, one that is wrong, used or over. Throws `denied` when who gave it
 * could not give it now.
 */
export function invited(tx: Tx, code: string, nowMs: number): Invitation | null {
  const found = waitingInvitation(tx, hashOf(code), nowMs)
  if (!found) return null
  const { by, role, roleUntilMs } = found
  const giver = personAt(tx, by.network, by.user)
  const theirs = giver ? roleIn(tx, giver, '', nowMs) : 'guest'
  const may = isRole(role) && includes(theirs, 'operator') && includes(theirs, role)
  if (may && (roleUntilMs === null || roleUntilMs > nowMs)) return found
  throw new ChanopError(
    'denied',
    `${by.user}, who gave this code, may not make a ${role} any more: ask for another one`,
  )
}

/** The order that makes the account with this password; its key is the code's, so that a code makes one account at most. */
export function joining(vault: Vault, code: string, invitation: Invitation, password: string): NewOrder {
  const { network, user, role, by, roleUntilMs } = invitation
  const key = `invite.${hashOf(code)}`
  const until = roleUntilMs === null ? {} : { until: String(roleUntilMs) }
  const args = { account: user, role, by: written(by), ...until }
  return { key, network, kind: 'account.create', args, sealed: vault.seal(`order:${key}`, password) }
}

/** Uses a code up and has its account made, in one transaction. Throws `not-found` when it was used already. */
export function join(tx: Tx, code: string, order: NewOrder, nowMs: number): void {
  useUp(tx, code)
  const { network, args } = order
  const { account = '', by = '' } = args
  if (personAt(tx, network, account.toLowerCase() as UserId))
    throw new ChanopError('conflict', `${account} is a person here already: ask for another code`)
  // Whoever had the name before may have answered for agents: who gave the code does now.
  if (agentNamed(tx, account) === null) giveAgents(tx, `${network}:${account.toLowerCase()}`, by, nowMs)
  placeOrder(tx, order, nowMs)
}

function useUp(tx: Tx, code: string): void {
  if (!dropClaim(tx, hashOf(code), 'invite'))
    throw new ChanopError('not-found', 'that code was used already: ask for another one')
}
