import { strict as assert } from 'node:assert'
import { after, before, describe, test } from 'node:test'
import type { MessageEvent } from '../../core/event.ts'
import { plain } from '../../core/text/text.ts'
import type { Client } from './testing/client.ts'
import { Synapse, synapseMissing } from './testing/synapse.ts'
import { Trial } from './testing/trial.ts'

const missing = await synapseMissing()
const words = ({ content }: MessageEvent): string => plain({ segments: content.segments })

describe('what is said on Matrix', { skip: missing ?? false }, () => {
  let synapse: Synapse
  let alice: Client
  let bob: Client

  before(async () => {
    synapse = await Synapse.start(null)
    ;[alice, bob] = await Promise.all([synapse.register('alice'), synapse.register('bob')])
  })
  after(() => synapse?.stop())

  const within = async (t: Parameters<typeof Trial.open>[0], options: object = {}) => {
    const trial = await Trial.open(t, synapse, { alice, ...options })
    const run = await trial.start()
    return { ...run, trial, book: trial.book, room: trial.room, bot: trial.bot }
  }

  test('every kind of message shows what it is', async t => {
    const { book, room } = await within(t)
    const mxc = await alice.upload('a.png', 'image/png', new Uint8Array(9))
    const info = { mimetype: 'image/png', size: 9, w: 3, h: 4 }
    await alice.send(room, { msgtype: 'm.emote', body: 'waves' })
    await alice.send(room, { msgtype: 'm.notice', body: 'backup done' })
    await alice.send(room, { msgtype: 'm.image', body: 'a.png', url: mxc, info })
    await alice.send(room, { msgtype: 'm.image', body: 'my cat', filename: 'a.png', url: mxc, info })
    await alice.send(room, { msgtype: 'm.location', body: 'the pub', geo_uri: 'geo:51.5,-0.12;u=5' })
    await alice.send(room, { body: 'wow', url: mxc, info }, 'm.sticker')
    const poll = { question: { 'm.text': [{ body: 'Lunch?' }] }, answers: [{ 'm.text': [{ body: 'Pizza' }] }] }
    await alice.send(room, { 'm.poll': poll }, 'm.poll.start')
    await alice.send(room, { msgtype: 'org.example.dance', body: '' })
    await alice.send(room, { msgtype: 'org.example.dance', body: 'twirls' })
    await alice.send(room, { 'm.text': [{ body: 'a new kind' }] }, 'org.example.note')
    await alice.say(room, 'the end')
    await book.hears('the end')
    const said = book.messages()
    assert.deepEqual(said.map(words), [
      'waves',
      'backup done',
      '',
      'my cat',
      '[location: the pub] https://www.openstreetmap.org/?mlat=51.5&mlon=-0.12',
      '',
      '[poll: Lunch?]\n• Pizza',
      '[org.example.dance]',
      'twirls',
      'a new kind',
      'the end',
    ])
    assert.deepEqual(said.map(({ content }) => content.style ?? '').slice(0, 3), ['action', 'notice', ''])
    assert.deepEqual(said.map(({ sender }) => sender.kind).slice(0, 2), ['person', 'bot'])
    const file = { ref: mxc, name: 'a.png', type: 'image/png', sizeBytes: 9, width: 3, height: 4 }
    assert.deepEqual(said[2]?.content.attachments, [file])
    assert.deepEqual(said[3]?.content.attachments, [file])
    assert.equal(said[5]?.content.attachments?.[0]?.name, 'wow')
  })

  test('events made to break readers drop nothing else', async t => {
    const { book, room } = await within(t)
    const hostile: [string, object][] = [
      ['m.room.message', { msgtype: 'm.text', body: 'x', 'm.relates_to': 'none' }],
      ['m.room.message', { msgtype: 'm.image', body: 'no file', url: 'https://tracker.example/x' }],
      ['m.room.message', { msgtype: 'm.image', body: 'bad file', url: 'mxc://a/../../x', info: { size: -1, w: 'x' } }],
      [
        'm.room.message',
        { msgtype: 'm.text', body: 'deep', format: 'org.matrix.custom.html', formatted_body: '<b>'.repeat(9000) },
      ],
      ['m.room.message', { msgtype: 'm.text', body: 'odd', format: 'org.matrix.custom.html', formatted_body: ['a'] }],
      ['m.room.message', { msgtype: 'm.text', body: 'mentions', 'm.mentions': { user_ids: 'all', room: 'yes' } }],
      ['m.reaction', { 'm.relates_to': { rel_type: 'm.annotation', event_id: '$none', key: {} } }],
      ['m.poll.start', { 'm.poll': { question: 7, answers: { length: 5 } } }],
      ['m.room.redaction', { redacts: ['x'] }],
      ['constructor', { body: '__proto__', __proto__: null }],
      ['m.room.encrypted', { algorithm: 'm.megolm.v1.aes-sha2', ciphertext: 'AAAA' }],
    ]
    let taken = 0
    for (const [type, content] of hostile)
      taken += await alice.send(room, content as Record<string, unknown>, type).then(
        () => 1,
        () => 0,
      )
    assert.ok(taken >= 8, `the homeserver took ${taken}`)
    await alice.say(room, 'still here')
    await book.hears('still here')
    const said = book.messages().map(words)
    for (const each of ['x', 'no file', 'deep', 'odd']) assert.ok(said.includes(each), each)
    assert.deepEqual(
      book.messages().flatMap(({ content }) => content.attachments ?? []),
      [],
    )
  })

  test('replies name their message without the quotation; edits and threads say where they belong', async t => {
    const { book, room } = await within(t)
    const root = await alice.say(room, 'a question')
    await alice.say(room, '> <@alice:test.local> a question\n\nan answer', {
      format: 'org.matrix.custom.html',
      formatted_body: '<mx-reply><blockquote>In reply to a question</blockquote></mx-reply><b>an</b> answer',
      'm.relates_to': { 'm.in_reply_to': { event_id: root } },
    })
    await alice.say(room, '> <@alice:test.local> a question\n\nplainly', {
      'm.relates_to': { 'm.in_reply_to': { event_id: root } },
    })
    const thread = { rel_type: 'm.thread', event_id: root }
    await alice.say(room, 'in it', {
      'm.relates_to': { ...thread, is_falling_back: true, 'm.in_reply_to': { event_id: root } },
    })
    const inner = await alice.say(room, 'to somebody in it', {
      'm.relates_to': { ...thread, 'm.in_reply_to': { event_id: root } },
    })
    const renewed = { msgtype: 'm.text', body: 'mended' }
    await alice.send(room, {
      msgtype: 'm.text',
      body: '* mended',
      format: 'org.matrix.custom.html',
      formatted_body: '* <b>mended</b>',
      'm.new_content': renewed,
      'm.relates_to': { rel_type: 'm.replace', event_id: inner },
    })
    const edit = await book.until(() => book.facts.find(fact => fact.kind === 'edit'), 'the edit')
    assert.equal(edit.kind === 'edit' && edit.target, inner)
    assert.deepEqual(edit.kind === 'edit' && edit.content.segments, [{ kind: 'text', text: 'mended' }])
    const [, answer, plainly, inThread, toSomebody] = book.messages()
    assert.deepEqual(answer?.content.segments, [
      { kind: 'text', text: 'an', marks: ['bold'] },
      { kind: 'text', text: ' answer' },
    ])
    assert.deepEqual([answer?.content.replyTo, plainly && words(plainly)], [root, 'plainly'])
    assert.deepEqual([inThread?.place.thread, inThread?.content.replyTo], [root, undefined])
    assert.deepEqual([toSomebody?.place.thread, toSomebody?.content.replyTo], [root, root])
  })

  test('people come, are called otherwise, are put out; the topic changes', async t => {
    const { book, room, trial } = await within(t, { room: { preset: 'public_chat' } })
    await bob.join(room)
    await bob.state(room, 'm.room.member', { membership: 'join', displayname: 'Robert' }, bob.id)
    await bob.ask('PUT', `client/v3/rooms/${encodeURIComponent(room)}/typing/${bob.id}`, {
      typing: true,
      timeout: 9000,
    })
    await alice.state(room, 'm.room.topic', { topic: 'the\nweather' })
    await alice.ask('POST', `client/v3/rooms/${encodeURIComponent(room)}/kick`, { user_id: bob.id, reason: 'enough' })
    const left = await book.until(
      () => book.facts.find(fact => fact.kind === 'member' && fact.change === 'leave'),
      'bob to leave',
    )
    const about = book.facts.filter(fact => fact.kind === 'member' && fact.sender.id === bob.id)
    assert.deepEqual(
      about.map(fact => fact.kind === 'member' && [fact.change, fact.sender.name, fact.detail]),
      [
        ['join', 'bob', undefined],
        ['rename', 'bob', 'Robert'],
        ['leave', 'Robert', 'put out by alice: enough'],
      ],
    )
    assert.ok(left.atMs > 0)
    const topic = book.facts.findLast(fact => fact.kind === 'topic')
    assert.equal(topic?.kind === 'topic' && topic.topic, 'the weather')
    const writing = trial.signs.find(sign => sign.kind === 'life')
    assert.equal(writing?.kind === 'life' && writing.sender.id, bob.id)
    const roster = trial.signs.find(sign => sign.kind === 'roster')
    assert.deepEqual(roster?.kind === 'roster' && roster.present.map(({ id }) => id), [alice.id])
  })

  test('reactions are people’s, and one that is taken back is known after a restart', async t => {
    const { book, room, trial, stop } = await within(t, { room: { preset: 'public_chat' } })
    await bob.join(room)
    const target = await alice.say(room, 'who likes it?')
    const relates = { 'm.relates_to': { rel_type: 'm.annotation', event_id: target, key: '👍' } }
    const first = await alice.send(room, relates, 'm.reaction')
    await bob.send(room, relates, 'm.reaction')
    const told = () => book.facts.filter(fact => fact.kind === 'reaction')
    await book.until(() => told().length === 2, 'two reactions')
    await stop()
    await trial.start()
    await alice.redact(room, first)
    await book.until(() => told().length === 3, 'three reactions')
    assert.deepEqual(
      told().map(fact => fact.kind === 'reaction' && [fact.sender.id, fact.emoji, fact.target, fact.removed ?? false]),
      [
        [alice.id, '👍', target, false],
        [bob.id, '👍', target, false],
        [alice.id, '👍', target, true],
      ],
    )
  })

  test('we are meant where the message says so, and not where it does not', async t => {
    const { book, room, bot } = await within(t)
    const pill = `<a href="https://matrix.to/#/${encodeURIComponent(bot.id)}">robot</a>`
    const html = (words: string) => ({ format: 'org.matrix.custom.html', formatted_body: `${pill}: ${words}` })
    await alice.say(room, 'robot: one', { ...html('one'), 'm.mentions': { user_ids: [bot.id] } })
    await alice.say(room, 'robot: two', html('two'))
    await alice.say(room, 'robot: three', { ...html('three'), 'm.mentions': {} })
    const name = bot.id.slice(1).split(':')[0]
    await alice.say(room, `hey ${name}, four`, { 'm.mentions': { user_ids: [bot.id] } })
    await alice.say(room, `hey ${name}, five`)
    await book.until(() => book.messages().length === 5, 'five messages')
    const meant = book
      .messages()
      .map(({ content }) => content.segments.some(segment => segment.kind === 'mention' && segment.self === true))
    assert.deepEqual(meant, [true, true, false, true, false])
    assert.deepEqual(
      book.messages()[3]?.content.segments.map(({ kind }) => kind),
      ['text', 'mention', 'text'],
    )
  })

  test('faces, copies of others and of ourselves are told apart', async t => {
    const { book, room } = await within(t)
    const profile = { 'com.beeper.per_message_profile': { id: 'x', displayname: 'Zed', has_fallback: true } }
    await alice.say(room, 'Zed: hello', profile)
    await alice.say(room, 'a copy', {
      'chanop.copy': { instance: 'zzzzzzzzzzzz', delivery: '1', part: 0, parts: 1, hops: 1 },
    })
    await alice.say(room, 'a bot of theirs', {
      'chanop.copy': { instance: 'zzzzzzzzzzzz', delivery: '2', part: 0, parts: 1 },
    })
    await book.hears('a bot of theirs')
    assert.deepEqual(
      book.messages().map(each => [words(each), each.sender.name, each.sender.kind, each.sender.verified, each.hops]),
      [
        ['hello', 'Zed', 'person', false, undefined],
        ['a copy', 'alice', 'bot', true, 1],
        ['a bot of theirs', 'alice', 'bot', true, undefined],
      ],
    )
  })

  test('what was said before we came into a room is history, whenever we come', async t => {
    const { book, bot } = await within(t, { in: null, config: { invites: [alice.id] } })
    const room = await alice.room({ name: 'Project' })
    await alice.say(room, 'before the invitation')
    await alice.invite(room, bot.id)
    await book.hears('before the invitation')
    await alice.say(room, 'to us')
    await book.hears('to us')
    assert.deepEqual(
      book.messages().map(message => [words(message), message.origin]),
      [
        ['before the invitation', 'backfill'],
        ['to us', 'live'],
      ],
    )
  })

  test('a conversation begins with what is said while we come', async t => {
    const { book, bot } = await within(t, { in: null, config: { invites: [alice.id] } })
    const room = await alice.room({ is_direct: true })
    await alice.say(room, 'hello?')
    await alice.invite(room, bot.id)
    assert.equal((await book.hears('hello?')).origin, 'live')
  })

  test('rooms of older versions are read alike', async t => {
    const { book, room } = await within(t, { room: { room_version: '10' } })
    const id = await alice.say(room, 'soon gone')
    await alice.redact(room, id)
    const gone = await book.until(() => book.facts.find(fact => fact.kind === 'delete'), 'the deletion')
    assert.equal(gone.kind === 'delete' && gone.target, id)
    assert.match(room, /^!.+:test\.local$/)
  })
})
