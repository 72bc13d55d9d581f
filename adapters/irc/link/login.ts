import type { Client, FrameworkMessage } from 'irc-framework'

/** How a connection proves its account. `external`: by the client certificate of the TLS connection. */
export type Sasl =
  | { readonly mechanism: 'plain'; readonly account: string; readonly password: string }
  | { readonly mechanism: 'external'; readonly account: string }

/** Everything we can use; only what the server offers is asked for. */
const wanted = [
  'cap-notify', 'batch', 'message-tags', 'account-tag', 'account-notify', 'server-time', 'extended-join', 'echo-message',
  'labeled-response', 'multi-prefix', 'chghost', 'setname', 'standard-replies', 'draft/multiline', 'draft/chathistory',
  'draft/event-playback', 'draft/message-redaction', 'draft/relaymsg', 'inspircd.org/standard-replies',
] // biome-ignore format: a list to read at a glance

/** CAP REQ must stay inside one line with room for the server's answer. */
const requestBytes = 300
/** AUTHENTICATE carries base64 in pieces of this size; a last full piece is followed by an empty one (SASL 3.1). */
const piece = 400

export interface LoginHooks {
  /** The server does not take the login. `permanent`: the password or account is wrong, not only away. */
  refused(reason: string, permanent: boolean): void
}

/**
 * Capability negotiation and SASL, in place of the library's: it asks for everything in one request, so that one
 * refusal drops all; answers an unwanted `CAP NEW` with an empty request; and ends negotiation at 900, before the
 * server has said 903, which aborts the login on some servers.
 */
export class Login {
  readonly available = new Map<string, string>()
  readonly enabled = new Set<string>()
  readonly #client: Client
  readonly #sasl: Sasl | null
  readonly #extra: readonly string[]
  readonly #hooks: LoginHooks
  readonly #asked: string[][] = []
  #negotiating = true

  constructor(client: Client, sasl: Sasl | null, extra: readonly string[], hooks: LoginHooks) {
    this.#client = client
    this.#sasl = sasl
    this.#extra = extra
    this.#hooks = hooks
    this.#install()
  }

  #install(): void {
    const on = (command: string, handler: (message: FrameworkMessage) => void): void =>
      this.#client.command_handler.addHandler(command, handler)
    on('CAP', message => this.#cap(message))
    on('AUTHENTICATE', message => this.#authenticate(message))
    on('RPL_LOGGEDIN', () => undefined)
    on('RPL_SASLLOGGEDIN', () => this.#end())
    on('ERR_SASLALREADYAUTHED', () => this.#end())
    const failed = (permanent: boolean) => (message: FrameworkMessage) =>
      this.#refuse(message.params.at(-1) ?? 'login refused', permanent)
    on('ERR_NICKLOCKED', failed(true))
    on('ERR_SASLFAIL', failed(true))
    on('ERR_SASLTOOLONG', failed(true))
    on('ERR_SASLABORTED', failed(false))
  }

  #write(line: string): void {
    this.#client.connection.write(line)
  }

  #end(): void {
    if (this.#negotiating) this.#write('CAP END')
    this.#negotiating = false
  }

  #refuse(reason: string, permanent: boolean): void {
    this.#hooks.refused(reason, permanent)
  }

  #cap(message: FrameworkMessage): void {
    const verb = (message.params[1] ?? '').toUpperCase()
    const names = (message.params.length > 2 ? (message.params.at(-1) ?? '') : '')
      .split(' ')
      .filter(name => name !== '')
    if (verb === 'LS') this.#offered(names, message.params[2] === '*')
    else if (verb === 'NEW') this.#fresh(names)
    else if (verb === 'ACK') this.#acknowledged(names)
    else if (verb === 'NAK') this.#denied(names)
    else if (verb === 'DEL') this.#gone(names)
  }

  #remember(names: readonly string[]): void {
    for (const name of names) {
      const equals = name.indexOf('=')
      if (equals === -1) this.available.set(name, '')
      else this.available.set(name.slice(0, equals), name.slice(equals + 1))
    }
  }

  #offered(names: readonly string[], more: boolean): void {
    this.#remember(names)
    if (more) return
    const ask = [...wanted, ...this.#extra, ...(this.#sasl ? ['sasl'] : [])].filter(name => this.available.has(name))
    this.#request(ask)
    if (ask.length === 0) this.#next()
  }

  #fresh(names: readonly string[]): void {
    this.#remember(names)
    this.#request(wanted.filter(name => this.available.has(name) && !this.enabled.has(name)))
  }

  #gone(names: readonly string[]): void {
    for (const name of names) {
      this.available.delete(name)
      this.enabled.delete(name)
    }
  }

  #request(names: readonly string[]): void {
    let group: string[] = []
    for (const name of names) {
      if (group.join(' ').length + name.length > requestBytes) {
        this.#ask(group)
        group = []
      }
      group.push(name)
    }
    this.#ask(group)
  }

  #ask(group: string[]): void {
    if (group.length === 0) return
    this.#asked.push(group)
    this.#write(`CAP REQ :${group.join(' ')}`)
  }

  #acknowledged(names: readonly string[]): void {
    this.#asked.shift()
    for (const name of names) {
      if (name.startsWith('-')) this.enabled.delete(name.slice(1))
      else this.enabled.add(name.replace(/^[~=]+/, '').split('=')[0] ?? '')
    }
    this.#next()
  }

  /** A group is refused whole: ask for its members one by one, so that one unknown name costs only itself. */
  #denied(names: readonly string[]): void {
    const group = this.#asked.shift() ?? [...names]
    if (group.length > 1) for (const name of group) this.#ask([name])
    this.#next()
  }

  #next(): void {
    if (!this.#negotiating || this.#asked.length > 0) return
    if (!this.#sasl) this.#end()
    else if (this.enabled.has('sasl')) this.#start(this.#sasl)
    else this.#refuse('the server offers no login (SASL) at the moment', false)
  }

  #start(sasl: Sasl): void {
    const name = sasl.mechanism.toUpperCase()
    const offered = this.available.get('sasl') ?? ''
    if (offered !== '' && !offered.toUpperCase().split(',').includes(name)) {
      this.#refuse(`the server does not offer SASL ${name} (it has ${offered})`, true)
    } else this.#write(`AUTHENTICATE ${name}`)
  }

  #authenticate(message: FrameworkMessage): void {
    if (message.params[0] !== '+' || !this.#sasl) return
    const { account } = this.#sasl
    const secret = this.#sasl.mechanism === 'plain' ? `${account}\0${account}\0${this.#sasl.password}` : account
    const encoded = Buffer.from(secret).toString('base64')
    for (let at = 0; at < encoded.length; at += piece) this.#write(`AUTHENTICATE ${encoded.slice(at, at + piece)}`)
    if (encoded.length % piece === 0) this.#write('AUTHENTICATE +')
  }
}
