/** Stands between the adapter and the homeserver, so that links can be cut, answers lost and requests refused. */
import { type IncomingMessage, request, type ServerResponse } from 'node:http'
import { FakeServer } from '../../../core/contract/fake-server.ts'

export interface Answer {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
  readonly headers?: Readonly<Record<string, string>>
}

/** What becomes of a request: null lets it through; `lose`: it arrives, its answer does not, and the connection breaks. */
type Fate = Answer | 'lose' | null
type Judge = (method: string, url: string) => Fate

export class Proxy extends FakeServer {
  readonly #port: () => number
  /** What was asked, `METHOD /path`, oldest first. */
  readonly asked: string[] = []
  #judge: Judge = () => null
  #held: { readonly fits: (method: string, url: string) => boolean; readonly until: Promise<void> } | null = null

  private constructor(port: () => number) {
    super()
    this.#port = port
  }

  static listen(port: () => number): Promise<Proxy> {
    return new Proxy(port).start()
  }

  /** Judges every request from now on. */
  judge(judge: Judge): void {
    this.#judge = judge
  }

  /** The next request that fits gets this fate; all others pass. */
  once(fits: (method: string, url: string) => boolean, fate: Exclude<Fate, null>): void {
    this.#judge = (method, url) => {
      if (!fits(method, url)) return null
      this.#judge = () => null
      return fate
    }
  }

  /** What fits waits here until the returned function is called. */
  hold(fits: (method: string, url: string) => boolean): () => void {
    const { promise: until, resolve } = Promise.withResolvers<void>()
    this.#held = { fits, until }
    return resolve
  }

  protected async serve(asked: IncomingMessage, answer: ServerResponse): Promise<void> {
    const [method, url] = [asked.method ?? 'GET', asked.url ?? '/']
    this.asked.push(`${method} ${url}`)
    if (this.#held?.fits(method, url)) await this.#held.until
    const fate = this.#judge(method, url)
    if (fate !== null && fate !== 'lose') {
      asked.resume()
      answer.writeHead(fate.status, { 'content-type': 'application/json', ...fate.headers })
      return void answer.end(JSON.stringify(fate.body))
    }
    const { headers } = asked
    const onward = request({ port: this.#port(), host: '127.0.0.1', method, path: url, headers }, came => {
      if (fate === 'lose') return void came.resume().on('end', () => asked.socket.destroy())
      answer.writeHead(came.statusCode ?? 502, came.headers)
      came.pipe(answer).on('error', () => came.destroy())
    })
    onward.on('error', () => asked.socket.destroy())
    answer.on('close', () => onward.destroy())
    asked.pipe(onward)
  }
}
