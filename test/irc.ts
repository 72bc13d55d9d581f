/** A plain IRC client for tests of the whole system: logs in by SASL, joins one channel and hands over every line. */
import { connect, type Socket } from 'node:net'
import { type Line, lastParam, parseLine } from '../adapters/irc/text/line.ts'
import { sleep } from '../core/retry.ts'

export interface Login {
  readonly host: string
  readonly port: number
  readonly account: string
  readonly password: string
  /** The account's name unless said. */
  readonly nick?: string
}

export interface ClientHooks {
  line(line: Line): void
  /** The connection that was open is gone. */
  closed(): void
}

const wanted = [
  'sasl',
  'message-tags',
  'server-time',
  'echo-message',
  'labeled-response',
  'batch',
  'draft/chathistory',
  'draft/event-playback',
]
const connectMs = 60_000

/** One connection, from the handshake to its end. */
export class Client {
  readonly #as: Login
  readonly #hooks: ClientHooks
  #socket: Socket | null = null
  #asked = 0
  #rest = ''
  #offered: string[] = []
  #has = new Set<string>()
  #waiters = new Set<(line: Line | null) => void>()

  constructor(login: Login, hooks: ClientHooks) {
    this.#as = login
    this.#hooks = hooks
  }

  has(capability: string): boolean {
    return this.#has.has(capability)
  }

  get open(): boolean {
    return this.#socket !== null
  }

  /** Resolves once logged in; rejects with what stood against it. */
  async login(): Promise<void> {
    const { host, port, account, nick = account } = this.#as
    const socket = connect({ host, port, noDelay: true })
    socket.setEncoding('utf8')
    this.#rest = ''
    this.#offered = []
    this.#has = new Set()
    this.#socket = socket
    socket.on('data', (text: string) => this.#read(text))
    socket.on('error', () => socket.destroy())
    socket.on('close', () => this.#ended(socket))
    this.write('CAP LS 302', `NICK ${nick}`, `USER ${account} 0 * :${account}`)
    try {
      await this.wait(line => line.command === '001', connectMs)
    } catch (error) {
      socket.destroy()
      throw error
    }
  }

  write(...lines: string[]): void {
    this.#socket?.write(lines.map(line => `${line}\r\n`).join(''))
  }

  /** Resolves with the first line that fits; rejects when the connection ends or after `deadlineMs`. */
  wait(fits: (line: Line) => boolean, deadlineMs = 45_000): Promise<Line> {
    return new Promise((resolve, reject) => {
      const end = (): void => {
        clearTimeout(timer)
        this.#waiters.delete(take)
      }
      const timer = setTimeout(() => {
        end()
        reject(new Error(`${this.#as.account}: no answer in ${deadlineMs} ms`))
      }, deadlineMs)
      const take = (line: Line | null): void => {
        if (line && !fits(line)) return
        end()
        if (line) resolve(line)
        else reject(new Error(`${this.#as.account}: the connection ended`))
      }
      if (!this.#socket) return take(null)
      this.#waiters.add(take)
    })
  }

  /** The lines that answer one CHATHISTORY request; none when the server refuses. */
  async history(request: string): Promise<Line[]> {
    const label = `h${++this.#asked}`
    let batch = ''
    const lines: Line[] = []
    const answered = this.wait(line => {
      if (line.tags['label'] === label && line.command !== 'BATCH') return true
      if (line.command === 'BATCH' && line.tags['label'] === label) batch = (line.params[0] ?? '').slice(1)
      else if (batch !== '' && line.tags['batch'] === batch) lines.push(line)
      return line.command === 'BATCH' && batch !== '' && line.params[0] === `-${batch}`
    })
    this.write(`@label=${label} CHATHISTORY ${request}`)
    await answered
    return lines
  }

  close(): void {
    this.#socket?.destroy()
  }

  #ended(socket: Socket): void {
    if (this.#socket !== socket) return
    this.#socket = null
    for (const waiter of this.#waiters) waiter(null)
    this.#hooks.closed()
  }

  #read(text: string): void {
    const lines = (this.#rest + text).split('\r\n')
    this.#rest = lines.pop() ?? ''
    for (const raw of lines) {
      const line = parseLine(raw)
      if (!line) continue
      this.#handshake(line)
      for (const waiter of this.#waiters) waiter(line)
      this.#hooks.line(line)
    }
  }

  #handshake(line: Line): void {
    const { account, password } = this.#as
    if (line.command === 'PING') this.write(`PONG :${lastParam(line)}`)
    else if (line.command === 'CAP') this.#capabilities(line)
    else if (line.command === 'AUTHENTICATE')
      this.write(`AUTHENTICATE ${Buffer.from(`\0${account}\0${password}`).toString('base64')}`)
    else if (line.command === '903') this.write('CAP END')
    else if (line.command === '904' || line.command === '908') this.close()
  }

  #capabilities(line: Line): void {
    const [, verb, more] = line.params
    const names = lastParam(line)
      .split(' ')
      .map(name => name.split('=')[0] ?? '')
    if (verb === 'LS') {
      this.#offered.push(...names)
      if (more === '*') return
      // The services are not there yet: nobody could log in.
      if (!this.#offered.includes('sasl')) return this.close()
      this.write(`CAP REQ :${wanted.filter(name => this.#offered.includes(name)).join(' ')}`)
    } else if (verb === 'ACK') {
      for (const name of names) this.#has.add(name)
      this.write('AUTHENTICATE PLAIN')
    } else if (verb === 'NAK') this.close()
  }
}

/** Opens a connection until it works; resolves false when `signal` aborts first. */
export async function persist(open: () => Promise<void>, signal: AbortSignal): Promise<boolean> {
  while (!signal.aborted) {
    try {
      await open()
      return true
    } catch {
      // The server is being restarted: that is what these tests are about.
      await sleep(25, signal)
    }
  }
  return false
}
