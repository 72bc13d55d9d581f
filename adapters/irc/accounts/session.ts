/**
 * A small IRC line client for administering accounts. One request at a time: its lines go out, and every line that comes
 * in belongs to it until its end mark. Connects when it is first needed and again after a loss; leaves after a while idle.
 */
import { connect, type NetConnectOpts, type Socket } from 'node:net'
import { ChanopError } from '../../../core/error.ts'
import { fromUser, type Line, lastParam, parseLine } from '../text/line.ts'

export interface SessionOptions {
  readonly target: NetConnectOpts
  /** Logs in on a fresh connection; rejects with ChanopError. */
  readonly login: (wire: Wire) => Promise<void>
  readonly idleMs?: number
  /** \`refused\` is another one now. */
  readonly changed?: (() => void) | undefined
}

type Waiter = {
  see: (line: Line) => boolean
  lines: Line[]
  resolve: (lines: Line[]) => void
  reject: (error: Error) => void
}

/** One connection. `ask` must not be called again before it has settled. */
export class Wire {
  readonly #socket: Socket
  #rest = ''
  #waiter: Waiter | null = null
  closed = false
  /** The server's last word. */
  #farewell = ''

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.setEncoding('utf8').setNoDelay(true)
    socket.on('data', (chunk: string) => this.#read(chunk))
    socket.on('error', error => (this.#farewell ||= error.message))
    socket.on('close', () => this.#end())
  }

  static open(target: NetConnectOpts, timeoutMs = 5000): Promise<Wire> {
    return new Promise((resolve, reject) => {
      const socket = connect(target)
      const fail = (error: Error): void =>
        reject(new ChanopError('account-failed', `the IRC server does not answer (${error.message})`, { cause: error }))
      const timer = setTimeout(() => socket.destroy(new Error('timeout')), timeoutMs)
      socket.once('error', fail)
      socket.once('connect', () => {
        clearTimeout(timer)
        socket.off('error', fail)
        resolve(new Wire(socket))
      })
    })
  }

  /** Sends `lines` and collects what comes until `end` says that a line is the last. The server's text is never obeyed. */
  ask(lines: readonly string[], end: (line: Line) => boolean, timeoutMs = 5000): Promise<Line[]> {
    for (const line of lines)
      if (/[\r\n\0]/.test(line))
        return Promise.reject(new ChanopError('internal', 'a line break inside an IRC command'))
    if (this.closed) return Promise.reject(this.#lost())
    this.#socket.ref()
    return new Promise<Line[]>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#socket.destroy()
        reject(new ChanopError('account-failed', `the IRC server did not answer within ${timeoutMs / 1000} s`))
      }, timeoutMs)
      this.#waiter = { see: end, lines: [], resolve, reject }
      if (lines.length > 0) this.#socket.write(lines.map(line => `${line}\r\n`).join(''))
      const settle = (): void => {
        clearTimeout(timer)
        this.#waiter = null
        this.#socket.unref()
      }
      this.#waiter.resolve = found => (settle(), resolve(found))
      this.#waiter.reject = error => (settle(), reject(error))
    })
  }

  close(): void {
    this.closed = true
    if (this.#socket.writable) this.#socket.end('QUIT\r\n')
    setTimeout(() => this.#socket.destroy(), 1000).unref()
  }

  #read(chunk: string): void {
    const lines = (this.#rest + chunk).split('\n')
    this.#rest = lines.pop() ?? ''
    for (const raw of lines) {
      const line = parseLine(raw)
      if (line) this.#take(line)
    }
  }

  #take(line: Line): void {
    if (line.command === 'PING') this.#socket.write(`PONG :${line.params[0] ?? ''}\r\n`)
    if (line.command === 'ERROR') this.#farewell = line.params[0] ?? ''
    const waiter = this.#waiter
    if (!waiter) return
    waiter.lines.push(line)
    if (waiter.see(line)) waiter.resolve(waiter.lines)
  }

  #end(): void {
    this.closed = true
    this.#waiter?.reject(this.#lost())
  }

  #lost(): ChanopError {
    return new ChanopError(
      'account-failed',
      `the IRC server closed the control session (${this.#farewell || 'no reason given'})`,
    )
  }
}

export class ControlSession {
  readonly #options: SessionOptions
  #wire: Wire | null = null
  /** Why the server refused the last login; null: it did not. */
  refused: string | null = null
  #queue: Promise<unknown> = Promise.resolve()
  #idle: NodeJS.Timeout | undefined

  constructor(options: SessionOptions) {
    this.#options = options
  }

  /** Runs `act` alone on a logged-in connection. A connection that broke between two acts is made anew. */
  run<T>(act: (wire: Wire) => Promise<T>): Promise<T> {
    const result = this.#queue.then(() => this.#alone(act))
    this.#queue = result.catch(() => undefined)
    return result
  }

  async #alone<T>(act: (wire: Wire) => Promise<T>): Promise<T> {
    clearTimeout(this.#idle)
    try {
      if (!this.#wire || this.#wire.closed) this.#wire = await this.#connect()
      return await act(this.#wire)
    } finally {
      this.#idle = setTimeout(() => this.close(), this.#options.idleMs ?? 10_000).unref()
    }
  }

  #mark(refused: string | null): void {
    if (refused === this.refused) return
    this.refused = refused
    this.#options.changed?.()
  }

  async #connect(): Promise<Wire> {
    const wire = await Wire.open(this.#options.target)
    try {
      await this.#options.login(wire)
      this.#mark(null)
      return wire
    } catch (error) {
      if (error instanceof ChanopError && error.code === 'network-refused') this.#mark(error.message)
      wire.close()
      throw error
    }
  }

  close(): void {
    clearTimeout(this.#idle)
    this.#wire?.close()
    this.#wire = null
  }
}

/** The end mark for everything the IRC server itself answers: its PONG comes after all of it. */
export async function askServer(wire: Wire, lines: readonly string[], timeoutMs?: number): Promise<Line[]> {
  const mark = `m${Math.random().toString(36).slice(2)}`
  return wire.ask([...lines, `PING ${mark}`], line => line.command === 'PONG' && lastParam(line) === mark, timeoutMs)
}

/** SASL PLAIN up to 903, before registration is complete. False: the server refuses this account or password (904). */
export async function authenticate(wire: Wire, account: string, password: string): Promise<boolean> {
  const offered = await wire.ask(
    ['CAP REQ :sasl'],
    line => line.command === 'CAP' && /^(ACK|NAK)$/.test(line.params[1] ?? ''),
  )
  if (offered.at(-1)?.params[1] !== 'ACK')
    throw new ChanopError('account-failed', 'the IRC server takes no logins now: its account service is not there')
  await wire.ask(['AUTHENTICATE PLAIN'], line => line.command === 'AUTHENTICATE' || line.command === '904')
  const token = Buffer.from(`\0${account}\0${password}`).toString('base64')
  const answer = await wire.ask([`AUTHENTICATE ${token}`], line => /^90[2-8]$/.test(line.command))
  return answer.at(-1)?.command === '903'
}

/** The texts of NOTICEs that `nick` sent, without formatting. */
export const noticesOf = (lines: readonly Line[], nick: string): string[] =>
  lines
    .filter(line => line.command === 'NOTICE' && fromUser(line) && line.nick.toLowerCase() === nick.toLowerCase())
    .map(line => lastParam(line).replaceAll(/[\x02\x0f\x16\x1d\x1f]|\x03\d{0,2}/g, ''))
