import type { Act, ChatEvent, Content, Draft, MemberEvent, Place } from '../../core/event.ts'
import { placeId, messageOf, type Stored } from '../../core/ledger/events.ts'
import type { NewDelivery } from '../../core/ledger/deliveries.ts'
import { type Db, sql } from '../../core/ledger/sqlite.ts'
import type { Room, Rooms } from '../../core/rooms.ts'

/** A copy of a copy goes round in circles: what another relay brought is recorded and not relayed. */
const maxHops = 0

function relayable(db: Db, { event, placeId: at }: Stored): boolean {
  if (event.place.private || event.sender.kind === 'self' || event.kind === 'gap') return false
  if (event.kind === 'message' && (event.hops ?? 0) > maxHops) return false
  if (event.origin === 'live') return true
  const since = Number(sql(db, 'SELECT since_ms FROM place WHERE id = ?').get(at)?.['since_ms'])
  return event.atMs >= since
}

const draftOf = (event: ChatEvent, content: Content): Draft => ({
  content,
  as: { name: event.sender.name, relayed: true },
})

const memberText = (event: MemberEvent): string => {
  const reason = event.detail ? ` (${event.detail})` : ''
  if (event.change === 'rename') return `${event.sender.name} is now ${event.detail ?? ''}`
  return event.change === 'join' ? `${event.sender.name} joined` : `${event.sender.name} left${reason}`
}

const notice = (text: string): Act => ({
  do: 'send',
  content: { segments: [{ kind: 'text', text }], style: 'notice' },
  as: { name: 'bridge' },
})

/** What a fact means for the other places of its room, or null: nothing is relayed. */
function actOf(db: Db, stored: Stored, room: Room): { act: Act; copy: boolean } | null {
  const { event } = stored
  if (event.kind === 'message') {
    const { replyTo, ...content } = event.content
    const answered = replyTo && messageOf(db, event.place, replyTo)
    const root = event.place.thread && messageOf(db, event.place, event.place.thread)
    const seq = (answered || root)?.seq
    return { act: { do: 'send', ...draftOf(event, content), ...(seq ? { replySeq: seq } : {}) }, copy: true }
  }
  if (event.kind === 'member') {
    return room.joins && !event.split && event.origin === 'live'
      ? { act: notice(memberText(event)), copy: false }
      : null
  }
  if (event.kind === 'topic' || event.kind === 'gap') return null
  const target = messageOf(db, event.place, event.target)
  if (!target) return null
  if (event.kind === 'reaction') {
    const { emoji, removed } = event
    return { act: { do: 'react', seq: target.seq, emoji, ...(removed ? { removed } : {}) }, copy: false }
  }
  // Anyone may send an edit of anybody's message on some platforms: only the author's own is taken over.
  if (event.kind === 'edit' && target.event.sender.id !== event.sender.id) return null
  if (event.kind === 'edit')
    return { act: { do: 'edit', seq: target.seq, draft: draftOf(event, event.content) }, copy: false }
  return { act: { do: 'remove', seq: target.seq, ...(event.reason ? { reason: event.reason } : {}) }, copy: false }
}

/** The copies a fact brings about. Part of the transaction that records the fact. */
export function relays(db: Db, stored: Stored, rooms: Rooms): NewDelivery[] {
  const { event } = stored
  const room = rooms.of(event.place)
  if (!room || room.places.length < 2 || !relayable(db, stored)) return []
  const relayed = actOf(db, stored, room)
  if (!relayed) return []
  return rooms.others(event.place).map((place: Place) => ({
    place,
    bot: 'bridge',
    act: relayed.act,
    ...(relayed.copy ? { source: stored.seq } : {}),
  }))
}

/** Whether a place of the ledger is known at all: a room may name one that nobody ever saw. */
export const known = (db: Db, place: Place): number => placeId(db, place)
