import type {
  Act,
  ChatEvent,
  Content,
  Draft,
  Face,
  MemberEvent,
  MessageEvent,
  MessageId,
  Place,
  Sender,
} from '../../core/event.ts'
import type { NewDelivery } from '../../core/ledger/deliveries.ts'
import { messageOf, type Stored } from '../../core/ledger/events.ts'
import { type Db, sql } from '../../core/ledger/sqlite.ts'
import type { Room, Rooms } from '../../core/rooms.ts'
import { safeName, truncate, visible } from '../../core/text.ts'
import { isSplit, presenceOf, type Split } from './splits.ts'

/** A copy of a copy goes round in circles: what another relay brought is recorded and not relayed. */
const maxHops = 0

function relayable(db: Db, { event, placeId: at }: Stored): boolean {
  if (event.place.private || event.sender.kind === 'self' || event.kind === 'gap') return false
  if (event.kind === 'message' && (event.hops ?? 0) > maxHops) return false
  if (event.origin === 'live') return true
  const since = Number(sql(db, 'SELECT since_ms FROM place WHERE id = ?').get(at)?.['since_ms'])
  return event.atMs >= since
}

/** Who wrote it, as they are shown in other places. */
const faceOf = ({ name, avatar }: Sender): Face => ({
  name: safeName(name),
  ...(avatar?.startsWith('https://') ? { avatar } : {}),
  relayed: true,
})

const draftOf = (event: ChatEvent, content: Content): Draft => ({ content, as: faceOf(event.sender) })

const memberText = (event: MemberEvent): string => {
  const name = safeName(event.sender.name)
  const detail = event.detail ? truncate(visible(event.detail), 200) : ''
  if (event.change === 'rename') return `${name} is now ${safeName(detail)}`
  return event.change === 'join' ? `${name} joined` : `${name} left${detail ? ` (${detail})` : ''}`
}

const notice = (text: string): Act => ({
  do: 'send',
  content: { segments: [{ kind: 'text', text }], style: 'notice' },
  as: { name: 'bridge' },
})

/** The message of a native id: in the thread where it is spoken of, or in its channel, as the one that opened the thread. */
export function meant(db: Db, place: Place, id: MessageId): Stored<MessageEvent> | null {
  const { thread, ...channel } = place
  return messageOf(db, place, id) ?? (thread === undefined ? null : messageOf(db, channel, id))
}

/** Whether what happens to a message is done by who wrote it. */
export const isAuthor = (message: ChatEvent, { place, sender }: ChatEvent): boolean =>
  message.sender.id === sender.id && message.place.network === place.network

/** An act for the other places; `source`: the fact that what is said stands for. */
interface Relayed {
  readonly act: Act
  readonly source?: number
}

/** What a fact means for the other places of its room, or null: nothing is relayed. */
function actOf(db: Db, stored: Stored, room: Room, split: Split): Relayed | null {
  const { event } = stored
  if (event.kind === 'message') {
    const { replyTo, ...content } = event.content
    const answered = replyTo && meant(db, event.place, replyTo)
    const root = event.place.thread && meant(db, event.place, event.place.thread)
    const seq = (answered || root)?.seq
    return { act: { do: 'send', ...draftOf(event, content), ...(seq ? { replySeq: seq } : {}) }, source: stored.seq }
  }
  if (event.kind === 'member') return tellsMember(event, room, split) ? { act: notice(memberText(event)) } : null
  if (event.kind === 'topic' || event.kind === 'gap') return null
  const target = meant(db, event.place, event.target)
  if (!target) return null
  if (event.kind === 'reaction') {
    const { emoji, removed } = event
    const by = faceOf(event.sender)
    return { act: { do: 'react', seq: target.seq, emoji, by, ...(removed ? { removed } : {}) } }
  }
  // Anyone may send an edit of anybody's message on some platforms: only the author's own is taken over.
  if (event.kind === 'edit' && !isAuthor(target.event, event)) return null
  if (event.kind === 'edit')
    return { act: { do: 'edit', seq: target.seq, draft: draftOf(event, event.content) }, source: target.seq }
  return { act: { do: 'remove', seq: target.seq, ...(event.reason ? { reason: event.reason } : {}) } }
}

/** Who left in a netsplit is told in one line with the others, and not at all when they come back. */
const tellsMember = (event: MemberEvent, room: Room, split: Split): boolean =>
  room.joins && event.origin === 'live' && !isSplit(event) && !(event.change === 'join' && split.has(presenceOf(event)))

/** What a place hears of a netsplit somewhere else in its room. */
export function relaysSplit({ event }: Stored, left: number, rooms: Rooms): NewDelivery[] {
  if (!rooms.of(event.place)?.joins) return []
  const act = notice(`netsplit: ${left === 1 ? safeName(event.sender.name) : `${left} people`} left`)
  return rooms.others(event.place).map(place => ({ place, bot: 'bridge', act }))
}

/** The copies a fact brings about. Part of the transaction that records the fact. */
export function relays(db: Db, stored: Stored, rooms: Rooms, split: Split): NewDelivery[] {
  const { event } = stored
  const room = rooms.of(event.place)
  if (!room || room.places.length < 2 || !relayable(db, stored)) return []
  const relayed = actOf(db, stored, room, split)
  if (!relayed) return []
  return rooms.others(event.place).map((place: Place) => ({
    place,
    bot: 'bridge',
    ...relayed,
  }))
}
