/** How many lines a network takes from us: after `burst` lines, `linesPerSecond`. */
export interface FloodLimit {
  readonly linesPerSecond: number
  readonly burst: number
}

/** A bucket of `burst` lines that refills; lines beyond it wait in their order. Without a limit nothing waits. */
export class Flood {
  readonly #limit: FloodLimit | null
  readonly #write: (line: string) => void
  readonly #queue: string[] = []
  #left: number
  #atMs = performance.now()
  #timer: NodeJS.Timeout | undefined

  constructor(limit: FloodLimit | null, write: (line: string) => void) {
    this.#limit = limit
    this.#write = write
    this.#left = limit?.burst ?? 0
  }

  get waiting(): number {
    return this.#queue.length
  }

  push(line: string): void {
    if (!this.#limit) {
      this.#write(line)
      return
    }
    this.#queue.push(line)
    if (this.#timer === undefined) this.#drain(this.#limit)
  }

  #drain(limit: FloodLimit): void {
    this.#timer = undefined
    const nowMs = performance.now()
    this.#left = Math.min(limit.burst, this.#left + ((nowMs - this.#atMs) * limit.linesPerSecond) / 1000)
    this.#atMs = nowMs
    const ready = this.#queue.splice(0, Math.floor(this.#left))
    this.#left -= ready.length
    for (const line of ready) this.#write(line)
    if (this.#queue.length === 0) return
    this.#timer = setTimeout(() => this.#drain(limit), Math.ceil(((1 - this.#left) * 1000) / limit.linesPerSecond))
  }

  /** Forgets what waits: the connection is gone. */
  close(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#queue.length = 0
  }
}
