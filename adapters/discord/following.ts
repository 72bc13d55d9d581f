import { type Channel, type Directory, isDirect, isThread } from './guild/directory.ts'

/** Kinds of channel in which something can be said: text, voice (its chat), announcements, stage, forum and media. */
const spoken: readonly number[] = [0, 2, 5, 13, 15, 16]

export const isSpoken = ({ type }: Pick<Channel, 'type'>): boolean => spoken.includes(type)

/** Which channels we work in: those that are named, or all that the bot can see; direct conversations always. */
export class Following {
  readonly #directory: Directory
  readonly #guilds: ReadonlySet<string>
  readonly #all: boolean
  readonly #named: Set<string>
  readonly #parted = new Set<string>()

  constructor(
    directory: Directory,
    guilds: readonly string[],
    channels: 'all' | readonly string[],
    places: readonly string[],
  ) {
    this.#directory = directory
    this.#guilds = new Set(guilds)
    this.#all = channels === 'all'
    this.#named = new Set([...(channels === 'all' ? [] : channels), ...places])
  }

  get named(): ReadonlySet<string> {
    return this.#named
  }

  add(channel: string): void {
    this.#parted.delete(channel)
    this.#named.add(channel)
  }

  delete(channel: string): void {
    this.#parted.add(channel)
    this.#named.delete(channel)
  }

  /** A thread that is named is a place of its own. */
  isPlace(channel: string): boolean {
    return this.#named.has(channel)
  }

  /** The channel of what happens there, where we work in it. */
  of(id: string, guild: string | null): Channel | null {
    const known = this.#directory.channels.get(id) ?? (guild === null ? this.direct(id) : undefined)
    return known && this.isIn(known) ? known : null
  }

  /** A direct conversation, known from now on. */
  direct(id: string): Channel {
    return this.#directory.note({ id, type: 1 } as never)
  }

  isIn(channel: Channel): boolean {
    if (isDirect(channel)) return true
    if (channel.guild === null || (this.#guilds.size > 0 && !this.#guilds.has(channel.guild))) return false
    const root = this.root(channel)
    return !this.#parted.has(root) && (this.#all || this.#named.has(root))
  }

  /** The channel as whose place a channel or thread counts. */
  root({ id, parent }: Channel): string {
    return parent === null || this.#named.has(id) ? id : parent
  }

  /** Channels that are places, of one server or of all. */
  places(guild?: string): Channel[] {
    return [...this.#directory.channels.values()].filter(
      channel =>
        (guild === undefined || channel.guild === guild) &&
        !isDirect(channel) &&
        (isThread(channel) ? this.#named.has(channel.id) : isSpoken(channel)) &&
        this.isIn(channel),
    )
  }

  threads(place: Channel): Channel[] {
    return [...this.#directory.channels.values()].filter(
      channel => channel.id !== place.id && isThread(channel) && this.root(channel) === place.id,
    )
  }
}
