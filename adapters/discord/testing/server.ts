import {
  type Channel,
  channelObject,
  type Guild,
  type Member,
  type Message,
  type MessageView,
  memberObject,
  roleObject,
  snowflake,
  type User,
  userObject,
} from './objects.ts'

export interface Hook {
  readonly id: string
  readonly token: string
  readonly channel_id: string
  name: string
  readonly application: string | null
  readonly user: User
}

/** An event for the gateway. `channel`: only who sees it is told. `intent`: only who asked for it is. */
export interface Happening {
  readonly t: string
  readonly d: Record<string, unknown>
  readonly intent: number
  readonly channel?: string
}

export const bits = {
  addReactions: 1n << 6n,
  view: 1n << 10n,
  send: 1n << 11n,
  manageMessages: 1n << 13n,
  attach: 1n << 15n,
  history: 1n << 16n,
  manageWebhooks: 1n << 29n,
  createThreads: 1n << 35n,
  sendInThreads: 1n << 38n,
} as const
export const allBits = Object.values(bits).reduce((all, bit) => all | bit, 0n)

export const intents = {
  guilds: 1,
  members: 2,
  expressions: 8,
  webhooks: 32,
  messages: 512,
  reactions: 1024,
  typing: 2048,
  directs: 4096,
  directReactions: 8192,
  directTyping: 16384,
}

/** One server of Discord: who is in it, its roles and channels. Whatever changes is told to `told`. */
export class Server {
  readonly self: User = { id: snowflake(), username: 'chanop', global_name: 'Chanop', avatar: null, bot: true }
  readonly users = new Map<string, User>()
  readonly guild: Guild
  readonly channels = new Map<string, Channel>()
  readonly messages = new Map<string, Message[]>()
  readonly hooks = new Map<string, Hook>()
  readonly botRole: string = snowflake()
  commands: object[] = []
  cdn = ''
  told: (happening: Happening) => void = () => undefined

  constructor() {
    const id = snowflake()
    const owner = snowflake()
    this.guild = {
      id,
      name: 'Test server',
      owner_id: owner,
      premium_tier: 0,
      roles: new Map(),
      members: new Map(),
      emojis: [],
    }
    this.guild.roles.set(id, {
      id,
      name: '@everyone',
      permissions:
        bits.view |
        bits.send |
        bits.history |
        bits.sendInThreads |
        bits.createThreads |
        bits.addReactions |
        bits.attach,
    })
    this.guild.roles.set(this.botRole, {
      id: this.botRole,
      name: 'Chanop',
      permissions: allBits & ~bits.manageMessages,
      bot: this.self.id,
    })
    this.enter(this.self, [this.botRole], false)
    this.enter({ id: owner, username: 'owner', global_name: 'Owner', avatar: null }, [], false)
  }

  get view(): MessageView {
    return { users: this.users, cdn: this.cdn, self: this.self.id }
  }

  // ---- people ---------------------------------------------------------------------------------------------------------

  user(name: string, more: Partial<User> = {}): User {
    const known = [...this.users.values()].find(({ username }) => username === name)
    if (known) return known
    const made: User = { id: snowflake(), username: name, global_name: null, avatar: null, ...more }
    this.users.set(made.id, made)
    return made
  }

  enter(user: User, roles: string[] = [], told = true): void {
    this.users.set(user.id, user)
    const member: Member = { user, nick: null, roles, joined_at: new Date().toISOString() }
    this.guild.members.set(user.id, member)
    if (told) this.tell('GUILD_MEMBER_ADD', intents.members, { ...memberObject(member), guild_id: this.guild.id })
  }

  leave(user: User): void {
    this.guild.members.delete(user.id)
    this.tell('GUILD_MEMBER_REMOVE', intents.members, { guild_id: this.guild.id, user: userObject(user) })
  }

  rename(user: User, nick: string): void {
    const member = this.guild.members.get(user.id)
    if (!member) return
    member.nick = nick
    this.tell('GUILD_MEMBER_UPDATE', intents.members, { ...memberObject(member), guild_id: this.guild.id })
  }

  // ---- channels -------------------------------------------------------------------------------------------------------

  channel(name: string, type = 0, more: Partial<Channel> = {}): Channel {
    const made: Channel = {
      id: snowflake(),
      type,
      guild_id: this.guild.id,
      name,
      topic: null,
      parent_id: null,
      last_message_id: null,
      overwrites: [],
      ...more,
    }
    this.channels.set(made.id, made)
    this.messages.set(made.id, [])
    return made
  }

  direct(user: User): Channel {
    const known = [...this.channels.values()].find(({ type, recipient }) => type === 1 && recipient?.id === user.id)
    if (known) return known
    const { guild_id: _guild, ...channel } = this.channel('', 1, { recipient: user })
    this.channels.set(channel.id, channel)
    return channel
  }

  thread(
    parent: Channel,
    { id = snowflake(), name = 'thread', owner = this.self.id }: { id?: string; name?: string; owner?: string } = {},
  ): Channel {
    const made = this.channel(name, 11, { id, parent_id: parent.id, owner })
    this.tell('THREAD_CREATE', intents.guilds, { ...channelObject(made), newly_created: true }, made.id)
    return made
  }

  may(user: string, channel: Channel): bigint {
    if (channel.type === 1) return allBits
    const member = this.guild.members.get(user)
    if (!member) return 0n
    if (user === this.guild.owner_id) return allBits
    const ruling =
      channel.type >= 10 && channel.type <= 12 ? (this.channels.get(channel.parent_id ?? '') ?? channel) : channel
    let held = this.guild.roles.get(this.guild.id)?.permissions ?? 0n
    for (const role of member.roles) held |= this.guild.roles.get(role)?.permissions ?? 0n
    const levels = [
      (id: string) => id === this.guild.id,
      (id: string) => member.roles.includes(id),
      (id: string) => id === user,
    ]
    for (const level of levels) {
      const found = ruling.overwrites.filter(({ id }) => level(id))
      for (const { deny } of found) held &= ~BigInt(deny)
      for (const { allow } of found) held |= BigInt(allow)
    }
    return held
  }

  /** Takes permissions from the bot in one channel, or gives them back. */
  deny(channel: Channel, denied: bigint): void {
    channel.overwrites = [{ id: this.self.id, type: 1, allow: '0', deny: denied.toString() }]
    this.tell('CHANNEL_UPDATE', intents.guilds, channelObject(channel) as Record<string, unknown>)
  }

  topic(channel: Channel, topic: string): void {
    channel.topic = topic
    this.tell('CHANNEL_UPDATE', intents.guilds, channelObject(channel) as Record<string, unknown>, channel.id)
  }

  kickBot(): void {
    this.guild.members.delete(this.self.id)
    this.tell('GUILD_DELETE', intents.guilds, { id: this.guild.id })
  }

  webhooksChanged(channel: string): void {
    this.tell('WEBHOOKS_UPDATE', intents.webhooks, { guild_id: this.guild.id, channel_id: channel }, channel)
  }

  guildCreate(): Record<string, unknown> {
    const { guild } = this
    const all = [...this.channels.values()].filter(
      channel => channel.guild_id === guild.id && (this.may(this.self.id, channel) & bits.view) !== 0n,
    )
    const threads = all.filter(({ type }) => type >= 10 && type <= 12)
    return {
      ...this.guildObject(),
      joined_at: new Date(0).toISOString(),
      large: false,
      unavailable: false,
      member_count: guild.members.size,
      members: [...guild.members.values()]
        .filter(({ user }) => user.id === this.self.id)
        .map(member => memberObject(member)),
      channels: all.filter(channel => !threads.includes(channel)).map(channelObject),
      threads: threads.filter(({ archived }) => archived !== true).map(channelObject),
      voice_states: [],
      presences: [],
      stage_instances: [],
      guild_scheduled_events: [],
      soundboard_sounds: [],
    }
  }

  guildObject(): Record<string, unknown> {
    const { id, name, owner_id, premium_tier, roles, emojis } = this.guild
    const none = `icon description home_header splash discovery_splash banner application_id afk_channel_id
      system_channel_id widget_channel_id vanity_url_code rules_channel_id safety_alerts_channel_id
      public_updates_channel_id incidents_data max_presences`.split(/\s+/)
    return {
      ...Object.fromEntries(none.map(key => [key, null])),
      id,
      name,
      owner_id,
      premium_tier,
      features: [],
      region: 'deprecated',
      afk_timeout: 300,
      system_channel_flags: 0,
      widget_enabled: false,
      verification_level: 0,
      roles: [...roles.values()].map(roleObject),
      default_message_notifications: 0,
      mfa_level: 0,
      explicit_content_filter: 0,
      max_members: 500000,
      max_stage_video_channel_users: 50,
      max_video_channel_users: 25,
      premium_subscription_count: 0,
      preferred_locale: 'en-US',
      premium_progress_bar_enabled: false,
      nsfw: false,
      nsfw_level: 0,
      emojis: emojis.map(emoji => ({
        ...emoji,
        roles: [],
        require_colons: true,
        managed: false,
        animated: false,
        available: true,
      })),
      stickers: [],
    }
  }

  protected tell(t: string, intent: number, d: Record<string, unknown>, channel?: string): void {
    this.told({ t, d, intent, ...(channel === undefined ? {} : { channel }) })
  }
}
