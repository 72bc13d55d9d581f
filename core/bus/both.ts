import { type Bus, Listeners, type Topic, type Topics } from './bus.ts'
import { lookNow } from './link.ts'

/** Redis' bell repeats the direct one, and is in nobody's way. */
const repeatMs = 25

/**
 * The bus of a bot's process: direct links with the others, and Redis beside them. Either may be gone; while the direct
 * one is whole, what it said is not heard again.
 */
export class BothBuses implements Bus {
  readonly #direct: Bus
  readonly #redis: Bus
  readonly #listeners = new Listeners()
  #repeat: NodeJS.Timeout | undefined
  #newest = 0
  #heard = 0
  #up = false

  constructor(direct: Bus, redis: Bus) {
    this.#direct = direct
    this.#redis = redis
    for (const bus of [direct, redis]) bus.onUp(() => this.#changed())
    direct.onRing(seq => {
      this.#heard = Math.max(this.#heard, seq === lookNow ? 0 : seq)
      this.#listeners.tell('ring', seq)
    })
    redis.onRing(seq => {
      if (!direct.up || seq > this.#heard) this.#listeners.tell('ring', seq)
    })
    this.#changed()
  }

  get up(): boolean {
    return this.#up
  }

  get redisUp(): boolean {
    return this.#redis.up
  }

  onUp(listener: (up: boolean) => void): () => void {
    return this.#listeners.add('up', listener)
  }

  ring(seq: number, first?: readonly string[]): void {
    this.#direct.ring(seq, first)
    this.#heard = Math.max(this.#heard, seq)
    if (!this.#direct.up) return this.#redis.ring(seq)
    this.#newest = seq
    this.#repeat ??= setTimeout(() => {
      this.#repeat = undefined
      this.#redis.ring(this.#newest)
    }, repeatMs)
  }

  onRing(listener: (seq: number) => void): () => void {
    return this.#listeners.add('ring', listener)
  }

  signal<T extends Topic>(topic: T, payload: Topics[T]): void {
    this.#direct.signal(topic, payload)
    // A sign of life goes both ways: it is how each process finds out whether Redis answers.
    if (topic === 'heartbeat' || !this.#direct.up) this.#redis.signal(topic, payload)
  }

  onSignal<T extends Topic>(topic: T, listener: (payload: Topics[T]) => void): () => void {
    const off = this.#direct.onSignal(topic, listener)
    const offRedis = this.#redis.onSignal(topic, payload => {
      if (!this.#direct.up) listener(payload)
    })
    return () => {
      off()
      offRedis()
    }
  }

  async close(): Promise<void> {
    clearTimeout(this.#repeat)
    await Promise.all([this.#direct.close(), this.#redis.close()])
  }

  #changed(): void {
    const up = this.#direct.up || this.#redis.up
    if (up === this.#up) return
    this.#up = up
    this.#listeners.tell('up', up)
  }
}
