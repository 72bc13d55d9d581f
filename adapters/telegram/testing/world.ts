/** Telegram as a bot sees it: chats, numbered messages and a queue of updates. Written from core.telegram.org/bots/api. */

export interface User {
  readonly id: number
  readonly is_bot: boolean
  first_name: string
  readonly username?: string
}

export interface Entity {
  readonly type: string
  readonly offset: number
  readonly length: number
  readonly url?: string
  readonly user?: User
  readonly language?: string
}

export type Fields = Record<string, unknown>

export interface Chat {
  readonly id: number
  readonly type: 'private' | 'group' | 'supergroup' | 'channel'
  title?: string
  readonly first_name?: string
  readonly username?: string
  readonly is_forum?: true
}

/** A message with what the server knows of it besides. */
export interface Stored {
  message: Fields & { message_id: number; chat: Chat; date: number }
  readonly from: User | null
  deleted: boolean
  /** The bot's own reactions. */
  reactions: string[]
  readonly file?: Uint8Array
  /** The message whose thread it stands in. */
  readonly thread?: number
  /** The one person who sees it. */
  readonly only?: number
}

export interface Membership {
  status: 'administrator' | 'member' | 'restricted' | 'left' | 'kicked'
  canSend: boolean
}

export interface Room {
  readonly chat: Chat
  readonly messages: Stored[]
  bot: Membership
  /** Where it went when it became a supergroup. */
  movedTo?: number
}

export interface WorldOptions {
  /** Whether ordinary messages of groups are hidden from the bot. */
  readonly privacy: boolean
  /** For how long an update that nobody confirmed is kept, milliseconds. */
  readonly keepMs: number
  readonly username: string
  /** From which version on messages for one person alone are known; null: they are not. */
  readonly ephemeral: '10.2' | '10.3' | null
  /** Who may stream drafts: `topics` as in 9.3, where a bot needed topics in private chats; `none`: the server is older. */
  readonly drafts: 'all' | 'topics' | 'none'
}

/** What `sendMessageDraft` shows: the newest text under each number, for so long. */
export interface ShownDraft {
  readonly chat: number
  readonly id: number
  readonly text: string
  readonly atMs: number
}

const draftMs = 30_000

interface Queued {
  readonly update: Fields & { update_id: number }
  readonly atMs: number
}

const firstUpdate = 100_000_001

export class World {
  readonly me: User
  readonly rooms = new Map<number, Room>()
  readonly users = new Map<number, User>()
  readonly files = new Map<string, { bytes: Uint8Array; path: string; size: number }>()
  /** Lists of commands by their scope as JSON. */
  readonly commands = new Map<string, readonly Fields[]>()
  /** All that were shown, and those that still may be, by chat and number. */
  readonly drafts: ShownDraft[] = []
  readonly #drafts = new Map<string, ShownDraft>()
  readonly actions: { readonly chat: number; readonly action: string }[] = []
  readonly options: WorldOptions
  allowed: readonly string[] | null = null
  onUpdate: () => void = () => undefined
  #queue: Queued[] = []
  #nextUpdate = firstUpdate
  #shared = 0
  readonly #own = new Map<number, number>()
  #users = 0
  #groups = 0

  constructor(options: WorldOptions) {
    this.options = options
    this.me = { id: 7_000_000_001, is_bot: true, first_name: 'Chanop', username: options.username }
  }

  get self(): Fields {
    return {
      ...this.me,
      can_join_groups: true,
      can_read_all_group_messages: !this.options.privacy,
      supports_inline_queries: false,
      can_connect_to_business: false,
      has_main_web_app: false,
    }
  }

  commandsOf(scope: unknown): readonly Fields[] {
    return this.commands.get(JSON.stringify(scope ?? { type: 'default' })) ?? []
  }

  // ---- who and where ----------------------------------------------------------------------------------------------

  user(name: string, more: Partial<User> = {}): User {
    const user: User = {
      id: 1_000_000 + ++this.#users,
      is_bot: false,
      first_name: name,
      username: `${name}_tg`,
      ...more,
    }
    this.users.set(user.id, user)
    this.#add({ id: user.id, type: 'private', first_name: name, username: `${name}_tg` }, 'left')
    return user
  }

  group(title: string, more: Partial<Chat> = {}, status: Membership['status'] = 'administrator'): Room {
    const type = more.type ?? 'supergroup'
    const number = ++this.#groups
    const id = type === 'group' ? -4_000_000 - number : -1_001_000_000_000 - number
    return this.#add({ id, type, title, ...more }, status)
  }

  #add(chat: Chat, status: Membership['status']): Room {
    const room: Room = { chat, messages: [], bot: { status, canSend: true } }
    this.rooms.set(chat.id, room)
    return room
  }

  // ---- messages ---------------------------------------------------------------------------------------------------

  /** Supergroups and channels count their own messages; all others of a bot share one count. */
  nextId({ id, type }: Chat): number {
    if (type === 'private' || type === 'group') return ++this.#shared
    const next = (this.#own.get(id) ?? 0) + 1
    this.#own.set(id, next)
    return next
  }

  showDraft(draft: ShownDraft): void {
    this.drafts.push(draft)
    this.#drafts.set(`${draft.chat}/${draft.id}`, draft)
  }

  /** What a person reads below the messages of their chat with the bot; all that is shown at once, one a line. */
  shownIn(chat: number): string | null {
    const shown = [...this.#drafts.values()].filter(each => each.chat === chat && Date.now() - each.atMs < draftMs)
    return shown.length === 0 ? null : shown.map(({ text }) => text).join('\n')
  }

  store(room: Room, from: User | null, fields: Fields, more: Pick<Stored, 'file' | 'thread' | 'only'> = {}): Stored {
    const sender = from ? { from } : { sender_chat: room.chat }
    const message = { message_id: this.nextId(room.chat), ...sender, chat: room.chat, date: seconds(), ...fields }
    const stored: Stored = { message, from, deleted: false, reactions: [], ...more }
    room.messages.push(stored)
    // A message of the bot takes the place of what it showed.
    if (from === this.me)
      for (const [key, { chat }] of this.#drafts) if (chat === room.chat.id) this.#drafts.delete(key)
    return stored
  }

  /** Somebody's message: the bot hears of it where it may. */
  say(room: Room, from: User, fields: Fields, more: Pick<Stored, 'file' | 'thread' | 'only'> = {}): Stored {
    const stored = this.store(room, room.chat.type === 'channel' ? null : from, fields, more)
    if (this.#hears(room, stored)) {
      this.push(room.chat.type === 'channel' ? 'channel_post' : 'message', stored.message)
    }
    return stored
  }

  /** In privacy mode a bot that is no administrator hears commands, answers to itself, and service messages. */
  #hears(room: Room, { message, from }: Stored): boolean {
    if (room.chat.type === 'private') return true
    if (room.bot.status === 'left' || room.bot.status === 'kicked') return false
    if (from?.is_bot && room.bot.status !== 'administrator') return false
    if (room.chat.type === 'channel' || !this.options.privacy || room.bot.status === 'administrator') return true
    const text = message['text']
    const answered = (message['reply_to_message'] as Fields | undefined)?.['from'] as User | undefined
    if (typeof text !== 'string' && message['caption'] === undefined && message['photo'] === undefined) return true
    return (typeof text === 'string' && text.startsWith('/')) || answered?.id === this.me.id
  }

  edit(stored: Stored, fields: Fields, tell = true): void {
    stored.message = { ...stored.message, ...fields, edit_date: seconds() }
    const kind = stored.message.chat.type === 'channel' ? 'edited_channel_post' : 'edited_message'
    if (tell) this.push(kind, stored.message)
  }

  // ---- updates ----------------------------------------------------------------------------------------------------

  push(kind: string, payload: Fields): void {
    // Without a list, what only administrators are told is left out.
    const optIn = ['chat_member', 'message_reaction', 'message_reaction_count']
    const allowed = this.allowed && this.allowed.length > 0 ? this.allowed.includes(kind) : !optIn.includes(kind)
    if (!allowed) return
    // As it is now: what is changed later is another update.
    const update = { update_id: this.#nextUpdate++, [kind]: structuredClone(payload) }
    this.#queue.push({ update, atMs: Date.now() })
    this.onUpdate()
  }

  /** What is not confirmed, from `offset` on; what lies before is forgotten. */
  updates(offset: number, limit: number): Fields[] {
    const now = Date.now()
    this.#queue = this.#queue.filter(
      ({ atMs, update }) => atMs > now - this.options.keepMs && update.update_id >= offset,
    )
    if (offset < 0) this.#queue = this.#queue.slice(offset)
    return this.#queue.slice(0, limit).map(({ update }) => update)
  }

  get waiting(): number {
    return this.#queue.length
  }

  /** As after more than a day without anybody asking. */
  expire(): void {
    this.#queue = []
  }
}

export const seconds = (): number => Math.floor(Date.now() / 1000)
