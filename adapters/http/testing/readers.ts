/** Many readers of the live stream, each of which checks what it gets and keeps nothing of it but numbers. */
import { Agent, type ClientRequest, get, type IncomingMessage } from 'node:http'

export interface ReadersOptions {
  readonly url: string
  /** Used in turn. */
  readonly keys: readonly string[]
  readonly count: number
  readonly path: string
  /** All begin behind this number. */
  readonly after: number
  /** They come back after about so long. */
  readonly againMs: number
}

/** What a reader got since the beginning: numbers of messages, put together so that two who got the same have the same. */
export interface Tally {
  readonly messages: number
  readonly digest: number
  /** Numbers that were not higher than the one before. */
  readonly disordered: number
}

/** The next step of a digest over numbers in their order. */
export const digested = (digest: number, id: number): number => (Math.imul(digest, 31) + id) | 0

/** One of them: goes on where it was whenever its stream ends. */
class StreamReader {
  messages = 0
  digest = 0
  last: number
  disordered = 0
  connections = 0
  refused = ''
  readonly #o: ReadersOptions
  readonly #key: string
  readonly #agent: Agent
  #asked: ClientRequest | null = null
  #timer: NodeJS.Timeout | undefined
  #rest = ''
  #closed = false

  constructor(options: ReadersOptions, key: string, agent: Agent) {
    this.#o = options
    this.#key = key
    this.#agent = agent
    this.last = options.after
    this.#open()
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
    this.#asked?.destroy()
  }

  #open(): void {
    const headers = { authorization: `Bearer ${this.#key}`, 'last-event-id': `${this.last}` }
    this.#rest = ''
    const asked = get(this.#o.url + this.#o.path, { agent: this.#agent, headers })
    this.#asked = asked
    asked.on('response', answer => this.#answered(answer))
    // Nobody is there, or went away in the middle: again, a little later than others.
    asked.on('error', () => undefined)
    asked.on('close', () => {
      if (!this.#closed) this.#timer = setTimeout(() => this.#open(), this.#o.againMs * (0.5 + Math.random()))
    })
  }

  #answered(answer: IncomingMessage): void {
    if (answer.statusCode === 200) this.connections++
    else this.refused = `${answer.statusCode}`
    answer.setEncoding('latin1')
    answer.on('data', (text: string) => this.#read(text))
    answer.on('error', () => undefined)
  }

  #read(text: string): void {
    const all = this.#rest + text
    let at = 0
    for (let end = all.indexOf('\n\n', at); end !== -1; end = all.indexOf('\n\n', at)) {
      if (all.startsWith('id: ', at)) this.#take(all, at + 4, end)
      at = end + 2
    }
    this.#rest = all.slice(at)
  }

  #take(text: string, at: number, end: number): void {
    const line = text.indexOf('\n', at)
    const id = Number(text.slice(at, line))
    if (!text.startsWith('event: ', line + 1) || line > end) {
      this.last = Math.max(this.last, id)
      return
    }
    if (id <= this.last) this.disordered++
    this.last = id
    if (!text.startsWith('message\n', line + 8)) return
    this.messages++
    this.digest = digested(this.digest, id)
  }
}

export class Readers {
  readonly #agent = new Agent({ maxSockets: Number.POSITIVE_INFINITY })
  readonly #all: readonly StreamReader[]

  constructor(options: ReadersOptions) {
    const { keys, count } = options
    this.#all = Array.from(
      { length: count },
      (_, n) => new StreamReader(options, keys[n % keys.length] as string, this.#agent),
    )
  }

  /** How many have been connected at least so often. */
  connected(times = 1): number {
    return this.#all.filter(({ connections }) => connections >= times).length
  }

  /** How they were refused, each status once. */
  get refusals(): string[] {
    return [...new Set(this.#all.map(({ refused }) => refused).filter(Boolean))]
  }

  /** The fewest messages that one of them has. */
  get fewest(): number {
    return Math.min(...this.#all.map(({ messages }) => messages))
  }

  /** What they got, each different tally once, with how many have it. */
  tallies(): (Tally & { readonly readers: number })[] {
    const same = Map.groupBy(this.#all, one => `${one.messages} ${one.digest} ${one.disordered}`)
    return [...same.values()].map(([one, ...others]) => {
      const { messages, digest, disordered } = one as StreamReader
      return { messages, digest, disordered, readers: others.length + 1 }
    })
  }

  close(): void {
    for (const reader of this.#all) reader.close()
    this.#agent.destroy()
  }
}
