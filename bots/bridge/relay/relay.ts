import {
  type Act,
  type ChatEvent,
  type Content,
  type Draft,
  type Face,
  type MemberEvent,
  type Place,
  saidMs,
} from '../../../core/event.ts'
import { type NewDelivery, saidAt } from '../../../core/ledger/out/deliveries.ts'
import { channelId, messageOf, placeId, rootOf, type Stored } from '../../../core/ledger/record/events.ts'
import { reactorsElsewhere } from '../../../core/ledger/record/reactions.ts'
import { placeSince } from '../../../core/ledger/settings/places.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import type { Bridging, Room, Rooms } from '../../../core/rooms.ts'
import { withoutMassMentions } from '../../../core/text/mass-mentions.ts'
import { localMentions } from '../../../core/text/mentions.ts'
import { plain, safeName, truncate, visible } from '../../../core/text/text.ts'
import { dated, isLate } from './dated.ts'
import { faceOf } from './faces.ts'
import { isLeftOut, reworded } from './rules.ts'

/** A copy of a copy goes round in circles: what another relay brought is recorded and not relayed. */
const maxHops = 0
/** Some platforms tell the time in whole seconds: what was said in the very second in which we met the place is not history. */
const coarseMs = 1000

function relayable(db: Tx, { event, placeId: at }: Stored): boolean {
  if (event.place.private || event.sender.kind === 'self' || event.kind === 'gap') return false
  if (event.kind === 'message' && (event.hops ?? 0) > maxHops) return false
  if (event.origin === 'live') return true
  return saidMs(event) + coarseMs > placeSince(db, channelId(db, at))
}

const memberText = (event: MemberEvent, shown: string): string => {
  const detail = event.detail ? truncate(visible(event.detail), 200) : ''
  if (event.change === 'rename') return `${shown} is now ${safeName(detail)}`
  return event.change === 'join' ? `${shown} joined` : `${shown} left${detail ? ` (${detail})` : ''}`
}

const notice = (text: string): Act => ({
  do: 'send',
  content: { segments: [{ kind: 'text', text }], style: 'notice' },
  as: { name: 'bridge' },
})

/** Whether what happens to a message is done by who wrote it. */
export const isAuthor = (message: ChatEvent, { place, sender }: ChatEvent): boolean =>
  message.sender.id === sender.id && message.place.network === place.network

/** What a fact is for the other places: the act, once they are known; `source`: the fact that what is said stands for. */
interface Relayed {
  readonly actIn: (to: Place) => Act
  readonly source?: number
  /** The message it is about: nothing is to be done where that never was. */
  readonly about?: number
}

export interface Passing {
  readonly nowMs: number
  /** What is passed on so much later says when it was said. */
  readonly lateMs: number
  /** Whether nothing of a fact goes to other places, whatever it is. */
  readonly stays: (event: ChatEvent) => boolean
  /** They come back from a netsplit that told of them in one line. */
  readonly returns?: boolean
  /** How the message read before this edit. */
  readonly was?: Content
  /** An edit that comes behind what overtook it: nothing of it is passed on. */
  readonly overtaken?: true
}

/** A content as it leaves its network. */
function leaving(
  event: ChatEvent & { readonly content: Content },
  bridging: Bridging,
  { nowMs, lateMs }: Passing,
): Content {
  const { replyTo: _reply, ...content } = reworded(bridging, event.content)
  const said = isLate(event, nowMs, lateMs) ? dated(content, saidMs(event), nowMs) : content
  return bridging.everyone ? said : withoutMassMentions(said)
}

/** What a fact means for the other places of its room, or null: nothing is relayed. */
function relayedOf(db: Tx, stored: Stored, room: Room, passing: Passing): Relayed | null {
  const { event } = stored
  const { bridging } = room
  const face = faceOf(db, event.sender, event.place, room)
  const draftIn = (content: Content): ((to: Place) => Draft) => {
    const said = leaving({ ...event, content } as ChatEvent & { content: Content }, bridging, passing)
    const may = bridging.everyone ? { everyone: true as const } : {}
    return to => ({ content: localMentions(db, said, event.place.network, to), as: face, ...may })
  }
  if (event.kind === 'member') return tellsMember(event, room, passing) ? memberActs(event, face) : null
  if (event.kind === 'topic' || event.kind === 'gap') return null
  if (event.kind === 'message') {
    const { replyTo } = event.content
    const replySeq = replyTo && messageOf(db, event.place, replyTo)?.seq
    const threadSeq = rootOf(db, event.place)
    const way = { ...(replySeq ? { replySeq } : {}), ...(threadSeq === undefined ? {} : { threadSeq }) }
    const draft = draftIn(event.content)
    const late = isLate(event, passing.nowMs, passing.lateMs) ? { dated: true as const } : {}
    return { actIn: to => ({ do: 'send', ...draft(to), ...way, ...late }), source: stored.seq }
  }
  const target = messageOf(db, event.place, event.target)
  if (!target) return null
  const about = target.seq
  if (event.kind === 'reaction') {
    const { emoji, removed } = event
    return { actIn: () => ({ do: 'react', seq: about, emoji, by: face, ...(removed ? { removed } : {}) }), about }
  }
  if (event.kind === 'delete') {
    const { reason } = event
    return { actIn: () => ({ do: 'remove', seq: about, ...(reason ? { reason } : {}) }), about }
  }
  // Anyone may send an edit of anybody's message on some platforms: only the author's own is taken over.
  if (!isAuthor(target.event, event)) return null
  const draft = draftIn(event.content)
  const was = passing.was ? { was: plain(leaving({ ...event, content: passing.was }, bridging, passing)) } : {}
  return { actIn: to => ({ do: 'edit', seq: about, draft: draft(to), ...was }), source: about, about }
}

const memberActs = (event: MemberEvent, face: Face): Relayed => ({ actIn: () => notice(memberText(event, face.name)) })

/** Who left in a netsplit is told in one line with the others, and not at all when they come back. */
const tellsMember = (event: MemberEvent, room: Room, { returns }: Passing): boolean =>
  room.joins && event.origin === 'live' && event.split !== true && !(event.change === 'join' && returns === true)

/** What the other places hear of a netsplit in one place of their room. */
export function relaysSplit(db: Tx, { event }: Stored, left: number, rooms: Rooms): NewDelivery[] {
  const room = rooms.of(event.place)
  if (!room?.joins) return []
  const face = faceOf(db, event.sender, event.place, room)
  return rooms.others(event.place).map(place => ({
    place,
    bot: 'bridge',
    act: notice(`netsplit: ${left === 1 ? face.name : `${left} people`} left`),
  }))
}

/** Who takes a reaction back leaves it where somebody else's is shown by the same one of ours: not that of who is ignored. */
function staysIn(db: Tx, event: ChatEvent, act: Act, to: Place, rooms: Rooms, { stays }: Passing): boolean {
  if (act.do !== 'react' || !act.removed) return false
  return reactorsElsewhere(db, act.seq, act.emoji, placeId(db, to)).some(({ user, name, place }) => {
    const theirs = { ...event, place, sender: { id: user, name, kind: 'person' as const, verified: true } }
    const room = rooms.of(place)
    return room !== undefined && rooms.passes(place, to) && !isLeftOut(room.bridging, theirs) && !stays(theirs)
  })
}

/** The copies a fact brings about. Part of the transaction that records the fact. */
export function relays(db: Tx, stored: Stored, rooms: Rooms, passing: Passing): NewDelivery[] {
  const { event } = stored
  const room = rooms.of(event.place)
  if (!room || rooms.others(event.place).length === 0) return []
  if (passing.overtaken || !relayable(db, stored) || isLeftOut(room.bridging, event)) return []
  const relayed = relayedOf(db, stored, room, passing)
  if (!relayed) return []
  const { actIn, about, source } = relayed
  return rooms
    .others(event.place)
    .flatMap(place => (about === undefined ? place : (saidAt(db, about, place) ?? [])))
    .map(place => ({ place, bot: 'bridge', act: actIn(place), ...(source === undefined ? {} : { source }) }))
    .filter(({ act, place }) => !staysIn(db, event, act, place, rooms, passing))
}
