/**
 * A Slack workspace in memory, written from docs.slack.dev: who is there, what was said, and the events of it. What people do
 * here is done by calling it; what an app does comes by the fake's Web API.
 */
export type Json = Record<string, unknown>

export interface Person {
  readonly id: string
  name: string
  readonly team: string
  readonly bot?: true
}

export interface Message extends Json {
  type: 'message'
  ts: string
  text: string
  user?: string
  bot_id?: string
  subtype?: string
  thread_ts?: string
  blocks?: Json[]
  files?: Json[]
  metadata?: Json
  reactions?: { name: string; users: string[]; count: number }[]
}

export interface Channel {
  readonly id: string
  name: string
  readonly kind: 'public' | 'private' | 'im'
  readonly members: Set<string>
  readonly messages: Message[]
  archived: boolean
  /** Whether people of other workspaces are in it. */
  shared: boolean
}

export interface StoredFile {
  readonly id: string
  readonly name: string
  readonly length: number
  bytes: Uint8Array | null
  readonly shares: Map<string, string[]>
  gone: boolean
}

export const team = 'T0000FAKE'
export const app = { id: 'A0000FAKE', user: 'U0000BOTX', bot: 'B0000FAKE', name: 'chanop' } as const

type Listener = (event: Json, channel: Channel | null) => void

export class Workspace {
  readonly people = new Map<string, Person>()
  readonly channels = new Map<string, Channel>()
  readonly files = new Map<string, StoredFile>()
  /** What one person alone was shown. */
  readonly ephemeral: { channel: string; user: string; message: Message }[] = []
  readonly #listeners = new Set<Listener>()
  #lastMicros = 0
  #ids = 0

  constructor() {
    this.person(app.user, app.name, { bot: true })
  }

  onEvent(listener: Listener): void {
    this.#listeners.add(listener)
  }

  emit(event: Json, channel: Channel | null): void {
    const stamped = { event_ts: this.stamp(), ...event }
    for (const listener of this.#listeners) listener(stamped, channel)
  }

  /** A time that no other message has: microseconds, strictly growing. */
  stamp(): string {
    this.#lastMicros = Math.max(Date.now() * 1000, this.#lastMicros + 1)
    return `${Math.floor(this.#lastMicros / 1e6)}.${String(this.#lastMicros % 1e6).padStart(6, '0')}`
  }

  id(letter: string): string {
    return `${letter}${(++this.#ids).toString(36).toUpperCase().padStart(9, '0')}`
  }

  person(id: string, name: string, { team: of = team, bot = false } = {}): Person {
    const person: Person = { id, name, team: of, ...(bot ? { bot: true as const } : {}) }
    this.people.set(id, person)
    return person
  }

  channel(
    name: string,
    { kind = 'public' as Channel['kind'], members = [app.user] as string[], id = '' } = {},
  ): Channel {
    const channel: Channel = {
      id: id || this.id(kind === 'im' ? 'D' : 'C'),
      name,
      kind,
      members: new Set(members),
      messages: [],
      archived: false,
      shared: false,
    }
    this.channels.set(channel.id, channel)
    return channel
  }

  im(user: string): Channel {
    for (const channel of this.channels.values()) if (channel.kind === 'im' && channel.members.has(user)) return channel
    return this.channel('', { kind: 'im', members: [app.user, user] })
  }

  find(channel: Channel, ts: string): Message | undefined {
    return channel.messages.find(message => message.ts === ts)
  }

  // ---- what people do -----------------------------------------------------------------------------------------------

  /** Somebody says something, as a client of Slack does: with blocks and text, and an id of the client's. */
  say(channel: Channel, user: string, text: string, more: Partial<Message> = {}): Message {
    const escaped = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
    const person = this.people.get(user)
    return this.post(channel, {
      user,
      client_msg_id: `00000000-0000-4000-8000-${String(++this.#ids).padStart(12, '0')}`,
      text: escaped,
      team: person?.team ?? team,
      ...(person && person.team !== team ? { user_team: person.team, source_team: person.team } : {}),
      blocks: [{ ...richText(text), block_id: this.id('b').slice(-5) }],
      ...more,
    })
  }

  /** Puts a message in its place and tells of it. */
  post(channel: Channel, of: Partial<Message>): Message {
    const message: Message = { type: 'message', text: '', ...of, ts: of.ts ?? this.stamp() }
    channel.messages.push(message)
    if (message.thread_ts !== undefined) this.#grow(channel, message, message.thread_ts)
    this.emit({ ...message, channel: channel.id, channel_type: channelType(channel), event_ts: message.ts }, channel)
    return message
  }

  #grow(channel: Channel, reply: Message, thread: string): void {
    const root = this.find(channel, thread)
    if (!root) return
    root.thread_ts = thread
    root['reply_count'] = ((root['reply_count'] as number | undefined) ?? 0) + 1
    root['reply_users'] = [...new Set([...((root['reply_users'] as string[] | undefined) ?? []), reply.user ?? ''])]
    root['reply_users_count'] = (root['reply_users'] as string[]).length
    root['latest_reply'] = reply.ts
  }

  edit(channel: Channel, ts: string, change: Partial<Message>, by: string): void {
    const message = this.find(channel, ts)
    if (!message) return
    const before = structuredClone(message)
    Object.assign(message, change, { edited: { user: by, ts: this.stamp() } })
    this.changed(channel, message, before)
  }

  editText(channel: Channel, ts: string, text: string, by: string): void {
    this.edit(channel, ts, { text, blocks: [richText(text)] }, by)
  }

  /** Tells of a change, with or without an edit: a preview, a thread that grew. */
  changed(channel: Channel, message: Message, before: Message): void {
    const event = {
      subtype: 'message_changed',
      hidden: true,
      message: structuredClone(message),
      previous_message: before,
    }
    this.#about(channel, event)
  }

  remove(channel: Channel, ts: string): void {
    const at = channel.messages.findIndex(message => message.ts === ts)
    const [message] = at === -1 ? [] : channel.messages.splice(at, 1)
    if (message)
      this.#about(channel, { subtype: 'message_deleted', hidden: true, deleted_ts: ts, previous_message: message })
  }

  #about(channel: Channel, event: Json): void {
    const ts = this.stamp()
    this.emit(
      { type: 'message', channel: channel.id, channel_type: channelType(channel), ts, event_ts: ts, ...event },
      channel,
    )
  }

  react(channel: Channel, ts: string, user: string, name: string): boolean {
    const message = this.find(channel, ts)
    if (!message) return false
    message.reactions ??= []
    let reaction = message.reactions.find(each => each.name === name)
    if (!reaction) message.reactions.push((reaction = { name, users: [], count: 0 }))
    if (reaction.users.includes(user)) return false
    reaction.users.push(user)
    reaction.count++
    this.#reacted('reaction_added', { channel, message, user, name })
    return true
  }

  unreact(channel: Channel, ts: string, user: string, name: string): boolean {
    const message = this.find(channel, ts)
    const reaction = message?.reactions?.find(each => each.name === name)
    if (!message?.reactions || !reaction?.users.includes(user)) return false
    reaction.users = reaction.users.filter(each => each !== user)
    reaction.count--
    message.reactions = message.reactions.filter(each => each.count > 0)
    this.#reacted('reaction_removed', { channel, message, user, name })
    return true
  }

  #reacted(
    type: string,
    { channel, message, user, name }: { channel: Channel; message: Message; user: string; name: string },
  ): void {
    const item = { type: 'message', channel: channel.id, ts: message.ts }
    this.emit({ type, user, reaction: name, item_user: message.user ?? '', item }, channel)
  }

  join(channel: Channel, user: string): void {
    if (channel.members.has(user)) return
    channel.members.add(user)
    this.emit({ type: 'member_joined_channel', user, channel: channel.id, channel_type: 'C', team }, channel)
    this.post(channel, { subtype: 'channel_join', user, text: `<@${user}> has joined the channel` })
  }

  leave(channel: Channel, user: string): void {
    if (!channel.members.has(user)) return
    this.emit({ type: 'member_left_channel', user, channel: channel.id, channel_type: 'C', team }, channel)
    channel.members.delete(user)
  }

  rename(user: string, name: string): void {
    const person = this.people.get(user)
    if (!person) return
    person.name = name
    this.emit({ type: 'user_change', user: userObject(person) }, null)
  }

  /** A person shares a file: its bytes stand at an address that wants a token. */
  share(channel: Channel, user: string, text: string, file: { name: string; bytes: Uint8Array }): Message {
    const stored = this.store(file.name, file.bytes)
    return this.say(channel, user, text, { files: [{ id: stored.id }] })
  }

  store(name: string, bytes: Uint8Array | null, length = bytes?.length ?? 0): StoredFile {
    const file: StoredFile = {
      id: this.id('F'),
      name,
      length,
      bytes,
      shares: new Map(),
      gone: false,
    }
    this.files.set(file.id, file)
    return file
  }
}

const richText = (text: string): Json => ({
  type: 'rich_text',
  elements: [{ type: 'rich_text_section', elements: [{ type: 'text', text }] }],
})

export const channelType = ({ kind }: Channel): string =>
  kind === 'im' ? 'im' : kind === 'private' ? 'group' : 'channel'

export const userObject = ({ id, name, team: of, bot }: Person): Json => ({
  id,
  team_id: of,
  name: name.toLowerCase().replace(/\W/g, ''),
  real_name: name,
  deleted: false,
  is_bot: bot === true,
  is_app_user: false,
  updated: 1_700_000_000,
  profile: {
    display_name: name,
    display_name_normalized: name,
    real_name: name,
    real_name_normalized: name,
    avatar_hash: 'g0000',
    image_24: 'https://avatars.example/24.png',
    image_32: 'https://avatars.example/32.png',
    image_48: 'https://avatars.example/48.png',
    image_72: 'https://avatars.example/72.png',
    image_192: 'https://avatars.example/192.png',
    image_512: 'https://avatars.example/512.png',
    team: of,
  },
})

/** What a client shows of a message: blocks first, as Slack does. */
export function shown(message: Message): string {
  const { blocks } = message
  if (!blocks || blocks.length === 0) return unescape(message.text)
  return blocks.map(block => ((block['elements'] as Json[] | undefined) ?? []).map(lines).join('\n')).join('\n')
}

const unescape = (text: string): string => text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&')

const word = (of: Json, name: string): string => (typeof of[name] === 'string' ? of[name] : '')

function lines(element: Json): string {
  const inner = ((element['elements'] as Json[] | undefined) ?? []).map(each => {
    if (each['type'] === 'link')
      return word(each, 'text') ? `${word(each, 'text')} (${word(each, 'url')})` : word(each, 'url')
    if (each['type'] === 'user') return `@${word(each, 'user_id')}`
    return word(each, 'text')
  })
  const text = inner.join('')
  return element['type'] === 'rich_text_quote'
    ? text
        .split('\n')
        .map(line => `> ${line}`)
        .join('\n')
    : text
}
