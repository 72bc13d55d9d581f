import { passesForOurs } from '../../../core/access/reserved.ts'
import type { Face, Place, Sender } from '../../../core/event.ts'
import { type Namesake, namesakes } from '../../../core/ledger/people/members.ts'
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
  const others = names === 'auto' ? takenFor(db, sender, network, room) : []
  const double = others.some(other => other.network === network)
  const from = double ? `${network}:${shortId(sender)}` : network
  const marked = deceit !== null || names === 'always' || passesForOurs(shown) || others.length > 0
  return {
    name: marked ? `${shown} [${deceit === null ? from : `${from}, ${deceit}`}]` : shown,
    ...(avatar?.startsWith('https://') ? { avatar } : {}),
    relayed: true,
    network,
  }
}

/** Nicks are compared without case. */
const isSame = (one: string, other: string): boolean => one.toLowerCase() === other.toLowerCase()

const mostId = 12

/** Enough of an id to tell two of one name apart. */
const shortId = ({ id }: Sender): string => (id.length > mostId ? `…${id.slice(-4)}` : id)

/**
 * Who else could be meant: of another network, or of this one under the very same name, which platforms with names that are
 * nobody's own have. An account of the same person is nobody else.
 */
function takenFor(db: Tx, { id, name }: Sender, network: Place['network'], room: Room): Namesake[] {
  const others = namesakes(db, name, room.places).filter(
    other => other.network !== network || (other.user !== id && isSame(other.name, name)),
  )
  if (others.length === 0) return []
  const person = personAt(db, network, id)?.id
  return others.filter(other => person === undefined || personAt(db, other.network, other.user)?.id !== person)
}
