import type {
  ChatEvent,
  Content,
  MessageId,
  NetworkId,
  Origin,
  Place,
  Segment,
  Sender,
  UserId,
} from '../../core/event.ts'
import { attachmentOf } from './files.ts'
import { copyMark, type Json, markOf, object, profileKey, type RoomEvent, string } from './native.ts'
import { parseBody } from './text/body.ts'
import { shownAs } from './text/other.ts'
import { clean, head, localpart, oneLine } from './text/words.ts'

/** A reaction as it was given: what takes it back names it alone. */
export interface Given {
  readonly by: string
  readonly target: string
  readonly emoji: string
}

/** What an event is heard with. Everything is of the room it is in. */
export interface Heard {
  readonly network: NetworkId
  readonly me: string
  /** Our own names in that room, for messages that mention us without a link. */
  readonly myNames: readonly string[]
  readonly place: Place
  readonly origin: Origin
  /** What somebody is called there; null when nobody said. */
  name(user: string): string | null
  /** The reaction that this event was, where we know it. */
  given(event: string): Given | undefined
}

/** An event as facts, none for what is no news. Never throws, whatever it is. */
export function factsOf(event: RoomEvent, heard: Heard): ChatEvent[] {
  // What was deleted before we came comes empty, and its deletion after it.
  if (object(event.unsigned)['redacted_because'] !== undefined) return []
  switch (event.type) {
    case 'm.room.member':
      return member(event, heard)
    case 'm.room.topic':
      return topic(event, heard)
    case 'm.room.redaction':
      return redaction(event, heard)
    case 'm.reaction':
      return reaction(event, heard)
    default:
      return event.state_key === undefined ? spoken(event, heard) : []
  }
}

function senderOf(event: RoomEvent, heard: Heard): Sender {
  const { sender, content } = event
  const profile = object(content[profileKey])
  const persona = string(profile['displayname'])
  const program = content['msgtype'] === 'm.notice' || content[copyMark] !== undefined
  return {
    id: sender as UserId,
    name: head(oneLine(persona ?? heard.name(sender) ?? ''), 255) || localpart(sender),
    kind: program ? 'bot' : 'person',
    // Who shows another face may be relaying somebody: that one has no account here.
    verified: persona === undefined,
  }
}

/** Whatever a server of others writes there, it is a time. */
const latestMs = 8.64e15
const timeOf = ({ origin_server_ts: atMs }: RoomEvent): number => Math.trunc(Math.min(Math.max(atMs, 0), latestMs))

const base = (event: RoomEvent, heard: Heard) => ({
  key: `${heard.network}:${event.event_id}`,
  place: heard.place,
  sender: senderOf(event, heard),
  atMs: timeOf(event),
  origin: heard.origin,
})

// ---- words --------------------------------------------------------------------------------------------------------

function spoken(event: RoomEvent, heard: Heard): ChatEvent[] {
  if (event.sender === heard.me) return []
  const relation = object(event.content['m.relates_to'])
  const target = string(relation['event_id'])
  if (relation['rel_type'] === 'm.replace' && target !== undefined) {
    const content = contentOf({ ...event, content: renewedBy(event.content) }, heard, false)
    return content ? [{ kind: 'edit', ...base(event, heard), target: target as MessageId, content }] : []
  }
  const thread = relation['rel_type'] === 'm.thread' ? target : undefined
  const content = contentOf(event, heard, true)
  if (!content) return []
  const common = base(event, heard)
  const mark = markOf(event.content)
  return [
    {
      kind: 'message',
      ...common,
      place: thread === undefined ? common.place : { ...common.place, thread: thread as MessageId },
      id: event.event_id as MessageId,
      content,
      ...(mark?.hops === undefined ? {} : { hops: Math.max(1, mark.hops) }),
    },
  ]
}

/** The new text alone: what stands beside it is for clients that show no edits. */
function renewedBy(content: Json): Json {
  const renewed = object(content['m.new_content'])
  return { ...renewed, 'm.mentions': renewed['m.mentions'] ?? content['m.mentions'] }
}

/** What a message answers. In a thread that is often only what clients without threads are shown. */
function replyOf(content: Json): MessageId | undefined {
  const relation = object(content['m.relates_to'])
  if (relation['rel_type'] === 'm.thread' && relation['is_falling_back'] === true) return undefined
  return string(object(relation['m.in_reply_to'])['event_id']) as MessageId | undefined
}

function contentOf(event: RoomEvent, heard: Heard, whole: boolean): Content | null {
  const { content } = event
  const replyTo = whole ? replyOf(content) : undefined
  const attachment = attachmentOf(event)
  const said = attachment ? captionOf(content) : wordsOf(event, replyTo !== undefined)
  const segments = withoutFace(content, meant(content, said, heard))
  if (segments.length === 0 && !attachment) return null
  const style = content['msgtype'] === 'm.emote' ? 'action' : content['msgtype'] === 'm.notice' ? 'notice' : undefined
  return {
    segments,
    ...(attachment ? { attachments: [attachment] } : {}),
    ...(replyTo === undefined ? {} : { replyTo }),
    ...(style ? { style } : {}),
  }
}

const htmlOf = (content: Json): { html?: string } => {
  const html = content['format'] === 'org.matrix.custom.html' ? string(content['formatted_body']) : undefined
  return html === undefined ? {} : { html }
}

function wordsOf(event: RoomEvent, reply: boolean): Segment[] {
  const { content } = event
  const other = shownAs(event)
  if (other) return other
  const body = string(content['body'])
  if (event.type !== 'm.room.message' || body === undefined) return []
  return parseBody({ body, reply, ...htmlOf(content) })
}

/** A file has words of its own when its body is not its name (Matrix specification v1.10, "Media captions"). */
function captionOf(content: Json): Segment[] {
  const [body, filename] = [string(content['body']), string(content['filename'])]
  if (body === undefined || filename === undefined || body === filename) return []
  return parseBody({ body, reply: false, ...htmlOf(content) })
}

/** The name that stands in the words of a face for those whose client can't show it. */
function withoutFace(content: Json, segments: Segment[]): Segment[] {
  const profile = object(content[profileKey])
  const name = string(profile['displayname'])
  const [first] = segments
  if (profile['has_fallback'] !== true || !name || first?.kind !== 'text') return segments
  const prefix = `${clean(name)}:`
  if (!first.text.startsWith(prefix)) return segments
  const [, second, ...more] = segments
  const rest = first.text.slice(prefix.length).trimStart()
  if (rest !== '') return [{ ...first, text: rest }, ...segments.slice(1)]
  return second?.kind === 'text' ? [{ ...second, text: second.text.trimStart() }, ...more] : segments.slice(1)
}

/** `m.mentions` says who is meant; without it (older clients) the links in the text do. */
function meant(content: Json, segments: Segment[], { me, myNames }: Heard): Segment[] {
  const mentions = content['m.mentions']
  const listed = object(mentions)['user_ids']
  const mine = mentions === undefined || (Array.isArray(listed) && listed.includes(me))
  const marked = segments.map(segment =>
    segment.kind === 'mention' && segment.id === me && mine ? { ...segment, self: true as const } : segment,
  )
  if (mentions === undefined || !mine || marked.some(segment => segment.kind === 'mention' && segment.self))
    return marked
  return named(marked, me, myNames)
}

/** The first of our names in plain text as a mention. */
function named(segments: Segment[], me: string, names: readonly string[]): Segment[] {
  for (const [at, segment] of segments.entries()) {
    if (segment.kind !== 'text') continue
    for (const name of names) {
      const found =
        name === '' ? null : new RegExp(name.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&'), 'iu').exec(segment.text)
      if (!found) continue
      const [before, after] = [segment.text.slice(0, found.index), segment.text.slice(found.index + found[0].length)]
      const around = (words: string): Segment[] => (words === '' ? [] : [{ ...segment, text: words }])
      const mention: Segment = { kind: 'mention', id: me as UserId, name: localpart(me), self: true }
      return [
        ...segments.slice(0, at),
        ...around(before.replace(/@$/, '')),
        mention,
        ...around(after),
        ...segments.slice(at + 1),
      ]
    }
  }
  return segments
}

// ---- what is done to messages -------------------------------------------------------------------------------------

function reaction(event: RoomEvent, heard: Heard): ChatEvent[] {
  const given = givenOf(event)
  if (!given || event.sender === heard.me) return []
  return [{ kind: 'reaction', ...base(event, heard), target: given.target as MessageId, emoji: given.emoji }]
}

/** What a reaction is: custom pictures by their short name. */
export function givenOf({ content, sender: by }: RoomEvent): Given | null {
  const relation = object(content['m.relates_to'])
  const [target, key] = [string(relation['event_id']), string(relation['key'])]
  if (relation['rel_type'] !== 'm.annotation' || !target || !key) return null
  const short = string(content['shortcode']) ?? string(content['com.beeper.reaction.shortcode'])
  const emoji = key.startsWith('mxc://') ? `:${oneLine(short ?? 'custom').replace(/^:|:$/g, '')}:` : oneLine(key)
  return emoji === '' ? null : { by, target, emoji: emoji.slice(0, 100) }
}

function redaction(event: RoomEvent, heard: Heard): ChatEvent[] {
  const target = string(event.content['redacts']) ?? event.redacts
  if (!target || event.sender === heard.me) return []
  const given = heard.given(target)
  if (given?.by === heard.me) return []
  if (given) {
    // It is that person's, whoever took it away.
    const common = base({ ...event, sender: given.by }, heard)
    return [{ kind: 'reaction', ...common, target: given.target as MessageId, emoji: given.emoji, removed: true }]
  }
  const reason = oneLine(string(event.content['reason']) ?? '')
  return [{ kind: 'delete', ...base(event, heard), target: target as MessageId, ...(reason === '' ? {} : { reason }) }]
}

// ---- people and the room ------------------------------------------------------------------------------------------

function topic(event: RoomEvent, heard: Heard): ChatEvent[] {
  if (event.sender === heard.me) return []
  return [{ kind: 'topic', ...base(event, heard), topic: oneLine(string(event.content['topic']) ?? '') }]
}

const nameIn = (content: Json, user: string): string =>
  head(oneLine(string(content['displayname']) ?? ''), 255) || localpart(user)

/** Whether somebody who was not in the room is from here on. */
export const isArrival = (event: RoomEvent): boolean =>
  event.type === 'm.room.member' &&
  event.content['membership'] === 'join' &&
  object(object(event.unsigned)['prev_content'])['membership'] !== 'join'

/** The state of somebody before and after. Invitations and requests to enter are nothing that others see. */
function member(event: RoomEvent, heard: Heard): ChatEvent[] {
  const user = event.state_key
  if (!user || user === heard.me) return []
  const before = object(object(event.unsigned)['prev_content'])
  const [was, is] = [before['membership'] === 'join', event.content['membership'] === 'join']
  const name = nameIn(was ? before : event.content, user)
  const sender: Sender = { id: user as UserId, name, kind: 'person', verified: true }
  const common = { ...base(event, heard), sender }
  if (is && !was) return [{ kind: 'member', ...common, change: 'join' }]
  if (was && !is) return [{ kind: 'member', ...common, change: 'leave', ...leaveDetail(event, user) }]
  const renamed = nameIn(event.content, user)
  return is && was && renamed !== name ? [{ kind: 'member', ...common, change: 'rename', detail: renamed }] : []
}

function leaveDetail({ sender, content }: RoomEvent, user: string): { detail?: string } {
  const reason = oneLine(string(content['reason']) ?? '')
  if (sender === user) return reason === '' ? {} : { detail: reason }
  const deed = content['membership'] === 'ban' ? 'banned' : 'put out'
  return { detail: `${deed} by ${localpart(sender)}${reason === '' ? '' : `: ${reason}`}` }
}
