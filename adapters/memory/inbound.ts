import type {
  ChannelId,
  ChatEvent,
  Content,
  GapEvent,
  MessageId,
  NetworkId,
  Origin,
  Place,
  Sender,
  UserId,
} from '../../core/event.ts'
import { type Author, type Happening, isPrivate } from './native.ts'

export const placeFor = (network: NetworkId, channel: string, thread?: MessageId): Place => ({
  network,
  channel: channel as ChannelId,
  ...(thread === undefined ? {} : { thread }),
  ...(isPrivate(channel) ? { private: true as const } : {}),
})

export const senderOf = (by: Author): Sender => ({
  id: by.id as UserId,
  name: by.name,
  ...(by.avatar === undefined ? {} : { avatar: by.avatar }),
  kind: by.bot ? 'bot' : 'person',
  verified: by.verified,
})

/** What `account` reads in a content: mentions of itself are of us. */
const heardBy = (account: string, content: Content): Content => ({
  ...content,
  segments: content.segments.map(segment =>
    segment.kind === 'mention' && segment.id === account ? { ...segment, self: true as const } : segment,
  ),
})

/** A line of the server's log as an event for `account`. The key is the message's own id, or the line's position. */
export function eventOf(network: NetworkId, account: string, happening: Happening, origin: Origin): ChatEvent {
  const { seq, channel, thread, by, atMs, ...deed } = happening
  const base = {
    key: `${network}:${deed.kind === 'message' ? deed.id : `h${seq}`}`,
    place: placeFor(network, channel, thread),
    sender: senderOf(by),
    atMs,
    origin,
  }
  return { ...base, ...('content' in deed ? { ...deed, content: heardBy(account, deed.content) } : deed) }
}

/** What was said after a message that the server no longer knows can't be told from what was said before it. */
export const gapOf = (place: Place, lost: { id: MessageId; atMs: number }, nowMs: number): GapEvent => ({
  kind: 'gap',
  key: `${place.network}:gap/${place.channel}/${lost.id}`,
  place,
  sender: { id: 'server' as UserId, name: 'server', kind: 'bot', verified: false },
  atMs: nowMs,
  origin: 'backfill',
  fromMs: lost.atMs,
  reason: 'The server no longer holds the last message we know; some may be missing.',
})
