/** One person's connection to the server: logs in, joins, fetches history, and comes back after a loss. */
import { type Batch, Batches, isBatch, joinMultiline } from '../../adapters/irc/link/batch.ts'
import { type Endpoint, Wire } from '../../adapters/irc/link/wire.ts'
import { flatten } from '../../adapters/irc/past/history.ts'
import { type Line, parseLine } from '../../adapters/irc/text/line.ts'
import { ChanopError } from '../../core/error.ts'
import { backoffMs, sleep } from '../../core/retry.ts'
import { takeBytes } from '../../core/text.ts'
import { connectionFault } from './faults.ts'
import { Handshake, type Login } from './handshake.ts'

export interface Target extends Login {
  readonly endpoint: Endpoint
  /** Joined after each login; grows and shrinks with `join` and `part`. */
  readonly channels: readonly string[]
  /** How many past lines a channel shows on joining; 0 asks for none and drops what comes unasked. */
  readonly historyLines: number
}

export interface SessionHooks {
  /** A line of the live conversation, or (`past`) of history. */
  line(line: Line, past: boolean): void
  ready(nick: string): void
  /** The connection is gone; the next attempt follows after `retryMs`. */
  down(reason: string, retryMs: number): void
}

const loginMs = 20_000
const idleMs = 45_000
const deadMs = 100_000
const retry = { firstMs: 500, maxMs: 15_000 }
const nickHeldMs = 1500
/** A line has 512 bytes with its end; the server puts our nick, user and host before it when it passes it on. */
const textBytes = 420

const sameName = (one: string, other: string): boolean => one.toLowerCase() === other.toLowerCase()

export class Session {
  readonly #target: Target
  readonly #hooks: SessionHooks
  readonly #channels: Set<string>
  readonly #pongs = new Map<string, (arrived: boolean) => void>()
  #wire: Wire | null = null
  #handshake: Handshake | null = null
  #nick = ''
  #ready = false
  #pings = 0
  /** Why the server closes the connection, in its own words. */
  #said: ChanopError | null = null

  constructor(target: Target, hooks: SessionHooks) {
    this.#target = target
    this.#hooks = hooks
    this.#channels = new Set(target.channels)
  }

  get ready(): boolean {
    return this.#ready
  }

  get nick(): string {
    return this.#nick
  }

  has(cap: string): boolean {
    return this.#handshake?.caps.has(cap) ?? false
  }

  /** Resolves when `signal` aborts. Rejects when the first login fails, and on any refusal for good. */
  async run(signal: AbortSignal): Promise<void> {
    let everReady = false
    for (let attempt = 0; !signal.aborted; attempt++) {
      const error = await this.#live(signal)
      if (signal.aborted) return
      if (this.#ready) attempt = 0
      everReady ||= this.#ready
      this.#ready = false
      if (!everReady || error.retry === 'never') throw error
      const retryMs = backoffMs(retry, attempt)
      this.#hooks.down(error.message, retryMs)
      await sleep(retryMs, signal)
    }
  }

  /** One connection, until it ends; `#ready` still says whether it was logged in. */
  #live(signal: AbortSignal): Promise<ChanopError> {
    const { endpoint } = this.#target
    return new Promise(resolve => {
      let refusal: ChanopError | null = null
      const refuse = (error: ChanopError): void => {
        refusal ??= error
        wire.close(true)
      }
      const write = (line: string): void => wire.writeLine(line)
      const batches = new Batches(batch => this.#batch(batch))
      const lines = (raw: readonly string[]): void => raw.forEach(each => this.#take(each, batches))
      const wire = new Wire({ endpoint, tap: { lines, odd: () => undefined }, opened: () => undefined })
      const handshake = new Handshake(this.#target, write, refuse)
      this.#wire = wire
      this.#handshake = handshake
      const stopTimers = this.#watch(wire, refuse)
      const quit = (): void => this.#quit(wire)
      signal.addEventListener('abort', quit, { once: true })
      wire.once('open', () => handshake.start())
      wire.once('close', (error: Error | false) => {
        stopTimers()
        signal.removeEventListener('abort', quit)
        wire.disposeSocket()
        this.#wire = null
        for (const done of this.#pongs.values()) done(false)
        this.#pongs.clear()
        resolve(refusal ?? this.#said ?? connectionFault(error, endpoint, this.#ready))
        this.#said = null
      })
      wire.connect()
    })
  }

  #watch(wire: Wire, refuse: (error: ChanopError) => void): () => void {
    const login = setTimeout(() => {
      if (!this.#ready)
        refuse(new ChanopError('network-down', 'the server does not finish the login: look at npm run doctor'))
    }, loginMs)
    const alive = setInterval(() => {
      const silentMs = performance.now() - wire.lastReadMs
      if (silentMs > deadMs) refuse(new ChanopError('network-down', 'the server is silent'))
      else if (silentMs > idleMs && this.#ready) wire.writeLine('PING :still-there')
    }, idleMs / 3)
    return () => {
      clearTimeout(login)
      clearInterval(alive)
    }
  }

  #quit(wire: Wire): void {
    if (this.#ready) wire.writeLine('QUIT :leaving')
    wire.close(!this.#ready)
    // A server that does not close after QUIT must not keep us.
    setTimeout(() => wire.close(true), 500).unref()
  }

  #take(raw: string, batches: Batches): void {
    const line = parseLine(raw)
    if (!line) return
    if (line.command === 'PING') this.#wire?.writeLine(`PONG :${line.params.at(-1) ?? ''}`)
    else if (!batches.take(line)) this.#line(line)
  }

  #batch(batch: Batch): void {
    if (batch.type.endsWith('chathistory')) {
      if (this.#target.historyLines > 0) for (const line of flatten(batch)) this.#hooks.line(line, true)
      return
    }
    const joined = batch.type === 'draft/multiline' ? joinMultiline(batch) : null
    if (joined) this.#line(joined)
    else
      for (const item of batch.items)
        if (isBatch(item)) this.#batch(item)
        else this.#line(item)
  }

  #line(line: Line): void {
    if (!this.#ready) this.#handshake?.take(line)
    if (line.command === '001') this.#nick = line.params[0] ?? ''
    else if (line.command === 'PONG') this.#pongs.get(line.params.at(-1) ?? '')?.(true)
    else if (line.command === 'ERROR')
      this.#said = new ChanopError('network-down', `the server ended it: ${line.params.at(-1) ?? ''}`)
    else if (line.command === 'NICK' && sameName(line.nick, this.#nick)) this.#nick = line.params[0] ?? this.#nick
    this.#hooks.line(line, false)
    if (line.command === '376' || line.command === '422') this.#welcome()
    else if (line.command === 'JOIN' && sameName(line.nick, this.#nick)) this.history(line.params[0] ?? '')
  }

  #welcome(): void {
    if (this.#ready) return
    this.#ready = true
    this.#hooks.ready(this.#nick)
    // A server without CHATHISTORY shows what was said at a JOIN, to those who did not ask it not to.
    if (this.#target.historyLines > 0 && !this.has('draft/chathistory')) this.write(`MODE ${this.#nick} -N`)
    for (const channel of this.#channels) this.write(`JOIN ${channel}`)
    if (!this.#handshake?.nickHeld) return
    // InspIRCd's services hold a nick for a second after they took it back from somebody.
    setTimeout(() => this.write(`NICK ${this.#target.account}`), nickHeldMs).unref()
  }

  /** Asks for the newest lines of a conversation, or with `before` (a msgid) for older ones. */
  history(name: string, before?: string): void {
    const most = this.#target.historyLines
    if (most === 0 || !this.has('draft/chathistory') || !this.has('batch')) return
    this.write(
      before === undefined
        ? `CHATHISTORY LATEST ${name} * ${most}`
        : `CHATHISTORY BEFORE ${name} msgid=${before} ${most}`,
    )
  }

  join(channel: string): void {
    this.#channels.add(channel)
    this.write(`JOIN ${channel}`)
  }

  part(channel: string): void {
    for (const each of this.#channels) if (sameName(each, channel)) this.#channels.delete(each)
    this.write(`PART ${channel}`)
  }

  /** False when there is no connection to write to. */
  write(line: string): boolean {
    if (!this.#wire || !this.#ready) return false
    this.#wire.writeLine(line)
    return true
  }

  /** Says `text`, in several lines where it has newlines or is too long for one. False when nothing was sent. */
  say(to: string, text: string, action = false): boolean {
    if (!this.#ready) return false
    const room = textBytes - Buffer.byteLength(`${this.#nick}${to}${action ? '\x01ACTION \x01' : ''}`)
    for (const line of text.split('\n')) {
      for (let rest = line; rest.trim() !== ''; ) {
        const [head, tail] = takeBytes(rest, room)
        this.write(`PRIVMSG ${to} :${action ? `\x01ACTION ${head}\x01` : head}`)
        rest = tail
      }
    }
    return true
  }

  /** True when the server has dealt with everything written so far, false when the connection broke before that. */
  flush(): Promise<boolean> {
    const token = `flush-${++this.#pings}`
    return new Promise(resolve => {
      const done = (arrived: boolean): void => {
        this.#pongs.delete(token)
        resolve(arrived)
      }
      this.#pongs.set(token, done)
      if (!this.write(`PING :${token}`)) done(false)
    })
  }
}
