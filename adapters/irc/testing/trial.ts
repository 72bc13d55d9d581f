/** For tests: an adapter at work with what it told its sink, and a plain IRC client beside it. */
import { connect, type Socket } from 'node:net'
import type { Adapter, AdapterContext } from '../../../core/adapter.ts'
import type { ChannelId, ChatEvent, MessageEvent, MessageId, NetworkId, Place, Sign } from '../../../core/event.ts'
import { silentLog } from '../../../core/log.ts'
import { deadline } from '../../../core/retry.ts'
import { createIrcAdapter } from '../adapter.ts'
import { type IrcConfig, ircSchema } from '../config.ts'
import { type Line, parseLine } from '../text/line.ts'

export const network = 'irc' as NetworkId
export const place = (channel: string): Place =>
  channel.startsWith('@')
    ? { network, channel: channel as ChannelId, private: true }
    : { network, channel: channel as ChannelId }

/** Something that happens later: `take` is asked again whenever `look` is called. */
class Watch<T> {
  readonly #items: T[]
  readonly #waiting = new Set<() => void>()

  constructor(items: T[]) {
    this.#items = items
  }

  look(): void {
    for (const check of this.#waiting) check()
  }

  wait<R>(take: (items: readonly T[]) => R | undefined, what: string, deadlineMs: number): Promise<R> {
    return new Promise((resolve, reject) => {
      const signal = deadline(deadlineMs)
      const check = (): void => {
        const found = take(this.#items)
        if (found === undefined) return
        this.#waiting.delete(check)
        resolve(found)
      }
      signal.addEventListener('abort', () => {
        this.#waiting.delete(check)
        reject(new Error(`did not come in ${deadlineMs} ms: ${what}`))
      })
      this.#waiting.add(check)
      check()
    })
  }
}

export interface TrialOptions {
  readonly config: object
  readonly dataDir?: string
  readonly personas?: readonly string[]
  readonly instance?: string
  /** What the rooms name. */
  readonly places?: readonly Place[]
  /** Cursors that outlive one trial, for restarts. */
  readonly cursors?: Map<string, string>
  /** Awaited before a cursor is set. */
  readonly disk?: () => Promise<void>
  readonly sink?: (events: readonly ChatEvent[]) => Promise<void>
}

export class Trial {
  readonly events: ChatEvent[] = []
  readonly signs: Sign[] = []
  readonly cursors: Map<string, string>
  adapter!: Adapter
  readonly #stop = new AbortController()
  readonly #events = new Watch<ChatEvent>(this.events)
  readonly #status = new Watch<string>([])
  readonly #signs = new Watch<Sign>(this.signs)
  #run: Promise<void> = Promise.resolve()

  private constructor(cursors: Map<string, string>) {
    this.cursors = cursors
  }

  static async start(options: TrialOptions): Promise<Trial> {
    const trial = new Trial(options.cursors ?? new Map<string, string>())
    const context: AdapterContext = {
      network,
      log: silentLog(),
      cursors: {
        newest: where => Promise.resolve(trial.#newest(where)),
        get: name => Promise.resolve(trial.cursors.get(name) ?? null),
        set: async (name, value) => {
          await options.disk?.()
          trial.cursors.set(name, value)
        },
      },
      personas: options.personas ?? [],
      instance: options.instance ?? 'abcdefghijkl',
      places: options.places ?? [],
      dataDir: options.dataDir ?? '/nonexistent',
      secret: reference => Promise.resolve(reference.replace(/^(env|secret):/, '')),
      changed: () => trial.#status.look(),
      signs: async signs => {
        trial.signs.push(...signs)
        trial.#signs.look()
      },
    }
    trial.adapter = await createIrcAdapter(ircSchema.parse(options.config) as IrcConfig, context)
    const sink = async (events: readonly ChatEvent[]): Promise<void> => {
      await options.sink?.(events)
      for (const event of events) {
        trial.events.push(event)
        if (event.kind === 'message') trial.cursors.set(`newest ${event.place.channel}`, `${event.id} ${event.atMs}`)
      }
      trial.#events.look()
    }
    trial.#run = trial.adapter.run(sink, trial.#stop.signal)
    return trial
  }

  /** As the ledger does it: only what came in counts, not what we said. */
  #newest(where: Place): { id: MessageId; atMs: number } | null {
    const kept = this.cursors.get(`newest ${where.channel}`)?.split(' ')
    return kept ? { id: kept[0] as MessageId, atMs: Number(kept[1]) } : null
  }

  up(deadlineMs = 45_000): Promise<true> {
    return this.#status.wait(() => (this.adapter.status().state === 'up' ? true : undefined), 'connection', deadlineMs)
  }

  /** Resolves when the channel can be spoken in. */
  async ready(channel: string, as?: string): Promise<void> {
    await this.up()
    const until = deadline(45_000)
    for (let attempt = 0; ; attempt++) {
      const draft = {
        content: { segments: [{ kind: 'text' as const, text: 'ready' }] },
        ...(as ? { as: { name: as } } : {}),
      }
      try {
        await this.adapter.send(place(channel), draft, `ready${attempt}${as ?? ''}`)
        return
      } catch (error) {
        if (until.aborted) throw error
        await new Promise(resolve => setTimeout(resolve, 20))
      }
    }
  }

  event<E extends ChatEvent>(found: (event: ChatEvent) => event is E, what: string, deadlineMs?: number): Promise<E>
  event(found: (event: ChatEvent) => boolean, what: string, deadlineMs?: number): Promise<ChatEvent>
  event(found: (event: ChatEvent) => boolean, what: string, deadlineMs = 45_000): Promise<ChatEvent> {
    return this.#events.wait(events => events.find(found), what, deadlineMs)
  }

  message(text: string, deadlineMs?: number): Promise<MessageEvent> {
    return this.event(
      (event): event is MessageEvent => event.kind === 'message' && textOf(event) === text,
      text,
      deadlineMs,
    )
  }

  sign<S extends Sign>(found: (sign: Sign) => sign is S, what: string, deadlineMs?: number): Promise<S>
  sign(found: (sign: Sign) => boolean, what: string, deadlineMs = 45_000): Promise<Sign> {
    return this.#signs.wait(signs => signs.find(found), what, deadlineMs)
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    await this.#run
  }
}

export const textOf = (event: MessageEvent): string =>
  event.content.segments
    .map(segment => ('text' in segment && segment.text) || ('url' in segment ? segment.url : ''))
    .join('')

export interface GuestOptions {
  readonly host: string
  readonly port: number
  readonly nick: string
  readonly account?: { readonly account: string; readonly password: string }
  readonly capabilities?: readonly string[]
  readonly path?: string
  readonly realname?: string
}

/** A client of no library, so that the adapter is not tested against itself. */
export class Guest {
  readonly lines: Line[] = []
  readonly raw: string[] = []
  readonly #socket: Socket
  readonly #watch = new Watch<Line>(this.lines)
  #rest = ''

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.setEncoding('utf8').setNoDelay(true)
    socket.on('data', (chunk: string) => this.#read(chunk))
    socket.on('error', () => this.#watch.look())
  }

  static async join(options: GuestOptions, ...channels: readonly string[]): Promise<Guest> {
    const socket = options.path === undefined ? connect(options.port, options.host) : connect(options.path)
    const guest = new Guest(socket)
    const wanted = options.capabilities ?? [
      'message-tags',
      'server-time',
      'account-tag',
      'batch',
      'labeled-response',
      'echo-message',
    ]
    guest.say('CAP LS 302', `NICK ${options.nick}`, `USER guest 0 * :${options.realname ?? 'guest'}`)
    const listing = (line: Line): boolean => line.command === 'CAP' && line.params[1] === 'LS'
    await guest.wait(line => listing(line) && line.params[2] !== '*', 'CAP LS')
    const offered = guest.lines.filter(listing).map(line => line.params.at(-1) ?? '')
    const names = new Set(offered.flatMap(list => list.split(' ')).map(name => name.split('=')[0] ?? ''))
    const ask = [...wanted, ...(options.account ? ['sasl'] : [])].filter(name => names.has(name))
    if (ask.length > 0) {
      guest.say(`CAP REQ :${ask.join(' ')}`)
      await guest.wait(line => line.command === 'CAP' && line.params[1] === 'ACK', 'CAP ACK')
    }
    if (options.account) await guest.#login(options.account)
    guest.say('CAP END')
    await guest.wait(line => line.command === '001', 'welcome')
    for (const channel of channels) {
      guest.say(`JOIN ${channel}`)
      await guest.wait(line => line.command === '366' && line.params[1] === channel, `JOIN ${channel}`)
    }
    return guest
  }

  async #login({ account, password }: { account: string; password: string }): Promise<void> {
    this.say('AUTHENTICATE PLAIN')
    await this.wait(line => line.command === 'AUTHENTICATE', 'AUTHENTICATE')
    this.say(`AUTHENTICATE ${Buffer.from(`\0${account}\0${password}`).toString('base64')}`)
    await this.wait(line => line.command === '903', 'login')
  }

  #read(chunk: string): void {
    const parts = (this.#rest + chunk).split('\r\n')
    this.#rest = parts.pop() ?? ''
    for (const raw of parts) {
      const line = parseLine(raw)
      if (!line) continue
      if (line.command === 'PING') this.say(`PONG :${line.params[0] ?? ''}`)
      this.raw.push(raw)
      this.lines.push(line)
    }
    this.#watch.look()
  }

  say(...lines: readonly string[]): void {
    this.#socket.write(lines.map(line => `${line}\r\n`).join(''))
  }

  wait(found: (line: Line) => boolean, what: string, deadlineMs = 45_000): Promise<Line> {
    return this.#watch
      .wait(lines => lines.find(found), what, deadlineMs)
      .catch((error: Error) => {
        throw new Error(`${error.message}; the last that came:\n${this.raw.slice(-8).join('\n')}`)
      })
  }

  hears(text: string): Promise<Line> {
    return this.wait(line => line.params.at(-1) === text, text)
  }

  leave(): void {
    this.#socket.destroy()
  }
}

export const firstId = (ids: readonly MessageId[]): MessageId => ids[0] as MessageId
