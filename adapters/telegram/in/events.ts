import { createHash } from 'node:crypto'
import { asChanopError } from '../../../core/error.ts'
import type { ChatEvent, MessageId, NetworkId, Origin, Place, Sender, UserId } from '../../../core/event.ts'
import type { Log } from '../../../core/log.ts'
import { Recent } from '../../../core/recent.ts'
import { visible } from '../../../core/text/text.ts'
import type { Chats } from '../chats.ts'
import { ephemeralId } from '../ephemeral.ts'
import {
  type Chat,
  type Member,
  type MemberUpdate,
  type Message,
  nameOf,
  type Reaction,
  type ReactionUpdate,
  titleOf,
  type Update,
  type User,
} from '../native.ts'
import { isCopy } from '../out/face.ts'
import type { People } from '../people.ts'
import { contentOf } from './content.ts'

export interface ReaderOptions {
  readonly network: NetworkId
  readonly self: User
  readonly chats: Chats
  readonly people: People
  readonly log: Log
  /** The command that a word of the list of commands stands for. */
  commandOf(word: string): string | undefined
  isOurs(chatId: number, messageId: number): boolean
}

const mostEdits = 5000
/** Stand for people who act as a chat: an anonymous administrator, a channel, a linked channel's posts. */
const stand = new Set([1_087_968_824, 136_817_688, 777_000])

type Base = Pick<ChatEvent, 'place' | 'sender' | 'atMs' | 'origin'>

/** Reads updates: what one of them tells, as facts. Never throws: an update that can't be read is a message that says so. */
export class UpdateReader {
  readonly #o: ReaderOptions
  /** What messages say, to tell an edit from a message of which something else has changed. */
  readonly #said = new Recent<string, string>(mostEdits)

  constructor(options: ReaderOptions) {
    this.#o = options
  }

  events(update: Update, origin: Origin): ChatEvent[] {
    try {
      return this.#read(update, origin)
    } catch (thrown) {
      this.#o.log.warn(
        { update: update.update_id, error: asChanopError(thrown).message },
        'an update could not be read',
      )
      return this.#unreadable(update, origin)
    }
  }

  #read(update: Update, origin: Origin): ChatEvent[] {
    const said = update.message ?? update.channel_post
    if (said) return this.#message(said, origin)
    const edited = update.edited_message ?? update.edited_channel_post
    if (edited) return this.#edit(edited, update.update_id, origin)
    if (update.message_reaction) return this.#reactions(update.message_reaction, update.update_id, origin)
    if (update.chat_member) return this.#member(update.chat_member, origin)
    return []
  }

  #unreadable(update: Update, origin: Origin): ChatEvent[] {
    const said = update.message ?? update.channel_post
    const place = said?.chat && typeof said.message_id === 'number' ? this.#o.chats.placeOf(said.chat) : null
    if (!said || !place) return []
    const id = this.#o.chats.messageId(said.chat.id, said.message_id)
    const atMs = atMsOf(said.date)
    const content = { segments: [{ kind: 'text' as const, text: '[message that could not be read]' }] }
    const sender = { id: 'unknown' as UserId, name: 'somebody', kind: 'person' as const, verified: false }
    return [{ kind: 'message', key: this.#key(place, id), place, sender, atMs, origin, id, content }]
  }

  #key(place: Place, ...rest: readonly string[]): string {
    return `${this.#o.network}:${[place.channel, ...rest].join('/')}`
  }

  // ---- messages ---------------------------------------------------------------------------------------------------

  #message(message: Message, origin: Origin): ChatEvent[] {
    const { chats, people } = this.#o
    if (message.ephemeral_message_id !== undefined) return this.#ephemeral(message, origin)
    const place = chats.placeOf(message.chat)
    if (!place || this.#o.isOurs(message.chat.id, message.message_id)) return []
    const former = message.from ? people.met(message.from) : null
    const base: Base = { place, sender: this.#sender(message), atMs: atMsOf(message.date), origin }
    const id = this.#id(message)
    const renamed = former === null ? [] : [this.#renamed(base, former, id)]
    const changed = this.#membership(message, base, id)
    if (changed) return changed
    const content = this.#content(message)
    this.#said.set(id + place.channel, hash(content))
    const told = { ...base, place: this.#thread(place, message) }
    const hops = this.#hops(message)
    return [...renamed, { kind: 'message', key: this.#key(place, id), ...told, id, content, ...hops }]
  }

  /** What somebody says so that we alone see it belongs into the conversation with them: no room hears of it. */
  #ephemeral(message: Message, origin: Origin): ChatEvent[] {
    const { from, chat, ephemeral_message_id: number = 0 } = message
    if (!from || from.is_bot || !this.#o.chats.placeOf(chat)) return []
    const place = this.#o.chats.placeOf({ id: from.id, type: 'private' })
    if (!place) return []
    const id = ephemeralId(number, from.id)
    const key = this.#key(place, String(chat.id), id)
    const { replyTo: _elsewhere, ...content } = this.#content(message)
    return [
      { kind: 'message', key, place, sender: this.#person(from), atMs: atMsOf(message.date), origin, id, content },
    ]
  }

  /** Service messages that are facts of their own: who came and went, and what a chat is called. */
  #membership(message: Message, base: Base, id: MessageId): ChatEvent[] | null {
    const { new_chat_members: joined, left_chat_member: left, new_chat_title: title } = message
    if (message.migrate_to_chat_id !== undefined || message.migrate_from_chat_id !== undefined) return []
    if (title !== undefined) return [{ kind: 'topic', key: this.#key(base.place, id), ...base, topic: visible(title) }]
    if (!joined && !left) return null
    // Administrators are told by an update of its own, of large groups too.
    if (this.#o.chats.isAdministrator(message.chat.id)) return []
    const changes = (joined ?? []).map(user => ({ user, change: 'join' as const }))
    const all = left ? [...changes, { user: left, change: 'leave' as const }] : changes
    return all.flatMap(({ user, change }) => this.#change(base, user, change))
  }

  #change(base: Base, user: User, change: 'join' | 'leave'): ChatEvent[] {
    if (user.id === this.#o.self.id) return []
    this.#o.people.met(user)
    const key = this.#key(base.place, change, String(user.id), String(base.atMs / 1000))
    return [{ kind: 'member', key, ...base, sender: this.#person(user), change }]
  }

  #renamed(base: Base, former: string, id: MessageId): ChatEvent {
    const { name } = base.sender
    const sender = { ...base.sender, name: former }
    return { kind: 'member', key: this.#key(base.place, id, 'name'), ...base, sender, change: 'rename', detail: name }
  }

  #edit(message: Message, updateId: number, origin: Origin): ChatEvent[] {
    const { chats, people } = this.#o
    const place = chats.placeOf(message.chat)
    if (!place || message.ephemeral_message_id !== undefined) return []
    if (this.#o.isOurs(message.chat.id, message.message_id)) return []
    // A live location moves every few seconds.
    if ('location' in message) return []
    if (message.from) people.met(message.from)
    const target = this.#id(message)
    const content = this.#content(message)
    const known = target + place.channel
    const now = hash(content)
    if (this.#said.get(known) === now) return []
    this.#said.set(known, now)
    const atMs = atMsOf(message.edit_date ?? message.date)
    const key = this.#key(place, target, `e${updateId}`)
    const base = { place: this.#thread(place, message), sender: this.#sender(message), atMs, origin }
    return [{ kind: 'edit', key, ...base, target, content }]
  }

  #content(message: Message): ReturnType<typeof contentOf> {
    const { self, people, chats } = this.#o
    return contentOf(message, {
      names: { self: { id: self.id, username: self.username ?? '' }, idOf: name => people.idOf(name) },
      messageId: ({ message_id }) => chats.messageId(message.chat.id, message_id),
      commandOf: word => this.#o.commandOf(word),
    })
  }

  #id({ chat, message_id }: Message): MessageId {
    return this.#o.chats.messageId(chat.id, message_id)
  }

  /** A topic's id is that of the message that opened it. */
  #thread(place: Place, { is_topic_message, message_thread_id, message_id, chat }: Message): Place {
    if (!is_topic_message || message_thread_id === undefined || message_thread_id === message_id) return place
    return { ...place, thread: this.#o.chats.messageId(chat.id, message_thread_id) }
  }

  /** A copy that another relay made, or what a channel's own post is in the group that is linked to it. */
  #hops(message: Message): { hops?: number } {
    const origin = message.is_automatic_forward ? message.forward_origin : undefined
    const ours =
      origin?.chat !== undefined && origin.message_id !== undefined && this.#o.isOurs(origin.chat.id, origin.message_id)
    const relays = message.from?.is_bot || message.is_automatic_forward
    return ours || (relays && isCopy(message)) ? { hops: 1 } : {}
  }

  // ---- who --------------------------------------------------------------------------------------------------------

  #sender({ from, sender_chat, author_signature, chat }: Message): Sender {
    if (Number.isSafeInteger(from?.id) && from && !stand.has(from.id) && !sender_chat) return this.#person(from)
    return this.#asChat(sender_chat ?? chat, author_signature)
  }

  #person(user: User): Sender {
    const kind = user.id === this.#o.self.id ? 'self' : user.is_bot ? 'bot' : 'person'
    return { id: String(user.id) as UserId, name: nameOf(user), kind, verified: true }
  }

  /** Somebody who acts as a chat: nobody says who. */
  #asChat(chat: Chat, signature?: string): Sender {
    return { id: `chat${chat.id}` as UserId, name: signature || titleOf(chat), kind: 'person', verified: false }
  }

  // ---- the rest ---------------------------------------------------------------------------------------------------

  #reactions(update: ReactionUpdate, updateId: number, origin: Origin): ChatEvent[] {
    const { chat, message_id, user, actor_chat, date, old_reaction, new_reaction } = update
    const place = this.#o.chats.placeOf(chat)
    if (!place) return []
    if (user) this.#o.people.met(user)
    const target = this.#o.chats.messageId(chat.id, message_id)
    const sender = user ? this.#person(user) : this.#asChat(actor_chat ?? chat)
    const base = { place, sender, atMs: atMsOf(date), origin, target }
    const [before, after] = [old_reaction.map(shown), new_reaction.map(shown)]
    const changes = [
      ...before.filter(emoji => !after.includes(emoji)).map(emoji => ({ emoji, removed: true as const })),
      ...after.filter(emoji => !before.includes(emoji)).map(emoji => ({ emoji })),
    ]
    return changes.map((change, n) => {
      return { kind: 'reaction', key: this.#key(place, target, `r${updateId}.${n}`), ...base, ...change }
    })
  }

  #member({ chat, date, old_chat_member, new_chat_member }: MemberUpdate, origin: Origin): ChatEvent[] {
    const place = this.#o.chats.placeOf(chat)
    if (!place || !this.#o.chats.isAdministrator(chat.id)) return []
    const [was, is] = [isIn(old_chat_member), isIn(new_chat_member)]
    if (was === is) return []
    const base = { place, sender: this.#person(new_chat_member.user), atMs: atMsOf(date), origin }
    return this.#change(base, new_chat_member.user, is ? 'join' : 'leave')
  }
}

export const isIn = ({ status, is_member }: Member): boolean =>
  ['creator', 'administrator', 'member'].includes(status) || (status === 'restricted' && is_member === true)

const shown = ({ type, emoji }: Reaction): string => emoji ?? (type === 'paid' ? '⭐' : '✨')

const hash = (content: unknown): string => createHash('sha1').update(JSON.stringify(content)).digest('base64')

/** Telegram tells whole seconds. */
const atMsOf = (seconds: number): number => (Number.isSafeInteger(seconds) ? seconds * 1000 : Date.now())
