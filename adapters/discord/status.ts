import type { NetworkStatus, Trouble } from '../../core/adapter.ts'
import { NetworkState } from '../../core/process/network-state.ts'
import type { Following } from './following.ts'
import { type Channel, type Directory, isForum } from './guild/directory.ts'
import { missing, type Permission } from './guild/permissions.ts'

const needed: readonly Permission[] = ['viewChannel', 'sendMessages', 'readHistory']
const wished: readonly Permission[] = [
  'manageWebhooks',
  'sendInThreads',
  'createThreads',
  'addReactions',
  'attachFiles',
]

export interface StatusOptions {
  readonly directory: Directory
  readonly following: Following
  readonly changed: () => void
}

/** How the network is. Looked at for every delivery: reckoned when something changes, not when it is asked. */
export class Status {
  readonly #o: StatusOptions
  readonly #since = new Map<string, number>()
  /** What this network can't do, by what it depends on. */
  readonly #lacks = new Map<string, string>()
  /** What went wrong in a channel, besides permissions. */
  readonly #faults = new Map<string, string>()
  readonly #state = new NetworkState(() => this.refresh())
  #now: NetworkStatus = this.#reckoned()

  constructor(options: StatusOptions) {
    this.#o = options
    this.lacks('reply', 'relayed people answer with a quote: webhooks can not reply')
    this.lacks('deleter', 'who deleted a message is not told')
    this.lacks('away', 'reactions, and most deletions, made while we are away are not told')
  }

  get now(): NetworkStatus {
    return this.#now
  }

  state(state: NetworkStatus['state'], reason?: string): void {
    this.#state.set(state, reason)
  }

  /** null: it lacks nothing there. */
  lacks(what: string, line: string | null): void {
    if (line === null) this.#lacks.delete(what)
    else this.#lacks.set(what, line)
    this.#now = this.#reckoned()
  }

  fault(channel: string, reason: string | null): void {
    if ((this.#faults.get(channel) ?? null) === reason) return
    if (reason === null) this.#faults.delete(channel)
    else this.#faults.set(channel, reason)
    this.refresh()
  }

  /** Permissions, roles or channels have changed: what was refused before may work now. */
  forgive(): void {
    this.#faults.clear()
    this.refresh()
  }

  /** Reckons the channels' troubles anew. */
  refresh(): void {
    this.#now = this.#reckoned()
    this.#o.changed()
  }

  #reckoned(): NetworkStatus {
    const troubles = this.#state.isUp ? this.#troubles() : []
    const lacks = [...this.#lacks.values()]
    return { ...this.#state.now, server: 'Discord API 10', lacks, ...(troubles.length === 0 ? {} : { troubles }) }
  }

  #troubles(): Trouble[] {
    const { directory, following } = this.#o
    const channels = new Set([...following.named, ...following.places().map(({ id }) => id)])
    return [...channels].flatMap(id => {
      const channel = directory.channels.get(id)
      const lack = channel ? lackOf(directory, channel) : { reason: unseen }
      const reason = lack?.reason ?? this.#faults.get(id) ?? null
      if (reason === null) {
        this.#since.delete(id)
        return []
      }
      const sinceMs = this.#since.get(id) ?? Date.now()
      this.#since.set(id, sinceMs)
      return [{ channel: id, reason, sinceMs }]
    })
  }
}

export const unseen = 'the bot sees no such channel: invite it to the server, and give it View Channel there'

/** What does not work in a channel; `works`: the rest does. */
export interface Lack {
  readonly reason: string
  readonly works: boolean
}

/** Which permissions the bot lacks in a channel, and what does not work without. */
export function lackOf(directory: Directory, channel: Channel): Lack | null {
  const bits = directory.permissions(channel)
  if (bits === null) return { reason: unseen, works: false }
  const where = "the bot's role (Edit Channel, Permissions)"
  const none = missing(bits, needed)
  if (none.length > 0)
    return {
      reason: `the bot lacks ${none.join(', ')} here: give it to ${where}`,
      works: !none.includes('View Channel'),
    }
  const some = missing(bits, isForum(channel) ? wished.filter(wish => wish !== 'createThreads') : wished)
  return some.length === 0
    ? null
    : { reason: `works, but without ${some.join(', ')}: give it to ${where}`, works: true }
}
