/** For suites: the five platforms, each with one person in a channel of its own, and what that person sees there of ours. */

import { connect } from 'node:net'
import { DiscordFake } from '../../adapters/discord/testing/fake.ts'
import { type Message as DiscordMessage, snowflake } from '../../adapters/discord/testing/objects.ts'
import { shown as discordShown } from '../../adapters/discord/testing/trial.ts'
import { startErgo, startInspircd, type TestServer } from '../../adapters/irc/server/testing.ts'
import { Proxy as IrcProxy } from '../../adapters/irc/testing/proxy.ts'
import { Guest } from '../../adapters/irc/testing/trial.ts'
import type { Client, Shown } from '../../adapters/matrix/testing/client.ts'
import { Proxy as HttpProxy } from '../../adapters/matrix/testing/proxy.ts'
import { Synapse } from '../../adapters/matrix/testing/synapse.ts'
import { FakeSlack } from '../../adapters/slack/testing/server.ts'
import { app, type Message as SlackMessage, shown as slackShown } from '../../adapters/slack/testing/workspace.ts'
import { fileFields } from '../../adapters/telegram/testing/methods.ts'
import { TelegramServer } from '../../adapters/telegram/testing/server.ts'
import { found } from '../../adapters/telegram/testing/text.ts'
import type { Stored } from '../../adapters/telegram/testing/world.ts'

/** Something of ours as it stands there now. */
export interface Copy {
  readonly id: string
  /** With the name of who wrote it, however the platform shows that. */
  readonly text: string
  readonly reactions: readonly string[]
  readonly files: readonly Uint8Array[]
  /** The id of what it answers, or in whose thread it stands. */
  readonly answers?: string
}

export interface Side {
  readonly network: string
  readonly channel: string
  /** The network's section of the configuration. */
  readonly config: object
  readonly env: Readonly<Record<string, string>>
  /** Who speaks there. */
  readonly person: string
  /** What people, or a bot, can do there, by what is absent. Ids are the platform's own. */
  say(text: string, replyTo?: string): Promise<string>
  edit?(id: string, text: string): Promise<void>
  remove?(id: string): Promise<void>
  react?(id: string, emoji: string): Promise<void>
  share?(text: string, bytes: Uint8Array): Promise<string>
  copies(): Promise<Copy[]>
  /** Takes no connections while `work` runs. */
  offline(work: () => Promise<void>): Promise<void>
  /** The next message of ours is accepted, and its answer lost. */
  loseAnswer(): void
  /** Asks us to wait, whatever we say, until what it gives is called. Absent: it does not ask. */
  storm?(): () => void
  stop(): Promise<void>
}

const word = (value: unknown): string => (typeof value === 'string' ? value : '')
const unseen = /[\u200b\u2060]/g

const ircConfig = (port: number): object => ({
  kind: 'irc',
  host: '127.0.0.1',
  port,
  tls: false,
  nick: 'fivebot',
  personas: false,
  flood: null,
  sasl: { account: 'fivebot', password: 'env:FIVE_IRC' },
})

export async function ircSide(kind: 'ergo' | 'inspircd'): Promise<Side & { readonly server: TestServer }> {
  const server = await (kind === 'ergo' ? startErgo : startInspircd)(null, {})
  const channel = '#five'
  const login = { account: 'ivy', password: await server.account('ivy') }
  const { host, port } = server
  const proxy = new IrcProxy(() => connect(port, host))
  const near = await proxy.listen(0)
  const guest = await Guest.join({ host, port, nick: 'ivy', account: login }, channel)
  const env = { FIVE_IRC: await server.account('fivebot') }
  if (kind === 'inspircd') {
    // What was said is replayed to whoever joins, as managed servers do.
    guest.say(`MODE ${channel} +H 20000:1d`)
    await guest.wait(line => line.command === 'MODE' && line.params[1]?.includes('H') === true, 'a history')
  }
  const said = () =>
    guest.lines.filter(
      ({ command, params, prefix }) =>
        /^(PRIVMSG|NOTICE)$/.test(command) && params[0] === channel && !prefix?.startsWith('ivy!'),
    )
  let count = 0
  return {
    server,
    network: 'irc',
    channel,
    person: 'ivy',
    env,
    config: ircConfig(near?.port ?? port),
    say: async (text, replyTo) => {
      const label = `five${count++}`
      const reply = replyTo === undefined ? '' : `;+draft/reply=${replyTo}`
      guest.say(`@label=${label}${reply} PRIVMSG ${channel} :${text}`)
      const echo = await guest.wait(line => line.tags['label'] === label, text)
      return echo.tags['msgid'] ?? ''
    },
    copies: async () =>
      said().map(({ params, prefix, tags }) => ({
        id: tags['msgid'] ?? '',
        text: `${prefix ?? ''} ${(params[1] ?? '').replace(unseen, '')}`,
        reactions: guest.lines
          .filter(line => line.command === 'TAGMSG' && line.tags['+draft/reply'] === tags['msgid'])
          .flatMap(line => line.tags['+draft/react'] ?? []),
        files: [],
        ...(tags['+draft/reply'] === undefined ? {} : { answers: tags['+draft/reply'] }),
      })),
    offline: work => proxy.offline(work),
    loseAnswer: () => proxy.loseAnswer(broken => broken()),
    stop: async () => {
      proxy.close()
      guest.leave()
      await server.stop()
    },
  }
}

export async function discordSide(): Promise<Side & { readonly fake: DiscordFake }> {
  const fake = await DiscordFake.start()
  const { world } = fake
  const channel = world.channel('five')
  const dora = world.user('dora', { global_name: 'dora' })
  world.enter(dora)
  const all = (): DiscordMessage[] => {
    const threads = [...world.channels.values()].filter(({ parent_id: parent }) => parent === channel.id)
    return [channel, ...threads].flatMap(({ id }) => world.messages.get(id) ?? [])
  }
  const at = (id: string): DiscordMessage => all().find(message => message.id === id) as DiscordMessage
  return {
    fake,
    network: 'dc',
    channel: channel.id,
    person: 'dora',
    env: { FIVE_DC: (await import('../../adapters/discord/testing/fake.ts')).token },
    config: { kind: 'discord', token: 'env:FIVE_DC', api: fake.api, cdn: fake.cdn },
    say: async (content, replyTo) => {
      const reference =
        replyTo === undefined ? {} : { type: 19, reference: { message_id: replyTo, channel_id: channel.id } }
      return world.post(channel, dora, { content, ...reference }).id
    },
    edit: async (id, text) => world.edit(at(id), text),
    remove: async id => world.remove(at(id)),
    react: async (id, name) => world.react(at(id), dora, { id: null, name }),
    share: async (content, bytes) => {
      const file = { id: snowflake(), filename: 'five.bin', content_type: 'application/octet-stream', bytes }
      return world.post(channel, dora, { content, files: [file] }).id
    },
    copies: async () =>
      all()
        .filter(({ author }) => author !== dora)
        .map(({ id, author, content, reactions, files, reference, channel_id: where }) => ({
          id,
          text: `${author.username}: ${discordShown(content).replace(unseen, '')}`,
          reactions: reactions.filter(({ users }) => users.length > 0).map(({ emoji }) => emoji.name),
          files: files.map(({ bytes }) => bytes),
          ...(reference?.message_id === undefined
            ? where === channel.id
              ? {}
              : { answers: where }
            : { answers: reference.message_id }),
        })),
    offline: work => fake.offline(work),
    loseAnswer: () => {
      fake.loses = (method, path) => method === 'POST' && (path.includes('/webhooks/') || path.endsWith('/messages'))
    },
    storm: () => {
      fake.storms.set('/', { retryAfter: 1, scope: 'global' })
      return () => fake.storms.clear()
    },
    stop: () => fake.stop(),
  }
}

export async function slackSide(): Promise<Side & { readonly fake: FakeSlack }> {
  const fake = new FakeSlack({ ackMs: 30_000 })
  await fake.start()
  const { workspace } = fake
  const sam = 'U00000000SAM'
  workspace.person(sam, 'sam')
  const channel = workspace.channel('five', { members: [sam, app.user] })
  const emoji: Record<string, string> = { '👍': '+1' }
  const named = Object.fromEntries(Object.entries(emoji).map(([sign, name]) => [name, sign]))
  const copyOf = (message: SlackMessage): Copy => ({
    id: message.ts,
    text: `${word(message['username'])}: ${slackShown(message).replace(unseen, '')}`,
    reactions: (message.reactions ?? []).map(({ name }) => named[name] ?? name),
    files: (message.files ?? []).map(({ id }) => workspace.files.get(String(id))?.bytes ?? new Uint8Array()),
    ...(message.thread_ts === undefined || message.thread_ts === message.ts ? {} : { answers: message.thread_ts }),
  })
  return {
    fake,
    network: 'sl',
    channel: channel.id,
    person: 'sam',
    env: { FIVE_SL: fake.botToken, FIVE_APP: fake.appToken },
    config: { kind: 'slack', token: 'env:FIVE_SL', appToken: 'env:FIVE_APP', api: fake.api },
    say: async (text, replyTo) => {
      const root = replyTo === undefined ? undefined : (workspace.find(channel, replyTo)?.thread_ts ?? replyTo)
      return workspace.say(channel, sam, text, root === undefined ? {} : { thread_ts: root }).ts
    },
    edit: async (id, text) => workspace.editText(channel, id, text, sam),
    remove: async id => workspace.remove(channel, id),
    react: async (id, sign) => void workspace.react(channel, id, sam, emoji[sign] ?? sign),
    share: async (text, bytes) => workspace.share(channel, sam, text, { name: 'five.bin', bytes }).ts,
    copies: async () => channel.messages.filter(({ bot_id: bot }) => bot === app.bot).map(copyOf),
    offline: work => fake.offline(work),
    loseAnswer: () => fake.loseAnswer('chat.postMessage'),
    storm: () => {
      fake.rate = { perSecond: 1, burst: 0 }
      return () => {
        fake.rate = null
      }
    },
    stop: () => fake.stop(),
  }
}

export async function telegramSide(): Promise<Side & { readonly server: TelegramServer }> {
  const server = await TelegramServer.start()
  const { world } = server
  const room = world.group('Five')
  const tom = world.user('tom', { first_name: 'tom' })
  const at = (id: string): Stored => room.messages.find(({ message }) => String(message.message_id) === id) as Stored
  const said = (text: string) => {
    const entities = found(text, [])
    return { text, ...(entities.length === 0 ? {} : { entities }) }
  }
  const idOf = ({ message }: Stored): string => String(message.message_id)
  return {
    server,
    network: 'tg',
    channel: String(room.chat.id),
    person: 'tom',
    env: { FIVE_TG: server.token },
    config: { kind: 'telegram', token: 'env:FIVE_TG', api: server.url, rate: null },
    say: async (text, replyTo) =>
      idOf(
        world.say(room, tom, {
          ...said(text),
          ...(replyTo === undefined ? {} : { reply_to_message: at(replyTo).message }),
        }),
      ),
    edit: async (id, text) => world.edit(at(id), said(text)),
    react: async (id, emoji) => {
      const change = { old_reaction: [], new_reaction: [{ type: 'emoji', emoji }] }
      world.push('message_reaction', {
        chat: room.chat,
        message_id: Number(id),
        user: tom,
        date: Math.floor(Date.now() / 1000),
        ...change,
      })
    },
    share: async (caption, bytes) => {
      const file = fileFields(world, 'document', 'five.bin', bytes, 'application/octet-stream')
      return idOf(world.say(room, tom, { ...file, caption }, { file: bytes }))
    },
    copies: async () =>
      room.messages
        .filter(({ from, deleted }) => from?.id === world.me.id && !deleted)
        .map(stored => {
          const answered = stored.message['reply_to_message'] as { message_id?: number } | undefined
          return {
            id: idOf(stored),
            text: word(stored.message['text'] ?? stored.message['caption']).replace(unseen, ''),
            reactions: stored.reactions,
            files: stored.file ? [stored.file] : [],
            ...(answered?.message_id === undefined ? {} : { answers: String(answered.message_id) }),
          }
        }),
    offline: work => server.offline(work),
    loseAnswer: () => server.fault('lose-answer'),
    storm: () => server.limits.storm(),
    stop: () => server.stop(),
  }
}

type Json = Readonly<Record<string, unknown>>
const inside = (value: unknown): Json => (typeof value === 'object' && value !== null ? (value as Json) : {})
const relation = ({ content }: Shown): Json => inside(content['m.relates_to'])
const isEdit = (event: Shown): boolean => relation(event)['rel_type'] === 'm.replace'
const isGone = (event: Shown): boolean => event.unsigned?.['redacted_because'] !== undefined

async function matrixCopies(max: Client, room: string, bot: string): Promise<Copy[]> {
  const events = await max.timeline(room)
  const ours = events.filter(({ sender }) => sender === bot)
  const said = ours.filter(event => event.type === 'm.room.message' && !isEdit(event) && !isGone(event))
  return Promise.all(
    said.map(async event => {
      const edit = ours.findLast(each => isEdit(each) && relation(each)['event_id'] === event.event_id)
      const content = edit ? inside(edit.content['m.new_content']) : event.content
      const profile = inside(content['com.beeper.per_message_profile'])
      const { url } = event.content
      const about = relation(event)
      const answered =
        inside(about['m.in_reply_to'])['event_id'] ?? (about['rel_type'] === 'm.thread' ? about['event_id'] : undefined)
      return {
        id: event.event_id,
        text: `${word(profile['displayname'])}: ${String(content['body']).replace(unseen, '')}`,
        reactions: ours
          .filter(each => each.type === 'm.reaction' && !isGone(each) && relation(each)['event_id'] === event.event_id)
          .map(each => String(relation(each)['key'])),
        files: typeof url === 'string' ? [await max.download(url)] : [],
        ...(typeof answered === 'string' ? { answers: answered } : {}),
      }
    }),
  )
}

export async function matrixSide(): Promise<Side & { readonly synapse: Synapse }> {
  const synapse = await Synapse.start(null)
  const [max, bot] = [await synapse.register('max'), await synapse.register('fivebot')]
  const room = await max.room({ invite: [bot.id] })
  const proxy = await HttpProxy.listen(() => synapse.port)
  return {
    synapse,
    network: 'mx',
    channel: room,
    person: 'max',
    env: { FIVE_MX: bot.account.access_token },
    config: { kind: 'matrix', homeserver: proxy.url, token: 'env:FIVE_MX' },
    say: (text, replyTo) =>
      max.say(room, text, replyTo === undefined ? {} : { 'm.relates_to': { 'm.in_reply_to': { event_id: replyTo } } }),
    edit: async (id, text) => {
      const body = { msgtype: 'm.text', body: text }
      const relates = { rel_type: 'm.replace', event_id: id }
      await max.send(room, { ...body, body: `* ${text}`, 'm.new_content': body, 'm.relates_to': relates })
    },
    remove: async id => void (await max.redact(room, id)),
    react: async (id, key) =>
      void (await max.send(room, { 'm.relates_to': { rel_type: 'm.annotation', event_id: id, key } }, 'm.reaction')),
    share: async (body, bytes) => {
      const url = await max.upload('five.bin', 'application/octet-stream', bytes)
      const info = { size: bytes.length, mimetype: 'application/octet-stream' }
      return max.send(room, { msgtype: 'm.file', body, filename: 'five.bin', url, info })
    },
    copies: () => matrixCopies(max, room, bot.id),
    offline: work => proxy.offline(work),
    loseAnswer: () => proxy.once((method, url) => method === 'PUT' && url.includes('/send/m.room.message/'), 'lose'),
    storm: () => {
      const body = { errcode: 'M_LIMIT_EXCEEDED', error: 'Too Many Requests', retry_after_ms: 1000 }
      proxy.judge((method, url) => (method === 'PUT' && url.includes('/send/') ? { status: 429, body } : null))
      return () => proxy.judge(() => null)
    },
    stop: async () => {
      await proxy.stop()
      await synapse.stop()
    },
  }
}
