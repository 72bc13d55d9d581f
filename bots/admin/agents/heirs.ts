import type { Caller } from '../../../core/command/command.ts'
import { giveAgents } from '../../../core/ledger/agents/agents.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import { escapeInline } from '../../../core/text/text.ts'
import { listed } from './asking.ts'

/**
 * Agents of an account that ends, or that is made anew after it ended unseen, go to who asks: whoever has the name next
 * answers for none of them. An agent that asks hands them to who answers for itself. The lines that say so.
 */
export function inherit(tx: Tx, caller: Caller, account: { network: string; name: string }, nowMs: number): string[] {
  const from = `${account.network}:${account.name.toLowerCase()}`
  const own = `${caller.network}:${caller.account}`
  const heir = caller.agent && caller.agent.owner !== from ? caller.agent.owner : own
  const names = giveAgents(tx, from, heir, nowMs)
  if (names.length === 0) return []
  const whose = names.length === 1 ? 'is an agent' : 'are agents'
  return [
    escapeInline(
      `${listed(names)} ${whose} of ${heir} now: ${from} answered for ${names.length === 1 ? 'it' : 'them'}`,
    ),
  ]
}
