import type { NetworkStatus, Trouble } from '../adapter.ts'

/** In what state a network is, since when and why. */
export class NetworkState {
  readonly #changed: () => void
  #now: Pick<NetworkStatus, 'state' | 'sinceMs' | 'reason'> = { state: 'connecting', sinceMs: Date.now() }

  constructor(changed: () => void) {
    this.#changed = changed
  }

  get now(): Pick<NetworkStatus, 'state' | 'sinceMs' | 'reason'> {
    return this.#now
  }

  get isUp(): boolean {
    return this.#now.state === 'up'
  }

  set(state: NetworkStatus['state'], reason?: string): void {
    const { state: before, reason: why, sinceMs } = this.#now
    if (before === state && why === reason) return
    this.#now = {
      state,
      sinceMs: before === state ? sinceMs : Date.now(),
      ...(reason === undefined ? {} : { reason }),
    }
    this.#changed()
  }
}

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
