import type { Trouble } from '../../core/adapter.ts'
import type { Log } from '../../core/log.ts'

/** `in`: we are not in the channel; `speech`: what we say there is refused; `persona NAME`: that bot is not in it. */
type Kind = 'in' | 'speech' | `persona ${string}`

/** What does not work in which channel, and since when. */
export class Troubles {
  readonly #known = new Map<string, Trouble>()
  readonly #changed: () => void
  readonly #log: Log

  constructor(changed: () => void, log: Log) {
    this.#changed = changed
    this.#log = log
  }

  get all(): readonly Trouble[] {
    return [...this.#known.values()]
  }

  /** The same again keeps its time. */
  begin(kind: Kind, channel: string, reason: string): void {
    const key = `${kind} ${channel}`
    if (this.#known.get(key)?.reason === reason) return
    this.#known.set(key, { channel, reason, sinceMs: Date.now() })
    this.#log.warn({ channel, reason }, 'a channel does not work')
    this.#changed()
  }

  end(kind: Kind, channel: string): void {
    if (this.#known.delete(`${kind} ${channel}`)) this.#changed()
  }

  /** It is nothing of ours any more. */
  forget(channel: string): void {
    for (const key of this.#known.keys())
      if (key.endsWith(` ${channel}`)) this.end(key.slice(0, -channel.length - 1) as Kind, channel)
  }
}
