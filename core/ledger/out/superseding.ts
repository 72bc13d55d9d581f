/** What still waits to be said is changed, or taken back. */
import type { ChannelId, NetworkId, Place } from '../../event.ts'
import { bySeq, channelOf, isOurs, placeId } from '../record/events.ts'
import { type Row, sql } from '../sqlite.ts'
import type { Tx } from '../tx.ts'
import { type Delivery, type NewDelivery, replyOf, rewrite, saying, setState, states } from './deliveries.ts'

/** Nobody began to do it: nothing of it can be out. */
const isUntouched = ({ state, attempts, act }: Delivery): boolean =>
  state === 'queued' && attempts === 0 && !(act.do === 'send' && act.repeat)

/**
 * What is left to do of an edit or a removal, once what nobody began to do before it is taken back: a message is said as it reads
 * now, or never, and of its edits the newest is told. `dated`: its words begin with when it was said. Null: nothing.
 */
export function superseding(db: Tx, delivery: NewDelivery, dated: boolean): NewDelivery | null {
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
    rewrite(db, send, {
      do: 'send',
      ...replyOf(send.act),
      ...act.draft,
      content,
      ...(dated ? { dated } : {}),
    })
    return null
  }
  const [first] = edits
  if (first?.act.do !== 'edit') return delivery
  cancel(edits)
  const { was: _was, ...now } = act
  return { ...delivery, act: { ...now, ...(first.act.was === undefined ? {} : { was: first.act.was }) } }
}

const channelIn = (row: Row, which: 'from' | 'to'): Place => ({
  network: row[`${which}_network`] as NetworkId,
  channel: row[`${which}_channel`] as ChannelId,
})

/** What people said or changed: a bot says where it likes. */
const copiesThatWait = `delivery d JOIN event e ON e.seq = d.source
  WHERE d.state < 10 AND d.state = ${states.queued} AND NOT (${isOurs})`

type Goes = (from: Place, to: Place) => boolean

const isSame = (one: Place, other: Place): boolean => one.network === other.network && one.channel === other.channel

/** Takes one back that was lost on its way and is not out, where nothing goes any more. False: it is to be said. */
export function takeBackLost(db: Tx, { id, source, place }: Delivery, goes: Goes): boolean {
  const fact = source === null ? null : bySeq(db, source)?.event
  if (!fact || fact.sender.kind === 'self' || fact.place.private || place.private) return false
  const [from, to] = [channelOf(fact.place), channelOf(place)]
  if (isSame(from, to) || goes(from, to)) return false
  setState(db, [id], 'cancelled')
  return true
}

/** Takes back what waits to be passed on from one channel to another, where `goes` says that nothing is any more. How much that was. */
export function takeBackCopies(db: Tx, goes: Goes): number {
  const pairs = sql(
    db,
    `SELECT w.target, w.origin, o.network AS from_network, o.channel AS from_channel, t.network AS to_network,
     t.channel AS to_channel
     FROM (SELECT DISTINCT d.place AS target, e.place AS origin FROM ${copiesThatWait}) w
     JOIN place o ON o.id = w.origin JOIN place t ON t.id = w.target WHERE o.private = 0 AND t.private = 0`,
  ).all()
  let count = 0
  for (const row of pairs) {
    const [from, to] = [channelIn(row, 'from'), channelIn(row, 'to')]
    if (isSame(from, to) || goes(from, to)) continue
    const taken = sql(
      db,
      `UPDATE delivery SET state = ${states.cancelled}
       WHERE id IN (SELECT d.id FROM ${copiesThatWait} AND d.place = ? AND e.place = ?)`,
    ).run(row['target'], row['origin'])
    count += taken.changes
  }
  return count
}
