import { type Channel, type File, type Message, memberObject, messageObject, snowflake, type User } from './objects.ts'
import { intents, Server } from './server.ts'

export interface Posting {
  readonly type?: number
  readonly content?: string
  readonly flags?: number
  readonly files?: readonly File[]
  readonly webhook?: string
  readonly application?: string
  readonly nonce?: string
  readonly reference?: NonNullable<Message['reference']>
  readonly only?: string
  readonly more?: Record<string, unknown>
  readonly allowed?: Message['allowed']
  readonly atMs?: number
}

/** The server, and what is said in it. */
export class World extends Server {
  post(channel: Channel, author: User, posting: Posting): Message {
    const { content = '', type = 0, flags = 0, files = [], more = {}, atMs, ...rest } = posting
    const message: Message = {
      id: snowflake(atMs),
      channel_id: channel.id,
      ...(channel.guild_id === undefined ? {} : { guild_id: channel.guild_id }),
      author,
      type,
      content: content.trim(),
      edited_timestamp: null,
      flags,
      files,
      reactions: [],
      more,
      ...rest,
    }
    this.messages.get(channel.id)?.push(message)
    channel.last_message_id = message.id
    if (posting.only === undefined) this.#tellMessage('MESSAGE_CREATE', channel, message)
    return message
  }

  edit(message: Message, content: string): void {
    message.content = content.trim()
    message.edited_timestamp = new Date().toISOString()
    const channel = this.channels.get(message.channel_id)
    if (channel) this.#tellMessage('MESSAGE_UPDATE', channel, message)
  }

  remove(message: Message): void {
    const list = this.messages.get(message.channel_id) ?? []
    list.splice(list.indexOf(message), 1)
    const { id, channel_id, guild_id } = message
    this.#tellIn(message, 'MESSAGE_DELETE', [intents.messages, intents.directs], {
      id,
      channel_id,
      ...(guild_id ? { guild_id } : {}),
    })
  }

  removeMany(messages: readonly Message[]): void {
    const [first] = messages
    if (!first) return
    const list = this.messages.get(first.channel_id) ?? []
    for (const message of messages) list.splice(list.indexOf(message), 1)
    const { channel_id, guild_id } = first
    this.#tellIn(first, 'MESSAGE_DELETE_BULK', [intents.messages, intents.directs], {
      ids: messages.map(({ id }) => id),
      channel_id,
      guild_id,
    })
  }

  react(message: Message, user: User, emoji: { id: string | null; name: string }, removed = false): void {
    let found = message.reactions.find(({ emoji: { id, name } }) =>
      emoji.id === null ? name === emoji.name : id === emoji.id,
    )
    if (!found) message.reactions.push((found = { emoji, users: [] }))
    if (found.users.includes(user.id) === !removed) return
    if (removed) found.users.splice(found.users.indexOf(user.id), 1)
    else found.users.push(user.id)
    const { id, channel_id, guild_id, author } = message
    const member = this.guild.members.get(user.id)
    const data = {
      user_id: user.id,
      channel_id,
      message_id: id,
      ...(guild_id ? { guild_id } : {}),
      emoji,
      burst: false,
      type: 0,
    }
    const more = removed
      ? {}
      : { message_author_id: author.id, ...(guild_id && member ? { member: memberObject(member) } : {}) }
    this.#tellIn(
      message,
      removed ? 'MESSAGE_REACTION_REMOVE' : 'MESSAGE_REACTION_ADD',
      [intents.reactions, intents.directReactions],
      { ...data, ...more },
    )
  }

  clearReactions(message: Message): void {
    message.reactions.splice(0)
    const { id, channel_id, guild_id } = message
    this.#tellIn(message, 'MESSAGE_REACTION_REMOVE_ALL', [intents.reactions, intents.directReactions], {
      message_id: id,
      channel_id,
      guild_id,
    })
  }

  typing(channel: Channel, user: User): void {
    const member = this.guild.members.get(user.id)
    const { guild_id } = channel
    const data = { channel_id: channel.id, user_id: user.id, timestamp: Math.floor(Date.now() / 1000) }
    const more = guild_id && member ? { guild_id, member: memberObject(member) } : {}
    this.tell('TYPING_START', guild_id ? intents.typing : intents.directTyping, { ...data, ...more }, channel.id)
  }

  find(channel: string, id: string): Message | undefined {
    return this.messages.get(channel)?.find(message => message.id === id)
  }

  /** Discord sends anything at all: what no version of it has yet. */
  anything(t: string, d: Record<string, unknown>, channel?: string): void {
    this.tell(t, 0, d, channel)
  }

  #tellMessage(t: string, channel: Channel, message: Message): void {
    const member = message.webhook === undefined ? this.guild.members.get(message.author.id) : undefined
    const more =
      channel.guild_id === undefined
        ? {}
        : { guild_id: channel.guild_id, ...(member ? { member: memberObject(member, false) } : {}) }
    this.#tellIn(message, t, [intents.messages, intents.directs], {
      ...messageObject(message, this.view),
      channel_type: channel.type,
      ...more,
    })
  }

  #tellIn(message: Message, t: string, [guild, direct]: readonly [number, number], d: Record<string, unknown>): void {
    this.tell(t, message.guild_id === undefined ? direct : guild, d, message.channel_id)
  }
}
