import { type APIMessage, RESTJSONErrorCodes as errors } from 'discord.js'
import type { Able } from '../../../core/adapter.ts'
import { ChanopError } from '../../../core/error.ts'
import type { Draft, MessageId, Place, Reaction } from '../../../core/event.ts'
import type { Lanes } from '../../../core/process/lanes.ts'
import { Recent } from '../../../core/recent.ts'
import type { Look } from '../text/render.ts'
import type { Api } from '../wire/api.ts'
import { isRefused, type Refused } from '../wire/faults.ts'
import { nothing, nothingShown, onlyThese, type Post } from './compose.ts'
import type { Saying } from './saying.ts'
import type { Target, Threads } from './threads.ts'
import type { Hook, Webhooks } from './webhooks.ts'

export interface ChangesOptions {
  readonly api: Api
  readonly threads: Threads
  readonly webhooks: Webhooks
  readonly lanes: Lanes<string>
  readonly look: (target: Target) => Look
  readonly saying: (target: Target, draft: Draft, deliveryId: string) => Promise<Saying>
  /** Says one more message behind those that there are. */
  readonly add: (saying: Saying, post: Post, part: number) => Promise<string>
}

const mostKept = 2_000

/** What is done to messages of ours that stand there: by the webhook that said them, or by our account. */
export class Changes {
  readonly #o: ChangesOptions
  /** Messages that we took away ourselves: the platform tells of it as of any other. */
  readonly #removed = new Recent<string, true>(mostKept)
  /** Messages that a webhook said, by what was seen of them here. */
  readonly #hooked = new Recent<string, boolean>(mostKept)

  constructor(options: ChangesOptions) {
    this.#o = options
  }

  isRemoved(message: string): boolean {
    return this.#removed.has(message)
  }

  /** A message was said, by a webhook or not. */
  note(id: string, hooked: boolean): void {
    this.#hooked.set(id, hooked)
  }

  readonly edit: Able['edit'] = async (place, target, draft, deliveryId) => {
    const { replyTo: _reply, ...content } = draft.content
    const at = this.#o.threads.at(place, target[0])
    return this.#o.lanes.run(at.channel, async () => {
      const saying = await this.#o.saying(at, { ...draft, content }, deliveryId)
      const files = await this.#filesAmong(at, target.slice(saying.posts.length))
      if (saying.posts.length === 0 && files.size === 0) throw nothingShown()
      const ids: string[] = []
      for (const [part, post] of saying.posts.entries()) {
        const id = target[part]
        ids.push(id === undefined ? await this.#o.add(saying, post, part) : await this.#change(saying, id, post))
      }
      for (const id of target.slice(saying.posts.length)) {
        if (files.has(id)) ids.push(await this.#change(saying, id, nothing))
        else await this.#take(at, id)
      }
      return ids as MessageId[]
    })
  }

  /** Which messages have files: they stay where no words are left for them. */
  async #filesAmong(target: Target, ids: readonly MessageId[]): Promise<ReadonlySet<string>> {
    const found = new Set<string>()
    for (const id of ids) {
      await this.#inChannel(target, async channel => {
        const { attachments } = await this.#o.api.get<APIMessage>(`/channels/${channel}/messages/${id}`)
        if (attachments.length > 0) found.add(id)
      }).catch((error: unknown) => {
        if (!isRefused(error, errors.UnknownMessage, errors.MissingAccess)) throw error
      })
    }
    return found
  }

  /** Gives a message of ours its words anew. False: it is gone. */
  async reword(saying: Saying, id: string, post: Post): Promise<boolean> {
    try {
      await this.#change(saying, id, post)
      return true
    } catch (error) {
      if (!isRefused(error, errors.UnknownMessage)) throw error
      return false
    }
  }

  async #change({ target, draft }: Saying, id: string, { content, users }: Post): Promise<string> {
    const body = { content, allowed_mentions: onlyThese(users, draft.everyone === true) }
    await this.#byWhom(target, id, draft.as?.relayed === true, {
      hook: ({ id: hook, token }, query) =>
        this.#o.api.patch(`/webhooks/${hook}/${token}/messages/${id}`, { body, query, auth: false }),
      own: channel => this.#o.api.patch(`/channels/${channel}/messages/${id}`, { body }),
    })
    return id
  }

  /** Does something to a message of ours by the way it was said; when that is not known, by both. */
  async #byWhom(
    target: Target,
    id: string,
    relayed: boolean,
    ways: {
      readonly hook: (hook: Hook, query: Record<string, string>) => Promise<unknown>
      readonly own: (channel: string) => Promise<unknown>
    },
  ): Promise<void> {
    const hooked = this.#hooked.get(id) ?? relayed
    const hook = hooked ? await this.#o.webhooks.of(target.parent) : null
    if (hook) {
      try {
        await ways.hook(hook, target.thread === undefined ? {} : { thread_id: target.thread })
        return
      } catch (error) {
        const isElse = isRefused(error, errors.UnknownMessage, errors.UnknownWebhook, errors.InvalidWebhookToken)
        if (!isElse || this.#hooked.get(id) === true) throw error
      }
    }
    await this.#inChannel(target, ways.own)
  }

  /** What opened a thread stands in the channel, not in the thread. */
  async #inChannel(target: Target, act: (channel: string) => Promise<unknown>): Promise<void> {
    try {
      await act(target.channel)
    } catch (error) {
      if (target.channel === target.parent || !isRefused(error, errors.UnknownMessage, errors.UnknownChannel))
        throw error
      await act(target.parent)
    }
  }

  async remove(place: Place, target: readonly MessageId[]): Promise<void> {
    const at = this.#o.threads.at(place, target[0])
    await this.#o.lanes.run(at.channel, async () => {
      for (const id of target) await this.#take(at, id)
    })
  }

  /** Takes a message away; one that is gone already is no fault. */
  async #take(target: Target, id: string): Promise<void> {
    this.#removed.set(id, true)
    try {
      await this.#byWhom(target, id, this.#hooked.get(id) ?? false, {
        hook: ({ id: hook, token }, query) =>
          this.#o.api.delete(`/webhooks/${hook}/${token}/messages/${id}`, { query, auth: false }),
        own: channel => this.#o.api.delete(`/channels/${channel}/messages/${id}`),
      })
    } catch (error) {
      if (isRefused(error, errors.MissingPermissions, errors.MissingAccess)) return this.#takeAsHook(target, id, error)
      if (!isRefused(error, errors.UnknownMessage)) throw error
    }
  }

  /** Without Manage Messages a webhook's message is taken away by the webhook alone. */
  async #takeAsHook(target: Target, id: string, refused: Refused): Promise<void> {
    const hook = await this.#o.webhooks.of(target.parent)
    if (!hook) throw refused
    const query = target.thread === undefined ? {} : { thread_id: target.thread }
    try {
      await this.#o.api.delete(`/webhooks/${hook.id}/${hook.token}/messages/${id}`, { query, auth: false })
    } catch (error) {
      if (isRefused(error, errors.UnknownMessage)) throw refused
      throw error
    }
  }

  async react(place: Place, message: MessageId, { emoji, removed }: Reaction): Promise<void> {
    const target = this.#o.threads.at(place, message)
    const shown = encodeURIComponent(this.#emoji(target, emoji))
    await this.#inChannel(target, channel => {
      const route = `/channels/${channel}/messages/${message}/reactions/${shown}/@me` as const
      return removed ? this.#o.api.delete(route) : this.#o.api.put(route)
    })
  }

  /** As Discord wants it in an address: a character, or `name:id` of one of the server's own. */
  #emoji(target: Target, emoji: string): string {
    const [, name] = /^:(\w{2,32}):$/.exec(emoji) ?? []
    if (name === undefined) return emoji
    const known = this.#o.look(target).emoji(name)
    if (known === null) throw new ChanopError('unsupported', `this server has no emoji called ${name}`)
    return known.replace(/^<a?:|>$/g, '')
  }
}
