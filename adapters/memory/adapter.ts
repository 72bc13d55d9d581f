import type {
  Accounts,
  Adapter,
  AdapterContext,
  Channels,
  Found,
  Limits,
  NativeCommand,
  NetworkStatus,
  Sink,
} from '../../core/adapter.ts'
import { asChanopError, ChanopError } from '../../core/error.ts'
import type {
  Act,
  Attachment,
  ChatEvent,
  Draft,
  MessageId,
  NetworkId,
  Place,
  Reaction,
  Upload,
  UserId,
} from '../../core/event.ts'
import { offer } from '../../core/process/feed.ts'
import { backoffMs, sleep } from '../../core/retry.ts'
import { plain } from '../../core/text/text.ts'
import { MemoryChannels } from './channels.ts'
import type { MemoryConfig } from './config.ts'
import type { Connection } from './connection.ts'
import { eventOf, gapOf, placeFor, senderOf } from './inbound.ts'
import { Lanes } from './lanes.ts'
import { type Author, isPrivate, type NativeMessage, type Post, privateChannel } from './native.ts'
import { postsOf } from './outbound.ts'
import { type Channel, type MemoryPlatform, memoryServer } from './platform.ts'

const backoff = { firstMs: 2, maxMs: 200 }

export async function createMemoryAdapter(config: MemoryConfig, context: AdapterContext): Promise<MemoryAdapter> {
  const token = config.token === null ? null : await context.secret(config.token)
  return new MemoryAdapter(config, context, memoryServer(config.server), token)
}

/** Every ability of the contract, on a chat server in this process. */
export class MemoryAdapter implements Adapter {
  readonly network: NetworkId
  readonly limits: Limits
  readonly pipelined = 16
  readonly accounts: Accounts
  readonly channels: Required<Channels>
  declare readonly sendEphemeral?: NonNullable<Adapter['sendEphemeral']>
  declare readonly stream?: NonNullable<Adapter['stream']>
  readonly #config: MemoryConfig
  readonly #context: AdapterContext
  readonly #platform: MemoryPlatform
  readonly #token: string | null
  readonly #lanes = new Lanes()
  /** Parts of a delivery that are out although the rest is not: `send` goes on behind them. */
  readonly #begun = new Map<string, readonly MessageId[]>()
  #connection: Connection | null = null
  #status: NetworkStatus = { state: 'connecting', sinceMs: Date.now(), server: 'memory', lacks: [] }

  constructor(config: MemoryConfig, context: AdapterContext, platform: MemoryPlatform, token: string | null = null) {
    this.network = context.network
    const { textBytes, fileBytes, threads } = config
    this.limits = { textBytes, marks: true, threads, growEveryMs: 0, ...(fileBytes === 0 ? {} : { fileBytes }) }
    if (!config.edits) Object.defineProperty(this, 'edit', { value: undefined })
    this.accounts = platform.accounts
    this.channels = new MemoryChannels({ platform, author: () => this.#author(), act: serve => this.#act(serve) })
    if (config.streams) this.stream = (place, draft) => this.#show(place, draft)
    if (config.ephemeral) this.sendEphemeral = (place, user, ...said) => this.#say(place, ...said, user)
    this.#config = config
    this.#context = context
    this.#platform = platform
    this.#token = token
  }

  status(): NetworkStatus {
    return this.#status
  }

  // ---- in ---------------------------------------------------------------------------------------------------------

  async run(sink: Sink, signal: AbortSignal): Promise<void> {
    const hangUp = (): void => this.#connection?.close('aborted')
    signal.addEventListener('abort', hangUp, { once: true })
    try {
      for (let attempt = 0; !signal.aborted; attempt++) {
        const lived = await this.#session(sink, signal)
        if (lived) attempt = 0
        if (!signal.aborted) await sleep(backoffMs(backoff, attempt), signal)
      }
    } finally {
      signal.removeEventListener('abort', hangUp)
      this.#stand('down', signal.aborted ? 'stopped' : 'the server refuses our login')
    }
  }

  /** One connection from its making to its end; false when it could not even be made. */
  async #session(sink: Sink, signal: AbortSignal): Promise<boolean> {
    let connection: Connection
    try {
      connection = this.#platform.connect(this.#config.account, this.#token)
    } catch (thrown) {
      const error = asChanopError(thrown)
      if (error.retry === 'never') throw error
      this.#stand('down', `${error.message}; trying again`)
      return false
    }
    this.#connection = connection
    const lost = (): void => {
      this.#connection = null
      if (!signal.aborted) this.#stand('connecting', 'the connection was lost; making it again')
    }
    connection.closed.addEventListener('abort', lost, { once: true })
    this.#enterAll()
    this.#stand('up')
    try {
      await this.#feed(connection, sink, signal)
    } finally {
      connection.close('session over')
    }
    return true
  }

  async #feed(connection: Connection, sink: Sink, signal: AbortSignal): Promise<void> {
    const feed = { sink, signal, log: this.#context.log, backoff }
    const missed = await this.#missed(connection)
    if (missed.length > 0 && !(await offer(feed, missed))) return
    connection.live()
    await this.#signs(connection)
    for (;;) {
      const happenings = await connection.next()
      if (!happenings) return
      const events = happenings.map(happening => eventOf(this.network, this.#config.account, happening, 'live'))
      if (!(await offer(feed, events))) return
      connection.acknowledge()
    }
  }

  /** Who is in our channels now, and from now on who shows a sign of life there. */
  async #signs(connection: Connection): Promise<void> {
    const { signs } = this.#context
    if (!signs) return
    const at = (channel: string) => ({ place: placeFor(this.network, channel), atMs: this.#platform.nowMs })
    connection.onLife = (by, channel, what) => {
      void signs([{ kind: 'life', ...at(channel), sender: senderOf(by), what }])
    }
    const rosters = this.#mine()
      .filter(({ name }) => !isPrivate(name))
      .map(({ name }) => ({
        kind: 'roster' as const,
        ...at(name),
        present: this.#platform.present(name).map(senderOf),
        gone: [],
        whole: true as const,
      }))
    if (rosters.length > 0) await signs(rosters)
  }

  /** What happened between the newest message the ledger holds of each channel and this connection. */
  async #missed(connection: Connection): Promise<ChatEvent[]> {
    const from = new Map<string, number>()
    const gaps: ChatEvent[] = []
    for (const { name } of this.#mine()) {
      const place = placeFor(this.network, name)
      const newest = await this.#context.cursors.newest(place)
      if (!newest) continue
      const known = this.#platform.message(newest.id)
      if (known) from.set(name, known.seq)
      else gaps.push(gapOf(place, newest, this.#platform.nowMs))
    }
    const after = ({ name }: Channel): number => from.get(name) ?? 0
    const happenings = this.#platform.history(this.#config.account, after, connection.openedSeq)
    return [...gaps, ...happenings.map(happening => eventOf(this.network, this.#config.account, happening, 'backfill'))]
  }

  // ---- out --------------------------------------------------------------------------------------------------------

  send(place: Place, draft: Draft, deliveryId: string): Promise<readonly MessageId[]> {
    return this.#say(place, draft, deliveryId)
  }

  #say(place: Place, draft: Draft, deliveryId: string, only?: UserId): Promise<readonly MessageId[]> {
    return this.#lanes.run(place.channel, async () => {
      const ids = [...(this.#begun.get(deliveryId) ?? [])]
      const files = await this.#uploaded(draft.uploads ?? [])
      const posts = this.#posts(place, draft, deliveryId, files)
      for (const each of posts.slice(ids.length)) {
        const post = only === undefined ? each : { ...each, only }
        const message = await this.#act(() => this.#platform.post(this.#author(), place.channel, post))
        ids.push(message.id)
      }
      this.#begun.delete(deliveryId)
      return ids
    })
  }

  edit(place: Place, target: readonly MessageId[], draft: Draft, deliveryId: string): Promise<readonly MessageId[]> {
    const posts = this.#posts(place, draft, deliveryId)
    return this.#lanes.run(place.channel, () => this.#act(() => this.#rewrite(place, target, posts)))
  }

  /** The new text may be longer or shorter than the old: parts are added behind, or deleted. */
  #rewrite(place: Place, target: readonly MessageId[], posts: readonly Post[]): MessageId[] {
    if (this.#platform.faults.takeEditRefusal()) throw new ChanopError('send-refused', 'The server takes no edits now.')
    for (const id of target.slice(posts.length)) this.#removeIfThere(id)
    return posts.map((post, part) => {
      const id = target[part]
      if (id === undefined) return this.#platform.post(this.#author(), place.channel, post).id
      this.#platform.edit(this.#author(), id, post.content, post.deliveryId)
      return id
    })
  }

  async #uploaded(uploads: readonly Upload[]): Promise<Attachment[]> {
    const files: Attachment[] = []
    for (const upload of uploads) {
      const bytes = new Uint8Array(await new Response(upload.open()).arrayBuffer())
      files.push(this.#platform.files.keep(bytes, upload))
    }
    return files
  }

  async open({ ref }: Attachment): Promise<AsyncIterable<Uint8Array>> {
    const bytes = await this.#act(() => this.#platform.files.read(ref))
    return ReadableStream.from([bytes])
  }

  #posts(place: Place, draft: Draft, deliveryId: string, files: readonly Attachment[] = []): Post[] {
    const thread = place.thread === undefined ? {} : { thread: place.thread }
    const posts = postsOf(draft, this.limits.textBytes, files)
    return posts.map((post, part) => ({ ...post, ...thread, deliveryId, part, parts: posts.length }))
  }

  remove(place: Place, target: readonly MessageId[], reason: string | undefined): Promise<void> {
    return this.#lanes.run(place.channel, () => this.#act(() => target.forEach(id => this.#removeIfThere(id, reason))))
  }

  react(place: Place, target: MessageId, { emoji, removed }: Reaction): Promise<void> {
    return this.#lanes.run(place.channel, () =>
      this.#act(() => this.#platform.react(this.#author(), target, emoji, removed === true)),
    )
  }

  typing(place: Place, as: string, active: boolean): void {
    const { typing } = this.#platform.channel(place.channel)
    if (active) typing.add(as)
    else typing.delete(as)
    this.#platform.watch.look()
  }

  #show({ channel }: Place, { content }: Draft): boolean {
    if (isPrivate(channel)) this.#platform.show(channel, plain(content))
    return isPrivate(channel)
  }

  /** A delivery of which only the first parts are out is `not-sent`; the next `send` of it adds the missing ones. */
  async find(place: Place, deliveryId: string, act: Act): Promise<Found> {
    return this.#act(() => {
      const { messages } = this.#platform.channel(place.channel)
      if (act.do !== 'send') return 'cannot-tell'
      const parts = messages.filter(each => each.deliveryId === deliveryId && each.by === this.#config.account)
      const ids = parts.map(({ id }) => id)
      if (ids.length > 0 && ids.length === parts[0]?.parts) return ids
      if (ids.length > 0) this.#begun.set(deliveryId, ids)
      return 'not-sent'
    })
  }

  // ---- people -----------------------------------------------------------------------------------------------------

  async direct(user: UserId): Promise<Place> {
    if (!this.#platform.known(user)) throw new ChanopError('not-found', `There is nobody called ${user} here.`)
    const channel = privateChannel(user)
    this.#platform.openPrivate(channel, user, this.#config.account)
    return placeFor(this.network, channel)
  }

  /** What is said here never leaves the process. */
  async secure(place: Place): Promise<boolean> {
    return isPrivate(place.channel)
  }

  async announce(commands: readonly NativeCommand[]): Promise<void> {
    const refusal = this.#platform.faults.takeCommandRefusal()
    if (refusal) throw refusal
    await this.#act(() => this.#platform.announced.push({ account: this.#config.account, commands }))
    this.#platform.watch.look()
  }

  away(persona: string, reason: string | null): void {
    if (reason === null) this.#platform.away.delete(persona)
    else this.#platform.away.set(persona, reason)
    this.#platform.watch.look()
  }

  // ---- the rest ---------------------------------------------------------------------------------------------------

  #author(): Author {
    return { id: this.#config.account, name: this.#config.account, verified: true, bot: true }
  }

  #mine(): Channel[] {
    return this.#platform.channels.filter(({ members }) => members.has(this.#config.account))
  }

  #enterAll(): void {
    const named = this.#context.places
      .filter(({ network }) => network === this.network)
      .map(({ channel }) => channel as string)
    for (const channel of new Set([...this.#config.channels, ...named])) {
      if (!isPrivate(channel)) this.#platform.enter(this.#author(), channel)
    }
  }

  #removeIfThere(id: MessageId, reason?: string): void {
    const message: NativeMessage | undefined = this.#platform.message(id)
    if (message && !message.deleted) this.#platform.remove(this.#author(), id, reason)
  }

  /** Has the server do something; a server that does not answer in time has lost its connection. */
  async #act<T>(serve: () => T): Promise<T> {
    const connection = this.#connection
    if (!connection)
      throw new ChanopError('network-down', `${this.network} is not connected; it is tried again by itself.`)
    const timer = setTimeout(() => connection.close('no answer'), this.#config.answerMs)
    try {
      return await connection.act(serve)
    } finally {
      clearTimeout(timer)
    }
  }

  #stand(state: NetworkStatus['state'], reason?: string): void {
    const same = this.#status.state === state && this.#status.reason === reason
    if (same) return
    this.#status = {
      state,
      sinceMs: Date.now(),
      server: 'memory',
      lacks: [],
      ...this.#platform.reached,
      ...(reason === undefined ? {} : { reason }),
    }
    this.#context.changed()
  }
}
