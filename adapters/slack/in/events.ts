import type {
  ChannelId,
  ChatEvent,
  MessageEvent,
  MessageId,
  NetworkId,
  Origin,
  Place,
  Sender,
  UserId,
} from '../../../core/event.ts'
import { Recent } from '../../../core/recent.ts'
import { plain } from '../../../core/text/text.ts'
import type { Channels } from '../channels.ts'
import { compareTs, isTs, list, type Native, num, part, str, tsMs } from '../native.ts'
import { type People, personOf, senderOf } from '../people.ts'
import { emojiText } from '../text/emoji.ts'
import { fromMrkdwn } from '../text/mrkdwn.ts'
import type { Names } from '../text/words.ts'
import { contentOf, isPreview, namedIn, reactionsOf } from './content.ts'

/** Who we are on Slack, by `auth.test`. */
export interface Self {
  readonly user: string
  readonly bot: string
  readonly team: string
  /** The workspaces whose people are ours: this one, and its organisation. */
  readonly teams: ReadonlySet<string>
}

export interface ReaderOptions {
  readonly network: NetworkId
  readonly instance: string
  readonly self: Self
  readonly people: People
  readonly channels: Channels
  /** How far Slack's clock is ahead of ours. */
  aheadMs(): number
  /** Whether it was us who deleted it just now. */
  removedByUs(channel: string, ts: string): boolean
  /** A message of ours with these files stands there now. */
  shared(files: readonly string[], channel: string, ts: string): void
}

export const metadataType = 'chanop_delivery'

/** Messages that only say what other events say, or that are nothing people wrote. */
const silent = new RegExp(
  `^(${[
    '(channel|group)_(join|leave|name|purpose|archive|unarchive)',
    'channel_(posting_permissions|convert_to_(private|public))',
    'bot_(add|remove|enable|disable)',
    '(un)?pinned_item|message_replied|reminder_add|tombstone|assistant_app_thread|ekm_access_denied|thread_root',
  ].join('|')})$`,
)

const recentMost = 2000

/** Events of Slack as facts. What it does not know, or what is ours, is none. */
export class Reader {
  readonly #o: ReaderOptions
  /** The ts under which a gesture was first seen: a client may send one twice. */
  readonly #gestures = new Recent<string, string>(recentMost)

  constructor(options: ReaderOptions) {
    this.#o = options
  }

  place(channel: string, thread?: string): Place {
    return {
      network: this.#o.network,
      channel: channel as ChannelId,
      ...(thread === undefined ? {} : { thread: thread as MessageId }),
      ...(channel.startsWith('D') ? { private: true as const } : {}),
    }
  }

  isOurs(message: Native): boolean {
    const { user, bot } = this.#o.self
    const author = str(message, 'user')
    return author === '' ? bot !== '' && str(message, 'bot_id') === bot : author === user
  }

  /** The facts of one event of the Events API. */
  async event(event: Native): Promise<ChatEvent[]> {
    switch (event['type']) {
      case 'message':
        return this.#message(event)
      case 'app_mention':
        return this.said(event, str(event, 'channel'), 'live')
      case 'reaction_added':
      case 'reaction_removed':
        return this.#reaction(event)
      case 'member_joined_channel':
      case 'member_left_channel':
        return this.#member(event)
      case 'user_change':
      case 'user_profile_changed':
        return this.#renamed(event)
      default:
        return []
    }
  }

  #message(event: Native): Promise<ChatEvent[]> | ChatEvent[] {
    const channel = str(event, 'channel')
    switch (event['subtype']) {
      case 'message_changed':
        return this.#changed(event, channel)
      case 'message_deleted':
        return this.#deleted(part(event, 'previous_message'), str(event, 'deleted_ts'), event, channel)
      default:
        return this.said(event, channel, 'live')
    }
  }

  /** A message as it stands, with its reactions when it was fetched later. */
  async said(message: Native, channel: string, origin: Origin): Promise<ChatEvent[]> {
    const ts = str(message, 'ts')
    const subtype = str(message, 'subtype')
    if (!isTs(ts) || channel === '' || silent.test(subtype)) return []
    if (this.isOurs(message)) {
      this.#o.shared(fileIds(message), channel, ts)
      return []
    }
    if (subtype === 'channel_topic' || subtype === 'group_topic') return [await this.#topic(message, channel, origin)]
    if (this.#isTwice(message, channel, ts)) return []
    const hops = hopsOf(message, this.#o.instance)
    const content = contentOf(message, await this.#names(message))
    if (content.segments.length === 0 && !content.attachments) return []
    const fact: MessageEvent = {
      ...(await this.#base(message, channel, `${channel}/${ts}`, ts, origin)),
      kind: 'message',
      id: ts as MessageId,
      content,
      ...(hops > 0 ? { hops } : {}),
    }
    return [fact, ...(origin === 'backfill' ? await this.#reacted(message, channel, ts) : [])]
  }

  /** An edit that was made while nobody listened, of a message that is known. */
  async editedSince(message: Native, channel: string, since: string): Promise<ChatEvent[]> {
    const edited = str(part(message, 'edited'), 'ts')
    if (!isTs(edited) || compareTs(edited, since) < 0 || this.isOurs(message)) return []
    return [await this.#edit(message, channel, edited, 'backfill')]
  }

  async #changed(event: Native, channel: string): Promise<ChatEvent[]> {
    const message = part(event, 'message')
    const before = part(event, 'previous_message')
    const ts = str(message, 'ts')
    if (!isTs(ts) || this.isOurs(message)) return []
    if (message['subtype'] === 'tombstone') return this.#deleted(before, ts, event, channel)
    const edited = str(part(message, 'edited'), 'ts')
    const known = str(part(before, 'edited'), 'ts')
    // Previews that were added, threads that grew: the words are the same.
    const names = await this.#names(message)
    if (edited === known && words(message, names) === words(before, names)) return []
    return [await this.#edit(message, channel, edited && edited !== known ? edited : stampOf(event), 'live')]
  }

  async #edit(message: Native, channel: string, at: string, origin: Origin): Promise<ChatEvent> {
    const ts = str(message, 'ts')
    return {
      ...(await this.#base(message, channel, `edit/${channel}/${ts}/${at}`, at, origin)),
      kind: 'edit',
      target: ts as MessageId,
      content: contentOf(message, await this.#names(message)),
    }
  }

  async #deleted(before: Native, ts: string, event: Native, channel: string): Promise<ChatEvent[]> {
    if (!isTs(ts) || this.isOurs(before) || this.#o.removedByUs(channel, ts)) return []
    const at = stampOf(event)
    const base = await this.#base(before, channel, `delete/${channel}/${ts}`, isTs(at) ? at : ts, 'live')
    return [{ ...base, kind: 'delete', target: ts as MessageId }]
  }

  async #topic(message: Native, channel: string, origin: Origin): Promise<ChatEvent> {
    const ts = str(message, 'ts')
    const names = await this.#names({ text: str(message, 'topic') })
    const topic = plain({ segments: fromMrkdwn(str(message, 'topic'), names) })
    return { ...(await this.#base(message, channel, `topic/${channel}/${ts}`, ts, origin)), kind: 'topic', topic }
  }

  async #reaction(event: Native): Promise<ChatEvent[]> {
    const { self } = this.#o
    const item = part(event, 'item')
    const [channel, ts, user, name] = [
      str(item, 'channel'),
      str(item, 'ts'),
      str(event, 'user'),
      str(event, 'reaction'),
    ]
    if (str(item, 'type') !== 'message' || !isTs(ts) || user === '' || user === self.user || name === '') return []
    const removed = event['type'] === 'reaction_removed'
    const at = stampOf(event)
    const key = `${removed ? 'unreact' : 'react'}/${channel}/${ts}/${user}/${name}/${at}`
    return [await this.#reactionOf({ user, name, channel, ts, at, key, removed }, 'live')]
  }

  async #reacted(message: Native, channel: string, ts: string): Promise<ChatEvent[]> {
    const all = reactionsOf(message).filter(([, user]) => user !== this.#o.self.user)
    return Promise.all(
      all.map(([name, user]) => {
        const key = `react/${channel}/${ts}/${user}/${name}`
        return this.#reactionOf({ user, name, channel, ts, at: ts, key, removed: false }, 'backfill')
      }),
    )
  }

  async #reactionOf(told: Told, origin: Origin): Promise<ChatEvent> {
    const { user, name, channel, ts, at, key, removed } = told
    return {
      ...(await this.#base({ user }, channel, key, at, origin)),
      kind: 'reaction',
      target: ts as MessageId,
      emoji: emojiText(name) ?? `:${name}:`,
      ...(removed ? { removed } : {}),
    }
  }

  async #member(event: Native): Promise<ChatEvent[]> {
    const [user, channel] = [str(event, 'user'), str(event, 'channel')]
    if (user === '' || channel === '' || user === this.#o.self.user) return []
    const change = event['type'] === 'member_joined_channel' ? 'join' : 'leave'
    const at = stampOf(event)
    const base = await this.#base({ user }, channel, `${change}/${channel}/${user}/${at}`, at, 'live')
    this.#o.channels.seen(channel, user, change === 'join')
    return [{ ...base, kind: 'member', change }]
  }

  async #renamed(event: Native): Promise<ChatEvent[]> {
    const user = part(event, 'user')
    const id = str(user, 'id')
    if (id === '' || id === this.#o.self.user) return []
    const now = personOf(user)
    const before = this.#o.people.note(id, now)
    if (!before || before.name === now.name || before.name === id) return []
    const at = stampOf(event)
    const told = this.#o.channels.where(id).map(async channel => {
      const base = await this.#base({ user: id }, channel, `rename/${channel}/${id}/${at}`, at, 'live')
      const sender: Sender = { ...base.sender, name: before.name }
      return { ...base, sender, kind: 'member' as const, change: 'rename' as const, detail: now.name }
    })
    return Promise.all(told)
  }

  async #base(message: Native, channel: string, key: string, at: string, origin: Origin) {
    const { network, people, self, channels } = this.#o
    const thread = str(message, 'thread_ts')
    const sender = await senderOf(message, people, self.teams)
    if (sender.id === (self.user as UserId))
      return { ...this.#framed(channel, key, at, origin), sender: { ...sender, kind: 'self' as const } }
    channels.seen(channel, sender.id, true)
    const inThread = isTs(thread) && thread !== str(message, 'ts')
    return {
      ...this.#framed(channel, key, at, origin),
      place: this.place(channel, inThread ? thread : undefined),
      key: `${network}:${key}`,
      sender,
    }
  }

  #framed(channel: string, key: string, at: string, origin: Origin) {
    const aheadMs = this.#o.aheadMs()
    return {
      ...(aheadMs === 0 ? {} : { aheadMs }),
      key: `${this.#o.network}:${key}`,
      place: this.place(channel),
      atMs: tsMs(at),
      origin,
    }
  }

  /** Slack's clients may deliver one gesture twice, under two times and one `client_msg_id`. */
  #isTwice(message: Native, channel: string, ts: string): boolean {
    const id = str(message, 'client_msg_id')
    if (id === '') return false
    const gesture = `${channel}/${str(message, 'user')}/${id}`
    const first = this.#gestures.get(gesture)
    if (first !== undefined) return first !== ts
    this.#gestures.set(gesture, ts)
    return false
  }

  async #names(message: Native): Promise<Names> {
    const { people, channels, self } = this.#o
    const named = namedIn(message)
    await Promise.all([
      ...[...named.people].map(id => people.get(id)),
      ...[...named.channels].map(id => channels.name(id)),
    ])
    return {
      person: id => people.peek(id)?.name ?? id,
      channel: id => channels.known(id) ?? id,
      isSelf: id => id === self.user,
    }
  }
}

interface Told {
  readonly user: string
  readonly name: string
  readonly channel: string
  readonly ts: string
  readonly at: string
  readonly key: string
  readonly removed: boolean
}

/** What a message says, without what Slack adds to it by and by. */
function words(message: Native, names: Names): string {
  const attachments = list(message, 'attachments').filter(each => !isPreview(each))
  const said = contentOf({ ...message, files: [], attachments }, names)
  return JSON.stringify([said, list(message, 'files').length])
}

/** When an event happened, by itself. */
const stampOf = (event: Native): string => str(event, 'event_ts') || str(event, 'ts')

const fileIds = (message: Native): string[] =>
  (Array.isArray(message['files']) ? message['files'] : []).map((file: Native) => str(file, 'id'))

/** How often a message was copied, when a Chanop says so. What we said ourselves by another app is our own copy. */
function hopsOf(message: Native, instance: string): number {
  const metadata = part(message, 'metadata')
  if (str(metadata, 'event_type') !== metadataType) return 0
  const payload = part(metadata, 'event_payload')
  return Math.max(num(payload, 'hops') ?? 0, str(payload, 'instance') === instance ? 1 : 0)
}
