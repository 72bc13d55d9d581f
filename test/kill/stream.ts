/** Numbered messages, and the two kinds of people who say and see them. */
import { type Line, lastParam, serverTimeMs } from '../../adapters/irc/text/line.ts'
import { sleep } from '../../core/retry.ts'
import type { Side } from '../instance.ts'
import { Client, type Login, persist } from '../irc.ts'

/** One try at saying a message. Every try has a text of its own, so that saying it again is never a double. */
export interface Attempt {
  readonly token: string
  readonly sender: string
  readonly side: Side
  readonly n: number
  readonly sentMs: number
  /** When we knew that the server had it, and how; null: it never said so. */
  acceptedMs: number | null
  how: 'echo' | 'history' | null
  msgid: string | null
}

/** One appearance of a message in a channel, as somebody there got it. */
export interface Sighting {
  readonly token: string
  readonly msgid: string
  readonly atMs: number
  readonly repeat: boolean
  readonly how: 'live' | 'history'
}

const tokenIn = /\bk:([a-z0-9]+:\d+\.\d+)$/
const filler = 'the quick brown fox of this channel says something ordinary'
export const tokenOf = (text: string): string | null => tokenIn.exec(text)?.[1] ?? null
const said = new Set(['PRIVMSG', 'NOTICE'])

/** Asks the server for all it has said since `from` (a CHATHISTORY point), oldest first. */
async function historyAfter(client: Client, channel: string, from: string): Promise<Line[]> {
  const lines: Line[] = []
  for (let point = from; ; ) {
    const page = await client.history(`AFTER ${channel} ${point} 1000`)
    lines.push(...page)
    const next = page.at(-1)?.tags['msgid']
    if (page.length === 0 || next === undefined || `msgid=${next}` === point) return lines
    point = `msgid=${next}`
  }
}

const since = (atMs: number): string => `timestamp=${new Date(atMs).toISOString()}`

interface Person {
  readonly login: Login
  readonly side: Side
  readonly channel: string
}

export interface SenderOptions extends Person {
  readonly count: number
  readonly perSecond: number
}

const mostUnderWay = 100

/** Says `count` numbered messages; after a lost connection it asks what the server had taken and says the rest again. */
export class Sender {
  readonly attempts: Attempt[] = []
  readonly #o: SenderOptions
  readonly #client: Client
  readonly #underWay = new Map<string, Attempt>()
  readonly #again: { n: number; attempt: number }[] = []
  #next = 0
  #in = false
  #wake: (() => void) | null = null

  constructor(options: SenderOptions) {
    this.#o = options
    this.#client = new Client(options.login, {
      line: line => this.#line(line),
      closed: () => {
        this.#in = false
        this.#wake?.()
      },
    })
  }

  /** Whose account it is. */
  get name(): string {
    return this.#o.login.account
  }

  get done(): boolean {
    return this.#next === this.#o.count && this.#again.length === 0 && this.#underWay.size === 0
  }

  /** Resolves once everything has been accepted, or `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && !this.done) {
      if (!this.#in && !(await persist(() => this.#enter(), signal))) break
      await this.#speak(signal)
    }
    this.#client.close()
  }

  async #enter(): Promise<void> {
    const { channel } = this.#o
    await this.#client.login()
    this.#client.write(`JOIN ${channel}`)
    await this.#client.wait(line => line.command === '366')
    await this.#settle()
    this.#in = true
  }

  /** What was under way when the connection broke: in the server's history, or to be said again. */
  async #settle(): Promise<void> {
    const open = [...this.#underWay.values()]
    if (open.length === 0) return
    const from = since((open[0]?.sentMs ?? 0) - 10_000)
    const kept = this.#client.has('draft/chathistory') ? await historyAfter(this.#client, this.#o.channel, from) : []
    const ids = new Map(kept.map(line => [tokenOf(lastParam(line)), line.tags['msgid'] ?? '']))
    for (const attempt of open) {
      const msgid = ids.get(attempt.token)
      if (msgid === undefined) this.#again.push({ n: attempt.n, attempt: tryOf(attempt) + 1 })
      else Object.assign(attempt, { acceptedMs: Date.now(), how: 'history', msgid })
    }
    this.#underWay.clear()
    this.#again.sort((one, other) => one.n - other.n)
  }

  async #speak(signal: AbortSignal): Promise<void> {
    const everyMs = 1000 / this.#o.perSecond
    let dueMs = performance.now()
    while (this.#in && !signal.aborted && !this.done) {
      const waitMs = dueMs - performance.now()
      const full = this.#underWay.size >= mostUnderWay || (this.#again.length === 0 && this.#next === this.#o.count)
      if (full) await this.#settled()
      else if (waitMs > 1) await sleep(waitMs)
      if (full || waitMs > 1) continue
      this.#say()
      dueMs = Math.max(dueMs + everyMs, performance.now() - 50)
    }
  }

  #settled(): Promise<void> {
    return new Promise(resolve => {
      this.#wake = resolve
    })
  }

  #say(): void {
    const { login, side, channel } = this.#o
    const { n, attempt } = this.#again.shift() ?? { n: this.#next++, attempt: 0 }
    const token = `${login.account}:${n}.${attempt}`
    const one: Attempt = {
      token, n, side, sender: login.account, sentMs: Date.now(), acceptedMs: null, how: null, msgid: null,
    } // biome-ignore format: plain
    this.attempts.push(one)
    this.#underWay.set(token, one)
    this.#client.write(`PRIVMSG ${channel} :${filler} k:${token}`)
  }

  #line(line: Line): void {
    if (line.command !== 'PRIVMSG' || line.tags['batch'] !== undefined) return
    const token = tokenOf(lastParam(line))
    const attempt = token === null ? undefined : this.#underWay.get(token)
    if (!attempt || line.nick !== this.#o.login.account) return
    this.#underWay.delete(attempt.token)
    Object.assign(attempt, { acceptedMs: Date.now(), how: 'echo', msgid: line.tags['msgid'] ?? null })
    this.#wake?.()
  }
}

const tryOf = ({ token }: Attempt): number => Number(token.slice(token.lastIndexOf('.') + 1))

/** When somebody was in the channel: a change is one entry. */
export interface Presence {
  readonly nick: string
  readonly here: boolean
  readonly atMs: number
}

/** Sees everything in a channel, over restarts of the server: what was said meanwhile comes from its history. */
export class Observer {
  readonly side: Side
  readonly sightings: Sighting[] = []
  /** What was said there that is no numbered message, as often as it was seen. */
  readonly remarks: string[] = []
  readonly presence: Presence[] = []
  readonly #o: Person
  readonly #client: Client
  readonly #ids = new Set<string>()
  readonly #tokens = new Set<string>()
  #held: Line[] | null = []
  #in = false
  #lastMs = Date.now()

  constructor(options: Person) {
    this.#o = options
    this.side = options.side
    this.#client = new Client(options.login, { line: line => this.#line(line), closed: () => this.#lost() })
  }

  /** Whether the server can be asked for what was said: null before the first login. */
  get keepsHistory(): boolean {
    return this.#client.has('draft/chathistory')
  }

  /** Which texts it has seen. */
  get tokens(): ReadonlySet<string> {
    return this.#tokens
  }

  /** Connects, and stays until `signal` aborts. `entered` is called at the first time it is in. */
  async run(signal: AbortSignal, entered: () => void): Promise<void> {
    while (!signal.aborted) {
      if (!this.#in && !(await persist(() => this.#enter(), signal))) break
      entered()
      while (this.#in && !signal.aborted) await sleep(20, signal)
    }
    this.#client.close()
  }

  async #enter(): Promise<void> {
    const { channel } = this.#o
    this.#held = []
    await this.#client.login()
    // InspIRCd replays at JOIN, and here only to whoever asks for it: what was said before we are back is seen no other way.
    if (!this.keepsHistory) this.#client.write(`MODE ${this.#o.login.account} -N`)
    this.#client.write(`JOIN ${channel}`)
    await this.#client.wait(line => line.command === '366')
    if (this.keepsHistory) await this.#catchUp()
    const held = this.#held ?? []
    this.#held = null
    for (const line of held) this.#see(line, 'live')
    this.#in = true
  }

  async #catchUp(): Promise<void> {
    const lines = await historyAfter(this.#client, this.#o.channel, since(this.#lastMs - 10_000))
    for (const line of lines) this.#see(line, 'history')
  }

  #lost(): void {
    this.#in = false
    this.presence.push({ nick: '*', here: false, atMs: Date.now() })
  }

  #line(line: Line): void {
    if (this.#present(line) || !said.has(line.command)) return
    if (line.tags['batch'] !== undefined) {
      // A server that replays at JOIN by itself (InspIRCd): comes before anything live.
      if (!this.keepsHistory) this.#see(line, 'history')
    } else if (this.#held) this.#held.push(line)
    else this.#see(line, 'live')
  }

  #present(line: Line): boolean {
    const mark = (nick: string, here: boolean): number => this.presence.push({ nick, here, atMs: Date.now() })
    if (line.command === 'JOIN') mark(line.nick, true)
    else if (line.command === 'QUIT' || line.command === 'PART') mark(line.nick, false)
    else if (line.command === 'NICK') {
      mark(line.nick, false)
      mark(line.params[0] ?? '', true)
    } else if (line.command === '353') {
      for (const nick of lastParam(line).trim().split(' ')) mark(nick.replace(/^[~&@%+]+/, ''), true)
    } else return false
    return true
  }

  #see(line: Line, how: Sighting['how']): void {
    const text = lastParam(line)
    const token = tokenOf(text)
    const msgid = line.tags['msgid'] ?? ''
    if (token === null) this.remarks.push(text)
    if (token === null || this.#ids.has(msgid)) return
    if (msgid !== '') this.#ids.add(msgid)
    this.#tokens.add(token)
    this.#lastMs = serverTimeMs(line) ?? Date.now()
    this.sightings.push({ token, msgid, how, atMs: Date.now(), repeat: text.includes('(may be a repeat)') })
  }

  /** Whether the server's history holds this message now. */
  async remembers(msgid: string): Promise<boolean> {
    if (!this.keepsHistory || !this.#client.open) return false
    const lines = await this.#client.history(`AROUND ${this.#o.channel} msgid=${msgid} 1`).catch(() => [])
    return lines.some(line => line.tags['msgid'] === msgid)
  }
}

/** How many of these were not seen on the other side. */
export const unseen = (
  facts: readonly { readonly from: Side; readonly token: string }[],
  observers: Readonly<Record<Side, Observer>>,
): number => facts.filter(({ from, token }) => !observers[from === 'irc' ? 'ext' : 'irc'].tokens.has(token)).length
