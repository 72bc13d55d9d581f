/** 401, 403 and 429 (not of scope `shared`) count; 10,000 in ten minutes ban the address for a day. */
const windowMs = 600_000
const most = 5_000

/** Counts the requests that Discord refused, so that we stop long before it stops us. */
export class InvalidRequests {
  readonly #nowMs: () => number
  #atMs: number[] = []

  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs
  }

  note(status: number, scope: string | null): void {
    if (status !== 401 && status !== 403 && (status !== 429 || scope === 'shared')) return
    this.#atMs.push(this.#nowMs())
    if (this.#atMs.length > most) this.#atMs = this.#atMs.slice(-most)
  }

  /** How long nothing may be asked; 0: now. */
  waitMs(): number {
    const [oldest] = this.#atMs
    if (oldest === undefined || this.#atMs.length < most) return 0
    return Math.max(0, oldest + windowMs - this.#nowMs())
  }
}
