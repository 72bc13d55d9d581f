import { EventEmitter } from 'node:events'
import { connect, isIP, type Socket } from 'node:net'
import { ChanopError } from '../error.ts'
import { commandOf, Refusal, Replies, type Reply } from './resp.ts'

/** Where Redis is: a unix socket or a URL, `redis://[USER][:PASSWORD]@HOST[:PORT][/DATABASE]` or `rediss://` with TLS. Messages are of no database. */
export type RedisAddress = { readonly path: string } | { readonly url: string }

/** Reconnecting goes on for ever, at first at once and then every second. */
export const retryDelayMs = (attempt: number): number => Math.min(50 * 2 ** Math.min(attempt, 5), 1000)

const connectMs = 3000
const usualPort = 6379

interface Events {
  ready: []
  close: []
  error: [error: Error]
  /** To a pattern that was subscribed to. */
  message: [channel: string, text: string]
}

/**
 * A connection to Redis that comes back for ever and lets nobody wait while it is away: all that the bell needs, in a tenth of
 * the memory of a library that knows clusters, sentinels and 400 commands. Every process has two of them.
 */
export class RedisClient extends EventEmitter<Events> {
  readonly #way: Way
  #socket: Socket | null = null
  #waiting: PromiseWithResolvers<Reply>[] = []
  #again: NodeJS.Timeout | undefined
  #attempt = 0
  #ready = false
  #closed = false

  /** Throws `config-invalid`. */
  constructor(address: RedisAddress) {
    super()
    this.#way = wayTo(address)
  }

  /** Commands are taken. */
  get ready(): boolean {
    return this.#ready
  }

  /** Begins to connect, and waits for nothing. */
  start(): void {
    const socket = this.#way.dial()
    const replies = new Replies()
    this.#socket = socket
    socket.setNoDelay().setKeepAlive(true)
    socket.setTimeout(connectMs, () => socket.destroy(new Error('Redis does not answer')))
    socket.on('data', bytes => {
      try {
        for (const reply of replies.push(bytes)) this.#take(reply)
      } catch (error) {
        socket.destroy(error as Error)
      }
    })
    socket.on('error', error => this.emit('error', error)).once('close', () => this.#lost())
    // Written before it is connected, they wait for that.
    Promise.all(this.#way.greeting.map(words => this.#write(words))).then(
      () => this.#greeted(socket),
      (error: unknown) => socket.destroy(error as Error),
    )
  }

  /** Resolves with the reply. Rejects when Redis refuses it or is away. */
  async send(...words: readonly string[]): Promise<Reply> {
    if (!this.#ready) throw new Error('Redis is away')
    return this.#write(words)
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#again)
    this.#socket?.destroy()
  }

  async #write(words: readonly string[]): Promise<Reply> {
    const waiting = Promise.withResolvers<Reply>()
    this.#waiting.push(waiting)
    this.#socket?.write(commandOf(words))
    return waiting.promise
  }

  #take(reply: Reply): void {
    if (Array.isArray(reply) && reply[0] === 'pmessage') {
      this.emit('message', String(reply[2]), String(reply[3]))
      return
    }
    const waiting = this.#waiting.shift()
    if (reply instanceof Refusal) waiting?.reject(reply)
    else waiting?.resolve(reply)
  }

  #greeted(socket: Socket): void {
    if (socket !== this.#socket || socket.destroyed) return
    socket.setTimeout(0)
    this.#attempt = 0
    this.#ready = true
    this.emit('ready')
  }

  #lost(): void {
    this.#ready = false
    this.#socket = null
    for (const { reject } of this.#waiting.splice(0)) reject(new Error('the connection to Redis is lost'))
    this.emit('close')
    if (this.#closed) return
    this.#again = setTimeout(() => this.start(), retryDelayMs(this.#attempt++))
  }
}

/** Makes a new connection. `greeting`: commands to say on it before all else; PING is refused while Redis reads its files. */
interface Way {
  readonly dial: () => Socket
  readonly greeting: readonly (readonly string[])[]
}

/** Throws `config-invalid` for what is no address. */
function wayTo(address: RedisAddress): Way {
  if ('path' in address) return { dial: () => connect(address.path), greeting: [['PING']] }
  const parsed = URL.parse(address.url.includes('://') ? address.url : `redis://${address.url}`)
  if (!parsed || !/^rediss?:$/.test(parsed.protocol) || parsed.hostname === '')
    throw new ChanopError('config-invalid', 'redis.url is no address: write redis://HOST:6379')
  const host = parsed.hostname.replace(/^\[|\]$/g, '')
  const target = { host, port: Number(parsed.port || usualPort) }
  const login = [parsed.username, parsed.password].filter(Boolean).map(decodeURIComponent)
  const greeting = [...(login.length > 0 ? [['AUTH', ...login]] : []), ['PING']]
  if (parsed.protocol === 'redis:') return { dial: () => connect(target), greeting }
  // TLS is 4 MB of a process: few need it here.
  const tls = process.getBuiltinModule('node:tls')
  return { dial: () => tls.connect(isIP(host) ? target : { ...target, servername: host }), greeting }
}
