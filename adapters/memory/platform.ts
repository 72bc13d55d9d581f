import type { NativeCommand, NetworkStatus } from '../../core/adapter.ts'
import { Watch } from '../../core/contract/watch.ts'
import { ChanopError } from '../../core/error.ts'
import type { Content, MessageId } from '../../core/event.ts'
import { plain } from '../../core/text/text.ts'
import { MemoryAccounts } from './accounts.ts'
import { Connection } from './connection.ts'
import { Faults } from './faults.ts'
import { MemoryFiles } from './files.ts'
import { type Author, type Deed, type Happening, isPrivate, type NativeMessage, type Post } from './native.ts'
import { MemoryUser, type Person } from './person.ts'
import { line } from './transcript.ts'

/** A channel as a test sees it. */
export interface Channel {
  readonly name: string
  /** Ids of users and accounts, with the position in the log from which they may read. */
  readonly members: Map<string, number>
  readonly messages: NativeMessage[]
  topic: string
  /** What was set last, as it was written. */
  modes: string
  /** Registered: stays when everybody has left. */
  kept: boolean
  /** Ids of people who may enter; null: everybody. */
  admitted: ReadonlySet<string> | null
  /** Ids of people who were asked in. */
  readonly invited: Set<string>
  /** Personas that are shown as writing. */
  readonly typing: Set<string>
  /** What is shown of a message that is not said yet. */
  shown: string | null
}

/**
 * A chat server inside this process, with people on one side and adapters on the other. It keeps one log of all that
 * happened; an account gets live what happens in its channels, except its own acts, and reads the rest from the log.
 */
export class MemoryPlatform {
  readonly name: string
  readonly faults = new Faults()
  readonly files = new MemoryFiles()
  readonly watch: Watch
  readonly accounts: MemoryAccounts
  /** Where others connect, as a server that we run says it; a test sets it before the bridge starts. */
  reached: Pick<NetworkStatus, 'address' | 'fingerprint'> = {}
  /** Away reasons by persona. */
  readonly away = new Map<string, string>()
  /** Accounts whose adapter was ever connected: a private message reaches them. */
  readonly accountsSeen = new Set<string>()
  /** What an account has to give at its login; null: nothing. */
  token: string | null = null
  /** What nobody has turned on yet, as a probe tells it. */
  switchesOff: readonly string[] = []
  /** Every set of native commands that an account showed, newest last. */
  readonly announced: { readonly account: string; readonly commands: readonly NativeCommand[] }[] = []
  /** Whether a private message can be said to one of our bots, or only to the account that speaks for all of them. */
  hasPersonas = true
  readonly #log: Happening[] = []
  readonly #channels = new Map<string, Channel>()
  readonly #messages = new Map<MessageId, NativeMessage>()
  readonly #people = new Map<string, MemoryUser>()
  readonly #connections = new Set<Connection>()
  #down: string | null = null
  #seq = 0

  constructor(name = 'memory') {
    this.name = name
    this.watch = new Watch(() => `.\nTranscript:\n${this.transcript() || '(nothing was said)'}`)
    this.accounts = new MemoryAccounts(
      {
        count: account => this.#sessionsOf(account).length,
        end: (account, reason) => this.#sessionsOf(account).map(user => user.disconnect(reason)).length,
      },
      this.faults,
    )
  }

  // ---- people and looking -----------------------------------------------------------------------------------------

  /** The person of this id (`name` unless given), made on first use. Verified unless said otherwise. */
  user(name: string, options: Partial<Omit<Person, 'name'>> = {}): MemoryUser {
    const id = options.id ?? name
    const known = this.#people.get(id)
    if (known) return known
    const user = new MemoryUser(this, {
      id,
      name,
      verified: options.verified ?? true,
      bot: options.bot ?? false,
      ...(options.avatar === undefined ? {} : { avatar: options.avatar }),
    })
    if (user.verified) this.accounts.ensure(id)
    this.#people.set(id, user)
    return user
  }

  /** Logs in to an account; rejects `denied` when the password is wrong or the account suspended. */
  login(account: string, credential: string): MemoryUser {
    if (!this.accounts.opens(account, credential))
      throw new ChanopError('denied', `No login to ${account} with this password.`)
    const user = this.user(account)
    user.online = true
    return user
  }

  known(id: string): boolean {
    return this.#people.has(id)
  }

  /** A channel by its name (a person's private one: `@id`), made on first use. */
  channel(name: string): Channel {
    const known = this.#channels.get(name)
    if (known) return known
    const made: Channel = {
      name, members: new Map(), messages: [], topic: '', modes: '', kept: false, admitted: null,
      invited: new Set(), typing: new Set(), shown: null,
    } // biome-ignore format: all empty
    this.#channels.set(name, made)
    return made
  }

  get channels(): readonly Channel[] {
    return [...this.#channels.values()]
  }

  message(id: MessageId): NativeMessage | undefined {
    return this.#messages.get(id)
  }

  /** The newest position of the log. */
  get seq(): number {
    return this.#seq
  }

  get nowMs(): number {
    return Date.now() + this.faults.clockSkewMs
  }

  /** What happened in a channel, or everywhere, one line each, for people. */
  transcript(channel?: string): string {
    const chosen = this.#log.filter(happening => channel === undefined || happening.channel === channel)
    return chosen.map(line).join('\n')
  }

  /** Resolves once this account's adapter is connected, has caught up and is live. */
  async ready(account = 'chanop', deadlineMs = 30_000): Promise<void> {
    const live = (): boolean => [...this.#connections].some(each => each.account === account && each.ready)
    await this.watch.until(live, `the adapter of ${account} to be live`, deadlineMs)
  }

  /** Resolves once every connected adapter has acknowledged all that happened and was answered all that it asked. */
  async quiet(deadlineMs = 30_000): Promise<void> {
    const still = (): boolean => this.#connections.size > 0 && [...this.#connections].every(each => each.idle)
    await this.watch.until(still, 'every adapter to be idle', deadlineMs)
  }

  // ---- the line to adapters ---------------------------------------------------------------------------------------

  /** Throws `network-refused` when the server would not let this account in, `network-down` when it is not there. */
  admits(account: string, token: string | null = null): void {
    if (this.token !== null && this.token !== token) {
      throw new ChanopError('network-refused', `The server does not take the token of ${account}: give it another one`)
    }
    if (this.faults.loginRefused !== null) {
      throw new ChanopError('network-refused', `The server refuses ${account}: ${this.faults.loginRefused}`)
    }
    if (this.#down !== null) throw new ChanopError('network-down', `The server is down: ${this.#down}`)
  }

  connect(account: string, token: string | null = null): Connection {
    this.admits(account, token)
    const connection = new Connection(account, this.#seq, this.faults, () => this.watch.look())
    this.#connections.add(connection)
    this.accountsSeen.add(account)
    connection.closed.addEventListener('abort', () => this.#connections.delete(connection), { once: true })
    return connection
  }

  get connections(): number {
    return this.#connections.size
  }

  /** Breaks every connection; adapters may come back at once. */
  cut(reason = 'cut'): void {
    for (const connection of this.#connections) connection.close(reason)
  }

  /** Breaks every connection and takes no new one until `up`. */
  down(reason = 'down'): void {
    this.#down = reason
    this.cut(reason)
  }

  up(): void {
    this.#down = null
  }

  /** Happenings after `afterSeq` up to `toSeq` that others did in the channels of `account`, oldest first. */
  history(account: string, afterSeq: (channel: Channel) => number, toSeq: number): Happening[] {
    const from = new Map<string, number>()
    for (const channel of this.#channels.values()) {
      const since = channel.members.get(account)
      if (since !== undefined) from.set(channel.name, Math.max(since, afterSeq(channel)))
    }
    return this.#log.filter(
      ({ seq, channel, by }) =>
        seq <= toSeq && by.id !== account && seq > (from.get(channel) ?? Number.POSITIVE_INFINITY),
    )
  }

  /** Forgets the history of a channel, as a platform does whose free plan ends. */
  forget(channel: string): void {
    for (const { id } of this.channel(channel).messages.splice(0)) this.#messages.delete(id)
    const kept = this.#log.filter(happening => happening.channel !== channel)
    this.#log.splice(0, this.#log.length, ...kept)
  }

  // ---- acts, of people and of adapters alike ----------------------------------------------------------------------

  enter(by: Author, channel: string, shown = true): void {
    const { admitted } = this.channel(channel)
    if (!(shown && admitted && this.#people.has(by.id) && !admitted.has(by.id))) this.#letIn(by, channel, shown)
  }

  #letIn(by: Author, channel: string, shown: boolean): void {
    const { members } = this.channel(channel)
    if (members.has(by.id)) return
    members.set(by.id, this.#seq)
    if (shown) this.#happen(by, channel, undefined, { kind: 'member', change: 'join' })
  }

  exit(by: Author, channel: string, detail?: string, split?: true): void {
    if (!this.channel(channel).members.has(by.id)) return
    const deed = { ...(detail === undefined ? {} : { detail }), ...(split ? { split } : {}) }
    this.#happen(by, channel, undefined, { kind: 'member', change: 'leave', ...deed })
    this.channel(channel).members.delete(by.id)
  }

  /** Makes a person enter whoever is admitted, as a server's operators can; false: there is none, or they are not online. */
  bring(id: string, channel: string): boolean {
    const user = this.#people.get(id)
    if (!user?.online) return false
    this.#letIn(user.author, channel, true)
    return true
  }

  /** Puts a person out, as a leave of theirs. */
  putOut(id: string, channel: string, reason: string): void {
    const user = this.#people.get(id)
    if (user) this.exit({ id, name: user.name, verified: false, bot: user.bot }, channel, reason)
  }

  renamed(by: Author, detail: string): void {
    for (const { name, members } of this.#channels.values()) {
      if (members.has(by.id)) this.#happen(by, name, undefined, { kind: 'member', change: 'rename', detail })
    }
  }

  /** Nothing happened, but somebody is there. */
  sign(by: Author, channel: string, what: 'typing' | 'heartbeat'): void {
    const { members } = this.channel(channel)
    for (const connection of this.#connections) {
      if (connection.account !== by.id && members.has(connection.account)) connection.onLife?.(by, channel, what)
    }
  }

  /** The people in a channel, as they are known now. */
  present(channel: string): Author[] {
    return [...this.channel(channel).members.keys()].flatMap(id => {
      const { name, verified = false, bot = false } = this.#people.get(id) ?? {}
      return name === undefined ? [] : [{ id, name, verified, bot }]
    })
  }

  setTopic(by: Author, channel: string, topic: string): void {
    this.channel(channel).topic = topic
    this.#happen(by, channel, undefined, { kind: 'topic', topic })
  }

  show(channel: string, words: string): void {
    this.channel(channel).shown = words
    this.watch.look()
  }

  post(by: Author, channel: string, { content, thread, hops, to, asked, ...rest }: Post): NativeMessage {
    const id = `m${this.#seq + 1}` as MessageId
    const extra = {
      ...(hops === undefined ? {} : { hops }),
      ...(to === undefined ? {} : { to }),
      ...(asked === undefined ? {} : { asked }),
    }
    const seen = { kind: 'message' as const, id, content, ...extra }
    const message: NativeMessage = {
      id,
      seq: this.#seq + 1,
      channel,
      by: by.id,
      name: by.name,
      atMs: this.nowMs,
      content,
      text: plain(content),
      edits: [],
      deleted: null,
      reactions: [],
      ...(thread === undefined ? {} : { thread }),
      ...(hops === undefined ? {} : { hops }),
      ...rest,
    }
    this.#messages.set(id, message)
    this.channel(channel).messages.push(message)
    if (by.bot) this.channel(channel).shown = null
    // What one person alone sees is news to nobody else.
    if (rest.only !== undefined) this.#seq++
    else this.#happen({ ...by, name: message.name }, channel, thread, seen)
    this.watch.look()
    return message
  }

  edit(by: Author, id: MessageId, content: Content, deliveryId?: string): void {
    const message = this.#status(id)
    message.edits.push({ before: message.content, by: by.id, ...(deliveryId === undefined ? {} : { deliveryId }) })
    message.content = content
    message.text = plain(content)
    this.#happen(by, message.channel, message.thread, { kind: 'edit', target: id, content })
  }

  remove(by: Author, id: MessageId, reason?: string): void {
    const message = this.#status(id)
    message.deleted = { by: by.id, ...(reason === undefined ? {} : { reason }) }
    const deed = { kind: 'delete' as const, target: id, ...(reason === undefined ? {} : { reason }) }
    this.#happen(by, message.channel, message.thread, deed)
  }

  /** Adds or takes back a reaction; repeating it changes nothing. */
  react(by: Author, id: MessageId, emoji: string, removed: boolean): void {
    const message = this.#status(id)
    const at = message.reactions.findIndex(reaction => reaction.emoji === emoji && reaction.by === by.id)
    if (removed ? at === -1 : at !== -1) return
    if (removed) message.reactions.splice(at, 1)
    else message.reactions.push({ emoji, by: by.id })
    const deed = { kind: 'reaction' as const, target: id, emoji, ...(removed ? { removed: true as const } : {}) }
    this.#happen(by, message.channel, message.thread, deed)
  }

  #status(id: MessageId): NativeMessage {
    const message = this.#messages.get(id)
    if (!message || message.deleted) throw new ChanopError('send-refused', `The message ${id} is not there any more.`)
    return message
  }

  #happen(by: Author, channel: string, thread: MessageId | undefined, deed: Deed): void {
    const base = { seq: ++this.#seq, channel, ...(thread === undefined ? {} : { thread }), by, atMs: this.nowMs }
    const happening: Happening = { ...base, ...deed }
    this.#log.push(happening)
    const { members } = this.channel(channel)
    for (const connection of this.#connections) {
      if (connection.account !== by.id && members.has(connection.account)) connection.push(happening)
    }
    this.watch.look()
  }

  #sessionsOf(account: string): MemoryUser[] {
    const user = this.#people.get(account)
    return user?.verified && user.online ? [user] : []
  }

  /** Channels this user or account is in. */
  channelsOf(id: string): string[] {
    return [...this.#channels.values()].filter(({ members }) => members.has(id)).map(({ name }) => name)
  }

  /** Makes a private channel between a person and an account; everything said in it reaches both. */
  openPrivate(channel: string, ...ids: readonly string[]): void {
    if (!isPrivate(channel)) throw new ChanopError('internal', `${channel} is not a private channel.`)
    for (const id of ids) if (!this.channel(channel).members.has(id)) this.channel(channel).members.set(id, this.#seq)
  }
}

const servers = new Map<string, MemoryPlatform>()

/** The server of this name in this process, made on first use: what `server:` of the configuration names. */
export function memoryServer(name: string): MemoryPlatform {
  const known = servers.get(name)
  if (known) return known
  const made = new MemoryPlatform(name)
  servers.set(name, made)
  return made
}
