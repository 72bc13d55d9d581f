import { Recent } from '../../../core/recent.ts'
import { isNewer } from '../guild/directory.ts'

const mostPerChannel = 50
const mostChannels = 1_000

/** The newest messages of each channel that came in while this process ran: what is missing of them later was taken away. */
export class Seen {
  readonly #channels = new Recent<string, readonly string[]>(mostChannels)

  note(channel: string, message: string): void {
    const known = this.#channels.get(channel) ?? []
    this.#channels.set(channel, [...known.slice(1 - mostPerChannel), message])
  }

  remove(channel: string, message: string): void {
    const known = this.#channels.get(channel)
    if (known)
      this.#channels.set(
        channel,
        known.filter(id => id !== message),
      )
  }

  /** Those not older than `first` and not newer than `last`. */
  between(channel: string, first: string, last: string): string[] {
    return (this.#channels.get(channel) ?? []).filter(id => !isNewer(first, id) && !isNewer(id, last))
  }
}
