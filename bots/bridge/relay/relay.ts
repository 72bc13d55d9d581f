import {
  type Act,
  type ChatEvent,
  type Content,
  type Draft,
  type Face,
  type MemberEvent,
  type NetworkId,
  type Place,
  type Sender,
  saidMs,
} from '../../../core/event.ts'
import type { NewDelivery } from '../../../core/ledger/deliveries.ts'
import { messageOf, placeId, rootOf, type Stored } from '../../../core/ledger/events.ts'
import { placeSince } from '../../../core/ledger/places.ts'
import { isReactedElsewhere } from '../../../core/ledger/reactions.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import { localMentions } from '../../../core/mentions.ts'
import type { Room, Rooms } from '../../../core/rooms.ts'
import { safeName, truncate, visible } from '../../../core/text.ts'
import { isSplit, presenceOf, type Split } from '../intake/splits.ts'

/** A copy of a copy goes round in circles: what another relay brought is recorded and not relayed. */
const maxHops = 0

function relayable(db: Tx, { event, placeId: at }: Stored): boolean {
  if (event.place.private || event.sender.kind === 'self' || event.kind === 'gap') return false
  if (event.kind === 'message' && (event.hops ?? 0) > maxHops) return false
  if (event.origin === 'live') return true
  return saidMs(event) >= placeSince(db, at)
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

/** Whether what happens to a message is done by who wrote it. */
export const isAuthor = (message: ChatEvent, { place, sender }: ChatEvent): boolean =>
  message.sender.id === sender.id && message.place.network === place.network

/** An act for the other places; `source`: the fact that what is said stands for. */
interface Relayed {
  readonly act: Act
  readonly source?: number
}

/** What a fact means for the other places of its room, or null: nothing is relayed. */
function actOf(db: Tx, stored: Stored, room: Room, split: Split): Relayed | null {
  const { event } = stored
  if (event.kind === 'message') {
    const { replyTo, ...content } = event.content
    const replySeq = replyTo && messageOf(db, event.place, replyTo)?.seq
    const threadSeq = rootOf(db, event.place)
    const way = { ...(replySeq ? { replySeq } : {}), ...(threadSeq === undefined ? {} : { threadSeq }) }
    return { act: { do: 'send', ...draftOf(event, content), ...way }, source: stored.seq }
  }
  if (event.kind === 'member') return tellsMember(event, room, split) ? { act: notice(memberText(event)) } : null
  if (event.kind === 'topic' || event.kind === 'gap') return null
  const target = messageOf(db, event.place, event.target)
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

/** Who takes a reaction back leaves it where somebody else's is shown by the same one of ours. */
const staysIn = (db: Tx, act: Act, place: Place): boolean =>
  act.do === 'react' && act.removed === true && isReactedElsewhere(db, act.seq, act.emoji, placeId(db, place))

/** An act of one network as it may be done on another. */
function actOn(db: Tx, act: Act, from: NetworkId, { network }: Place): Act {
  if (act.do === 'send') return { ...act, content: localMentions(db, act.content, from, network) }
  if (act.do !== 'edit') return act
  return { ...act, draft: { ...act.draft, content: localMentions(db, act.draft.content, from, network) } }
}

/** The copies a fact brings about. Part of the transaction that records the fact. */
export function relays(db: Tx, stored: Stored, rooms: Rooms, split: Split): NewDelivery[] {
  const { event } = stored
  const room = rooms.of(event.place)
  if (!room || room.places.length < 2 || !relayable(db, stored)) return []
  const relayed = actOf(db, stored, room, split)
  if (!relayed) return []
  return rooms
    .others(event.place)
    .filter(place => !staysIn(db, relayed.act, place))
    .map(place => ({ ...relayed, place, bot: 'bridge', act: actOn(db, relayed.act, event.place.network, place) }))
}
