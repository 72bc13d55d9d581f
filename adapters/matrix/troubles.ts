import type { Trouble } from '../../core/adapter.ts'

/** Channels where something does not work, until it does. */
export class Troubles {
  readonly #all = new Map<string, Trouble>()
  readonly #changed: () => void

  constructor(changed: () => void) {
    this.#changed = changed
  }

  get all(): readonly Trouble[] {
    return [...this.#all.values()]
  }

  of(channel: string): string | undefined {
    return this.#all.get(channel)?.reason
  }

  begin(channel: string, reason: string): void {
    const known = this.#all.get(channel)
    if (known?.reason === reason) return
    this.#all.set(channel, { channel, reason, sinceMs: known?.sinceMs ?? Date.now() })
    this.#changed()
  }

  end(channel: string): void {
    if (this.#all.delete(channel)) this.#changed()
  }
}
