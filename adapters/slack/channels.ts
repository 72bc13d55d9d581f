import type { Log } from '../../core/log.ts'
import { Troubles } from '../../core/process/network-state.ts'
import type { Api } from './link/api.ts'
import { advice, Fault, isRefused } from './link/fault.ts'
import { list, type Native, part, str } from './native.ts'

const mostPeople = 20_000

export interface ChannelsOptions {
  readonly api: Api
  readonly log: Log
  readonly signal: AbortSignal
  changed(): void
}

/** The channels we speak in: what they are called, who was seen there, and what does not work. */
export class SlackChannels {
  readonly #o: ChannelsOptions
  readonly #names = new Map<string, string>()
  readonly troubles: Troubles
  /** Channels in which somebody was seen since the start, for their renames. */
  readonly #people = new Map<string, Set<string>>()
  readonly #members = new Set<string>()

  constructor(options: ChannelsOptions) {
    this.#o = options
    this.troubles = new Troubles(() => options.changed())
  }

  isMember(channel: string): boolean {
    return channel.startsWith('D') || this.#members.has(channel)
  }

  known(id: string): string | undefined {
    return this.#names.get(id)
  }

  /** Looks a name up; never rejects. */
  async name(id: string): Promise<string> {
    const known = this.#names.get(id)
    if (known !== undefined) return known
    const answer = await this.#o.api.call('conversations.info', { channel: id }).catch(() => null)
    const name = answer ? str(part(answer, 'channel'), 'name') : ''
    if (answer) this.#names.set(id, name || id)
    return name || id
  }

  seen(channel: string, user: string, isThere: boolean): void {
    let where = this.#people.get(user)
    if (!where) {
      if (this.#people.size >= mostPeople) return
      this.#people.set(user, (where = new Set()))
    }
    if (isThere) where.add(channel)
    else where.delete(channel)
  }

  where(user: string): readonly string[] {
    return [...(this.#people.get(user) ?? [])].filter(channel => !channel.startsWith('D'))
  }

  trouble(channel: string, reason: string): void {
    if (this.troubles.of(channel) !== reason) this.#o.log.warn({ channel, reason }, 'a channel does not work')
    this.troubles.begin(channel, reason)
  }

  /** Every conversation we are in, direct ones included. Rejects with a `Fault`. */
  async mine(): Promise<readonly string[]> {
    const { api, signal } = this.#o
    const found: string[] = []
    const args = { types: 'public_channel,private_channel,im', exclude_archived: true, limit: 200 }
    for await (const page of api.pages('users.conversations', args, signal))
      found.push(...list(page, 'channels').map(channel => this.#note(channel)))
    this.#members.clear()
    for (const id of found) this.#members.add(id)
    return found
  }

  #note(channel: Native): string {
    const id = str(channel, 'id')
    const name = str(channel, 'name')
    if (name !== '') this.#names.set(id, name)
    return id
  }

  /** Enters a channel where that can be done; what stands in the way becomes a trouble. True when we are in it. */
  async enter(channel: string): Promise<boolean> {
    if (this.isMember(channel)) {
      this.troubles.end(channel)
      return true
    }
    try {
      const answer = await this.#o.api.patient('conversations.join', { channel }, this.#o.signal, 5)
      this.#note(part(answer, 'channel'))
      this.joined(channel)
      return true
    } catch (error) {
      this.trouble(channel, whyOutside(error))
      return false
    }
  }

  joined(channel: string): void {
    this.#members.add(channel)
    this.troubles.end(channel)
  }

  left(channel: string): void {
    this.#members.delete(channel)
    this.trouble(channel, 'the bot was taken out of the channel: /invite it there')
  }

  /** It is nothing of ours any more. */
  forget(channel: string): void {
    this.#members.delete(channel)
    this.troubles.end(channel)
  }

  /** What an event says of a channel itself. */
  follow(event: Native): void {
    const channel = str(event, 'channel') || str(part(event, 'channel'), 'id')
    switch (event['type']) {
      case 'channel_rename':
      case 'group_rename':
        this.#note(part(event, 'channel'))
        return
      case 'channel_archive':
      case 'group_archive':
        return this.trouble(channel, 'the channel is archived: unarchive it, or take it out of its room')
      case 'channel_unarchive':
      case 'group_unarchive':
        return this.troubles.end(channel)
      case 'channel_deleted':
      case 'group_deleted':
        return this.trouble(channel, 'the channel was deleted: take it out of its room')
      case 'channel_left':
      case 'group_left':
        return this.left(channel)
    }
  }
}

export type Channels = Pick<SlackChannels, 'known' | 'name' | 'seen' | 'where'>

function whyOutside(error: unknown): string {
  if (
    isRefused(error, 'missing_scope', 'method_not_supported_for_channel_type', 'channel_not_found', 'not_in_channel')
  ) {
    return 'the bot is not in the channel: /invite it there'
  }
  return error instanceof Fault ? advice(error) : 'the channel could not be entered'
}
