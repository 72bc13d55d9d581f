import { asChanopError } from '../../core/error.ts'
import type { Origin } from '../../core/event.ts'
import type { Log } from '../../core/log.ts'
import type { Api } from './api.ts'
import type { Chats } from './chats.ts'
import type { Doubts } from './doubts.ts'
import { isIn } from './in/events.ts'
import type { Chat, Member, Update, User } from './native.ts'
import { troubleOf } from './status.ts'

export interface MembershipOptions {
  readonly api: Api
  readonly chats: Chats
  readonly doubts: Doubts
  readonly log: Log
  readonly self: () => User | null
  /** Resolves once it is written down. */
  readonly moved: (from: number, to: number) => Promise<void>
  readonly changed: () => void
}

/** In which chats we are and what we may do there: asked once, and followed by what Telegram tells. */
export class Membership {
  readonly #o: MembershipOptions

  constructor(options: MembershipOptions) {
    this.#o = options
  }

  /** What an update says of its chat and of us in it. Never rejects: what follows an odd update must not wait for it. */
  async note(update: Update, origin: Origin): Promise<void> {
    try {
      await this.#note(update, origin)
    } catch (thrown) {
      this.#o.log.warn(
        { update: update.update_id, error: asChanopError(thrown).message },
        'what an update says of its chat is unclear',
      )
    }
  }

  async #note(update: Update, origin: Origin): Promise<void> {
    const { chats, doubts, moved, changed } = this.#o
    const said = update.message ?? update.channel_post
    const message = said ?? update.edited_message ?? update.edited_channel_post
    const { my_chat_member: mine } = update
    const chat = message?.chat ?? mine?.chat
    if (typeof chat?.id !== 'number') return
    // An edit is of an old one, and what waited for us may have been told before.
    const isNew = said !== undefined && origin === 'live'
    if (message && message.message_id > 0) doubts.know({ chatId: chat.id, messageId: message.message_id }, isNew)
    if (typeof said?.migrate_to_chat_id === 'number') await moved(chat.id, said.migrate_to_chat_id)
    if (typeof said?.migrate_from_chat_id === 'number') await moved(said.migrate_from_chat_id, chat.id)
    const isStranger = chats.met(chat)
    if (mine) this.#member(chat, mine.new_chat_member)
    else if (isStranger) changed()
  }

  #member(chat: Chat, member: Member): void {
    const { chats, self, changed } = this.#o
    const us = self()
    if (!us || chat.id > 0 || typeof member?.status !== 'string') return
    chats.setMember(chat.id, member)
    const place = chats.placeOf(chat)
    if (place) note(chats, place.channel, troubleOf(member, us))
    else if (!isIn(member)) chats.forget(chat)
    changed()
  }

  async inspectAll(self: User, signal: AbortSignal): Promise<void> {
    const { chats, log, changed } = this.#o
    for (const channel of chats.wanted) {
      if (signal.aborted) return
      await this.inspect(channel, self, signal).catch((thrown: unknown) => {
        log.info({ channel, error: asChanopError(thrown).message }, 'a chat could not be looked at')
      })
    }
    changed()
  }

  /** Why a chat does not work, null when it does. Rejects when Telegram does not say. */
  async inspect(channel: string, self: User, signal: AbortSignal): Promise<string | null> {
    const { api, chats } = this.#o
    const chatId = chats.chatId(channel)
    const { chat, member, reason } = await lookAt(api, chatId, self, signal)
    if (chat) chats.met(chat)
    if (member) chats.setMember(chatId, member)
    note(chats, channel, reason)
    return reason
  }
}

const note = ({ troubles }: Chats, channel: string, reason: string | null): void =>
  reason === null ? troubles.end(channel) : troubles.begin(channel, reason)

interface Looked {
  readonly chat?: Chat
  readonly member?: Member
  readonly reason: string | null
}

/** What a chat is and what we may do in it. Rejects when Telegram does not say now. */
export async function lookAt(api: Api, chatId: number, self: User, signal: AbortSignal): Promise<Looked> {
  try {
    const chat = await api.call<Chat>('getChat', { chat_id: chatId }, { signal })
    const member = await api.call<Member>('getChatMember', { chat_id: chatId, user_id: self.id }, { signal })
    return { chat, member, reason: troubleOf(member, self) }
  } catch (thrown) {
    const error = asChanopError(thrown)
    if (error.retry === 'later') throw error
    return { reason: `we do not see it (${error.message}): add @${self.username ?? self.id} to it` }
  }
}
