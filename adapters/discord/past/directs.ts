import type { Cursors } from '../../../core/adapter.ts'

const most = 50
const name = 'direct conversations'

/** Direct conversations that we know: Discord lists none to bots. The newest last. */
export class Directs {
  readonly #cursors: Cursors
  #known: string[] | null = null

  constructor(cursors: Cursors) {
    this.#cursors = cursors
  }

  async all(): Promise<readonly string[]> {
    if (this.#known) return this.#known
    const kept = await this.#cursors.get(name)
    this.#known ??= kept === null ? [] : (JSON.parse(kept) as string[])
    return this.#known
  }

  async note(channel: string): Promise<void> {
    const known = await this.all()
    if (known.includes(channel)) return
    this.#known = [...known, channel].slice(-most)
    await this.#cursors.set(name, JSON.stringify(this.#known))
  }
}
