import { empty, invalid, missingPermissions, tooLarge } from './errors.ts'
import { type Channel, type File, type Message, messageObject, snowflake } from './objects.ts'
import { bits } from './server.ts'
import type { World } from './world.ts'

export interface Asked {
  readonly method: string
  readonly path: readonly string[]
  readonly query: URLSearchParams
  readonly body: Record<string, unknown>
  readonly files: readonly { readonly name: string; readonly type: string; readonly bytes: Uint8Array }[]
}
export interface Answer {
  readonly status: number
  readonly body?: unknown
}

export interface Interaction {
  readonly id: string
  readonly token: string
  readonly channel: string
  readonly user: string
  acknowledged: boolean
  /** Flags of the deferred answer, until it is filled in. */
  deferred: number | null
  original: Message | null
}

export interface RoutesState {
  readonly world: World
  readonly interactions: Map<string, Interaction>
  flags: () => number
  gateway: () => object
  /** Who takes no direct messages. */
  readonly closed: Set<string>
  readonly typed: string[]
}

export const ok = (body: unknown, status = 200): Answer => ({ status, body })
export const none: Answer = { status: 204 }
const tierBytes = [10, 10, 50, 100].map(size => size * 1024 * 1024)

/** Characters as the platform counts them: code points. */
export const lengthOf = (text: string): number => Array.from(text).length

/** What several endpoints check and do. */
export class Checks {
  protected readonly s: RoutesState

  constructor(state: RoutesState) {
    this.s = state
  }

  protected need(channel: Channel, bit: bigint): void {
    const { world } = this.s
    if ((world.may(world.self.id, channel) & bit) === 0n) throw missingPermissions()
  }

  protected content(body: Record<string, unknown>): string {
    const content = typeof body['content'] === 'string' ? body['content'] : ''
    if (lengthOf(content) > 2000) throw invalid('content', 'BASE_TYPE_MAX_LENGTH', 'Must be 2000 or fewer in length.')
    return /^[\s\u200b\u2800]*$/.test(content) ? '' : content
  }

  protected posting({ body, files }: Asked, channel: Channel) {
    const { world } = this.s
    const content = this.content(body)
    if (content === '' && files.length === 0 && !Array.isArray(body['embeds'])) throw empty()
    if (files.length > 0) this.need(channel, bits.attach)
    const most = tierBytes[channel.guild_id === undefined ? 0 : world.guild.premium_tier] ?? 0
    if (files.some(({ bytes }) => bytes.length > most)) throw tooLarge()
    if (files.length > 10) throw invalid('attachments', 'BASE_TYPE_BAD_LENGTH', 'Must be between 0 and 10 in length.')
    const told = (body['attachments'] ?? []) as { description?: string }[]
    const kept: File[] = files.map(({ name, type, bytes }, at) => ({
      id: snowflake(),
      filename: name,
      content_type: type,
      bytes,
      ...(told[at]?.description === undefined ? {} : { more: { description: told[at].description } }),
    }))
    const allowed = body['allowed_mentions'] as Message['allowed']
    return { content, files: kept, ...(allowed === undefined ? {} : { allowed }), flags: Number(body['flags'] ?? 0) }
  }

  protected patch({ body }: Asked, message: Message): Answer {
    const content = this.content(body)
    if (content === '' && message.files.length === 0) throw empty()
    message.allowed = body['allowed_mentions'] as Message['allowed']
    this.s.world.edit(message, content)
    return ok(messageObject(message, this.s.world.view))
  }

  /** The first message of a post has the post's id. */
  protected starter(thread: Channel, posting: Parameters<World['post']>[2], author = this.s.world.self): Message {
    const { world } = this.s
    const made = world.post(thread, author, posting)
    const message = { ...made, id: thread.id }
    const list = world.messages.get(thread.id) ?? []
    list.splice(list.indexOf(made), 1, message)
    thread.last_message_id = thread.id
    return message
  }
}
