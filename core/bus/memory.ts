import { type Bus, Listeners, type Topic, type Topics } from './bus.ts'

/** The bus of one process: for tests, where several bots live together. Connect them with `peer`. */
export class MemoryBus implements Bus {
  readonly #listeners: Listeners
  readonly up = true
  #closed = false

  constructor(shared: Listeners = new Listeners()) {
    this.#listeners = shared
  }

  /** Another end of the same bus. */
  peer(): MemoryBus {
    return new MemoryBus(this.#listeners)
  }

  ring(seq: number): void {
    this.#tell('ring', seq)
  }

  onRing(listener: (seq: number) => void): () => void {
    return this.#listeners.add('ring', listener)
  }

  signal<T extends Topic>(topic: T, payload: Topics[T]): void {
    this.#tell(topic, structuredClone(payload))
  }

  onSignal<T extends Topic>(topic: T, listener: (payload: Topics[T]) => void): () => void {
    return this.#listeners.add(topic, listener)
  }

  async close(): Promise<void> {
    this.#closed = true
  }

  #tell(topic: string, payload: unknown): void {
    if (!this.#closed) queueMicrotask(() => this.#listeners.tell(topic, payload))
  }
}
