import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLog } from '../../core/log.ts'
import { plain } from '../../core/text/text.ts'
import { contentOf } from './inbound.ts'
import type { DiscordFake } from './testing/fake.ts'
import { type Channel, type Member, snowflake, type User } from './testing/objects.ts'
import { hears, Suite, told } from './testing/suite.ts'

let fake: DiscordFake
let general: Channel
let alice: User
const { start, say } = Suite.open(suite => {
  ;({ fake, general, alice } = suite)
})

test('of a message that is like none that is known the words are read', () => {
  const directory = { self: null, channels: new Map(), guilds: new Map(), nameOf: () => null }
  const reader = { directory, log: silentLog() } as unknown as Parameters<typeof contentOf>[0]
  const odd = { id: '1', type: 0, content: 'words', author: {}, poll: {} }
  assert.equal(plain(contentOf(reader, null, odd as never)), 'words')
  assert.match(plain(contentOf(reader, null, { ...odd, content: '' } as never)), /can not be read/)
})

test('what looks empty is not, and what no version knows drops nothing', async () => {
  const trial = await start()
  const { world } = fake
  say('', {
    more: {
      poll: {
        question: { text: 'Lunch?' },
        answers: [
          { answer_id: 1, poll_media: { text: 'Pizza' } },
          { answer_id: 2, poll_media: { text: 'Soup' } },
        ],
        expiry: null,
        allow_multiselect: false,
        layout_type: 1,
      },
    },
  })
  assert.match(plain((await hears(trial, /Lunch/)).content), /^\[poll: Lunch\?\] Pizza \/ Soup$/)
  say('', {
    flags: 1 << 13,
    files: [
      {
        id: snowflake(),
        filename: 'voice-message.ogg',
        content_type: 'audio/ogg',
        bytes: new Uint8Array(9),
        more: { duration_secs: 12.4, waveform: '' },
      },
    ],
  })
  const voice = await hears(trial, /voice message/)
  assert.match(plain(voice.content), /\[voice message: 12s\]/)
  assert.equal(voice.content.attachments?.[0]?.type, 'audio/ogg')
  say('', { more: { sticker_items: [{ id: snowflake(), name: 'Wave', format_type: 1 }] } })
  await hears(trial, /^\[sticker: Wave\]$/)
  say('', {
    reference: { type: 1, channel_id: general.id, message_id: snowflake() },
    more: {
      message_snapshots: [
        {
          message: {
            type: 0,
            content: 'the **words**',
            embeds: [],
            attachments: [
              {
                id: '100000000000000077',
                filename: 'a.txt',
                size: 3,
                url: 'https://cdn.discordapp.com/x',
                proxy_url: 'https://cdn.discordapp.com/x',
              },
            ],
            timestamp: new Date().toISOString(),
            edited_timestamp: null,
            flags: 0,
            mentions: [],
            mention_roles: [],
            stickers: [],
            sticker_items: [],
            components: [],
          },
        },
      ],
    },
  })
  const forward = await hears(trial, /the words/)
  assert.match(plain(forward.content), /^\[forwarded\]\nthe words/)
  assert.equal(forward.content.replyTo, undefined)
  assert.equal(forward.content.attachments?.[0]?.name, 'a.txt')
  const bot = world.user('builder', { bot: true })
  world.enter(bot)
  say(
    '',
    {
      more: {
        embeds: [
          {
            type: 'rich',
            title: 'Build 7',
            url: 'https://ci.example/7',
            description: '**failed**',
            fields: [{ name: 'branch', value: 'main', inline: false }],
          },
        ],
      },
    },
    bot,
  )
  const card = await hears(trial, /Build 7/)
  assert.match(plain(card.content), /^Build 7 \(https:\/\/ci\.example\/7\)\nfailed\nbranch: main$/)
  assert.equal(card.sender.kind, 'bot')
  say(
    '',
    {
      flags: 1 << 15,
      more: {
        components: [
          {
            type: 17,
            id: 1,
            accent_color: null,
            spoiler: false,
            components: [{ type: 10, id: 2, content: 'panel **text**' }],
          },
        ],
      },
    },
    bot,
  )
  await hears(trial, /panel text/)
  say('', { type: 7 })
  assert.equal((await hears(trial, /joined the server/)).content.style, 'notice')
  world.anything(
    'MESSAGE_CREATE',
    {
      id: snowflake(),
      channel_id: general.id,
      guild_id: world.guild.id,
      author: { id: alice.id, username: 'alice', discriminator: '0', avatar: null, global_name: null },
      type: 9_999,
      content: '',
      timestamp: new Date().toISOString(),
    },
    general.id,
  )
  await hears(trial, /not known here, number 9999/)
  world.anything('SOMETHING_NEW', { a: 1 })
  world.anything('MESSAGE_CREATE', { id: snowflake(), channel_id: general.id, nonsense: true }, general.id)
  say('still here')
  await hears(trial, /still here/)
})

test('who wrote, and what their words mean', async () => {
  const trial = await start({ cdn: 'https://cdn.discordapp.com' })
  const { world } = fake
  const role = { id: snowflake(), name: 'helpers', permissions: 0n }
  world.guild.roles.set(role.id, role)
  world.guild.members.set(alice.id, { ...(world.guild.members.get(alice.id) as Member), nick: 'Ally' })
  const asked = say(`<@${world.self.id}> ask <@${alice.id}> in <#${general.id}>`)
  const event = await hears(trial, /ask/)
  assert.equal(event.sender.name, 'Ally')
  assert.equal(event.sender.avatar, `https://cdn.discordapp.com/avatars/${alice.id}/aaaa.png`)
  assert.deepEqual([event.sender.kind, event.sender.verified, event.sender.id], ['person', true, alice.id])
  assert.deepEqual(event.content.segments[0], { kind: 'mention', id: world.self.id, name: 'Chanop', self: true })
  assert.match(plain(event.content), /ask @Ally in #general$/)
  say('an answer', { type: 19, reference: { channel_id: general.id, message_id: asked.id } })
  assert.equal((await hears(trial, /an answer/)).content.replyTo, asked.id)
  say(`<@&${world.botRole}> hey`)
  const called = await hears(trial, /hey/)
  assert.equal(called.content.segments[0]?.kind === 'mention' && called.content.segments[0].self, true)
  const hook = { id: snowflake(), token: 't', channel_id: general.id, name: 'GitHub', application: null, user: alice }
  world.hooks.set(hook.id, hook)
  say('pushed', { webhook: hook.id }, { id: hook.id, username: 'GitHub', global_name: null, avatar: null, bot: true })
  const pushed = await hears(trial, /pushed/)
  assert.deepEqual([pushed.sender.kind, pushed.sender.verified, pushed.hops], ['bot', false, undefined])
})

test('our own words do not come back, and what another Chanop relays is marked', async () => {
  const trial = await start()
  const { world } = fake
  const place = { network: 'discord', channel: general.id } as never
  await trial.adapter.send(
    place,
    { content: { segments: [{ kind: 'text', text: 'as bob' }] }, as: { name: 'Bob', relayed: true } },
    'own-1',
  )
  await trial.adapter.send(place, { content: { segments: [{ kind: 'text', text: 'as me' }] } }, 'own-2')
  const other = {
    id: snowflake(),
    token: 't',
    channel_id: general.id,
    name: 'Chanop relay',
    application: '100000000000000088',
    user: world.user('rival', { bot: true }),
  }
  world.hooks.set(other.id, other)
  say(
    'theirs',
    { webhook: other.id, application: '100000000000000088' },
    { id: other.id, username: 'Carol', global_name: null, avatar: null, bot: true },
  )
  const theirs = await hears(trial, /theirs/)
  assert.equal(theirs.hops, 1)
  assert.deepEqual(
    trial.book.texts().filter(text => text.startsWith('as ')),
    [],
  )
})

test('edits, deletions one by one and in bulk, and reactions by person', async () => {
  const trial = await start()
  const { world } = fake
  const bob = world.user('bob', { global_name: 'Bob' })
  world.enter(bob)
  const [one, two, three] = [say('one'), say('two'), say('three')]
  await hears(trial, /three/)
  world.edit(one, 'one, edited')
  await trial.book.until(() => told(trial, 'edit').length === 1, 'the edit')
  const [edit] = told(trial, 'edit')
  assert.equal(edit?.target, one.id)
  assert.equal(edit && plain(edit.content), 'one, edited')
  assert.equal(edit?.sender.id, alice.id)
  // A preview that Discord adds is no edit.
  world.anything(
    'MESSAGE_UPDATE',
    {
      id: two.id,
      channel_id: general.id,
      guild_id: world.guild.id,
      author: { id: alice.id, username: 'alice' },
      content: 'two',
      edited_timestamp: null,
      embeds: [{ type: 'link' }],
    },
    general.id,
  )
  world.react(two, alice, { id: null, name: '👍' })
  world.react(two, bob, { id: null, name: '👍' })
  world.react(two, alice, { id: null, name: '👍' }, true)
  world.react(two, alice, { id: null, name: '👍' })
  await trial.book.until(() => told(trial, 'reaction').length === 4, 'reactions')
  assert.deepEqual(
    told(trial, 'reaction').map(({ sender, removed }) => [sender.name, removed === true]),
    [
      ['Alice', false],
      ['Bob', false],
      ['Alice', true],
      ['Alice', false],
    ].map(([name, gone]) => [name === 'Alice' ? (world.guild.members.get(alice.id)?.nick ?? 'Alice') : name, gone]),
  )
  world.clearReactions(two)
  await trial.book.until(() => told(trial, 'reaction').length === 6, 'both taken back')
  assert.deepEqual(
    new Set(
      told(trial, 'reaction')
        .slice(4)
        .map(({ sender, removed }) => `${sender.id}${removed}`),
    ),
    new Set([`${alice.id}true`, `${bob.id}true`]),
  )
  world.remove(one)
  world.removeMany([two, three])
  await trial.book.until(() => told(trial, 'delete').length === 3, 'deletions')
  assert.deepEqual(
    told(trial, 'delete').map(({ target }) => target),
    [one.id, two.id, three.id],
  )
  assert.equal(told(trial, 'edit').length, 1)
})

test('joins, leaves, new names, topics and typing', async () => {
  const trial = await start()
  const { world } = fake
  const carol = world.user('carol', { global_name: 'Carol' })
  world.enter(carol)
  say('hello', {}, carol)
  await hears(trial, /hello/)
  world.rename(carol, 'Caz')
  world.leave(carol)
  await trial.book.until(() => told(trial, 'member').length === 3, 'three changes')
  assert.deepEqual(
    told(trial, 'member').map(({ change, sender, detail, place }) => [change, sender.name, detail, place.channel]),
    [
      ['join', 'Carol', undefined, general.id],
      ['rename', 'Carol', 'Caz', general.id],
      ['leave', 'Caz', undefined, general.id],
    ],
  )
  world.topic(general, 'new topic')
  await trial.book.until(() => told(trial, 'topic')[0]?.topic === 'new topic', 'the topic')
  world.typing(general, alice)
  await trial.book.until(() => trial.signs.some(sign => sign.kind === 'life' && sign.sender.id === alice.id), 'typing')
})

test('a channel that is not ours is not heard; one that is joined is, with its threads', async () => {
  const { world } = fake
  const side = world.channel('side')
  const trial = await start()
  say('not for us', {}, alice, side)
  say('mark')
  await hears(trial, /mark/)
  assert.equal(trial.book.message('not for us'), undefined)
  await trial.adapter.channels?.join({ network: 'discord', channel: side.id } as never)
  say('for us', {}, alice, side)
  const event = await hears(trial, /^for us$/)
  assert.equal(event.place.channel, side.id)
  await assert.rejects(
    async () => trial.adapter.channels?.join({ network: 'discord', channel: '100000000000000011' } as never),
    { code: 'send-refused' },
  )
})

test('what is said in a thread that nobody told us of waits until Discord says whose it is', async () => {
  const { world } = fake
  const trial = await start()
  const thread = world.channel('quiet', 11, { parent_id: general.id, owner: alice.id })
  const asked = `/channels/${thread.id}`
  let faults = 2
  fake.odd = (method, path) =>
    method === 'GET' && path === asked && faults-- > 0 ? { status: 502, headers: {}, body: '' } : null
  say('first', {}, alice, thread)
  say('second', {}, alice, thread)
  await hears(trial, /^second$/)
  fake.odd = null
  assert.deepEqual(
    trial.book
      .messages()
      .slice(-2)
      .map(({ place, content }) => [place.channel, place.thread, plain(content)]),
    ['first', 'second'].map(words => [general.id, thread.id, words]),
  )
})
