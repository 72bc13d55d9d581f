import type { NetworkId, Sender } from '../event.ts'
import { type Person, personAt } from '../ledger/people/people.ts'
import { roleIn } from '../ledger/people/roles.ts'
import type { Tx } from '../ledger/tx.ts'
import type { Role } from './role.ts'

/** Who somebody is to us. Everything hangs on the platform's verified id; names grant nothing. */
export interface Known {
  readonly person: Person | null
  readonly role: Role
}

/** The person behind a verified sender and their highest valid role in `room`. Unverified senders are nobody. */
export function identify(tx: Tx, network: NetworkId, sender: Sender, room: string, nowMs: number): Known {
  const person = sender.verified ? personAt(tx, network, sender.id) : null
  return { person, role: person ? roleIn(tx, person, room, nowMs) : 'guest' }
}
