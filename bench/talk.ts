/** Who talks and listens in the benchmarks: connections that do nothing else, so that they cost little. */
import { connect, type Socket } from 'node:net'
import type { Login } from '../test/irc.ts'

const numbered = / n(\d+) /

/** A logged-in connection in one channel. */
export class Talker {
  readonly socket: Socket
  readonly #onLine: (line: string, atMs: number) => void
  /** Every line that nobody says. */
  onOther: (line: string) => void = () => undefined
  readonly #login: Login
  readonly #channel: string
  readonly #in = Promise.withResolvers<void>()
  #rest = ''

  constructor(login: Login, channel: string, onLine: (line: string, atMs: number) => void) {
    this.#login = login
    this.#channel = channel
    this.#onLine = onLine
    this.socket = connect({ host: login.host, port: login.port, noDelay: true })
    this.socket.setEncoding('latin1').on('data', (text: string) => this.#read(text))
    this.socket.on('error', error => this.#in.reject(error))
    this.write(`CAP REQ :sasl message-tags`, `NICK ${login.account}`, `USER ${login.account} 0 * :${login.account}`)
  }

  get entered(): Promise<void> {
    return this.#in.promise
  }

  write(...lines: string[]): void {
    this.socket.write(`${lines.join('\r\n')}\r\n`)
  }

  say(text: string): void {
    this.write(`PRIVMSG ${this.#channel} :${text}`)
  }

  #read(text: string): void {
    const atMs = performance.now()
    const lines = (this.#rest + text).split('\r\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) {
      if (line.startsWith('PING')) this.write(`PONG${line.slice(4)}`)
      else if (line.includes(' PRIVMSG ')) this.#onLine(line, atMs)
      else {
        this.#handshake(line)
        this.onOther(line)
      }
    }
  }

  #handshake(line: string): void {
    const { account, password } = this.#login
    if (/ CAP \S+ ACK/.test(line)) this.write('AUTHENTICATE PLAIN')
    else if (/^(?::\S+ )?AUTHENTICATE :?\+/.test(line))
      this.write(`AUTHENTICATE ${Buffer.from(`\0${account}\0${password}`).toString('base64')}`)
    else if (/ 903 /.test(line)) this.write('CAP END')
    else if (/ 001 /.test(line)) this.write(`JOIN ${this.#channel}`)
    else if (/ 366 /.test(line)) this.#in.resolve()
    else if (/ (90[45]|403|47[1345]|477) /.test(line)) this.#in.reject(new Error(line))
  }
}

/** The number in a line that `lineOf` made; -1 for others. */
export function numberIn(line: string): number {
  const found = numbered.exec(line)
  return found ? Number(found[1]) : -1
}

/** Sixty characters behind the number, like an ordinary line. */
export const lineOf = (n: number): string => `bench n${n} the quick brown fox of this channel says something like it`
