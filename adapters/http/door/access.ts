import type { IncomingHttpHeaders } from 'node:http'
import { opens, prefixOf, type Scope } from '../../../core/access/api-keys.ts'
import type { UserId } from '../../../core/event.ts'
import { type Agent, agentNamed, engaged } from '../../../core/ledger/agents/agents.ts'
import { type Person, personAt } from '../../../core/ledger/people/people.ts'
import { type ApiKey, hashByPrefix, isInForce, keyByPrefix } from '../../../core/ledger/settings/api-keys.ts'
import type { Tx } from '../../../core/ledger/tx.ts'

/** Who asks: a key, and whom it speaks for. */
export interface Holder {
  readonly key: ApiKey
  readonly account: UserId
  /** The name under which it speaks. */
  readonly name: string
  readonly person: Person | null
  readonly agent: Agent | null
}

export const hasScope = ({ key }: Holder, scope: Scope): boolean => key.scopes.includes(scope)

/**
 * `Authorization: Bearer KEY`; for WebSockets from browsers, which can set no header, the subprotocols `chanop.v1, bearer.KEY`.
 * Null: there is none. Never from an address: those are written down by whoever passes them on.
 */
export function bearer(headers: IncomingHttpHeaders): string | null {
  const found = /^Bearer ([^\s]{1,200})$/i.exec(headers.authorization ?? '')
  if (found?.[1]) return found[1]
  return /(?:^|,\s*)bearer\.([^\s,]{1,200})/.exec(headers['sec-websocket-protocol'] ?? '')?.[1] ?? null
}

/** What is compared where there is nothing to compare: a key that nobody has, and the hash of none. */
const nobodys = { key: `chanop_${'0'.repeat(8)}_${'0'.repeat(43)}`, hash: '0'.repeat(64) }

/**
 * Whom a key speaks for now; null: nobody, in the same time whatever the cause. What was taken away counts from the next
 * look on.
 */
export function holderOf(tx: Tx, network: string, written: string | null, nowMs: number): Holder | null {
  const asked = written !== null && prefixOf(written) !== null ? written : nobodys.key
  const prefix = prefixOf(asked) ?? ''
  if (!opens(asked, hashByPrefix(tx, prefix, nobodys.hash))) return null
  const key = keyByPrefix(tx, prefix)
  if (key?.network !== network) return null
  return ownerOf(tx, key, nowMs)
}

/** The holder of a key that was opened before; null: it counts no more. */
export function ownerOf(tx: Tx, key: ApiKey, nowMs: number): Holder | null {
  if (!isInForce(key, nowMs)) return null
  const { account } = key
  if (key.agent !== null) {
    const agent = agentNamed(tx, key.agent)
    return agent && engaged(agent, nowMs) ? { key, account, name: agent.name, person: null, agent } : null
  }
  const person = personAt(tx, key.network, account)
  return person && { key, account, name: person.name, person, agent: null }
}
