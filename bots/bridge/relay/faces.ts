import { passesForOurs } from '../../../core/access/reserved.ts'
import type { Face, Place, Sender } from '../../../core/event.ts'
import { namesakes } from '../../../core/ledger/people/members.ts'
import { personAt } from '../../../core/ledger/people/people.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import type { Room } from '../../../core/rooms.ts'
import { deceives } from '../../../core/text/lookalikes.ts'
import { safeName } from '../../../core/text/text.ts'

/**
 * Who wrote it, as the other places of their room are shown. A name stands with its network where the eye could take it for
 * somebody else's: of who is in a place of another network, or of ours; and what a name hides is said.
 */
export function faceOf(db: Tx, sender: Sender, { network }: Place, room: Room): Face {
  const { name, avatar } = sender
  const shown = safeName(name)
  const deceit = deceives(name)
  const { names } = room.bridging
  const marked =
    deceit !== null ||
    names === 'always' ||
    passesForOurs(shown) ||
    (names === 'auto' && isTakenFor(db, sender, network, room))
  return {
    name: marked ? `${shown} [${deceit === null ? network : `${network}, ${deceit}`}]` : shown,
    ...(avatar?.startsWith('https://') ? { avatar } : {}),
    relayed: true,
    network,
  }
}

/** Whether somebody of another network could be meant; an account of the same person is nobody else. */
function isTakenFor(db: Tx, { id, name }: Sender, network: Place['network'], room: Room): boolean {
  const elsewhere = room.places.filter(place => place.network !== network)
  const others = namesakes(db, name, elsewhere)
  if (others.length === 0) return false
  const person = personAt(db, network, id)?.id
  return others.some(other => person === undefined || personAt(db, other.network, other.user)?.id !== person)
}
