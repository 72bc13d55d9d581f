import { type APIWebhook, RESTJSONErrorCodes as errors } from 'discord.js'
import type { Log } from '../../../core/log.ts'
import type { Directory } from '../guild/directory.ts'
import { has } from '../guild/permissions.ts'
import type { Api } from '../wire/api.ts'
import { Refused } from '../wire/faults.ts'

export interface Hook {
  readonly id: string
  readonly token: string
}

/** By this name one Chanop knows the webhooks of another: what comes by them is a copy. */
const ownName = 'Chanop relay'
const isRelay = (name: string | null): boolean => (name ?? '').startsWith('Chanop')

export interface WebhooksOptions {
  readonly api: Api
  readonly directory: Directory
  readonly log: Log
  /** Whether faces are wanted at all. */
  readonly on: boolean
}

/** The webhook of each channel by which relayed people are shown, and what is known of others' webhooks. */
export class Webhooks {
  readonly #o: WebhooksOptions
  readonly #hooks = new Map<string, Promise<Hook | null>>()
  readonly #kinds = new Map<string, 'ours' | 'relay' | 'other'>()

  constructor(options: WebhooksOptions) {
    this.#o = options
  }

  kind(id: string): 'ours' | 'relay' | 'other' {
    return this.#kinds.get(id) ?? 'other'
  }

  isKnown(id: string): boolean {
    return this.#kinds.has(id)
  }

  /** Nothing can be found out about this one: it is somebody's. */
  assume(id: string): void {
    if (!this.#kinds.has(id)) this.#kinds.set(id, 'other')
  }

  /** The webhook of a channel, made when there is none; null where there can be none. */
  async of(channel: string): Promise<Hook | null> {
    const known = this.#hooks.get(channel)
    if (known) return known
    const found = this.#find(channel)
    this.#hooks.set(channel, found)
    try {
      return await found
    } catch (error) {
      this.#hooks.delete(channel)
      throw error
    }
  }

  /** It is gone, or may be had now: asked for again at the next use. */
  forget(channel: string): void {
    this.#hooks.delete(channel)
  }

  forgetAll(): void {
    this.#hooks.clear()
  }

  #may(channel: string): boolean {
    const known = this.#o.directory.channels.get(channel)
    const bits = known ? this.#o.directory.permissions(known) : null
    return this.#o.on && bits !== null && has(bits, 'manageWebhooks')
  }

  async #find(channel: string): Promise<Hook | null> {
    if (!this.#may(channel)) return null
    try {
      const own = (await this.look(channel)).find(hook => this.#isOwn(hook) && hook.token !== undefined)
      const hook =
        own ?? (await this.#o.api.post<APIWebhook>(`/channels/${channel}/webhooks`, { body: { name: ownName } }))
      this.#kinds.set(hook.id, 'ours')
      return hook.token === undefined ? null : { id: hook.id, token: hook.token }
    } catch (error) {
      if (!(error instanceof Refused) || error.refusal.code === errors.UnknownChannel) throw error
      this.#o.log.info({ channel, reason: error.message }, 'no webhook here; names stand in the text')
      return null
    }
  }

  #isOwn({ application_id: application, user }: APIWebhook): boolean {
    const { directory } = this.#o
    return (application !== null && application === directory.application) || (!!user && user.id === directory.self?.id)
  }

  /** All webhooks of a channel; notes whose they are. */
  async look(channel: string, signal?: AbortSignal): Promise<readonly APIWebhook[]> {
    if (!this.#may(channel)) return []
    const found = await this.#o.api.get<APIWebhook[]>(`/channels/${channel}/webhooks`, signal ? { signal } : {})
    for (const hook of found) {
      const kind = this.#isOwn(hook) ? 'ours' : isRelay(hook.name ?? null) ? 'relay' : 'other'
      this.#kinds.set(hook.id, kind)
    }
    return found
  }
}
