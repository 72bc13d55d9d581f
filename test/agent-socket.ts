/**
 * A program as an agent's author would write it, light enough that one process can be five hundred of them: logs in by
 * SASL, enters a channel, answers lines that name it, and comes back after every end of its connection.
 */
import { connect, type Socket } from 'node:net'
import { backoffMs, sleep } from '../core/retry.ts'
import type { Login } from './irc.ts'

export interface AgentOptions {
  readonly login: Login
  readonly channel: string
  /** What it says to a line that names it; null: nothing. */
  readonly answer: (words: string) => string | null
}

const again = { firstMs: 300, maxMs: 3000 }

export class AgentSocket {
  readonly name: string
  /** Lines that named it. */
  readonly named: string[] = []
  readonly #o: AgentOptions
  readonly #stop = new AbortController()
  readonly #waiting = new Set<() => void>()
  #socket: Socket | null = null
  #rest = ''
  #inside = false

  constructor(options: AgentOptions) {
    this.#o = options
    this.name = options.login.account
  }

  get inside(): boolean {
    return this.#inside
  }

  /** Connects, again and again, until it is stopped. */
  async run(): Promise<void> {
    for (let attempt = 0; !this.#stop.signal.aborted; attempt++) {
      if (await this.#once()) attempt = 0
      if (!this.#stop.signal.aborted) await sleep(backoffMs(again, attempt), this.#stop.signal)
    }
  }

  /** Resolves once it is in its channel. */
  async entered(deadlineMs = 30_000): Promise<void> {
    if (this.#inside) return
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const timer = setTimeout(() => reject(new Error(`${this.name} is not in its channel`)), deadlineMs)
    this.#waiting.add(resolve)
    await promise.finally(() => clearTimeout(timer))
  }

  say(...lines: readonly string[]): void {
    this.#socket?.write(lines.map(line => `${line}\r\n`).join(''))
  }

  /** Breaks the connection: it comes back by itself. */
  cut(): void {
    this.#socket?.destroy()
  }

  stop(): void {
    this.#stop.abort()
    this.#socket?.destroy()
  }

  /** One connection to its end; true when it got into the channel. */
  #once(): Promise<boolean> {
    const { host, port, account } = this.#o.login
    return new Promise(resolve => {
      let been = false
      const socket = connect({ host, port, noDelay: true })
      this.#socket = socket
      this.#rest = ''
      socket.setEncoding('utf8')
      socket.on('data', (text: string) => {
        this.#read(text)
        been ||= this.#inside
      })
      socket.on('error', () => socket.destroy())
      socket.on('close', () => {
        this.#inside = false
        resolve(been)
      })
      this.say('CAP REQ :sasl', `NICK ${account}`, `USER ${account} 0 * :${account}`)
    })
  }

  #read(text: string): void {
    const lines = (this.#rest + text).split('\r\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) this.#line(line)
  }

  #line(line: string): void {
    if (line.startsWith('PING ')) return this.say(`PONG ${line.slice(5)}`)
    if (!this.#inside) return this.#enter(line)
    const at = line.indexOf(' PRIVMSG ')
    if (at === -1 || !line.includes(this.name, at)) return
    const words = line.slice(line.indexOf(' :', at) + 2)
    const [names = ''] = words.split(':')
    if (!names.split(/[\s,]+/).includes(this.name)) return
    this.named.push(words)
    const answer = this.#o.answer(words.slice(names.length + 1).trim())
    if (answer !== null) this.say(`PRIVMSG ${this.#o.channel} :${answer}`)
  }

  #enter(line: string): void {
    const { account, password } = this.#o.login
    const command = line.split(' ', 3)[line.startsWith(':') ? 1 : 0]
    if (command === 'CAP' && / ACK /.test(line)) this.say('AUTHENTICATE PLAIN')
    else if (command === 'CAP' && / NAK /.test(line)) this.cut()
    else if (command === 'AUTHENTICATE')
      this.say(`AUTHENTICATE ${Buffer.from(`\0${account}\0${password}`).toString('base64')}`)
    else if (command === '903') this.say('CAP END')
    else if (command === '904') this.cut()
    else if (command === '001') this.say(`JOIN ${this.#o.channel}`)
    else if (command === '366') {
      this.#inside = true
      for (const told of this.#waiting) told()
      this.#waiting.clear()
    }
  }
}
