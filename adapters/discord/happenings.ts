import type {
  GatewayDispatchPayload,
  GatewayGuildMemberAddDispatchData,
  GatewayMessageReactionAddDispatchData,
  GatewayMessageReactionRemoveDispatchData,
} from 'discord.js'
import type {
  ChannelId,
  ChatEvent,
  LifeSign,
  MemberEvent,
  MessageId,
  Origin,
  Sender,
  UserId,
} from '../../core/event.ts'
import { Recent } from '../../core/recent.ts'
import type { Following } from './following.ts'
import { type Channel, isDirect, isThread, snowflakeMs } from './guild/directory.ts'
import { has } from './guild/permissions.ts'
import { editOf, messageOf, type Native, placeOf, type Reader, senderOf } from './inbound.ts'
import type { Changes } from './out/changes.ts'

/** One event of the gateway with what makes its key, for those that have no id of their own. */
export interface Happening {
  readonly packet: GatewayDispatchPayload
  readonly mark: string
  readonly origin: Origin
}

export interface HappeningsOptions {
  readonly reader: Reader
  readonly following: Following
  readonly changes: Changes
}

const mostReactions = 5_000

/** What the gateway tells, as events. Who reacted is kept for a while: all reactions at once are taken back without names. */
export class Happenings {
  readonly #o: HappeningsOptions
  /** `<message> <user> <emoji>`. */
  readonly #reactions = new Recent<string, true>(mostReactions)

  constructor(options: HappeningsOptions) {
    this.#o = options
  }

  eventsOf(happening: Happening): ChatEvent[] {
    const { packet, origin } = happening
    const { t, d } = packet
    switch (t) {
      case 'MESSAGE_CREATE':
      case 'MESSAGE_UPDATE': {
        const channel = this.#o.following.of(d.channel_id, d.guild_id ?? null)
        const read = t === 'MESSAGE_CREATE' ? messageOf : editOf
        return channel ? some(read(this.#o.reader, d as Native, { channel, origin })) : []
      }
      case 'MESSAGE_DELETE':
        return this.#deleted(d.channel_id, d.guild_id ?? null, [d.id], origin)
      case 'MESSAGE_DELETE_BULK':
        return this.#deleted(d.channel_id, d.guild_id ?? null, d.ids, origin)
      case 'MESSAGE_REACTION_ADD':
        return this.#reacted(d, happening, false)
      case 'MESSAGE_REACTION_REMOVE':
        return this.#reacted(d, happening, true)
      case 'MESSAGE_REACTION_REMOVE_ALL':
      case 'MESSAGE_REACTION_REMOVE_EMOJI':
        return this.#cleared(d, happening, 'emoji' in d ? emojiText(d.emoji) : null)
      case 'GUILD_MEMBER_ADD':
        return this.#member(d, happening, { change: 'join', atMs: Date.parse(d.joined_at ?? '') || Date.now() })
      case 'GUILD_MEMBER_REMOVE':
        return this.#member(d, happening, { change: 'leave', atMs: Date.now() })
      case 'GUILD_MEMBER_UPDATE':
        return this.#renamed(packet.d as GatewayGuildMemberAddDispatchData, happening)
      default:
        return []
    }
  }

  #deleted(id: string, guild: string | null, messages: readonly string[], origin: Origin): ChatEvent[] {
    const channel = this.#o.following.of(id, guild)
    if (!channel) return []
    return messages
      .filter(message => !this.#o.changes.isRemoved(message))
      .map(message => deletionOf(this.#o.reader, channel, message, origin))
  }

  #reacted(
    data: GatewayMessageReactionAddDispatchData | GatewayMessageReactionRemoveDispatchData,
    { mark, origin }: Happening,
    removed: boolean,
  ): ChatEvent[] {
    const { reader } = this.#o
    const channel = this.#o.following.of(data.channel_id, data.guild_id ?? null)
    if (!channel || data.user_id === reader.directory.self?.id) return []
    const emoji = emojiText(data.emoji)
    this.#remember(`${data.message_id} ${data.user_id} ${emoji}`, removed)
    const member = 'member' in data ? data.member : undefined
    const sender: Sender = member?.user
      ? senderOf(reader, channel.guild, { author: member.user, member })
      : {
          id: data.user_id as UserId,
          name: reader.directory.nameOf(channel.guild, data.user_id) ?? 'somebody',
          kind: 'person',
          verified: true,
        }
    return [this.#reaction({ channel, message: data.message_id, emoji, sender, origin, removed }, mark)]
  }

  #reaction({ channel, message, emoji, sender, origin, removed }: ReactionOf, mark: string): ChatEvent {
    return {
      kind: 'reaction',
      key: `${this.#o.reader.network}:r/${mark}`,
      place: placeOf(this.#o.reader, channel),
      target: message as MessageId,
      emoji,
      sender,
      atMs: Date.now(),
      origin,
      ...(removed ? { removed: true as const } : {}),
    }
  }

  #remember(key: string, removed: boolean): void {
    if (removed) this.#reactions.delete(key)
    else this.#reactions.set(key, true)
  }

  #cleared(
    {
      channel_id: id,
      guild_id: guild,
      message_id: message,
    }: { channel_id: string; guild_id?: string; message_id: string },
    { mark, origin }: Happening,
    emoji: string | null,
  ): ChatEvent[] {
    const channel = this.#o.following.of(id, guild ?? null)
    if (!channel) return []
    const { directory } = this.#o.reader
    const known = [...this.#reactions.keys()].filter(key => key.startsWith(`${message} `)).map(key => key.split(' '))
    return known
      .filter(([, , shown]) => emoji === null || shown === emoji)
      .map(([, user = '', shown = '']) => {
        this.#remember(`${message} ${user} ${shown}`, true)
        const name = directory.nameOf(channel.guild, user) ?? 'somebody'
        const sender = { id: user as UserId, name, kind: 'person' as const, verified: true }
        return this.#reaction(
          { channel, message, emoji: shown, sender, origin, removed: true },
          `${mark}/${user}/${shown}`,
        )
      })
  }

  /** Who comes to a server or leaves it does so in each of our places there that everybody sees. */
  #member(
    { guild_id: guild, user }: Pick<GatewayGuildMemberAddDispatchData, 'guild_id' | 'user'>,
    { mark, origin }: Happening,
    { atMs, ...what }: Pick<MemberEvent, 'change' | 'atMs'> & { readonly detail?: string; readonly was?: string },
  ): ChatEvent[] {
    const { reader, following } = this.#o
    if (user.id === reader.directory.self?.id) return []
    const { was, ...change } = what
    const sender = senderOf(reader, guild, { author: user })
    const everybody = { id: '', roles: [] }
    return following
      .places(guild)
      .filter(channel => has(reader.directory.permissions(channel, everybody) ?? 0n, 'viewChannel'))
      .map(channel => ({
        kind: 'member' as const,
        key: `${reader.network}:m/${mark}/${channel.id}`,
        place: placeOf(reader, channel),
        sender: was === undefined ? sender : { ...sender, name: was },
        atMs,
        origin,
        ...change,
      }))
  }

  #renamed(member: GatewayGuildMemberAddDispatchData, happening: Happening): ChatEvent[] {
    const { directory } = this.#o.reader
    const was = directory.nameOf(member.guild_id, member.user.id)
    const name = directory.saw(member.guild_id, member.user, member)
    if (was === null || was === name) return []
    return this.#member(member, happening, { change: 'rename', detail: name, was, atMs: Date.now() })
  }

  lifeOf({ t, d }: GatewayDispatchPayload): LifeSign | null {
    if (t !== 'TYPING_START') return null
    const { reader } = this.#o
    const channel = this.#o.following.of(d.channel_id, d.guild_id ?? null)
    if (!channel || d.user_id === reader.directory.self?.id) return null
    const name = d.member?.user
      ? reader.directory.saw(channel.guild, d.member.user, d.member)
      : reader.directory.nameOf(channel.guild, d.user_id)
    if (name === null) return null
    const sender: Sender = {
      id: d.user_id as UserId,
      name,
      kind: d.member?.user?.bot ? 'bot' : 'person',
      verified: true,
    }
    return { kind: 'life', place: placeOf(reader, channel), sender, what: 'typing', atMs: d.timestamp * 1000 }
  }
}

interface ReactionOf {
  readonly channel: Channel
  readonly message: string
  readonly emoji: string
  readonly sender: Sender
  readonly origin: Origin
  readonly removed: boolean
}

const some = <T>(value: T | null): T[] => (value === null ? [] : [value])

/** An emoji as text: those of a server by their name. */
export const emojiText = ({ id, name }: { id?: string | null; name?: string | null }): string =>
  id ? `:${name ?? 'emoji'}:` : (name ?? '❓')

/** Who did what Discord names nobody for. */
const somebody = ({ guild, id }: Channel): Sender => ({
  id: (guild ?? id) as UserId,
  name: 'somebody',
  kind: 'bot',
  verified: false,
})

/** Discord does not say who took a message away. */
export const deletionOf = (reader: Reader, channel: Channel, message: string, origin: Origin): ChatEvent => ({
  kind: 'delete',
  key: `${reader.network}:${message}/delete`,
  place: placeOf(reader, channel),
  target: message as MessageId,
  sender: somebody(channel),
  atMs: Math.max(snowflakeMs(message), Date.now()),
  origin,
})

/** A changed topic, in the channel itself. */
export function topicOf(
  reader: Reader,
  channel: Channel,
  was: string | null,
  mark: string,
  origin: Origin,
): ChatEvent | null {
  if (isThread(channel) || isDirect(channel) || was === channel.topic) return null
  return {
    kind: 'topic',
    key: `${reader.network}:t/${mark}`,
    place: { network: reader.network, channel: channel.id as ChannelId },
    topic: channel.topic ?? '',
    sender: somebody(channel),
    atMs: Date.now(),
    origin,
  }
}
