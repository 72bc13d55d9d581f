import framework, { type FrameworkOptions } from 'irc-framework'
import { ChanopError } from '../../../core/error.ts'
import type { Log } from '../../../core/log.ts'
import { commandAt, type Line, lastParam, parseLine } from '../text/line.ts'
import { type Fold, foldFor } from '../text/names.ts'
import { type Batch, Batches } from './batch.ts'
import { Clock } from './clock.ts'
import { Flood, type FloodLimit } from './flood.ts'
import { Login, type Sasl } from './login.ts'
import { type Endpoint, Wire } from './wire.ts'

export interface SessionOptions {
  readonly endpoint: Endpoint
  /** Asked for first; with `_` behind it when somebody has it. */
  readonly nick: string
  readonly realname: string
  readonly serverPassword?: string
  readonly sasl: Sasl | null
  readonly flood: FloodLimit | null
  /** A persona's connection: what is said in channels is dropped unread, the main connection hears it. */
  readonly deaf: boolean
  /** Capabilities that this connection alone can use. */
  readonly capabilities?: readonly string[]
  readonly log: Log
  readonly timing?: Partial<Timing>
}

/** Milliseconds. A silent server is asked at `quietMs` and given up at `deadMs`. */
export interface Timing {
  readonly quietMs: number
  readonly deadMs: number
  readonly registerMs: number
}
const defaultTiming: Timing = { quietMs: 15_000, deadMs: 35_000, registerMs: 60_000 }

export interface SessionHooks {
  /** Registered: nick, ISUPPORT and capabilities are known. */
  ready(): void
  line(line: Line): void
  batch(batch: Batch): void
  /** All lines of one read have been handed over. */
  flush(): void
  closed(fault: Fault): void
}

/** Why a connection ended. `permanent`: the same login will be refused again. */
export interface Fault {
  readonly reason: string
  readonly permanent: boolean
  /** The server ended it, or died. */
  readonly byServer?: true
  /** What the socket ended with. */
  readonly error?: Error
}

type Waiter = (line: Line) => boolean

/** What the library handles for us: registration, ISUPPORT, pings. */
const framed = /^(?:00[1-5]|90\d|CAP|AUTHENTICATE|PING|PONG|ERROR)$/
const channelTraffic = /^(?:PRIVMSG|NOTICE|TAGMSG|JOIN|PART|TOPIC|REDACT) :?[#&+!]/i
const nickTaken = new Set(['432', '433', '436', '437'])

/** One connection to one server, from the TCP handshake to its end. It is used once and never reconnects. */
export class Session {
  nick: string
  /** Our own `user@host` as others see it, once the server has told it. */
  userHost: string | null = null
  fold: Fold = foldFor(undefined)
  registered = false
  serverName = ''
  /** When the server began, in its own words; '' when it does not say. */
  created = ''
  readonly startedMs = Date.now()
  readonly login: Login
  readonly clock = new Clock()
  /** Lines of messages, slowed down where the network wants it. */
  readonly flood: Flood
  readonly options: SessionOptions
  readonly #hooks: SessionHooks
  readonly #client: InstanceType<typeof framework.Client>
  readonly #batches: Batches
  readonly #waiters = new Set<{ take: Waiter; end: () => void }>()
  #wire: Wire | null = null
  #fault: Fault | null = null
  #closed = false
  #watch: NodeJS.Timeout | undefined
  #asks = 0
  /** How many nicks somebody else had. */
  #taken = 0
  #pinged = false
  #paused = false
  /** When we last began to read again. */
  #resumedMs = Number.NEGATIVE_INFINITY
  #barrier: Promise<void> | null = null

  constructor(options: SessionOptions, hooks: SessionHooks) {
    this.options = options
    this.nick = options.nick
    this.#hooks = hooks
    this.#client = new framework.Client()
    const extra = [...(options.capabilities ?? []), ...(options.deaf ? ['draft/no-implicit-names'] : [])]
    this.login = new Login(this.#client, options.sasl, extra, {
      refused: (reason, permanent) => this.fail({ reason, permanent }),
    })
    this.#batches = new Batches(
      batch => this.#guarded(() => hooks.batch(batch)),
      () => options.log.warn('the server opens more batches, or larger ones, than are kept: the rest is left out'),
    )
    this.flood = new Flood(options.flood, line => this.write(line))
  }

  /** True when the server agreed to the capability. */
  has(capability: string): boolean {
    return this.login.enabled.has(capability)
  }

  /** A token of ISUPPORT: its value, `''` when it stands without one, null when it is absent. */
  support(token: string): string | null {
    const value = this.#client.network.options[token]
    if (value === undefined) return null
    return typeof value === 'string' ? value : ''
  }

  isChannel(name: string): boolean {
    const types = this.#client.network.options['CHANTYPES']
    return name !== '' && (Array.isArray(types) ? types.includes(name[0]) : '#&'.includes(name[0] as string))
  }

  isSelf(nick: string): boolean {
    return nick === this.nick || this.fold(nick) === this.fold(this.nick)
  }

  get server(): string {
    return this.#client.network.ircd || this.serverName
  }

  get open(): boolean {
    return this.registered && !this.#closed
  }

  connect(): void {
    const { options } = this
    const tap = {
      lines: (raws: readonly string[]) => this.#read(raws),
      odd: (what: string) => options.log.debug({ what }),
    }
    const own = { endpoint: options.endpoint, tap, opened: (wire: Wire) => this.#opened(wire) }
    this.#client.on('close', () => this.#ended())
    this.#client.connect({
      ...own,
      nick: options.nick,
      username:
        options.nick
          .replace(/[^A-Za-z0-9]/g, '')
          .slice(0, 9)
          .toLowerCase() || 'chanop',
      gecos: options.realname,
      ...(options.serverPassword === undefined ? {} : { password: options.serverPassword }),
      account: {},
      version: '',
      auto_reconnect: false,
      ping_interval: 0,
      ping_timeout: 0,
      // `on` of Node's emitter is wider than what the library needs of it.
      transport: Wire as unknown as FrameworkOptions['transport'],
    })
    this.#watch = setInterval(() => this.#look(), Math.min(5000, this.#timing.quietMs / 2))
  }

  #opened(wire: Wire): void {
    this.#wire = wire
    wire.on('close', (error: Error | false) => {
      if (error && !this.#fault) this.#fault = { reason: error.message, permanent: false, byServer: true, error }
    })
  }

  get #timing(): Timing {
    return { ...defaultTiming, ...this.options.timing }
  }

  /** Half-open links and servers that hang: silence is answered with a PING, and more silence ends the connection. */
  #look(): void {
    const wire = this.#wire
    if (!wire || this.#paused) return
    const { quietMs, deadMs, registerMs } = this.#timing
    const silentMs = performance.now() - wire.lastReadMs
    if (!this.registered && Date.now() - this.startedMs > registerMs)
      this.fail({ reason: 'no login in time', permanent: false })
    else if (silentMs > deadMs)
      this.fail({ reason: `no answer for ${Math.round(silentMs / 1000)} s`, permanent: false })
    else if (silentMs > quietMs && !this.#pinged && this.registered) {
      this.#pinged = true
      this.write('PING :chanop-alive')
    }
    if (this.registered && this.has('server-time') && this.clock.due())
      this.barrier().catch((error: unknown) => this.options.log.debug({ error }, 'the time of the server is not known'))
  }

  #read(raws: readonly string[]): void {
    this.#pinged = false
    for (const raw of raws) {
      if (this.#closed) return
      if (this.options.deaf && this.#unheard(raw)) continue
      const line = parseLine(raw)
      if (line) this.#guarded(() => this.#take(line, raw))
    }
    this.#guarded(() => this.#hooks.flush())
  }

  /** A persona need not parse what the main connection hears as well: only its own lines matter to it. */
  #unheard(raw: string): boolean {
    const at = commandAt(raw)
    if (!channelTraffic.test(raw.slice(at, at + 9))) return false
    const own = `:${this.nick}!`
    const prefix = raw.lastIndexOf(own, at)
    return prefix === -1
  }

  /** Nothing a server sends, and no fault of a handler, may end the connection. */
  #guarded(act: () => void): void {
    try {
      act()
    } catch (error) {
      this.options.log.warn({ error }, 'a line of the server was not understood')
    }
  }

  #take(line: Line, raw: string): void {
    if (framed.test(line.command)) this.#wire?.emit('line', raw)
    if (this.#batches.take(line, raw.length)) return
    this.clock.heard(line)
    this.#follow(line)
    for (const waiter of this.#waiters) {
      if (waiter.take(line)) this.#waiters.delete(waiter)
    }
    this.#hooks.line(line)
  }

  #follow(line: Line): void {
    if (line.command === 'NICK' && this.isSelf(line.nick)) this.nick = line.params[0] ?? this.nick
    else if (line.command === '001') this.#welcomed(line)
    else if (line.command === '003') this.created = lastParam(line)
    else if (line.command === '005') this.fold = foldFor(this.#client.network.options['CASEMAPPING'])
    else if (line.command === '396') this.#learnHost(line.params[1])
    else if (line.command === 'CHGHOST' && this.isSelf(line.nick)) this.userHost = line.params.slice(0, 2).join('@')
    else if (line.command === 'ERROR') this.#fault ??= { reason: lastParam(line), permanent: false, byServer: true }
    else if (!this.registered && nickTaken.has(line.command)) this.#anotherNick()
    else if (this.isSelf(line.nick) && line.prefix.includes('@'))
      this.userHost = line.prefix.slice(line.nick.length + 1)
  }

  #learnHost(host: string | undefined): void {
    if (host === undefined) return
    this.userHost = host.includes('@') ? host : `${this.userHost?.split('@')[0] ?? '~chanop1234'}@${host}`
  }

  /** Where a nick has less room than it is long what is put behind it changes nothing: then it is another, and a short one. */
  #anotherNick(): void {
    this.#taken += 1
    this.nick =
      this.#taken <= 3 ? `${this.nick}_` : `${this.options.nick.slice(0, 3)}${Math.floor(Math.random() * 1e6)}`
    this.write(`NICK ${this.nick}`)
  }

  #welcomed(line: Line): void {
    this.nick = line.params[0] ?? this.nick
    this.serverName = line.prefix
    void this.barrier().then(
      () => {
        if (this.#closed) return
        this.registered = true
        this.#guarded(() => this.#hooks.ready())
      },
      () => this.fail({ reason: 'the link was lost during login', permanent: false }),
    )
  }

  /** Writes one line past all queues. The guard of the wire makes it one line whatever is in it. */
  write(line: string): void {
    if (!this.#closed) this.#client.connection.write(line)
  }

  /**
   * Writes `line` and feeds every line that comes to `take` until it returns something else than undefined.
   * Rejects `network-down` when the connection ends, or after `deadlineMs`.
   */
  ask<T>(line: string | null, take: (line: Line) => T | undefined, deadlineMs = 30_000): Promise<T> {
    return new Promise((resolve, reject) => {
      const stop = (why: string): void => {
        this.#waiters.delete(waiter)
        inTime()
        reject(new ChanopError('network-down', `${why}; it is tried again`))
      }
      const inTime = this.after(deadlineMs, () => stop(`the server did not answer in ${deadlineMs / 1000} s`))
      const waiter = {
        take: (answer: Line): boolean => {
          const result = take(answer)
          if (result === undefined) return false
          inTime()
          resolve(result)
          return true
        },
        end: () => stop('the connection ended'),
      }
      if (this.#closed) {
        stop('not connected')
        return
      }
      this.#waiters.add(waiter)
      if (line !== null) this.write(line)
    })
  }

  /** Calls `late` once that long was read without it; returns how to call it off. What we do not read can't have come. */
  after(deadlineMs: number, late: () => void): () => void {
    let timer: NodeJS.Timeout
    const arm = (): void => {
      timer = setTimeout(() => {
        if (this.#paused || performance.now() - this.#resumedMs < deadlineMs) arm()
        else late()
      }, deadlineMs)
    }
    arm()
    return () => clearTimeout(timer)
  }

  /**
   * Resolves when the server has worked through everything written before. One PING answers all who ask in one turn: many
   * at once would end the connection of who may say only so much.
   */
  barrier(): Promise<void> {
    this.#barrier ??= new Promise<void>(resolve => setImmediate(resolve)).then(() => {
      this.#barrier = null
      return this.#ping()
    })
    return this.#barrier
  }

  async #ping(): Promise<void> {
    const token = `chanop-${(++this.#asks).toString(36)}`
    const askedMs = performance.now()
    await this.ask(`PING :${token}`, line => {
      if (line.command !== 'PONG' || lastParam(line) !== token) return undefined
      this.clock.answered(line, performance.now() - askedMs)
      return true
    })
  }

  pause(paused: boolean): void {
    this.#paused = paused
    if (!paused) this.#resumedMs = performance.now()
    this.#wire?.pause(paused)
  }

  fail(fault: Fault): void {
    this.#fault ??= fault
    this.#wire?.close(true)
  }

  /** Says goodbye and closes; at once when the server does not take it within 2 s. */
  quit(reason: string): void {
    this.#fault ??= { reason, permanent: false }
    this.write(`QUIT :${reason}`)
    this.#wire?.close(false)
    const force = setTimeout(() => this.#wire?.close(true), 2000)
    force.unref()
  }

  #ended(): void {
    if (this.#closed) return
    this.#closed = true
    clearInterval(this.#watch)
    this.flood.close()
    for (const waiter of this.#waiters) waiter.end()
    this.#hooks.closed(this.#fault ?? { reason: 'the server closed the connection', permanent: false, byServer: true })
    this.#client.removeAllListeners()
  }
}
