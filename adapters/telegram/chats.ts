import type { Trouble } from '../../core/adapter.ts'
import { ChanopError } from '../../core/error.ts'
import type { ChannelId, MessageId, NetworkId, Place } from '../../core/event.ts'
import { Troubles } from '../../core/process/network-state.ts'
import { Recent } from '../../core/recent.ts'
import { truncate, visible } from '../../core/text/text.ts'
import { type Chat, type Member, titleOf } from './native.ts'

/** A message as the Bot API names it. */
export interface Native {
  readonly chatId: number
  readonly messageId: number
}

interface Known {
  readonly title: string
  readonly forum: boolean
  readonly type: string
}

const mostStrangers = 20
/** Anybody may add a bot to any number of groups. */
const mostChats = 5000
const isPrivate = (chatId: number): boolean => chatId > 0

const isChat = (channel: string): boolean => /^-\d{1,16}$/.test(channel)
const noChat = (channel: string): string =>
  `${channel} is no id of a chat on Telegram: it looks like -1001234567890, and !network show names those that the bot is in`

/** The chats of this account: which are listened to, what they are called, and what does not work in them. */
export class Chats {
  readonly #network: NetworkId
  readonly #wanted: Set<string>
  readonly #known = new Recent<number, Known>(mostChats)
  readonly #members = new Recent<number, Member>(mostChats)
  readonly #strangers = new Recent<string, Trouble>(mostStrangers)
  readonly troubles: Troubles
  /** A group that became a supergroup has a new id; the place keeps the one it is configured with. */
  readonly #moved = new Map<string, number>()

  constructor(network: NetworkId, wanted: readonly string[], changed: () => void) {
    this.#network = network
    this.#wanted = new Set(wanted.filter(isChat))
    this.troubles = new Troubles(changed)
    for (const channel of wanted) if (!isChat(channel)) this.troubles.begin(channel, noChat(channel))
  }

  get wanted(): readonly string[] {
    return [...this.#wanted]
  }

  want(channel: string): void {
    if (!isChat(channel)) throw new ChanopError('send-refused', noChat(channel))
    this.#wanted.add(channel)
    this.#strangers.delete(channel)
  }

  unwant(channel: string): void {
    this.#wanted.delete(channel)
    this.troubles.end(channel)
  }

  // ---- ids --------------------------------------------------------------------------------------------------------

  #channelOf(chatId: number): string {
    if (this.#wanted.has(String(chatId))) return String(chatId)
    const moved = [...this.#moved].find(([channel, to]) => to === chatId && this.#wanted.has(channel))
    return moved?.[0] ?? String(chatId)
  }

  /** Where a chat is; null when nobody listens there. */
  placeOf(chat: Chat): Place | null {
    const channel = this.#channelOf(chat.id)
    if (isPrivate(chat.id)) return this.#place(channel, true)
    return this.#wanted.has(channel) ? this.#place(channel, false) : null
  }

  #place(channel: string, isPrivate: boolean): Place {
    return { network: this.#network, channel: channel as ChannelId, ...(isPrivate ? { private: true as const } : {}) }
  }

  chatId(channel: string): number {
    if (isChat(channel) || /^[1-9]\d{0,15}$/.test(channel)) return this.#moved.get(channel) ?? Number(channel)
    throw new ChanopError('send-refused', noChat(channel))
  }

  /** Ids count from one in each chat: those of a chat that took a place over say so. */
  messageId(chatId: number, messageId: number): MessageId {
    const own = this.#channelOf(chatId) === String(chatId)
    return `${messageId}${own ? '' : `@${chatId}`}` as MessageId
  }

  native(place: Place, id: MessageId): Native {
    const [, message, chat] = /^(\d{1,16})(?:@(-?\d{1,16}))?$/.exec(id) ?? []
    if (message === undefined) throw new ChanopError('send-refused', 'that message is none of Telegram')
    return { messageId: Number(message), chatId: chat === undefined ? Number(place.channel) : Number(chat) }
  }

  moved(from: number, to: number): void {
    this.#moved.set(this.#channelOf(from), to)
  }

  get moves(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#moved)
  }

  recall(moves: string | null): void {
    for (const [channel, to] of Object.entries(JSON.parse(moves ?? '{}') as Record<string, number>)) {
      this.#moved.set(channel, to)
    }
  }

  // ---- what is known ----------------------------------------------------------------------------------------------

  /** A chat was seen; true when it is one that nobody listens to and that was not known. */
  met(chat: Chat): boolean {
    const isNew = !this.#known.has(chat.id)
    const title = truncate(visible(titleOf(chat)), 60)
    this.#known.set(chat.id, { title, forum: chat.is_forum === true, type: chat.type })
    if (this.placeOf(chat)) return false
    const channel = String(chat.id)
    if (!isNew) return false
    const reason = `nobody listens to "${title}" yet: put ${this.#network}:${channel} into a room`
    this.#strangers.set(channel, { channel, reason, sinceMs: Date.now() })
    return true
  }

  /** We are no longer in a chat that nobody listens to. */
  forget(chat: Chat): void {
    this.#strangers.delete(String(chat.id))
    this.#known.delete(chat.id)
  }

  known(chatId: number): Known | undefined {
    return this.#known.get(chatId)
  }

  isGroup(chatId: number): boolean {
    return chatId < 0 && this.#known.get(chatId)?.type !== 'channel'
  }

  member(chatId: number): Member | undefined {
    return this.#members.get(chatId)
  }

  isAdministrator(chatId: number): boolean {
    return ['administrator', 'creator'].includes(this.#members.get(chatId)?.status ?? '')
  }

  /** Whether nobody but us can change what is ours there, nor we what is others': administrators of a channel may be let. */
  isEditedByAuthors(chatId: number): boolean {
    return this.#known.get(chatId)?.type !== 'channel' || this.#members.get(chatId)?.can_edit_messages === false
  }

  setMember(chatId: number, member: Member): void {
    this.#members.set(chatId, member)
  }

  /** All that does not work, and groups that nobody listens to. */
  get oddities(): readonly Trouble[] {
    return [...this.troubles.all, ...this.#strangers.values()]
  }
}
