import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { Watch } from './watch.ts'

/** What servers that stand for a platform in suites have in common: a port of their own, and connections that can be cut. */
export abstract class FakeServer {
  protected readonly server = createServer((request, response) => void this.serve(request, response))
  readonly #sockets = new Set<Socket>()
  readonly #watch = new Watch()
  /** New connections end at once. */
  down = false

  constructor() {
    this.server.on('connection', socket => {
      if (this.down) return void socket.destroy()
      this.#sockets.add(socket)
      socket.on('error', () => socket.destroy())
      socket.on('close', () => {
        this.#sockets.delete(socket)
        this.changed()
      })
    })
  }

  protected abstract serve(request: IncomingMessage, response: ServerResponse): Promise<void> | void

  async start(): Promise<this> {
    this.server.listen(0, '127.0.0.1')
    await once(this.server, 'listening')
    return this
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo | null)?.port}`
  }

  async stop(): Promise<void> {
    this.cut()
    if (!this.server.listening) return
    this.server.close()
    await once(this.server, 'close')
  }

  /** Breaks every connection. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  /** Breaks every connection, and takes none while `work` runs. */
  async offline(work: () => Promise<void>): Promise<void> {
    this.down = true
    this.cut()
    try {
      await work()
    } finally {
      this.down = false
    }
  }

  /** How many connections are open, once those being closed are gone: what is open for a while stays open. */
  async connections(): Promise<number> {
    await Promise.allSettled([this.until(() => this.#sockets.size === 0, 'connections to end', 1500)])
    return this.#sockets.size
  }

  /** Something happened that may be waited for. */
  protected changed(): void {
    this.#watch.look()
  }

  /** Resolves once `holds` does: looked at whenever something was asked, answered or closed. */
  async until(holds: () => boolean, what = String(holds), deadlineMs?: number): Promise<void> {
    await this.#watch.until(holds, what, deadlineMs)
  }
}
