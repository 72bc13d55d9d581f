import type { Watch } from '../../core/contract/watch.ts'
import { ChanopError } from '../../core/error.ts'
import { type Asked, type Attachment, type Content, type MessageId, type Style, text } from '../../core/event.ts'
import { type Author, type NativeMessage, type Post, privateChannel } from './native.ts'

export interface Person {
  readonly id: string
  readonly name: string
  readonly verified: boolean
  readonly bot: boolean
  readonly avatar?: string
}

/** What a person needs of the server they are on. */
export interface Server {
  readonly watch: Watch
  readonly hasPersonas: boolean
  readonly accountsSeen: ReadonlySet<string>
  known(id: string): boolean
  channel(name: string): { readonly messages: readonly NativeMessage[] }
  channelsOf(id: string): readonly string[]
  transcript(channel: string): string
  openPrivate(channel: string, ...ids: readonly string[]): void
  enter(by: Author, channel: string, shown?: boolean): void
  exit(by: Author, channel: string, detail?: string, split?: true): void
  renamed(by: Author, name: string): void
  sign(by: Author, channel: string, what: 'typing' | 'heartbeat'): void
  setTopic(by: Author, channel: string, topic: string): void
  post(by: Author, channel: string, post: Post): NativeMessage
  edit(by: Author, id: MessageId, content: Content): void
  remove(by: Author, id: MessageId, reason?: string): void
  react(by: Author, id: MessageId, emoji: string, removed: boolean): void
}

export interface Say {
  /** The command this is, as a form gives it. */
  readonly asked?: Asked
  readonly thread?: MessageId
  readonly replyTo?: MessageId
  readonly attachments?: readonly Attachment[]
  readonly style?: Style
  /** This person is a relay, and this a copy that was relayed so often. */
  readonly hops?: number
}

export interface Wait {
  readonly deadlineMs?: number
  /** Where the answer is due when not in the same channel, e.g. `@oracle` for a private one. */
  readonly in?: string
}

const matches = (message: NativeMessage, pattern: RegExp | string): boolean =>
  typeof pattern === 'string' ? message.text.includes(pattern) : message.text.search(pattern) !== -1

/**
 * A person on the memory server, for tests. A channel is written `#name`; `@persona` is the private talk with our bots
 * (one channel for all of them, as the event's place shows it: `@<id of this person>`).
 */
export class MemoryUser {
  readonly id: string
  readonly verified: boolean
  readonly bot: boolean
  readonly avatar: string | undefined
  name: string
  online = true
  readonly #platform: Server

  constructor(platform: Server, person: Person) {
    this.#platform = platform
    this.id = person.id
    this.name = person.name
    this.verified = person.verified
    this.bot = person.bot
    this.avatar = person.avatar
  }

  get author(): Author {
    if (!this.online) throw new ChanopError('denied', `${this.id} is not logged in any more.`)
    const { id, name, verified, bot, avatar } = this
    return { id, name, verified, bot, ...(avatar === undefined ? {} : { avatar }) }
  }

  /** Says it, entering the channel without a word when not yet in it, whoever is admitted. */
  say(channel: string, what: string | Content, options: Say = {}): NativeMessage {
    const { author } = this
    const { thread, hops, asked, ...extra } = options
    const content: Content = { ...(typeof what === 'string' ? text(what) : what), ...extra }
    const target = this.#channel(channel)
    if (target === channel) this.#platform.enter(author, target, false)
    else this.#platform.openPrivate(target, this.id, ...this.#platform.accountsSeen)
    const to = target === channel || !this.#platform.hasPersonas ? {} : { to: channel.slice(1) }
    const more = {
      ...(thread === undefined ? {} : { thread }),
      ...(hops === undefined ? {} : { hops }),
      ...(asked === undefined ? {} : { asked }),
      ...to,
    }
    return this.#platform.post(author, target, { content, ...more })
  }

  /** Says it privately to one of our bots. */
  dm(persona: string, what: string | Content, options: Say = {}): NativeMessage {
    return this.say(`@${persona}`, what, options)
  }

  edit(id: MessageId, what: string | Content): void {
    this.#platform.edit(this.author, id, typeof what === 'string' ? text(what) : what)
  }

  remove(id: MessageId, reason?: string): void {
    this.#platform.remove(this.author, id, reason)
  }

  react(id: MessageId, emoji: string): void {
    this.#platform.react(this.author, id, emoji, false)
  }

  unreact(id: MessageId, emoji: string): void {
    this.#platform.react(this.author, id, emoji, true)
  }

  join(channel: string): void {
    this.#platform.enter(this.author, channel)
  }

  leave(channel: string, reason?: string, options: { split?: true } = {}): void {
    this.#platform.exit(this.author, channel, reason, options.split)
  }

  /** Shows as writing, or gives a sign of life. */
  sign(channel: string, what: 'typing' | 'heartbeat'): void {
    this.#platform.sign(this.author, this.#channel(channel), what)
  }

  /** Shows another name from now on; the id stays. */
  rename(name: string): void {
    this.#platform.renamed(this.author, name)
    this.name = name
  }

  topic(channel: string, topic: string): void {
    this.#platform.setTopic(this.author, channel, topic)
  }

  /** The server ends this person's session. */
  disconnect(reason: string): void {
    for (const channel of this.#platform.channelsOf(this.id)) this.#platform.exit(this.author, channel, reason)
    this.online = false
  }

  /** What this person can read in a channel, as it reads now. */
  reads(channel: string): readonly NativeMessage[] {
    const { messages } = this.#platform.channel(this.#channel(channel))
    return messages.filter(message => !message.deleted && this.#sees(message))
  }

  /** The first message of our bots after position `afterSeq` that matches (as it reads now: edits count). */
  async hears(channel: string, pattern: RegExp | string, afterSeq = 0, deadlineMs = 30_000): Promise<NativeMessage> {
    const find = (): NativeMessage | undefined =>
      this.#ours(channel).find(message => message.seq > afterSeq && matches(message, pattern))
    return this.#platform.watch.until(find, `${this.id} to hear ${String(pattern)} in ${channel}`, deadlineMs)
  }

  /** Says it and resolves with the first answer of our bots that matches. */
  async shouldReply(channel: string, said: string, pattern: RegExp | string, wait: Wait = {}): Promise<NativeMessage> {
    const { seq } = this.say(channel, said)
    return this.hears(wait.in ?? channel, pattern, seq, wait.deadlineMs)
  }

  /**
   * Says it, then `probe`, and rejects when our bots said anything before the answer to `probe`. The probe has to go
   * the same way as an answer would have gone.
   */
  async shouldStayQuiet(channel: string, said: string, probe: string, answer: RegExp | string): Promise<void> {
    const { seq } = this.say(channel, said)
    const reply = await this.shouldReply(channel, probe, answer)
    const heard = this.#ours(channel).find(message => message.seq > seq && message.seq < reply.seq)
    if (!heard) return
    const shown = this.#platform.transcript(this.#channel(channel))
    throw new ChanopError('internal', `"${said}" was answered with "${heard.text}".\nTranscript:\n${shown}`)
  }

  #ours(channel: string): NativeMessage[] {
    const { messages } = this.#platform.channel(this.#channel(channel))
    return messages.filter(message => !message.deleted && !this.#platform.known(message.by) && this.#sees(message))
  }

  #sees({ only }: NativeMessage): boolean {
    return only === undefined || only === this.id
  }

  #channel(written: string): string {
    return written.startsWith('@') ? privateChannel(this.id) : written
  }
}
