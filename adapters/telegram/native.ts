/**
 * What the Bot API sends, as far as it is read here (core.telegram.org/bots/api). Everything is optional that the server
 * may leave out; fields that are new to us are looked at by name alone.
 */
export interface User {
  readonly id: number
  readonly is_bot?: boolean
  readonly first_name?: string
  readonly last_name?: string
  readonly username?: string
  readonly can_read_all_group_messages?: boolean
}

export interface Chat {
  readonly id: number
  readonly type: string
  readonly title?: string
  readonly username?: string
  readonly first_name?: string
  readonly last_name?: string
  readonly is_forum?: boolean
}

export interface Entity {
  readonly type: string
  /** UTF-16 code units. */
  readonly offset: number
  readonly length: number
  readonly url?: string
  readonly user?: User
  readonly language?: string
}

export interface FileLike {
  readonly file_id: string
  readonly file_unique_id?: string
  readonly file_name?: string
  readonly mime_type?: string
  readonly file_size?: number
  readonly width?: number
  readonly height?: number
  readonly duration?: number
}

export interface Origin {
  readonly type: string
  readonly sender_user?: User
  readonly sender_user_name?: string
  readonly sender_chat?: Chat
  readonly chat?: Chat
  readonly message_id?: number
}

export interface Message {
  readonly message_id: number
  readonly message_thread_id?: number
  readonly is_topic_message?: boolean
  readonly from?: User
  readonly sender_chat?: Chat
  readonly author_signature?: string
  readonly date: number
  readonly edit_date?: number
  readonly chat: Chat
  readonly forward_origin?: Origin
  readonly is_automatic_forward?: boolean
  readonly reply_to_message?: Message
  readonly external_reply?: { readonly origin?: Origin }
  readonly quote?: { readonly text: string; readonly is_manual?: boolean }
  readonly reply_to_story?: { readonly chat?: Chat }
  readonly text?: string
  readonly entities?: readonly Entity[]
  readonly caption?: string
  readonly caption_entities?: readonly Entity[]
  readonly photo?: readonly FileLike[]
  readonly sticker?: FileLike & {
    readonly emoji?: string
    readonly set_name?: string
    readonly is_animated?: boolean
    readonly is_video?: boolean
  }
  readonly new_chat_members?: readonly User[]
  readonly left_chat_member?: User
  readonly new_chat_title?: string
  readonly migrate_to_chat_id?: number
  readonly migrate_from_chat_id?: number
  /** Of a message that one person alone sees (Bot API 10.2); it has no other. */
  readonly ephemeral_message_id?: number
  readonly forum_topic_created?: { readonly name?: string }
}

export interface Reaction {
  readonly type: string
  readonly emoji?: string
}

export interface Member {
  readonly status: string
  readonly user: User
  readonly is_member?: boolean
  readonly can_send_messages?: boolean
  readonly can_post_messages?: boolean
  /** Of others, in a channel. */
  readonly can_edit_messages?: boolean
}

export interface MemberUpdate {
  readonly chat: Chat
  readonly from: User
  readonly date: number
  readonly old_chat_member: Member
  readonly new_chat_member: Member
}

export interface ReactionUpdate {
  readonly chat: Chat
  readonly message_id: number
  readonly user?: User
  readonly actor_chat?: Chat
  readonly date: number
  readonly old_reaction: readonly Reaction[]
  readonly new_reaction: readonly Reaction[]
}

export interface Update {
  readonly update_id: number
  readonly message?: Message
  readonly edited_message?: Message
  readonly channel_post?: Message
  readonly edited_channel_post?: Message
  readonly message_reaction?: ReactionUpdate
  readonly my_chat_member?: MemberUpdate
  readonly chat_member?: MemberUpdate
}

/** The kinds of updates that are asked for; the last two are told to administrators alone. */
export const allowedUpdates = [
  'message',
  'edited_message',
  'channel_post',
  'edited_channel_post',
  'my_chat_member',
  'chat_member',
  'message_reaction',
] as const

export const nameOf = ({ first_name, last_name, username, id }: User): string =>
  [first_name, last_name].filter(Boolean).join(' ').trim() || username || String(id)

export const titleOf = ({ title, first_name, last_name, username, id }: Chat): string =>
  title || [first_name, last_name].filter(Boolean).join(' ').trim() || username || String(id)
