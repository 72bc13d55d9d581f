import { admitted } from '../../../core/access/admission.ts'
import type { Place, UserId } from '../../../core/event.ts'
import type { Ledger } from '../../../core/ledger/ledger.ts'
import { doorOf, storeDoor } from '../../../core/ledger/people/admission.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import type { Rooms } from '../../../core/rooms.ts'

/**
 * Who may be in a channel as the ledger has it now, whatever it was when an order was given; null: everybody. `besides`:
 * it is made so besides the order for it, which is to be given again. A channel for which none was given yet is never open
 * before it is closed.
 */
export async function admittedNow(
  { ledger, rooms }: { readonly ledger: Ledger; readonly rooms: Rooms },
  place: Place,
  besides: boolean,
): Promise<readonly UserId[] | null> {
  const { open, name: room } = rooms.from(place)
  const closed = await ledger.read(tx => !(doorOf(tx, place) ?? { open }).open)
  if (!closed) return null
  const list = (tx: Tx): readonly UserId[] | null => {
    const door = doorOf(tx, place)
    if ((door ?? { open }).open) return null
    if (besides && door) storeDoor(tx, place, { ...door, digest: '' })
    return admitted(tx, rooms, place, (door ?? { room }).room, Date.now())
  }
  return besides ? ledger.write(list) : ledger.read(list)
}
