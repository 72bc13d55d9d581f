/**
 * Objects as Discord's API gives them (docs.discord.com/developers/resources). What they may hold is checked against the
 * platform's own description when it is there.
 */

const epochMs = 1_420_070_400_000
let last = 0n

/** A new id, newer than all before it. `atMs`: when it was made. */
export function snowflake(atMs: number = Date.now()): string {
  const made = BigInt(atMs - epochMs) << 22n
  last = made > last ? made : last + 1n
  return last.toString()
}

export const madeAt = (id: string): string => new Date(Number(BigInt(id) >> 22n) + epochMs).toISOString()

export interface User {
  readonly id: string
  username: string
  global_name: string | null
  avatar: string | null
  bot?: boolean
}

export interface Channel {
  readonly id: string
  readonly type: number
  readonly guild_id?: string
  name: string
  topic: string | null
  parent_id: string | null
  last_message_id: string | null
  overwrites: { id: string; type: number; allow: string; deny: string }[]
  recipient?: User
  owner?: string
  archived?: boolean
}

export interface Role {
  readonly id: string
  name: string
  permissions: bigint
  bot?: string
}

export interface Member {
  readonly user: User
  nick: string | null
  roles: string[]
  readonly joined_at: string
}

export interface Guild {
  readonly id: string
  name: string
  owner_id: string
  premium_tier: number
  readonly roles: Map<string, Role>
  readonly members: Map<string, Member>
  readonly emojis: { id: string; name: string }[]
}

export interface File {
  readonly id: string
  readonly filename: string
  readonly content_type: string
  readonly bytes: Uint8Array
  readonly more?: object
}

export interface Message {
  readonly id: string
  readonly channel_id: string
  readonly guild_id?: string
  readonly author: User
  readonly type: number
  content: string
  edited_timestamp: string | null
  flags: number
  files: readonly File[]
  readonly webhook?: string
  readonly application?: string
  readonly nonce?: string
  readonly reference?: { message_id?: string; channel_id: string; guild_id?: string; type?: number }
  readonly reactions: { emoji: { id: string | null; name: string }; users: string[] }[]
  /** Only this person sees it. */
  readonly only?: string
  readonly more: Readonly<Record<string, unknown>>
  allowed?: { parse?: string[]; users?: string[]; replied_user?: boolean } | undefined
}

export const userObject = ({ id, username, global_name: name, avatar, bot }: User): object => ({
  id,
  username,
  avatar,
  discriminator: '0',
  public_flags: 0,
  flags: 0,
  global_name: name,
  primary_guild: null,
  ...(bot ? { bot } : {}),
})

export const memberObject = ({ user, nick, roles, joined_at }: Member, withUser = true): object => ({
  avatar: null,
  banner: null,
  communication_disabled_until: null,
  flags: 0,
  joined_at,
  nick,
  pending: false,
  premium_since: null,
  roles,
  mute: false,
  deaf: false,
  ...(withUser ? { user: userObject(user) } : {}),
})

export const roleObject = ({ id, name, permissions, bot }: Role): object => ({
  id,
  name,
  permissions: permissions.toString(),
  position: 0,
  color: 0,
  colors: { primary_color: 0, secondary_color: null, tertiary_color: null },
  hoist: false,
  managed: bot !== undefined,
  mentionable: false,
  icon: null,
  unicode_emoji: null,
  flags: 0,
  ...(bot === undefined ? {} : { tags: { bot_id: bot } }),
})

export function channelObject(channel: Channel): object {
  const { id, type, guild_id, name, topic, parent_id, last_message_id, overwrites, recipient, owner, archived } =
    channel
  const common = { id, type, flags: 0, last_message_id }
  if (type === 1) return { ...common, recipients: recipient ? [userObject(recipient)] : [] }
  if ([10, 11, 12].includes(type))
    return {
      ...common,
      guild_id,
      name,
      parent_id,
      owner_id: owner,
      message_count: 0,
      member_count: 1,
      total_message_sent: 0,
      thread_metadata: {
        archived: archived ?? false,
        archive_timestamp: madeAt(last_message_id ?? id),
        auto_archive_duration: 1440,
        locked: false,
      },
    }
  return { ...common, guild_id, name, topic, parent_id, position: 0, permission_overwrites: overwrites }
}

const attachmentObject = (
  { id, filename, content_type, bytes, more }: File,
  { channel_id }: Message,
  cdn: string,
): object => {
  const url = `${cdn}/attachments/${channel_id}/${id}/${encodeURIComponent(filename)}?ex=1&is=2&hm=3`
  return { id, filename, size: bytes.length, url, proxy_url: url, content_type, ...more }
}

/** What mentions of people stand in a text. */
const mentioned = (content: string, users: ReadonlyMap<string, User>): User[] =>
  [...new Set([...content.matchAll(/<@!?(\d+)>/g)].map(([, id]) => id ?? ''))].flatMap(id => users.get(id) ?? [])

export interface MessageView {
  readonly users: ReadonlyMap<string, User>
  readonly cdn: string
  readonly self: string
}

export function messageObject(message: Message, { users, cdn, self }: MessageView): Record<string, unknown> {
  const { id, channel_id, author, type, content, edited_timestamp, flags, webhook, application, nonce, reference } =
    message
  const reactions = message.reactions.filter(({ users: by }) => by.length > 0)
  return {
    id,
    channel_id,
    type,
    content,
    author: webhook === undefined ? userObject(author) : { ...userObject(author), primary_guild: null },
    mentions: mentioned(content, users).map(userObject),
    mention_roles: [...new Set([...content.matchAll(/<@&(\d+)>/g)].map(([, role]) => role))],
    mention_everyone: false,
    attachments: message.files.map(file => attachmentObject(file, message, cdn)),
    embeds: [],
    timestamp: madeAt(id),
    edited_timestamp,
    flags,
    components: [],
    pinned: false,
    tts: false,
    ...(webhook === undefined ? {} : { webhook_id: webhook }),
    ...(application === undefined ? {} : { application_id: application }),
    ...(nonce === undefined ? {} : { nonce }),
    ...(reference === undefined ? {} : { message_reference: { type: 0, ...reference } }),
    ...(reactions.length === 0
      ? {}
      : {
          reactions: reactions.map(({ emoji, users: by }) => ({
            emoji,
            count: by.length,
            count_details: { burst: 0, normal: by.length },
            burst_colors: [],
            me_burst: false,
            me: by.includes(self),
          })),
        }),
    ...message.more,
  }
}
