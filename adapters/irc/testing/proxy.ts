import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'

/** Stands between the adapter and the server, so that links can be cut and answers lost. */
export class Proxy {
  readonly #server: Server
  readonly #pairs = new Set<Socket>()
  #down = false
  #lose: ((broken: () => void) => void) | null = null
  readonly #target: () => Socket

  constructor(target: () => Socket) {
    this.#target = target
    this.#server = createServer(socket => this.#accept(socket))
  }

  async listen(where: string | number): Promise<AddressInfo | null> {
    if (typeof where === 'string') this.#server.listen(where)
    else this.#server.listen(where, '127.0.0.1')
    await once(this.#server, 'listening')
    const address = this.#server.address()
    return typeof address === 'object' ? address : null
  }

  get connections(): number {
    return this.#pairs.size
  }

  #accept(near: Socket): void {
    near.on('error', () => near.destroy())
    if (this.#down) {
      near.destroy()
      return
    }
    const far = this.#target()
    this.#pairs.add(near)
    far.on('error', () => near.destroy())
    far.on('data', chunk => near.write(chunk)).on('close', () => near.destroy())
    near.on('close', () => {
      this.#pairs.delete(near)
      far.end()
    })
    near.on('data', chunk => {
      if (this.#lose && chunk.includes(' PRIVMSG #')) {
        far.removeAllListeners('data')
        far.resume()
        this.#lose(() => near.destroy())
        this.#lose = null
      }
      far.write(chunk)
    })
  }

  cut(): void {
    for (const near of this.#pairs) near.destroy()
  }

  async offline(work: () => Promise<void>): Promise<void> {
    this.#down = true
    this.cut()
    await work()
    this.#down = false
  }

  loseAnswer(arrived: (broken: () => void) => void): void {
    this.#lose = arrived
  }

  close(): void {
    this.cut()
    this.#server.close()
  }
}
