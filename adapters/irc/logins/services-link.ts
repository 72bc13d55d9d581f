/**
 * Stands between InspIRCd and its services: all their lines pass as they are, but for logins. A login whose pair of account
 * and address is locked is answered here, and the services never see its password.
 */
import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import type { Attempt, Door } from './door.ts'

/** What one line of a side comes to: how it goes on to the other, if it does, and what is answered to where it came from. */
interface Passed {
  readonly on?: string
  readonly back?: string
}

interface Login {
  address: string
  mechanism: string
  /** What came of the password's base64 before its last piece. */
  given: string
  attempt: Attempt | null
}

/** `:0CH ENCAP 00B SASL <client> <agent> C <data>`, and the same the other way round. */
const sasl = /^:(\S+) ENCAP (\S+) SASL (\S+) (\S+) (\S+) ?(.*)$/
const told = /^((?:@\S+ )?:\S+ PRIVMSG \S+ ):?(.*)$/
/**
 * A piece as long as this has another behind it, which no login of ours needs; the services take each piece for a whole one, and would
 * let it pass by the door.
 */
const pieceBytes = 400
const mostLogins = 10_000

/** One link's logins. `late`: sends what was held back, once it may go. */
export class LoginWatch {
  readonly #door: Door
  readonly #late: (passed: Passed) => void
  readonly #logins = new Map<string, Login>()

  constructor(door: Door, late: (passed: Passed) => void) {
    this.#door = door
    this.#late = late
  }

  /** A line of the IRC server. */
  fromServer(line: string): Passed {
    if (line.includes(' PRIVMSG ')) return { on: withoutPassword(line) }
    const found = line.includes(' SASL ') ? sasl.exec(line) : null
    if (!found) return { on: line }
    const [, , , client = '', , kind, data = ''] = found
    if (kind === 'H') this.#begin(client, data.split(' ')[1] ?? '')
    const login = this.#logins.get(client)
    if (kind === 'S' && login) Object.assign(login, { mechanism: data.split(' ')[0] ?? '', given: '' })
    if (kind === 'D') this.#logins.delete(client)
    if (kind !== 'C' || login?.mechanism !== 'PLAIN') return { on: line }
    login.given += data === '+' ? '' : data
    return data.length >= pieceBytes ? this.#tooLong(login, found) : this.#judge(login, found, line)
  }

  /** A line of the services. */
  fromServices(line: string): Passed {
    const found = line.includes(' SASL ') ? sasl.exec(line) : null
    if (!found) return { on: line }
    const [, , , , client = '', kind, data = ''] = found
    if (kind !== 'D') return { on: line }
    this.#logins.get(client)?.attempt?.end(data.startsWith('S') ? 'right' : data.startsWith('F') ? 'wrong' : 'unknown')
    this.#logins.delete(client)
    return { on: line }
  }

  #begin(client: string, address: string): void {
    this.#logins.delete(client)
    this.#logins.set(client, { address, mechanism: '', given: '', attempt: null })
    if (this.#logins.size > mostLogins) this.#logins.delete(this.#logins.keys().next().value ?? '')
  }

  /** It counts as a wrong guess. */
  #tooLong(login: Login, found: readonly string[]): Passed {
    const account = accountIn(login)
    if (account !== '')
      void this.#door.enter({ account, address: login.address }).then(attempt => attempt?.end('wrong'))
    return this.#refused(found)
  }

  #refused([, server, services, client = '', agent]: readonly string[]): Passed {
    this.#logins.delete(client)
    return {
      on: `:${server} ENCAP ${services} SASL ${client} ${agent} D A`,
      back: `:${services} ENCAP ${server} SASL ${agent} ${client} D F`,
    }
  }

  #judge(login: Login, found: readonly string[], line: string): Passed {
    const account = accountIn(login)
    // By the socket of our own bots nobody else comes.
    if (login.address.includes('/') || account === '') return { on: line }
    void this.#door.enter({ account, address: login.address }).then(attempt => {
      login.attempt = attempt
      this.#late(attempt ? { on: line } : this.#refused(found))
    })
    return {}
  }
}

const accountIn = ({ given }: Login): string => Buffer.from(given, 'base64').toString('utf8').split('\0')[1] ?? ''

/** RECOVER would take a password and be a way to guess that counts nobody: who is not logged in to the account has no use of it. */
function withoutPassword(line: string): string {
  const found = told.exec(line)
  if (!found) return line
  const words = (found[2] ?? '')
    .replaceAll(/[\x02\x0f\x11\x16\x1d-\x1f]|\x03(\d{1,2}(,\d{1,2})?)?/g, '')
    .trim()
    .split(/ +/)
  return words.length > 2 && /^recover$/i.test(words[0] ?? '') ? `${found[1]}:RECOVER ${words[1]}` : line
}

/** Calls `take` for each line of `from`; the bytes stay as they are. */
function eachLine(from: Socket, take: (line: string) => void): void {
  let rest = ''
  from.setEncoding('latin1').on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) take(line.replace(/\r$/, ''))
  })
}

function join(services: Socket, server: Socket, door: Door): void {
  const send = (to: Socket, from: Socket, line: string): void => {
    if (to.writable && !to.write(`${line}\r\n`, 'latin1')) {
      from.pause()
      to.once('drain', () => from.resume())
    }
  }
  const toServices = ({ on, back }: Passed): void => {
    if (on !== undefined) send(services, server, on)
    if (back !== undefined) send(server, services, back)
  }
  const watch = new LoginWatch(door, toServices)
  eachLine(server, line => toServices(watch.fromServer(line)))
  eachLine(services, line => send(server, services, watch.fromServices(line).on ?? line))
  for (const [one, other] of [
    [services, server],
    [server, services],
  ] as const) {
    one.setNoDelay(true)
    one.once('close', () => other.destroy())
    // It closes after it.
    one.on('error', () => one.destroy())
  }
}

/** Listens for the services on `port` of loopback and leads them to the server's own. Rejects when the port is taken. */
export async function listenForServices(port: number, serverPort: () => Promise<number>, door: Door): Promise<Server> {
  const listening = createServer(services => {
    serverPort().then(
      found => join(services, connect(found, '127.0.0.1'), door),
      () => services.destroy(),
    )
  })
  listening.listen(port, '127.0.0.1')
  await once(listening, 'listening')
  return listening
}
