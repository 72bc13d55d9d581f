/** For suites: a TCP connection that breaks on demand, before or after the other end has got what was said. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

interface Target {
  readonly host: string
  readonly port: number
}

export class Cable {
  readonly #sockets = new Set<Socket>()
  readonly #server = createServer(socket => this.#joined(socket))
  readonly #to: Target
  #loses = false

  private constructor(to: Target) {
    this.#to = to
  }

  static async to(host: string, port: number): Promise<Cable> {
    const cable = new Cable({ host, port })
    cable.#server.listen(0, '127.0.0.1')
    await once(cable.#server, 'listening')
    return cable
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  #joined(near: Socket): void {
    const far = connect(this.#to)
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(one)
      one.on('error', () => one.destroy())
      one.on('close', () => (this.#sockets.delete(one), other.destroy()))
    }
    far.pipe(near)
    near.on('data', chunk => {
      if (!this.#loses || !chunk.includes('PRIVMSG')) return void far.write(chunk)
      this.#loses = false
      far.unpipe(near)
      far.resume()
      // Read to its end by the other side, which closes then: and only then does the near one.
      return void far.end(chunk)
    })
  }

  cut(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  /** What is said next arrives, and nothing comes back. */
  loseAnswer(): void {
    this.#loses = true
  }

  async close(): Promise<void> {
    this.cut()
    this.#server.close()
    await once(this.#server, 'close')
  }
}
