import { after, before } from 'node:test'
import type { AdapterContext } from '../../core/adapter.ts'
import { adapterContract, type ContractFixture } from '../../core/contract/adapter.ts'
import type { ChannelId, NetworkId } from '../../core/event.ts'
import { telegram } from './index.ts'
import { fileFields } from './testing/methods.ts'
import { TelegramServer } from './testing/server.ts'
import { found } from './testing/text.ts'
import type { Fields, Stored } from './testing/world.ts'

const network = 'tg' as NetworkId
let server: TelegramServer
let opened = 0

before(async () => {
  server = await TelegramServer.start({ ephemeral: '10.3' })
})
after(() => server.stop())

const said = (text: string): Fields => {
  const entities = found(text, [])
  return { text, ...(entities.length === 0 ? {} : { entities }) }
}

adapterContract('telegram', async () => {
  const { world } = server
  const room = world.group(`contract ${opened}`)
  const alice = world.user(`alice${opened}`)
  opened++
  // She has pressed Start.
  const own = world.rooms.get(alice.id)
  if (own) own.bot.status = 'member'
  /** Whoever it is: Telegram shows the group in place of an administrator who wants to be anonymous. */
  const anonymous = { id: 1_087_968_824, is_bot: true, first_name: 'Group', username: 'GroupAnonymousBot' }
  const mine = (): Stored[] => room.messages.filter(({ from }) => from?.id === world.me.id)
  const last = (): Stored => room.messages.findLast(({ from }) => from?.id === alice.id) as Stored
  const shown: Record<string, string[]> = {}
  const react = (who: 'alice' | 'stranger', emojis: string[]): void => {
    const { message } = last()
    const reactions = (list: string[]) => list.map(emoji => ({ type: 'emoji', emoji }))
    world.push('message_reaction', {
      chat: room.chat,
      message_id: message.message_id,
      ...(who === 'alice' ? { user: alice } : { actor_chat: room.chat }),
      date: Math.floor(Date.now() / 1000),
      old_reaction: reactions(shown[who] ?? []),
      new_reaction: reactions(emojis),
    })
    shown[who] = emojis
  }
  const fixture: ContractFixture = {
    place: { network, channel: String(room.chat.id) as ChannelId },
    create: context =>
      telegram.create(
        telegram.schema.parse({
          kind: 'telegram',
          token: 'env:TELEGRAM_TOKEN',
          api: server.url,
          channels: [room.chat.id],
          rate: null,
        }),
        {
          ...context,
          network,
          personas: [],
          instance: 'abcdefghijkl',
          places: [],
          dataDir: '/nonexistent',
          secret: async () => server.token,
        } satisfies AdapterContext,
      ),
    platform: {
      strangers: true,
      keepsHistory: true,
      retells: false,
      say: async (text, who = 'alice') =>
        void world.say(room, who === 'alice' ? alice : anonymous, {
          ...said(text),
          ...(who === 'alice' ? {} : { sender_chat: room.chat }),
        }),
      present: () => server.listening(),
      seen: async () =>
        mine()
          .filter(({ only, deleted }) => only === undefined || !deleted)
          .map(({ message, deleted, reactions, file, thread, only }) => ({
            ...(only === undefined ? {} : { ephemeral: only === alice.id }),
            text: (message['text'] ?? message['caption'] ?? '') as string,
            deleted,
            reactions,
            files: file ? [file] : [],
            ...(thread === undefined
              ? {}
              : { thread: String(room.messages.find(each => each.message.message_id === thread)?.message['text']) }),
          })),
      direct: async () => ({
        said: (own?.messages ?? []).map(({ message }) => message['text'] as string),
        shown: world.shownIn(alice.id),
      }),
      offline: work => server.offline(work),
      connections: () => server.connections(),
      loseAnswer: async () => server.fault('lose-answer'),
      edit: async text => world.edit(last(), said(text)),
      react: async (emoji, who = 'alice') => react(who, [...(shown[who] ?? []), emoji]),
      unreact: async (emoji, who = 'alice') =>
        react(
          who,
          (shown[who] ?? []).filter(each => each !== emoji),
        ),
      share: async (text, { name, bytes }) => {
        const file = fileFields(world, 'document', name, bytes, 'application/octet-stream')
        world.say(room, alice, { ...file, caption: text }, { file: bytes })
      },
    },
  }
  return fixture
})
