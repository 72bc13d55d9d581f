/** Stands between the adapter and the homeserver, so that links can be cut, answers lost and requests refused. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { deadline, sleep } from '../../../core/retry.ts'

export interface Answer {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
  readonly headers?: Readonly<Record<string, string>>
}

/** What becomes of a request: null lets it through; `lose`: it arrives, its answer does not, and the connection breaks. */
type Fate = Answer | 'lose' | null
type Judge = (method: string, url: string) => Fate

export class Proxy {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #port: () => number
  /** What was asked, `METHOD /path`, oldest first. */
  readonly asked: string[] = []
  #down = false
  #judge: Judge = () => null

  private constructor(port: () => number) {
    this.#port = port
    this.#server = createServer((asked, answer) => this.#serve(asked, answer))
    this.#server.on('connection', socket => {
      if (this.#down) return socket.destroy()
      this.#sockets.add(socket)
      return socket.on('close', () => this.#sockets.delete(socket))
    })
  }

  static async listen(port: () => number): Promise<Proxy> {
    const proxy = new Proxy(port)
    proxy.#server.listen(0, '127.0.0.1')
    await once(proxy.#server, 'listening')
    return proxy
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
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

  #serve(asked: IncomingMessage, answer: ServerResponse): void {
    const [method, url] = [asked.method ?? 'GET', asked.url ?? '/']
    this.asked.push(`${method} ${url}`)
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

  cut(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  async offline(work: () => Promise<void>): Promise<void> {
    this.#down = true
    this.cut()
    await work()
    this.#down = false
  }

  /** How many connections are open, once those being closed are gone. */
  async connections(): Promise<number> {
    const signal = deadline(2000)
    while (this.#sockets.size > 0 && !signal.aborted) await sleep(5, signal)
    return this.#sockets.size
  }

  close(): void {
    this.cut()
    this.#server.close()
  }
}
