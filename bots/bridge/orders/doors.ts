import { admitted } from '../../../core/access/admission.ts'
import type { Place, UserId } from '../../../core/event.ts'
import type { Ledger } from '../../../core/ledger/ledger.ts'
import { doorOf, storeDoor } from '../../../core/ledger/people/admission.ts'
import type { Tx } from '../../../core/ledger/tx.ts'

/**
 * Who may be in a channel as the ledger has it now, whatever it was when an order was given; null: everybody. `besides`:
 * it is made so besides the order for it, which is to be given again.
 */
export async function admittedNow(ledger: Ledger, place: Place, besides: boolean): Promise<readonly UserId[] | null> {
  const closed = await ledger.read(tx => doorOf(tx, place)?.open === false)
  if (!closed) return null
  const list = (tx: Tx): readonly UserId[] | null => {
    const door = doorOf(tx, place)
    if (door === null || door.open) return null
    if (besides) storeDoor(tx, place, { ...door, digest: '' })
    return admitted(tx, place, door.room, Date.now())
  }
  return besides ? ledger.write(list) : ledger.read(list)
}
