import assert from 'node:assert/strict'
import { test } from 'node:test'
import { plain } from '../../../core/text/text.ts'
import { fileFields } from '../testing/methods.ts'
import { Trial, words } from '../testing/trial.ts'
import type { Fields } from '../testing/world.ts'

const file = { file_id: 'f1', file_unique_id: 'u1' }
const user = { id: 5, is_bot: false, first_name: 'Eve' }
const chat = { id: -100, type: 'channel', title: 'News' }

/** What a message holds, and what must be read of it. */
const kinds: Readonly<Record<string, [Fields, RegExp]>> = {
  poll: [
    { poll: { id: '1', question: 'Lunch?', options: [{ text: 'pizza' }, { text: 'soup' }] } },
    /^\[poll: Lunch\? · pizza \/ soup\]$/,
  ],
  checklist: [
    {
      checklist: {
        title: 'Trip',
        tasks: [
          { id: 1, text: 'pack' },
          { id: 2, text: 'go', completion_date: 9 },
        ],
      },
    },
    /^\[checklist: Trip · ☐ pack \/ ☑ go\]$/,
  ],
  'checklist done': [{ checklist_tasks_done: { marked_as_done_task_ids: [1, 2] } }, /^\[checklist: 2 done\]$/],
  'checklist added': [{ checklist_tasks_added: { tasks: [{ id: 3, text: 'eat' }] } }, /^\[checklist: added eat\]$/],
  story: [{ story: { chat, id: 3 } }, /^\[story: of News\]$/],
  gift: [{ gift: { gift: { id: 'g' }, text: 'for you' } }, /^\[gift: for you\]$/],
  'unique gift': [{ unique_gift: { gift: { base_name: 'Cake' }, origin: 'upgrade' } }, /^\[gift: Cake\]$/],
  sticker: [
    { sticker: { ...file, emoji: '😀', set_name: 'Cats', is_animated: true, is_video: false } },
    /^\[sticker: 😀 Cats\]$/,
  ],
  contact: [{ contact: { phone_number: '+49', first_name: 'Ann' } }, /^\[contact: Ann \+49\]$/],
  location: [
    { location: { latitude: 52.5, longitude: 13.4 } },
    /^\[location\] https:\/\/www\.openstreetmap\.org\/\?mlat=52\.5&mlon=13\.4$/,
  ],
  venue: [
    {
      venue: { title: 'Café', address: 'Main St', location: { latitude: 1, longitude: 2 } },
      location: { latitude: 1, longitude: 2 },
    },
    /^\[place: Café, Main St\] https:/,
  ],
  dice: [{ dice: { emoji: '🎲', value: 4 } }, /^\[dice: 🎲 4\]$/],
  voice: [{ voice: { ...file, duration: 72 } }, /^\[voice message: 1m 12s\]/],
  'video note': [{ video_note: { ...file, duration: 8, length: 240 } }, /^\[video message: 8s\]/],
  game: [{ game: { title: 'Chess', description: '', photo: [] } }, /^\[game: Chess\]$/],
  invoice: [{ invoice: { title: 'Tea' } }, /^\[invoice: Tea\]$/],
  giveaway: [{ giveaway: { prize_description: 'a car' } }, /^\[giveaway: a car\]$/],
  winners: [{ giveaway_winners: { winners: [user] } }, /^\[giveaway won: Eve\]$/],
  'paid media': [{ paid_media: { star_count: 5, paid_media: [] } }, /^\[paid media: 5 stars\]$/],
  pinned: [{ pinned_message: { message_id: 1, text: 'the rules' } }, /^\[pinned: the rules\]$/],
  topic: [{ forum_topic_created: { name: 'Food' } }, /^\[topic: Food\]$/],
  'video chat': [{ video_chat_started: {} }, /^\[video chat started\]$/],
  'video chat over': [{ video_chat_ended: { duration: 61 } }, /^\[video chat ended: 1m 1s\]$/],
  background: [{ chat_background_set: { type: {} } }, /^\[chat background set\]$/],
  boost: [{ boost_added: { boost_count: 1 } }, /^\[boost added\]$/],
  'something new': [{ holographic_greeting: { depth: 3 } }, /^\[holographic greeting\]$/],
  'new and a text': [{ text: 'look', holographic_greeting: 1 }, /^\[holographic greeting\]\nlook$/],
  'nothing at all': [{}, /^\[empty message\]$/],
  rich: [
    {
      rich_message: {
        blocks: [
          { type: 'section_heading', text: 'Title' },
          { type: 'paragraph', text: ['one ', { type: 'bold', text: 'two' }] },
        ],
      },
    },
    /^Title\none two$/,
  ],
  forward: [
    { text: 'hi', forward_origin: { type: 'user', date: 1, sender_user: user } },
    /^\[forwarded from Eve\] hi$/,
  ],
  'hidden forward': [
    { text: 'hi', forward_origin: { type: 'hidden_user', date: 1, sender_user_name: 'X' } },
    /^\[forwarded from X\] hi$/,
  ],
  'channel forward': [
    { text: 'hi', forward_origin: { type: 'channel', date: 1, chat, message_id: 3 } },
    /from News\] hi$/,
  ],
  'answer elsewhere': [
    {
      text: 'yes',
      external_reply: { origin: { type: 'user', date: 1, sender_user: user } },
      quote: { text: 'or not?', position: 0 },
    },
    /^> Eve: or not\?\nyes$/,
  ],
  'answer to a story': [{ text: 'wow', reply_to_story: { chat, id: 1 } }, /^> \[story of News\]\nwow$/],
  'answer to a part': [{ text: 'no', quote: { text: 'really?', position: 0, is_manual: true } }, /^> really\?\nno$/],
  hostile: [{ poll: 7, text: 'x' }, /^\[poll\]\nx$/],
  'hostile list': [{ poll: { question: 3, options: 'no' } }, /^\[poll\]$/],
}

test('what looks empty is not, and what is new has its name', async t => {
  const trial = await Trial.open(t)
  const { server, room, book } = trial
  const alice = server.world.user('alice')
  await trial.start(t)
  for (const [kind, [fields, expected]] of Object.entries(kinds)) {
    const before = book.messages().length
    server.world.say(room, alice, fields)
    const event = await book.until(() => book.messages()[before], kind)
    assert.match(plain({ segments: event.content.segments }), expected, kind)
  }
})

test('files come with name, type and size; a caption is the text', async t => {
  const trial = await Trial.open(t)
  const { server, room, book } = trial
  const alice = server.world.user('alice')
  await trial.start(t)
  const cases: [Fields, object][] = [
    [
      {
        photo: [
          { ...file, width: 90, height: 90, file_size: 1 },
          { ...file, file_id: 'big', width: 800, height: 600, file_size: 9 },
        ],
      },
      { ref: 'big', name: 'photo-u1.jpg', type: 'image/jpeg', sizeBytes: 9, width: 800, height: 600 },
    ],
    [
      { document: { ...file, file_name: 'a b.pdf', mime_type: 'application/pdf', file_size: 3 } },
      { ref: 'f1', name: 'a b.pdf', type: 'application/pdf', sizeBytes: 3 },
    ],
    [
      { voice: { ...file, mime_type: 'audio/ogg', duration: 3 } },
      { ref: 'f1', name: 'voice-u1.ogg', type: 'audio/ogg' },
    ],
    [
      { animation: { ...file, file_id: 'gif', file_name: 'x.mp4' }, document: file },
      { ref: 'gif', name: 'x.mp4', type: 'video/mp4' },
    ],
    [
      { sticker: { ...file, emoji: '😀', is_animated: false, is_video: false, width: 512, height: 512 } },
      { ref: 'f1', name: 'sticker-u1.webp', type: 'image/webp', width: 512, height: 512 },
    ],
    [{ document: { ...file, file_name: '../../etc\u202e/passwd\n' } }, { ref: 'f1', name: '../../etc/passwd' }],
  ]
  for (const [n, [fields, expected]] of cases.entries()) {
    server.world.say(room, alice, { ...fields, caption: `caption ${n}` })
    const event = await book.until(() => book.messages()[n], `file ${n}`)
    assert.deepEqual(event.content.attachments, [expected])
    assert.ok(plain({ segments: event.content.segments }).endsWith(`caption ${n}`))
  }
})

test('pictures of one group are a message each, and none is lost', async t => {
  const trial = await Trial.open(t)
  const { server, room, book } = trial
  const alice = server.world.user('alice')
  await trial.start(t)
  for (const name of ['a.png', 'b.png', 'c.png']) {
    const fields = fileFields(server.world, 'document', name, Buffer.from(name), 'image/png')
    server.world.say(room, alice, {
      ...fields,
      media_group_id: '77',
      ...(name === 'a.png' ? { caption: 'three' } : {}),
    })
  }
  await book.until(() => book.messages().length === 3, 'three messages')
  assert.deepEqual(
    book.messages().map(({ content }) => content.attachments?.[0]?.name),
    ['a.png', 'b.png', 'c.png'],
  )
})

test('a topic is a thread, its opening is a message, and what stands in it is no answer to that', async t => {
  const trial = await Trial.open(t, {}, { is_forum: true })
  const { server, room, book } = trial
  const alice = server.world.user('alice')
  const { adapter } = await trial.start(t)
  const opened = server.world.say(room, alice, {
    forum_topic_created: { name: 'Food', icon_color: 1 },
    is_topic_message: true,
  })
  const thread = opened.message.message_id
  Object.assign(opened.message, { message_thread_id: thread })
  const inTopic = { message_thread_id: thread, is_topic_message: true, reply_to_message: opened.message }
  server.world.say(room, alice, { text: 'soup', ...inTopic })
  const soup = await book.hears('soup')
  const root = await book.hears('[topic: Food]')
  assert.equal(soup.place.thread, root.id)
  assert.equal(root.place.thread, undefined)
  assert.equal(soup.content.replyTo, undefined)
  await trial.send(adapter, words('bread'), soup.place)
  assert.equal(trial.seen.at(-1)?.message['message_thread_id'], thread)
  assert.equal(trial.seen.at(-1)?.message['reply_to_message'], undefined)
})

test('who comes, goes and is called otherwise is told once, whether we are administrator or not', async t => {
  for (const status of ['administrator', 'member'] as const) {
    const trial = await Trial.open(t)
    const { server, room, book } = trial
    room.bot.status = status
    const alice = server.world.user('alice')
    const bob = server.world.user('bob')
    const { adapter } = await trial.start(t)
    await book.until(
      () => adapter.status().lacks.some(line => line.startsWith('reactions, and')) || status !== 'member',
      'our rights',
    )
    server.world.say(room, bob, { new_chat_members: [bob] })
    const member = (is: string): Fields => ({ status: is, user: bob })
    const change = (was: string, is: string): void =>
      server.world.push('chat_member', {
        chat: room.chat,
        from: bob,
        date: Math.floor(Date.now() / 1000),
        old_chat_member: member(was),
        new_chat_member: member(is),
      })
    if (status === 'administrator') change('left', 'member')
    server.world.say(room, alice, { text: 'hi' })
    alice.first_name = 'Alicia'
    server.world.say(room, alice, { text: 'new name' })
    server.world.say(room, bob, { left_chat_member: bob })
    if (status === 'administrator') change('member', 'kicked')
    server.world.say(room, alice, { new_chat_title: 'Kitchen' })
    await book.until(() => book.facts.some(({ kind }) => kind === 'topic'), 'the title')
    const told = book.facts.filter(({ kind }) => kind === 'member' || kind === 'topic')
    assert.deepEqual(
      told.map(fact =>
        fact.kind === 'member' ? `${fact.change} ${fact.sender.name} ${fact.detail ?? ''}`.trim() : fact.kind,
      ),
      ['join bob', 'rename alice Alicia', 'leave bob', 'topic'],
      status,
    )
  }
})

test('commands to us are commands, those to another bot are talk', async t => {
  const trial = await Trial.open(t)
  const { server, room, book } = trial
  const alice = server.world.user('alice')
  const { adapter } = await trial.start(t)
  const command = { bot: 'admin', summary: 'gives a role', private: false, fields: [] }
  const secretly = { ...command, name: 'role grant', role: 'owner' } as const
  await adapter.announce?.([secretly, { ...command, name: 'status', role: 'guest' }], AbortSignal.timeout(5000))
  await adapter.announce?.([secretly, { ...command, name: 'status', role: 'guest' }], AbortSignal.timeout(5000))
  assert.equal(server.asked('setMyCommands').length, 3, 'once for each scope')
  const names = (scope: string): unknown[] => server.world.commandsOf({ type: scope }).map(({ command }) => command)
  assert.deepEqual(names('default'), ['status'])
  assert.deepEqual(names('all_private_chats'), ['role_grant', 'status'])
  const cases: [string, string][] = [
    ['/status', '/status'],
    ['/status@chanop_bot now', '/status now'],
    ['/STATUS@Chanop_Bot', '/status'],
    ['/role_grant@chanop_bot bob owner', '/role grant bob owner'],
    ['/role_grant bob', '/role grant bob'],
    ['/status@other_bot', '/status@other_bot'],
    ['/unknown_thing', '/unknown_thing'],
  ]
  for (const [said, expected] of cases) {
    const length = said.split(' ')[0]?.length ?? 0
    const mention = { type: 'bold', offset: said.length - 1, length: 1 }
    server.world.say(room, alice, { text: said, entities: [{ type: 'bot_command', offset: 0, length }, mention] })
    const event = await book.until(() => book.messages().at(cases.findIndex(each => each[0] === said)), said)
    assert.equal(plain(event.content), expected)
  }
})

test('what bots copy is marked, what they say themselves is not', async t => {
  const trial = await Trial.open(t)
  const { server, room, book } = trial
  const { adapter } = await trial.start(t)
  const peer = server.world.user('peer', { is_bot: true })
  await trial.send(adapter, { as: { name: 'carol', relayed: true }, ...words('from afar') })
  const copy = trial.seen[0]?.message
  server.world.say(room, peer, { text: copy?.['text'], entities: copy?.['entities'] })
  const forwarder = server.world.user('Telegram', { id: 777_000 })
  const forward = { text: copy?.['text'], entities: copy?.['entities'], sender_chat: chat, is_automatic_forward: true }
  server.world.say(room, forwarder, forward)
  server.world.say(room, peer, { text: 'Build: failed', entities: [{ type: 'bold', offset: 0, length: 5 }] })
  await book.hears('Build: failed')
  const [copied, forwarded, own] = book.messages()
  assert.equal(forwarded?.hops, 1, "a channel's copy in the group that is linked to it")
  assert.equal(copied?.hops, 1)
  assert.equal(copied?.sender.kind, 'bot')
  assert.equal(own?.hops, undefined)
})

test('nobody who acts as a chat is somebody, and nobody listens where nothing was put into a room', async t => {
  const trial = await Trial.open(t)
  const { server, room, book } = trial
  const alice = server.world.user('alice')
  const { adapter } = await trial.start(t)
  const elsewhere = server.world.group('Strangers')
  server.world.say(elsewhere, alice, { text: 'spam' })
  server.world.say(
    room,
    { id: 136_817_688, is_bot: true, first_name: 'Channel' },
    { text: 'as channel', sender_chat: chat },
  )
  const event = await book.hears('as channel')
  assert.deepEqual(event.sender, { id: 'chat-100', name: 'News', kind: 'person', verified: false })
  assert.equal(book.message('spam'), undefined)
  const named = adapter.status().troubles?.find(({ channel }) => channel === String(elsewhere.chat.id))
  assert.match(named?.reason ?? '', /"Strangers" yet: put tg:-100\d+ into a room/)
  await adapter.channels?.join({ ...trial.place, channel: String(elsewhere.chat.id) as never })
  server.world.say(elsewhere, alice, { text: 'now heard' })
  await book.hears('now heard')
})

test('an edit that changes nothing to be read is none; two in one second are two', async t => {
  const trial = await Trial.open(t)
  const { server, room, book } = trial
  const alice = server.world.user('alice')
  await trial.start(t)
  const said = server.world.say(room, alice, { text: 'one' })
  server.world.edit(said, { reply_markup: {} })
  server.world.edit(said, { text: 'two' })
  server.world.edit(said, { text: 'three' })
  const place = server.world.say(room, alice, { location: { latitude: 1, longitude: 1 } })
  server.world.edit(place, { location: { latitude: 2, longitude: 1 } })
  server.world.say(room, alice, { text: 'end' })
  await book.hears('end')
  const edits = book.facts.filter(fact => fact.kind === 'edit').map(({ content }) => plain(content))
  assert.deepEqual(edits, ['two', 'three'])
})

test('an update that can not be read is a message all the same, and those after it come', async t => {
  const trial = await Trial.open(t)
  const { server, room, book } = trial
  const alice = server.world.user('alice')
  await trial.start(t)
  server.world.push('message', { message_id: 900, date: 1, chat: room.chat, from: alice, text: 7, entities: 'no' })
  server.world.push('message', { chat: null })
  server.world.push('message_reaction', { chat: room.chat })
  server.world.push('my_chat_member', {})
  server.world.push('something_new', { chat: room.chat })
  server.world.say(room, alice, { text: 'still here' })
  await book.hears('still here')
  assert.equal(book.messages().length, 2)
  assert.match(plain(book.messages()[0]?.content ?? { segments: [] }), /could not be read/)
})
