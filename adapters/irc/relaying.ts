import { ChanopError } from '../../core/error.ts'
import type { MessageId } from '../../core/event.ts'

type Ids = readonly MessageId[]

interface Channel {
  /** What the server made of the last one; null before the first. */
  verdict: 'allowed' | 'refused' | null
  /** Said with RELAYMSG and not answered yet. */
  underWay: number
  /** What is to be said without RELAYMSG waits here until those have been said again. */
  over: { promise: Promise<void>; resolve: () => void } | null
}

const isRefused = (error: unknown): boolean =>
  error instanceof ChanopError && /RELAYMSG|PRIVS_NEEDED/.test(error.message)

/**
 * Whether people's names may be shown with RELAYMSG in a channel: the server says so only by refusing. A message that
 * was refused is said again without it, before anything that came later.
 */
export class Relaying {
  readonly #channels = new Map<string, Channel>()
  readonly #refused: (channel: string, reason: string) => void

  constructor(refused: (channel: string, reason: string) => void) {
    this.#refused = refused
  }

  /** Another connection, perhaps to another server: what it allows is found out anew. */
  forget(): void {
    this.#channels.clear()
  }

  #of(name: string): Channel {
    let channel = this.#channels.get(name)
    if (!channel) this.#channels.set(name, (channel = { verdict: null, underWay: 0, over: null }))
    return channel
  }

  allowed(name: string): boolean {
    return this.#of(name).verdict !== 'refused'
  }

  /** Resolves once nothing is under way that may have to be said again; null when that is so now. */
  clear(name: string): Promise<void> | null {
    const channel = this.#of(name)
    if (channel.underWay === 0 || channel.verdict === 'allowed') return null
    channel.over ??= Promise.withResolvers<void>()
    return channel.over.promise
  }

  /** Says it with RELAYMSG, and with `plain` when the server refuses that. */
  async attempt(name: string, relayed: () => Promise<Ids>, plain: () => Promise<Ids>): Promise<Ids> {
    const channel = this.#of(name)
    channel.underWay++
    try {
      const ids = await relayed()
      channel.verdict ??= 'allowed'
      this.#landed(channel)
      return ids
    } catch (error) {
      if (!isRefused(error)) {
        this.#landed(channel)
        throw error
      }
      if (channel.verdict !== 'refused') this.#refused(name, (error as ChanopError).message)
      channel.verdict = 'refused'
      const again = plain()
      this.#landed(channel)
      return again
    }
  }

  #landed(channel: Channel): void {
    channel.underWay--
    if (channel.underWay > 0 && channel.verdict !== 'allowed') return
    channel.over?.resolve()
    channel.over = null
  }
}
