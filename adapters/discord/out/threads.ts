import { type APIChannel, type APIMessage, RESTJSONErrorCodes as errors } from 'discord.js'
import type { Place } from '../../../core/event.ts'
import { truncate, visible } from '../../../core/text/text.ts'
import { type Directory, isForum, isThread } from '../guild/directory.ts'
import type { Api } from '../wire/api.ts'
import { isRefused, Refused } from '../wire/faults.ts'

/** Where a message goes: the channel it is posted to, and the one whose webhooks and permissions count. */
export interface Target {
  readonly channel: string
  readonly parent: string
  /** The thread, when it is one. */
  readonly thread?: string
  /** There can be no thread here: the message answers what would have opened it. */
  readonly instead?: string
}

const archiveMinutes = 1440
const longestName = 100

/** What a thread is called that begins with these words; empty where they show nothing. */
export const threadName = (words: string): string =>
  Array.from(truncate(visible(words), 80))
    .slice(0, longestName)
    .join('')

/** Threads as places: each has the id of the message that opened it. One that isn't there yet is opened from that message. */
export class Threads {
  readonly #api: Api
  readonly #directory: Directory
  /** Messages that can open no thread. */
  readonly #closed = new Set<string>()

  constructor(api: Api, directory: Directory) {
    this.#api = api
    this.#directory = directory
  }

  /** The channel of a place, without opening anything. In a forum what was said stands in the thread that its first message opened. */
  at({ channel, thread }: Place, first?: string): Target {
    if (thread === undefined && first !== undefined && this.isForum(channel))
      return { channel: first, parent: channel, thread: first }
    if (thread === undefined || this.#closed.has(thread)) return this.#plain(channel)
    return { channel: thread, parent: channel, thread }
  }

  isForum(channel: string): boolean {
    const known = this.#directory.channels.get(channel)
    return known !== undefined && isForum(known)
  }

  #plain(channel: string): Target {
    const known = this.#directory.channels.get(channel)
    // A thread may be a place of its own.
    if (known && isThread(known) && known.parent !== null) return { channel, parent: known.parent, thread: channel }
    return { channel, parent: channel }
  }

  /** The channel of a place; its thread is opened where it is not there yet. */
  async open(place: Place): Promise<Target> {
    const { channel, thread } = place
    if (thread === undefined) return this.#plain(channel)
    if (this.#closed.has(thread)) return { ...this.#plain(channel), instead: thread }
    if (this.#directory.channels.has(thread) || (await this.#find(thread)) || (await this.#start(channel, thread)))
      return { channel: thread, parent: channel, thread }
    return { ...this.#plain(channel), instead: thread }
  }

  async #find(thread: string): Promise<boolean> {
    try {
      const found = await this.#api.get<APIChannel>(`/channels/${thread}`)
      return isThread(this.#directory.note(found))
    } catch (error) {
      if (error instanceof Refused && error.refusal.status !== 401) return false
      throw error
    }
  }

  async #start(channel: string, message: string): Promise<boolean> {
    try {
      const name = await this.#nameFor(channel, message)
      const body = { name, auto_archive_duration: archiveMinutes }
      const made = await this.#api.post<APIChannel>(`/channels/${channel}/messages/${message}/threads`, { body })
      this.#directory.note(made)
      return true
    } catch (error) {
      if (isRefused(error, errors.ThreadAlreadyCreatedForMessage)) return true
      if (!(error instanceof Refused) || error.refusal.status === 401) throw error
      // A permission may be given later; what a message or a channel is does not change.
      if (!isRefused(error, errors.MissingPermissions, errors.MissingAccess)) this.#closed.add(message)
      return false
    }
  }

  async #nameFor(channel: string, message: string): Promise<string> {
    const root = await this.#api.get<APIMessage>(`/channels/${channel}/messages/${message}`)
    return threadName(root.content) || 'Thread'
  }
}
