/** Edits and removals of what still waits to be said. */
import { placeId } from '../record/events.ts'
import type { Tx } from '../tx.ts'
import { type Delivery, type NewDelivery, rewrite, saying, setState } from './deliveries.ts'

/** Nobody began to do it: nothing of it can be out. */
const isUntouched = ({ state, attempts, act }: Delivery): boolean =>
  state === 'queued' && attempts === 0 && !(act.do === 'send' && act.repeat)

/**
 * What is left to do of an edit or a removal, once what nobody began to do before it is taken back: a message is said as it reads
 * now, or never, and of its edits the newest is told. Null: nothing.
 */
export function superseding(db: Tx, delivery: NewDelivery): NewDelivery | null {
  const { act } = delivery
  if (act.do !== 'edit' && act.do !== 'remove') return delivery
  const at = placeId(db, delivery.place)
  const here = saying(db, act.seq).filter(row => row.placeId === at && row.state !== 'cancelled')
  const sends = here.filter(row => row.act.do === 'send')
  const edits = here.filter(row => row.act.do === 'edit' && row.amended === null && isUntouched(row))
  const cancel = (rows: readonly Delivery[]): void => {
    const ids = rows.map(({ id }) => id)
    setState(db, ids, 'cancelled')
  }
  if (act.do === 'remove') {
    cancel([...sends.filter(isUntouched), ...edits])
    return sends.length > 0 && sends.every(isUntouched) ? null : delivery
  }
  const [send] = sends
  if (send?.act.do === 'send' && !send.act.dated && isUntouched(send)) {
    // The files of a message stay where they are when its words change.
    const { attachments } = send.act.content
    const content = { ...(attachments ? { attachments } : {}), ...act.draft.content }
    rewrite(db, send, { ...send.act, ...act.draft, content })
    return null
  }
  const [first] = edits
  if (first?.act.do !== 'edit') return delivery
  cancel(edits)
  const { was: _was, ...now } = act
  return { ...delivery, act: { ...now, ...(first.act.was === undefined ? {} : { was: first.act.was }) } }
}
