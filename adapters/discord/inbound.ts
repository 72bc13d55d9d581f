import type {
  APIAttachment,
  APIMessage,
  APIUser,
  GatewayMessageCreateDispatchData,
  GatewayMessageUpdateDispatchData,
} from 'discord.js'
import type {
  Attachment,
  ChannelId,
  Content,
  EditEvent,
  MessageEvent,
  MessageId,
  NetworkId,
  Origin,
  Place,
  Segment,
  Sender,
  UserId,
} from '../../core/event.ts'
import type { Log } from '../../core/log.ts'
import { type Channel, type Directory, isDirect, isThread, snowflakeMs } from './guild/directory.ts'
import { beside, forwarded, isCopyOfRoot, joined, noticeOf } from './text/kinds.ts'
import { type Names, parseMarkdown } from './text/read.ts'

/** A message as the gateway or the history gives it. */
export type Native = APIMessage & Partial<Pick<GatewayMessageCreateDispatchData, 'guild_id' | 'member'>>

export interface Reader {
  readonly network: NetworkId
  readonly directory: Directory
  readonly cdn: string
  /** Channels that are places of their own although they are threads. */
  readonly isPlace: (channel: string) => boolean
  /** Whether a webhook is one of ours, or of another relay like us. */
  readonly webhook: (id: string) => 'ours' | 'relay' | 'other'
  readonly log: Log
}

/** Where something of a channel is said: a thread is the place of its channel, with the message that opened it. */
export function placeOf({ network, isPlace }: Pick<Reader, 'network' | 'isPlace'>, channel: Channel): Place {
  const own = { network, channel: channel.id as ChannelId }
  if (isDirect(channel)) return { ...own, private: true }
  if (!isThread(channel) || channel.parent === null || isPlace(channel.id)) return own
  return { network, channel: channel.parent as ChannelId, thread: channel.id as MessageId }
}

/** Their picture, where anyone may open it. */
function avatarOf(
  { cdn }: Reader,
  guild: string | null,
  user: APIUser,
  member: string | null | undefined,
): string | null {
  if (!cdn.startsWith('https:')) return null
  if (member && guild !== null) return `${cdn}/guilds/${guild}/users/${user.id}/avatars/${member}.png`
  return user.avatar ? `${cdn}/avatars/${user.id}/${user.avatar}.png` : null
}

/** Who wrote. A webhook's name and id are whoever's who knows its address: nobody vouches for them. */
export function senderOf(
  reader: Reader,
  guild: string | null,
  native: Pick<Native, 'author' | 'webhook_id' | 'member'>,
): Sender {
  const { author, webhook_id: webhook, member } = native
  const hook = webhook !== undefined
  const name = hook
    ? author.username
    : reader.directory.saw(guild, author, member as { nick?: string | null } | undefined)
  const avatar = avatarOf(reader, guild, author, hook ? null : member?.avatar)
  return {
    id: author.id as UserId,
    name,
    ...(avatar === null ? {} : { avatar }),
    kind: hook || author.bot === true || author.system === true ? 'bot' : 'person',
    verified: !hook,
  }
}

/** What the ids in a text mean, from the message itself and from what is known of its server. */
function namesFor({ directory }: Reader, guild: string | null, native: Pick<Native, 'mentions'>): Names {
  const server = guild === null ? undefined : directory.guilds.get(guild)
  const mentioned = new Map((native.mentions ?? []).map(user => [user.id, user]))
  return {
    user(id) {
      const user = mentioned.get(id)
      const member = (user as { member?: { nick?: string | null } } | undefined)?.member
      const name = user && (member?.nick ?? directory.nameOf(guild, id) ?? user.global_name ?? user.username)
      return { name: name ?? directory.nameOf(guild, id) ?? 'somebody', self: id === directory.self?.id }
    },
    role(id) {
      const role = server?.roles.get(id)
      return {
        name: role?.name ?? 'a role',
        self: role?.tags?.bot_id !== undefined && role.tags.bot_id === directory.self?.id,
      }
    },
    channel: id => directory.channels.get(id)?.name ?? 'a-channel',
  }
}

/** Where the bytes are found again: the address that Discord gives is signed and dies. */
export const refOf = (channel: string, message: string, file: string): string => `${channel}/${message}/${file}`

const attachmentOf = (native: Native, file: APIAttachment): Attachment => ({
  ref: refOf(native.channel_id, native.id, file.id),
  name: file.filename,
  ...(file.content_type === undefined ? {} : { type: file.content_type }),
  sizeBytes: file.size,
  ...(file.width ? { width: file.width } : {}),
  ...(file.height ? { height: file.height } : {}),
  ...(file.description ? { caption: file.description } : {}),
})

export const filesOf = (native: Pick<APIMessage, 'attachments' | 'message_snapshots'>): APIAttachment[] => [
  ...(native.attachments ?? []),
  ...(native.message_snapshots ?? []).flatMap(({ message }) => message.attachments ?? []),
]

/** What a message says. Of one that is like none that is known its words are read alone: it keeps no other up. */
export function contentOf(reader: Reader, guild: string | null, native: Native): Content {
  try {
    return wholeOf(reader, guild, native)
  } catch (error) {
    reader.log.warn({ error, message: native.id }, 'a message of Discord could not be read but for its words')
    return { segments: [{ kind: 'text', text: native.content || '[a message that can not be read here]' }] }
  }
}

/** Nothing that Discord shows is left out, whatever kind it is of. */
function wholeOf(reader: Reader, guild: string | null, native: Native): Content {
  const names = namesFor(reader, guild, native)
  const notice = noticeOf(native)
  const byProgram = native.author.bot === true || native.webhook_id !== undefined
  const said: Segment[] =
    notice === null ? parseMarkdown(native.content ?? '', names) : [{ kind: 'text', text: notice }]
  const snapshots = forwarded(native.message_snapshots, names)
  const segments = joined([said, ...beside(native, names, byProgram), ...snapshots])
  const attachments = filesOf(native).map(file => attachmentOf(native, file))
  const reference = native.message_reference
  const answers = reference?.message_id !== undefined && Number(native.type) === 19
  return {
    segments:
      segments.length === 0 && attachments.length === 0 ? [{ kind: 'text', text: '[nothing to be shown]' }] : segments,
    ...(attachments.length === 0 ? {} : { attachments }),
    ...(answers ? { replyTo: reference.message_id as MessageId } : {}),
    ...(notice === null ? {} : { style: 'notice' as const }),
  }
}

/** Our own words come back: by our account, or by a webhook of ours. */
export function isOurs(
  { directory, webhook }: Reader,
  native: Pick<Native, 'author' | 'webhook_id' | 'application_id'>,
): boolean {
  if (native.webhook_id === undefined) return native.author.id === directory.self?.id
  const byUs = directory.application !== null && native.application_id === directory.application
  return byUs || webhook(native.webhook_id) === 'ours'
}

export interface Heard {
  readonly channel: Channel
  readonly origin: Origin
}

/** A message as an event; null when it is ours, or says nothing of its own. */
export function messageOf(reader: Reader, native: Native, { channel, origin }: Heard): MessageEvent | null {
  if (isOurs(reader, native) || isCopyOfRoot(native)) return null
  const hops = native.webhook_id !== undefined && reader.webhook(native.webhook_id) === 'relay' ? { hops: 1 } : {}
  return {
    kind: 'message',
    key: `${reader.network}:${native.id}`,
    id: native.id as MessageId,
    place: placeOf(reader, channel),
    sender: senderOf(reader, channel.guild, native),
    content: contentOf(reader, channel.guild, native),
    atMs: snowflakeMs(native.id),
    origin,
    ...hops,
  }
}

/** A change of a message; null when it changed nothing that somebody wrote (a preview was added, it was pinned). */
export function editOf(
  reader: Reader,
  native: Native | GatewayMessageUpdateDispatchData,
  { channel, origin }: Heard,
): EditEvent | null {
  if (!native.author || typeof native.content !== 'string' || !native.edited_timestamp) return null
  if (isOurs(reader, native) || isCopyOfRoot(native)) return null
  const atMs = Date.parse(native.edited_timestamp)
  return {
    kind: 'edit',
    key: `${reader.network}:${native.id}/edit/${atMs}`,
    target: native.id as MessageId,
    place: placeOf(reader, channel),
    sender: senderOf(reader, channel.guild, native),
    content: contentOf(reader, channel.guild, native),
    atMs,
    origin,
  }
}
