/**
 * A server for tests, written from RFC 1459/2812 and the IRCv3 texts: it speaks only what it is told to, badly where a
 * test wants that.
 */
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { type Line, parseLine } from '../text/line.ts'

export interface FakeOptions {
  /** Offered capabilities, with values: `sasl=PLAIN`. Null: a server that knows no CAP. */
  readonly capabilities?: readonly string[] | null
  /** Requests that name one of these are refused whole. */
  readonly naks?: readonly string[]
  /** Answers to a finished SASL exchange. */
  readonly sasl?: readonly string[]
  /** Closes a connection as soon as it is accepted, this many times. */
  readonly slams?: number
  /** Said to everyone who connects, before anything else. */
  readonly greeting?: readonly string[]
  /** Takes messages without a word. */
  readonly mute?: boolean
  /** Its clock is ahead of ours, and it stamps all it says. */
  readonly aheadMs?: number
  /** What it says to a line instead of what it would say; null: as always. */
  readonly answer?: (line: Line, client: Client) => readonly string[] | null
  readonly casemapping?: string
  readonly refuse?: Readonly<Record<string, string>>
}

export interface Client {
  readonly socket: Socket
  readonly lines: string[]
  nick: string
}

export class FakeServer {
  readonly clients: Client[] = []
  connections = 0
  /** Takes everything and answers nothing, as a process that hangs. */
  frozen = false
  port = 0
  readonly #options: FakeOptions
  readonly #server: Server
  #slams: number
  #ids = 0

  private constructor(options: FakeOptions) {
    this.#options = options
    this.#slams = options.slams ?? 0
    this.#server = createServer(socket => this.#accept(socket))
  }

  static async start(t: { after(done: () => void): void }, options: FakeOptions = {}): Promise<FakeServer> {
    const fake = new FakeServer(options)
    fake.#server.listen(0, '127.0.0.1')
    await once(fake.#server, 'listening')
    fake.port = (fake.#server.address() as AddressInfo).port
    t.after(() => {
      fake.#server.close()
      for (const { socket } of fake.clients) socket.destroy()
    })
    return fake
  }

  get lines(): string[] {
    return this.clients.flatMap(client => client.lines)
  }

  /** To the newest client. */
  tell(...lines: readonly string[]): void {
    const socket = this.clients.at(-1)?.socket
    socket?.write(lines.map(line => `${this.#stamped(line)}\r\n`).join(''))
  }

  #stamped(line: string): string {
    const { aheadMs } = this.#options
    if (aheadMs === undefined || /^@(?:\S*;)?time=/.test(line)) return line
    const time = `time=${new Date(Date.now() + aheadMs).toISOString()}`
    return line.startsWith('@') ? `@${time};${line.slice(1)}` : `@${time} ${line}`
  }

  #accept(socket: Socket): void {
    this.connections++
    socket.on('error', () => socket.destroy())
    if (this.#slams > 0) {
      this.#slams--
      socket.destroy()
      return
    }
    const client: Client = { socket, lines: [], nick: '*' }
    this.clients.push(client)
    for (const line of this.#options.greeting ?? []) socket.write(`${line}\r\n`)
    let rest = ''
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      const parts = (rest + chunk).split('\r\n')
      rest = parts.pop() ?? ''
      for (const raw of parts) this.#hear(client, raw)
    })
  }

  #hear(client: Client, raw: string): void {
    client.lines.push(raw)
    const line = parseLine(raw)
    if (!line || this.frozen) return
    const say = (...lines: readonly string[]): void =>
      void client.socket.write(lines.map(text => `${this.#stamped(text)}\r\n`).join(''))
    const [first = '', second = ''] = line.params
    const answer = this.#options.answer?.(line, client) ?? null
    if (answer) say(...answer)
    else if (line.command === 'CAP') this.#cap(client, say, first, second)
    else if (line.command === 'NICK') client.nick = first
    else if (line.command === 'AUTHENTICATE') this.#authenticate(say, first)
    else if (line.command === 'USER' && !client.lines.some(seen => seen === 'CAP LS 302')) this.#welcome(client, say)
    else if (line.command === 'USER' && this.#options.capabilities === null) this.#welcome(client, say)
    else if (line.command === 'PING') say(`:fake PONG fake :${first}`)
    else if (line.command === 'JOIN')
      for (const name of first.split(','))
        say(`:${client.nick}!u@h JOIN ${name}`, `:fake 366 ${client.nick} ${name} :End`)
    else if (/^(?:PRIVMSG|NOTICE|TAGMSG)$/.test(line.command)) this.#message(client, say, line)
  }

  #cap(client: Client, say: (...lines: string[]) => void, verb: string, list: string): void {
    const { capabilities = [], naks = [] } = this.#options
    if (capabilities === null) say(':fake 421 * CAP :Unknown command')
    else if (verb === 'LS') {
      // Two lines, as a long list comes.
      const half = Math.ceil(capabilities.length / 2)
      say(
        `:fake CAP * LS * :${capabilities.slice(0, half).join(' ')}`,
        `:fake CAP * LS :${capabilities.slice(half).join(' ')}`,
      )
    } else if (verb === 'REQ') {
      const refused = list.split(' ').some(name => naks.includes(name))
      say(`:fake CAP * ${refused ? 'NAK' : 'ACK'} :${list}`)
    } else if (verb === 'END') this.#welcome(client, say)
  }

  #authenticate(say: (...lines: string[]) => void, word: string): void {
    if (word === 'PLAIN') say('AUTHENTICATE +')
    else say(...(this.#options.sasl ?? []))
  }

  #welcome({ nick }: Client, say: (...lines: string[]) => void): void {
    say(`:fake 001 ${nick} :Welcome`, `:fake 002 ${nick} :Your host is fake, running version fake-1`)
    say(
      `:fake 005 ${nick} CASEMAPPING=${this.#options.casemapping ?? 'ascii'} CHANTYPES=# :are supported`,
      `:fake 422 ${nick} :no MOTD`,
    )
  }

  #message(client: Client, say: (...lines: string[]) => void, line: Line): void {
    const { capabilities = [], mute, refuse = {} } = this.#options
    const [target = '', words = ''] = line.params
    const label = line.tags['label']
    const tag = label === undefined ? '' : `label=${label};`
    const numeric = refuse[target]
    if (mute) return
    if (numeric !== undefined) say(`${tag === '' ? '' : `@${tag} `}:fake ${numeric} ${client.nick} ${target} :No`)
    else if (capabilities?.includes('echo-message'))
      say(`@${tag}msgid=m${++this.#ids} :${client.nick}!u@h ${line.command} ${target} :${words}`)
  }
}
