import type { NetworkId, Sender } from '../../../core/event.ts'
import type { Person } from '../../../core/ledger/people.ts'

/**
 * Whose budget a request is on: a person's, whatever account they use; else the account's. All whom their network does
 * not vouch for share one, or a new nick would be a new budget.
 */
export function spenderOf(network: NetworkId, sender: Pick<Sender, 'id' | 'verified'>, person: Person | null): string {
  if (person) return `person:${person.id}`
  return sender.verified ? `account:${network}:${sender.id}` : `strangers:${network}`
}
