/** One person's connection to the server, by the adapter's session: joins, fetches history, and comes back after a loss. */
import { type Batch, isBatch, joinMultiline } from '../../adapters/irc/link/batch.ts'
import { Session as Connection, type Fault } from '../../adapters/irc/link/session.ts'
import { flatten } from '../../adapters/irc/past/history.ts'
import type { Line } from '../../adapters/irc/text/line.ts'
import type { ChanopError } from '../../core/error.ts'
import { silentLog } from '../../core/log.ts'
import { backoffMs, sleep } from '../../core/retry.ts'
import { takeBytes } from '../../core/text/cut.ts'
import { connectionFault, type Target } from './endpoint.ts'

export interface SessionHooks {
  /** A line of the live conversation, or (`past`) of history. */
  line(line: Line, past: boolean): void
  ready(nick: string): void
  /** The connection is gone; the next attempt follows after `retryMs`. */
  down(reason: string, retryMs: number): void
}

const timing = { registerMs: 20_000, quietMs: 45_000, deadMs: 100_000 }
const retry = { firstMs: 500, maxMs: 15_000 }
const nickHeldMs = 1500
/** A line has 512 bytes with its end; the server puts our nick, user and host before it when it passes it on. */
const textBytes = 420

const sameName = (one: string, other: string): boolean => one.toLowerCase() === other.toLowerCase()

export class Session {
  readonly #target: Target
  readonly #hooks: SessionHooks
  readonly #channels: Set<string>
  #connection: Connection | null = null

  constructor(target: Target, hooks: SessionHooks) {
    this.#target = target
    this.#hooks = hooks
    this.#channels = new Set(target.channels)
  }

  get ready(): boolean {
    return this.#connection?.open ?? false
  }

  get nick(): string {
    return this.#connection?.nick ?? this.#target.account
  }

  has(capability: string): boolean {
    return this.#connection?.has(capability) ?? false
  }

  /** Resolves when `signal` aborts. Rejects when the first login fails, and on any refusal for good. */
  async run(signal: AbortSignal): Promise<void> {
    let everReady = false
    for (let attempt = 0; !signal.aborted; attempt++) {
      const { error, wasReady } = await this.#live(signal)
      if (signal.aborted) return
      if (wasReady) attempt = 0
      everReady ||= wasReady
      if (!everReady || error.retry === 'never') throw error
      const retryMs = backoffMs(retry, attempt)
      this.#hooks.down(error.message, retryMs)
      await sleep(retryMs, signal)
    }
  }

  /** One connection, until it ends; `wasReady`: it was logged in. */
  #live(signal: AbortSignal): Promise<{ error: ChanopError; wasReady: boolean }> {
    const { endpoint, account, password } = this.#target
    return new Promise(resolve => {
      const closed = (fault: Fault): void => {
        signal.removeEventListener('abort', quit)
        const wasReady = connection.registered
        resolve({ error: connectionFault(fault, this.#target, wasReady), wasReady })
      }
      const options = {
        endpoint, nick: account, realname: account, sasl: { mechanism: 'plain', account, password },
        flood: null, deaf: false, capabilities: ['away-notify'], log: silentLog(), timing,
      } as const // biome-ignore format: a list to read at a glance
      const hooks = {
        ready: () => this.#welcome(connection),
        line: (line: Line) => this.#line(line),
        batch: (batch: Batch) => this.#batch(batch),
        flush: () => undefined,
        closed,
      }
      const connection: Connection = new Connection(options, hooks)
      const quit = (): void => leave(connection)
      signal.addEventListener('abort', quit, { once: true })
      this.#connection = connection
      connection.connect()
    })
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
    // Somebody has the nick we wish for, most often ourselves in another window: the one we have does as well.
    if (line.command === '433') return
    this.#hooks.line(line, false)
    if (line.command === 'JOIN' && sameName(line.nick, this.nick)) this.history(line.params[0] ?? '')
  }

  #welcome(connection: Connection): void {
    this.#hooks.ready(connection.nick)
    // A server without CHATHISTORY shows what was said at a JOIN, to those who did not ask it not to.
    if (this.#target.historyLines > 0 && !this.has('draft/chathistory')) this.write(`MODE ${connection.nick} -N`)
    for (const channel of this.#channels) this.write(`JOIN ${channel}`)
    const { account } = this.#target
    if (sameName(connection.nick, account)) return
    // InspIRCd's services hold a nick for a second after they took it back from somebody.
    setTimeout(() => connection.write(`NICK ${account}`), nickHeldMs).unref()
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
    if (!this.#connection || !this.ready) return false
    this.#connection.write(line)
    return true
  }

  /** Says `text`, in several lines where it has newlines or is too long for one. False when nothing was sent. */
  say(to: string, text: string, action = false): boolean {
    if (!this.ready) return false
    const room = textBytes - Buffer.byteLength(`${this.nick}${to}${action ? '\x01ACTION \x01' : ''}`)
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
  async flush(): Promise<boolean> {
    if (!this.#connection || !this.ready) return false
    return this.#connection.barrier().then(
      () => true,
      () => false,
    )
  }
}

/** A server that does not close after QUIT must not keep us. */
function leave(connection: Connection): void {
  const end = (): void => connection.fail({ reason: 'leaving', permanent: false })
  if (!connection.open) return end()
  connection.quit('leaving')
  setTimeout(end, 500).unref()
}
