import { type Bus, Listeners, type Topic, type Topics } from './bus.ts'

/** The bus of one process: for tests, where several bots live together. Connect them with `peer`. */
export class MemoryBus implements Bus {
  readonly #shared: Listeners
  readonly #own = new Set<() => void>()
  readonly #states = new Listeners()
  #closed = false

  constructor(shared: Listeners = new Listeners()) {
    this.#shared = shared
  }

  get up(): boolean {
    return !this.#closed
  }

  get redisUp(): boolean {
    return this.up
  }

  onUp(listener: (up: boolean) => void): () => void {
    return this.#states.add('up', listener)
  }

  /** Another end of the same bus. */
  peer(): MemoryBus {
    return new MemoryBus(this.#shared)
  }

  ring(seq: number): void {
    this.#tell('ring', seq)
  }

  onRing(listener: (seq: number) => void): () => void {
    return this.#add('ring', listener)
  }

  signal<T extends Topic>(topic: T, payload: Topics[T]): void {
    this.#tell(topic, structuredClone(payload))
  }

  onSignal<T extends Topic>(topic: T, listener: (payload: Topics[T]) => void): () => void {
    return this.#add(topic, listener)
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    for (const off of this.#own) off()
    this.#own.clear()
    this.#states.tell('up', false)
  }

  #add(topic: string, listener: (payload: never) => void): () => void {
    const off = this.#shared.add(topic, listener)
    this.#own.add(off)
    return () => {
      off()
      this.#own.delete(off)
    }
  }

  #tell(topic: string, payload: unknown): void {
    if (!this.#closed) queueMicrotask(() => this.#shared.tell(topic, payload))
  }
}
