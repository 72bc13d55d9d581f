import type { NetworkId, Sender } from '../event.ts'
import type { Agent } from '../ledger/agents/agents.ts'
import { accountSpends, type Person, personSpends } from '../ledger/people/people.ts'

/** The budget of an agent, whatever account or key it uses. */
export const agentSpends = ({ name }: Pick<Agent, 'name'>): string => `agent:${name}`

/**
 * Whose budget a request is on: a person's or an agent's, whatever account they use; else the account's. All whom their
 * network does not vouch for share one, or a new nick would be a new budget.
 */
export function spenderOf(
  network: NetworkId,
  sender: Pick<Sender, 'id' | 'verified'>,
  { person, agent }: { person: Pick<Person, 'id'> | null; agent: Pick<Agent, 'name'> | null },
): string {
  if (person) return personSpends(person)
  if (!sender.verified) return `strangers:${network}`
  return agent ? agentSpends(agent) : accountSpends({ network, user: sender.id })
}
