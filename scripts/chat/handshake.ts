/** Capability negotiation, SASL PLAIN and the nick, up to the server's welcome. */
import type { Line } from '../../adapters/irc/text/line.ts'
import { ChanopError } from '../../core/error.ts'

export interface Login {
  readonly account: string
  readonly password: string
}

/** What this client can use; only what the server offers is asked for, so that nothing is refused. */
const wanted = [
  'batch', 'message-tags', 'server-time', 'echo-message', 'account-tag', 'away-notify', 'multi-prefix',
  'draft/multiline', 'draft/chathistory', 'draft/event-playback', 'draft/message-redaction', 'sasl',
] // biome-ignore format: a list to read at a glance

const mostNickTries = 5
/** AUTHENTICATE carries base64 in pieces of this size; a last full piece is followed by an empty one (SASL 3.1). */
const piece = 400

export class Handshake {
  readonly caps = new Set<string>()
  readonly #offered = new Map<string, string>()
  readonly #login: Login
  readonly #write: (line: string) => void
  readonly #refuse: (error: ChanopError) => void
  #nickTries = 0
  nick: string
  /** The server holds our nick for a moment: it can be taken later. */
  nickHeld = false

  constructor(login: Login, write: (line: string) => void, refuse: (error: ChanopError) => void) {
    this.#login = login
    this.#write = write
    this.#refuse = refuse
    this.nick = login.account
  }

  start(): void {
    this.#write('CAP LS 302')
    this.#write(`NICK ${this.nick}`)
    this.#write(`USER ${this.#login.account} 0 * :${this.#login.account}`)
  }

  take(line: Line): void {
    const reason = line.params.at(-1) ?? ''
    switch (line.command) {
      case 'CAP':
        return this.#cap(line)
      case 'AUTHENTICATE':
        return this.#authenticate(line)
      case '903':
        return this.#write('CAP END')
      case '902':
      case '904':
      case '905':
      case '908':
        return this.#refuse(refused(this.#login.account, reason))
      case '906':
        return this.#refuse(new ChanopError('network-down', `the server broke the login off: ${reason}`))
      case '432':
      case '433':
      case '437':
        return this.#otherNick(line.command !== '433', reason)
    }
  }

  #cap({ params }: Line): void {
    const verb = (params[1] ?? '').toUpperCase()
    const names = (params.at(-1) ?? '').split(' ').filter(name => name !== '')
    if (verb === 'LS') {
      for (const name of names) this.#offered.set(name.split('=')[0] ?? '', name.slice(name.indexOf('=') + 1))
      if (params[2] !== '*') this.#request()
    } else if (verb === 'ACK') {
      for (const name of names) this.caps.add(name)
      if (this.caps.has('sasl')) this.#write('AUTHENTICATE PLAIN')
    } else if (verb === 'NAK')
      this.#refuse(new ChanopError('network-down', `the server takes back what it offered: ${names.join(' ')}`))
  }

  #request(): void {
    if (this.#offered.has('sasl')) {
      this.#write(`CAP REQ :${wanted.filter(name => this.#offered.has(name)).join(' ')}`)
      return
    }
    const message =
      'the server offers no login (SASL) at the moment: wait until its services are up, or name another --server'
    this.#refuse(new ChanopError('network-down', message))
  }

  #authenticate({ params }: Line): void {
    if (params[0] !== '+') return
    const { account, password } = this.#login
    const encoded = Buffer.from(`${account}\0${account}\0${password}`).toString('base64')
    for (let at = 0; at < encoded.length; at += piece) this.#write(`AUTHENTICATE ${encoded.slice(at, at + piece)}`)
    if (encoded.length % piece === 0) this.#write('AUTHENTICATE +')
  }

  #otherNick(held: boolean, reason: string): void {
    this.nickHeld = held
    if (++this.#nickTries > mostNickTries) {
      this.#refuse(
        new ChanopError('network-refused', `the server gives out no nick like ${this.#login.account}: ${reason}`),
      )
      return
    }
    this.nick += '_'
    this.#write(`NICK ${this.nick}`)
  }
}

const refused = (account: string, reason: string): ChanopError =>
  new ChanopError(
    'network-refused',
    `the server refuses the login of ${account} (${reason}): name a working one with --account and --password-file`,
  )
