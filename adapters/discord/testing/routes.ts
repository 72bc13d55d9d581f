import { type Answer, type Asked, none, ok } from './checks.ts'
import {
  ApiError,
  invalid,
  missingAccess,
  noDirect,
  notAuthor,
  threadExists,
  unknownChannel,
  unknownEmoji,
  unknownGuild,
  unknownMember,
  unknownMessage,
  unknownUser,
  wrongType,
} from './errors.ts'
import { HookRoutes } from './hooks.ts'
import {
  type Channel,
  channelObject,
  type Message,
  madeAt,
  memberObject,
  messageObject,
  snowflake,
  userObject,
} from './objects.ts'
import { bits } from './server.ts'

const isEmoji = /^(?:\p{Extended_Pictographic}|\p{Regional_Indicator}|[0-9#*]\ufe0f?\u20e3)/u

/** The REST API: what each endpoint checks, does and answers. */
export class Routes extends HookRoutes {
  readonly #nonces = new Map<string, Message>()

  answer(asked: Asked): Answer {
    const [first, ...rest] = asked.path
    const found = this[first as 'users']
    if (typeof found !== 'function' || !families.includes(first ?? '')) throw new ApiError(404, 0, '404: Not Found')
    return found.call(this, asked, rest)
  }

  gateway(_asked: Asked, [which]: readonly string[]): Answer {
    const all = this.s.gateway() as { url: string }
    return ok(which === 'bot' ? all : { url: all.url })
  }

  users({ method, body }: Asked, [who, what]: readonly string[]): Answer {
    const { world, closed } = this.s
    if (who !== '@me') throw new ApiError(404, 0, '404: Not Found')
    if (what === undefined) return ok({ ...userObject(world.self), mfa_enabled: false, locale: 'en-US' })
    if (what === 'guilds') {
      const { id, name } = world.guild
      const permissions = [...world.guild.roles.values()].reduce((all, role) => all | role.permissions, 0n)
      return ok(
        world.guild.members.has(world.self.id)
          ? [{ id, name, icon: null, banner: null, owner: false, permissions: String(permissions), features: [] }]
          : [],
      )
    }
    if (what !== 'channels' || method !== 'POST') throw new ApiError(404, 0, '404: Not Found')
    const user = world.users.get(String(body['recipient_id']))
    if (!user) throw unknownUser()
    if (closed.has(user.id)) throw noDirect()
    return ok(channelObject(world.direct(user)))
  }

  applications({ method, body }: Asked, [id, what]: readonly string[]): Answer {
    const { world } = this.s
    if (id === '@me') return ok(this.#application())
    if (id !== world.self.id || what !== 'commands') throw new ApiError(404, 10002, 'Unknown Application')
    if (method === 'PUT') {
      world.commands = (body as unknown as object[]).map(command => ({
        id: snowflake(),
        application_id: id,
        version: snowflake(),
        default_member_permissions: null,
        type: 1,
        nsfw: false,
        ...command,
      }))
    }
    return ok(world.commands)
  }

  #application(): object {
    const { world } = this.s
    const flags = this.s.flags()
    const nulls = ['icon', 'interactions_endpoint_url', 'role_connections_verification_url', 'team']
    return {
      ...Object.fromEntries(nulls.map(key => [key, null])),
      id: world.self.id,
      name: 'Chanop',
      description: '',
      type: null,
      verify_key: '0'.repeat(64),
      flags,
      flags_new: String(flags),
      redirect_uris: [],
      owner: userObject(world.user('owner')),
      approximate_guild_count: 1,
      approximate_user_install_count: 0,
      approximate_user_authorization_count: 0,
      explicit_content_filter: 0,
      eligible_oauth2_scopes: [],
    }
  }

  guilds(_asked: Asked, [id, what, which]: readonly string[]): Answer {
    const { world } = this.s
    if (id !== world.guild.id) throw unknownGuild()
    if (!world.guild.members.has(world.self.id)) throw missingAccess()
    if (what === undefined) return ok(world.guildObject())
    const inGuild = [...world.channels.values()].filter(channel => channel.guild_id === id)
    if (what === 'channels') return ok(inGuild.filter(({ type }) => type < 10 || type > 12).map(channelObject))
    if (what === 'members') {
      const member = world.guild.members.get(which ?? '')
      if (!member) throw unknownMember()
      return ok(memberObject(member))
    }
    if (what !== 'threads') throw new ApiError(404, 0, '404: Not Found')
    const threads = inGuild.filter(
      channel =>
        channel.type === 11 && channel.archived !== true && (world.may(world.self.id, channel) & bits.view) !== 0n,
    )
    return ok({ threads: threads.map(channelObject), members: [], has_more: false })
  }

  channels(asked: Asked, [id, what, ...rest]: readonly string[]): Answer {
    const { world } = this.s
    const channel = world.channels.get(id ?? '')
    if (!channel) throw unknownChannel()
    if ((world.may(world.self.id, channel) & bits.view) === 0n) throw missingAccess()
    if (what === undefined) return ok(channelObject(channel))
    if (what === 'typing') {
      this.need(channel, bits.send)
      this.s.typed.push(channel.id)
      return none
    }
    if (what === 'messages') return this.#messages(asked, channel, rest)
    if (what === 'webhooks') return this.channelWebhooks(asked, channel)
    if (what === 'threads') return this.#threads(asked, channel, rest)
    throw new ApiError(404, 0, '404: Not Found')
  }

  #messages(asked: Asked, channel: Channel, [id, what, ...rest]: readonly string[]): Answer {
    const { world } = this.s
    if (id === undefined) return asked.method === 'POST' ? this.#create(asked, channel) : this.#history(asked, channel)
    const message = world.find(channel.id, id)
    if (!message || message.only !== undefined) throw unknownMessage()
    if (what === 'reactions') return this.#reaction(asked, channel, message, rest)
    if (what === 'threads') return this.#threadFrom(asked, channel, message)
    if (asked.method === 'GET') return ok(messageObject(message, world.view))
    if (asked.method === 'DELETE') {
      if (message.author.id !== world.self.id || message.webhook !== undefined) this.need(channel, bits.manageMessages)
      world.remove(message)
      return none
    }
    if (message.author.id !== world.self.id) throw notAuthor()
    return this.patch(asked, message)
  }

  #history({ query }: Asked, channel: Channel): Answer {
    const { world } = this.s
    if ((world.may(world.self.id, channel) & bits.history) === 0n) return ok([])
    const limit = Number(query.get('limit') ?? 50)
    if (!(limit >= 1 && limit <= 100))
      throw invalid('limit', 'NUMBER_TYPE_MAX', 'int value should be less than or equal to 100.')
    const [after, before] = [query.get('after'), query.get('before')].map(value =>
      value === null ? null : BigInt(value),
    )
    const all = (world.messages.get(channel.id) ?? []).filter(({ only }) => only === undefined)
    const fit = all.filter(({ id }) => (after == null || BigInt(id) > after) && (before == null || BigInt(id) < before))
    const page = after == null ? fit.slice(-limit) : fit.slice(0, limit)
    return ok(page.reverse().map(message => this.#kept(message)))
  }

  /** The history does not tell the nonce. */
  #kept(message: Message): object {
    const { nonce: _nonce, ...kept } = messageObject(message, this.s.world.view)
    return kept
  }

  #create(asked: Asked, channel: Channel): Answer {
    const { world, closed } = this.s
    const { body } = asked
    const isThread = channel.type >= 10 && channel.type <= 12
    this.need(channel, isThread ? bits.sendInThreads : bits.send)
    if (channel.recipient && closed.has(channel.recipient.id)) throw noDirect()
    if ([4, 15, 16].includes(channel.type)) throw new ApiError(400, 50008, 'Cannot send messages in a non-text channel')
    const given = body['nonce']
    const nonce = typeof given === 'string' || typeof given === 'number' ? String(given) : undefined
    const known = body['enforce_nonce'] === true && nonce !== undefined ? this.#nonces.get(nonce) : undefined
    if (known) return ok(messageObject(known, world.view))
    const reference = this.#reference(body, channel)
    const posting = {
      ...this.posting(asked, channel),
      ...(nonce === undefined ? {} : { nonce }),
      ...(reference ? { reference, type: 19 } : {}),
    }
    if (channel.archived) channel.archived = false
    const message = world.post(channel, world.self, posting)
    if (nonce !== undefined) this.#nonces.set(nonce, message)
    return ok(messageObject(message, world.view))
  }

  #reference(body: Record<string, unknown>, channel: Channel): Message['reference'] | null {
    const given = body['message_reference'] as { message_id: string; fail_if_not_exists?: boolean } | undefined
    if (!given) return null
    if (this.s.world.find(channel.id, given.message_id))
      return {
        message_id: given.message_id,
        channel_id: channel.id,
        ...(channel.guild_id ? { guild_id: channel.guild_id } : {}),
      }
    if (given.fail_if_not_exists !== false)
      throw invalid('message_reference', 'REPLIES_UNKNOWN_MESSAGE', 'Unknown message')
    return null
  }

  #reaction({ method }: Asked, channel: Channel, message: Message, [emoji = '', who]: readonly string[]): Answer {
    const { world } = this.s
    if (who !== '@me') throw new ApiError(404, 0, '404: Not Found')
    const [name = '', id] = emoji.split(':')
    const own = world.guild.emojis.some(known => known.id === id && known.name === name)
    if (id === undefined ? !isEmoji.test(name) : !own) throw unknownEmoji()
    if (method === 'PUT') this.need(channel, bits.addReactions)
    world.react(message, world.self, { id: id ?? null, name }, method === 'DELETE')
    return none
  }

  #threadFrom({ body }: Asked, channel: Channel, message: Message): Answer {
    const { world } = this.s
    if (channel.type !== 0 && channel.type !== 5) throw wrongType()
    this.need(channel, bits.createThreads)
    if (world.channels.has(message.id)) throw threadExists()
    if (message.type !== 0 && message.type !== 19 && message.type !== 20)
      throw new ApiError(400, 50021, 'Cannot execute action on a system message')
    return ok(channelObject(world.thread(channel, { id: message.id, name: String(body['name']) })), 201)
  }

  #threads(asked: Asked, channel: Channel, [which]: readonly string[]): Answer {
    const { world } = this.s
    if (which === 'archived') {
      this.need(channel, bits.history)
      const atMs = ({ last_message_id, id }: Channel): number => Date.parse(madeAt(last_message_id ?? id))
      const [limit, before] = [Number(asked.query.get('limit') ?? 50), asked.query.get('before')]
      const threads = [...world.channels.values()]
        .filter(({ parent_id, archived }) => parent_id === channel.id && archived === true)
        .filter(each => before === null || atMs(each) < Date.parse(before))
        .toSorted((a, b) => atMs(b) - atMs(a))
      const page = threads.slice(0, limit).map(channelObject)
      return ok({ threads: page, members: [], has_more: threads.length > limit })
    }
    if (channel.type !== 15) throw wrongType()
    const inner = { ...asked, body: (asked.body['message'] ?? {}) as Record<string, unknown> }
    const posting = this.posting(inner, channel)
    const thread = world.thread(channel, { name: String(asked.body['name']) })
    const message = this.starter(thread, posting)
    return ok({ ...channelObject(thread), message: messageObject(message, world.view) }, 201)
  }
}

const families = ['gateway', 'users', 'applications', 'guilds', 'channels', 'webhooks', 'interactions']
