import { Redis, type RedisOptions } from 'ioredis'
import type { Log } from '../log.ts'
import { type Bus, Listeners, type Topic, type Topics } from './bus.ts'

/** Where Redis is: a unix socket or a URL. */
export type RedisAddress = { readonly path: string } | { readonly url: string }

type Options = Omit<RedisOptions, 'replyMapping'>

/** Reconnecting goes on for ever, at first at once and then every second. */
export const retryDelayMs = (attempt: number): number => Math.min(50 * 2 ** Math.min(attempt, 5), 1000)

/** A client that reconnects for ever and never lets a caller wait while Redis is away. */
export function connectRedis(address: RedisAddress, options: Options = {}): Redis {
  const settings: Options = { ...options, lazyConnect: true, retryStrategy: retryDelayMs, connectTimeout: 3000 }
  if ('url' in address) return new Redis(address.url, settings)
  settings.path = address.path
  return new Redis(settings)
}

/** Redis, stopped or overloaded, leaves commands unanswered: beyond so many, or for longer, it counts as away. */
const mostUnanswered = 500
const answerMs = 1000

/** The bus over Redis pub/sub, one channel a topic below `chanop:<instance>:`. */
export class RedisBus implements Bus {
  readonly #publisher: Redis
  readonly #subscriber: Redis
  readonly #listeners = new Listeners()
  readonly #prefix: string
  readonly #log: Log
  #subscribed = false
  #complained = false
  #closed = false
  #up = false
  #unanswered = 0
  #answeredMs = 0

  constructor(address: RedisAddress, instance: string, log: Log) {
    this.#prefix = `chanop:${instance}:`
    this.#log = log
    const fast = { enableOfflineQueue: false, maxRetriesPerRequest: 0 }
    this.#publisher = connectRedis(address, fast)
    this.#subscriber = connectRedis(address, { ...fast, autoResubscribe: false })
    for (const client of [this.#publisher, this.#subscriber]) client.on('error', error => this.#complain(error))
    this.#subscriber.on('pmessage', (_pattern: string, channel: string, message: string) =>
      this.#hear(channel, message),
    )
    this.#subscriber.on('ready', () => void this.#subscribe())
    this.#subscriber.on('close', () => {
      this.#subscribed = false
      this.#changed()
    })
    this.#publisher.on('ready', () => this.#changed())
    this.#publisher.on('close', () => this.#changed())
  }

  /** Starts connecting, and waits for nothing. */
  start(): void {
    for (const client of [this.#publisher, this.#subscriber]) {
      client.connect().catch((error: unknown) => this.#complain(error))
    }
  }

  get up(): boolean {
    return this.#up
  }

  get redisUp(): boolean {
    return this.#up
  }

  onUp(listener: (up: boolean) => void): () => void {
    return this.#listeners.add('up', listener)
  }

  ring(seq: number): void {
    this.#publish('ring', seq)
  }

  onRing(listener: (seq: number) => void): () => void {
    return this.#listeners.add('ring', listener)
  }

  signal<T extends Topic>(topic: T, payload: Topics[T]): void {
    this.#publish(topic, payload)
  }

  onSignal<T extends Topic>(topic: T, listener: (payload: Topics[T]) => void): () => void {
    return this.#listeners.add(topic, listener)
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#subscribed = false
    this.#publisher.disconnect()
    this.#subscriber.disconnect()
    this.#changed()
  }

  #publish(topic: string, payload: unknown): void {
    if (this.#closed || this.#publisher.status !== 'ready') return
    const nowMs = performance.now()
    if (this.#unanswered === 0) this.#answeredMs = nowMs
    if (this.#unanswered >= mostUnanswered || nowMs - this.#answeredMs > answerMs) return this.#changed()
    this.#unanswered++
    this.#publisher
      .publish(this.#prefix + topic, JSON.stringify(payload))
      .catch((error: unknown) => this.#complain(error))
      .finally(() => {
        this.#answeredMs = performance.now()
        this.#unanswered--
        this.#changed()
      })
  }

  #changed(): void {
    const hung = this.#unanswered > 0 && performance.now() - this.#answeredMs > answerMs
    const up = this.#subscribed && this.#publisher.status === 'ready' && !hung
    if (up === this.#up) return
    this.#up = up
    if (hung) this.#complain(new Error('a command has no answer'))
    else if (up && this.#complained) {
      this.#log.info('redis is back')
      this.#complained = false
    }
    this.#listeners.tell('up', up)
  }

  async #subscribe(): Promise<void> {
    try {
      await this.#subscriber.psubscribe(`${this.#prefix}*`)
      this.#subscribed = true
      this.#changed()
    } catch (error) {
      this.#complain(error)
    }
  }

  #hear(channel: string, message: string): void {
    if (this.#closed) return
    const topic = channel.slice(this.#prefix.length)
    let payload: unknown
    try {
      payload = JSON.parse(message)
    } catch (error) {
      this.#log.warn({ error, topic }, 'a signal on the bus is not JSON: left out')
      return
    }
    this.#listeners.tell(topic, payload)
  }

  /** One line for each outage. */
  #complain(error: unknown): void {
    if (this.#complained || this.#closed) return
    this.#complained = true
    this.#log.warn({ error }, 'redis does not answer: the bots go on without it')
  }
}
