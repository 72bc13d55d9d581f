import type {
  APIChannel,
  APIEmoji,
  APIGuild,
  APIGuildMember,
  APIOverwrite,
  APIRole,
  APIUser,
  GatewayDispatchPayload,
  GatewayGuildCreateDispatchData,
} from 'discord.js'
import { Recent } from '../../../core/recent.ts'
import { type Grants, permissionsIn } from './permissions.ts'

export interface Channel {
  readonly id: string
  readonly guild: string | null
  readonly name: string
  readonly type: number
  /** Of a thread: the channel it belongs to. */
  readonly parent: string | null
  readonly overwrites: readonly APIOverwrite[]
  readonly topic: string | null
  lastMessage: string | null
}

export interface Guild {
  readonly id: string
  name: string
  owner: string
  tier: number
  /** Roles that we have there. */
  mine: readonly string[]
  readonly roles: Map<string, APIRole>
  readonly emoji: Map<string, string>
}

const threadTypes: readonly number[] = [10, 11, 12]
export const isThread = ({ type }: Pick<Channel, 'type'>): boolean => threadTypes.includes(type)
/** A channel whose only content is threads: forum and media. */
export const isForum = ({ type }: Pick<Channel, 'type'>): boolean => type === 15 || type === 16
export const isDirect = ({ type }: Pick<Channel, 'type'>): boolean => type === 1

const mostNames = 5_000

/** What the gateway tells of servers, channels, threads and people's names: no more than what is needed to name and to judge. */
export class Directory {
  self: APIUser | null = null
  application: string | null = null
  readonly guilds = new Map<string, Guild>()
  readonly channels = new Map<string, Channel>()
  /** Names of those seen last: `<guild>/<user>`. */
  readonly #names = new Recent<string, string>(mostNames)

  /** Takes in what an event changes. Unknown events change nothing. */
  take({ t, d }: GatewayDispatchPayload): void {
    switch (t) {
      case 'READY':
        this.self = d.user
        this.application = d.application.id
        break
      case 'GUILD_CREATE':
        if (!('unavailable' in d && d.unavailable)) this.#guild(d)
        break
      case 'GUILD_UPDATE':
        this.#renewed(d.id, { name: d.name, owner: d.owner_id, tier: Number(d.premium_tier) })
        break
      case 'GUILD_DELETE':
        if (!d.unavailable) this.#forget(d.id)
        break
      case 'GUILD_ROLE_CREATE':
      case 'GUILD_ROLE_UPDATE':
        this.guilds.get(d.guild_id)?.roles.set(d.role.id, d.role)
        break
      case 'GUILD_ROLE_DELETE':
        this.guilds.get(d.guild_id)?.roles.delete(d.role_id)
        break
      case 'GUILD_EMOJIS_UPDATE':
        this.#emoji(d.guild_id, d.emojis)
        break
      case 'CHANNEL_CREATE':
      case 'CHANNEL_UPDATE':
      case 'THREAD_CREATE':
      case 'THREAD_UPDATE':
        this.note(d)
        break
      case 'CHANNEL_DELETE':
      case 'THREAD_DELETE':
        this.channels.delete(d.id)
        break
      case 'THREAD_LIST_SYNC':
        for (const thread of d.threads) this.note(thread, d.guild_id)
        break
      case 'GUILD_MEMBER_UPDATE':
        if (d.user.id === this.self?.id) this.#renewed(d.guild_id, { mine: d.roles })
    }
  }

  #guild(data: GatewayGuildCreateDispatchData): void {
    const me = data.members.find(({ user }) => user?.id === this.self?.id)
    this.found(data, me?.roles ?? [])
    for (const channel of [...data.channels, ...data.threads]) this.note(channel as APIChannel, data.id)
    for (const member of data.members) if (member.user) this.saw(data.id, member.user, member)
  }

  /** A server that we are in, with the roles that we have there. */
  found(
    data: Pick<APIGuild, 'id' | 'name' | 'owner_id' | 'premium_tier' | 'roles' | 'emojis'>,
    mine: readonly string[],
  ): void {
    this.guilds.set(data.id, {
      id: data.id,
      name: data.name,
      owner: data.owner_id,
      tier: Number(data.premium_tier),
      mine,
      roles: new Map(data.roles.map(role => [role.id, role])),
      emoji: new Map(),
    })
    this.#emoji(data.id, data.emojis)
  }

  #renewed(id: string, change: Partial<Pick<Guild, 'name' | 'owner' | 'tier' | 'mine'>>): void {
    const guild = this.guilds.get(id)
    if (guild) Object.assign(guild, change)
  }

  #emoji(id: string, emoji: readonly APIEmoji[]): void {
    const guild = this.guilds.get(id)
    if (!guild) return
    guild.emoji.clear()
    for (const { id: own, name, animated } of emoji)
      if (own !== null && own !== undefined && name) guild.emoji.set(name, `<${animated ? 'a' : ''}:${name}:${own}>`)
  }

  #forget(id: string): void {
    this.guilds.delete(id)
    for (const channel of this.channels.values()) if (channel.guild === id) this.channels.delete(channel.id)
  }

  /** Keeps a channel or thread as the platform describes it. */
  note(data: APIChannel, guild?: string): Channel {
    const more = data as APIChannel & Partial<Record<'guild_id' | 'parent_id' | 'last_message_id' | 'topic', string>>
    const known = this.channels.get(data.id)
    const channel: Channel = {
      id: data.id,
      guild: guild ?? more.guild_id ?? known?.guild ?? null,
      name: data.name ?? '',
      type: data.type,
      parent: threadTypes.includes(data.type) ? (more.parent_id ?? known?.parent ?? null) : null,
      overwrites: 'permission_overwrites' in data ? (data.permission_overwrites ?? []) : (known?.overwrites ?? []),
      topic: more.topic ?? null,
      lastMessage: newer(more.last_message_id ?? null, known?.lastMessage ?? null),
    }
    this.channels.set(data.id, channel)
    return channel
  }

  /** Somebody is called so now, in a server or (null) in a direct conversation. */
  saw(guild: string | null, user: APIUser, member?: Pick<APIGuildMember, 'nick'>): string {
    const key = `${guild ?? ''}/${user.id}`
    const known = member === undefined ? this.#names.get(key) : member.nick
    const name = known ?? user.global_name ?? user.username
    this.#names.set(key, name)
    return name
  }

  nameOf(guild: string | null, user: string): string | null {
    if (user === this.self?.id) return this.self.global_name ?? this.self.username
    return this.#names.get(`${guild ?? ''}/${user}`) ?? null
  }

  /** Our permissions in a channel; a thread has those of its channel. Null: it is none of a server we are in. */
  permissions(channel: Channel, holder?: { readonly id: string; readonly roles: readonly string[] }): bigint | null {
    const guild = channel.guild === null ? undefined : this.guilds.get(channel.guild)
    const me = this.self
    if (!guild || !me) return null
    const ruling = isThread(channel) ? (this.channels.get(channel.parent ?? '') ?? channel) : channel
    const grants: Grants = {
      guild: guild.id,
      owner: guild.owner,
      roles: new Map([...guild.roles.values()].map(({ id, permissions }) => [id, BigInt(permissions)])),
    }
    return permissionsIn(grants, holder ?? { id: me.id, roles: guild.mine }, ruling.overwrites)
  }
}

/** Snowflakes are numbers of up to 64 bits: the longer, or of two as long the greater, is the newer. */
export const isNewer = (a: string, b: string): boolean => (a.length === b.length ? a > b : a.length > b.length)

export const newer = (a: string | null, b: string | null): string | null =>
  a === null || b === null ? (a ?? b) : isNewer(a, b) ? a : b

const epochMs = 1_420_070_400_000

export const snowflakeMs = (id: string): number => Number(BigInt(id) >> 22n) + epochMs
