import { type Answer, type Asked, Checks, type Interaction, lengthOf, none, ok } from './checks.ts'
import {
  ApiError,
  acknowledged,
  badHookToken,
  invalid,
  unknownChannel,
  unknownInteraction,
  unknownMessage,
  unknownWebhook,
} from './errors.ts'
import { type Channel, type File, type Message, messageObject, snowflake, userObject } from './objects.ts'
import { bits, type Hook } from './server.ts'
import type { Posting } from './world.ts'

const text = (value: unknown): string => (typeof value === 'string' ? value : '')

/** Webhooks and interactions: what is said with a token in the address. */
export class HookRoutes extends Checks {
  // ---- webhooks -------------------------------------------------------------------------------------------------------

  protected channelWebhooks({ method, body }: Asked, channel: Channel): Answer {
    const { world } = this.s
    this.need(channel, bits.manageWebhooks)
    const here = [...world.hooks.values()].filter(({ channel_id }) => channel_id === channel.id)
    if (method === 'GET') return ok(here.map(hook => this.#hookObject(hook)))
    if (here.length >= 15) throw new ApiError(400, 30007, 'Maximum number of webhooks reached (15)')
    const name = String(body['name'])
    if (/discord|clyde/i.test(name)) throw invalid('name', 'WEBHOOK_NAME_INVALID', 'Name contains a forbidden word')
    const id = snowflake()
    const hook: Hook = {
      id,
      token: `secret-${id}`,
      channel_id: channel.id,
      name,
      application: world.self.id,
      user: world.self,
    }
    world.hooks.set(id, hook)
    world.webhooksChanged(channel.id)
    return ok(this.#hookObject(hook))
  }

  #hookObject({ id, token, channel_id, name, application, user }: Hook): object {
    const { world } = this.s
    const mine = application === world.self.id
    return {
      id,
      type: 1,
      channel_id,
      guild_id: world.guild.id,
      name,
      avatar: null,
      application_id: application,
      user: userObject(user),
      ...(mine ? { token } : {}),
    }
  }

  webhooks(asked: Asked, [id, token, what, which]: readonly string[]): Answer {
    const { world } = this.s
    if (id === world.self.id) return this.#followup(asked, token ?? '', which)
    const hook = world.hooks.get(id ?? '')
    if (!hook) throw unknownWebhook()
    if (hook.token !== token) throw badHookToken()
    const parent = world.channels.get(hook.channel_id)
    const thread = asked.query.get('thread_id')
    const channel = thread === null ? parent : world.channels.get(thread)
    if (!channel || !parent || (thread !== null && channel.parent_id !== parent.id)) throw unknownChannel()
    if (what === undefined) return this.#execute(asked, hook, channel)
    const message = world.find(channel.id, which ?? '')
    if (!message || message.webhook !== hook.id) throw unknownMessage()
    if (asked.method === 'PATCH') return this.patch(asked, message)
    if (asked.method === 'DELETE') {
      world.remove(message)
      return none
    }
    return ok(messageObject(message, world.view))
  }

  #execute(asked: Asked, hook: Hook, channel: Channel): Answer {
    const { world } = this.s
    const { body, query } = asked
    const name = typeof body['username'] === 'string' ? body['username'] : hook.name
    if (lengthOf(name) < 1 || lengthOf(name) > 80)
      throw invalid('username', 'BASE_TYPE_BAD_LENGTH', 'Must be between 1 and 80 in length.')
    const [word] = /discord|clyde/i.exec(name) ?? []
    if (word !== undefined)
      throw invalid('username', 'USERNAME_INVALID_CONTAINS', `Username cannot contain "${word.toLowerCase()}"`)
    const author = { id: hook.id, username: name, global_name: null, avatar: null, bot: true }
    const posting = {
      ...this.posting(asked, channel),
      webhook: hook.id,
      ...(hook.application === null ? {} : { application: hook.application }),
      more: { avatar_url: body['avatar_url'] ?? null },
    }
    const { more, ...said } = posting
    const message =
      channel.type === 15
        ? this.#post(channel, text(body['thread_name']), said, author)
        : world.post(channel, author, said)
    this.avatars.set(message.id, more.avatar_url as string | null)
    return query.get('wait') === 'true' ? ok(messageObject(message, world.view)) : none
  }

  /** The picture that a webhook's message was sent with. */
  readonly avatars = new Map<string, string | null>()

  #post(forum: Channel, name: string, posting: Posting, author: Message['author']): Message {
    if (name === '')
      throw new ApiError(400, 220001, 'Webhooks posted to forum channels must have a thread_name or thread_id')
    return this.starter(this.s.world.thread(forum, { name }), posting, author)
  }

  // ---- interactions ---------------------------------------------------------------------------------------------------

  interactions({ body }: Asked, [id, token, what]: readonly string[]): Answer {
    const found = this.s.interactions.get(token ?? '')
    if (!found || found.id !== id || what !== 'callback') throw unknownInteraction()
    if (found.acknowledged) throw acknowledged()
    found.acknowledged = true
    const data = (body['data'] ?? {}) as Record<string, unknown>
    if (body['type'] === 5) {
      found.deferred = Number(data['flags'] ?? 0)
      found.original = this.#said(found, { flags: found.deferred | (1 << 7) })
    } else if (body['type'] === 4) found.original = this.#said(found, data)
    else if (body['type'] === 8) this.suggested.push(data['choices'])
    return none
  }

  /** What was offered while somebody typed. */
  readonly suggested: unknown[] = []

  #said({ id, channel, user }: Interaction, data: Record<string, unknown>, files: readonly File[] = []): Message {
    const { world } = this.s
    const flags = Number(data['flags'] ?? 0)
    const where = world.channels.get(channel)
    if (!where) throw unknownChannel()
    const asker = world.users.get(user)
    const by = asker && userObject(asker)
    const only = (flags & 64) === 0 ? {} : { only: user }
    return world.post(where, world.self, {
      type: 20,
      content: text(data['content']),
      flags,
      files,
      webhook: world.self.id,
      application: world.self.id,
      more: { interaction_metadata: { id, type: 2, user: by, authorizing_integration_owners: {} } },
      ...only,
    })
  }

  #followup(asked: Asked, token: string, which: string | undefined): Answer {
    const { world } = this.s
    const found = this.s.interactions.get(token)
    if (!found) throw badHookToken()
    if (!found.acknowledged) throw unknownWebhook()
    if (asked.method === 'DELETE') {
      const message = which === '@original' ? found.original : world.find(found.channel, which ?? '')
      if (!message) throw unknownMessage()
      world.remove(message)
      if (message === found.original) [found.original, found.deferred] = [null, null]
      return none
    }
    const where = world.channels.get(found.channel)
    if (!where) throw unknownChannel()
    const { content, files, flags } = this.posting(asked, where)
    // The first answer fills in what was deferred, and is seen by whom that was for.
    const message =
      found.deferred !== null && found.original ? found.original : this.#said(found, { content, flags }, files)
    if (found.deferred !== null && found.original) {
      Object.assign(found.original, { content, files })
      found.original.flags = found.deferred
      found.deferred = null
    }
    return ok(messageObject(message, world.view))
  }
}
