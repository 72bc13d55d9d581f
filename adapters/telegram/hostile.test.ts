/** What nobody should send, and does. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { upload } from '../../core/contract/harness.ts'
import { Refused } from './testing/text.ts'
import { Trial, words } from './testing/trial.ts'
import type { Fields } from './testing/world.ts'

test('no update is poison: what comes after it is heard, and it comes once', async t => {
  const trial = await Trial.open(t)
  const { server, room, book } = trial
  const alice = server.world.user('alice')
  await trial.start(t)
  const base = { message_id: 500, date: 1, chat: room.chat, from: alice }
  const odd: Fields[] = [
    { ...base, message_id: 501, chat: { ...room.chat, title: 7 }, text: 'title' },
    { ...base, message_id: 502, date: 'tomorrow', text: 'date' },
    { ...base, message_id: 503, from: {}, text: 'nobody' },
    { ...base, message_id: 504, from: null, text: 'null' },
    { ...base, message_id: 505, text: 'entities', entities: [null, 7, { type: {}, offset: {}, length: 'x' }] },
    { ...base, message_id: 506, reply_to_message: { message_id: 'x' }, text: 'reply' },
    { ...base, message_id: 507, photo: [null, {}], text: 'photo' },
    { ...base, message_id: 508, new_chat_members: [null], text: 'members' },
    { ...base, message_id: 509, forward_origin: 'x', text: 'forward' },
    { ...base, message_id: 510, migrate_to_chat_id: 'x', text: 'moved' },
    { ...base, message_id: 511, text: { toString: 'x' } },
  ]
  for (const message of odd) server.world.push('message', message)
  server.world.push('my_chat_member', { chat: room.chat, new_chat_member: 5 })
  server.world.push('chat_member', { chat: room.chat, old_chat_member: null, new_chat_member: null })
  server.world.push('message_reaction', { chat: room.chat, message_id: 1, old_reaction: 'x', new_reaction: {} })
  server.world.push('edited_message', { ...base, edit_date: null, text: 'edit' })
  server.world.say(room, alice, { text: 'the end' })
  await book.hears('the end')
  const ids = book.messages().map(({ id }) => Number(id))
  for (const id of [501, 502, 503, 505, 506, 507, 509, 511]) assert.ok(ids.includes(id), `${id} in ${ids.join(' ')}`)
  for (const { atMs, sender } of book.messages()) {
    assert.ok(Number.isSafeInteger(atMs))
    assert.ok(!sender.verified || /^\d+$/.test(sender.id), sender.id)
  }
  assert.equal(book.offered.length, new Set(book.offered.map(({ key }) => key)).size)
})

test('answers that are none of a Bot API end nothing, and are not asked for in a hurry', async t => {
  const trial = await Trial.open(t)
  const { adapter } = await trial.start(t)
  const bodies = [
    '{"ok":true,"result":null}',
    '{"ok":true,"result":[{}]}',
    '{"ok":true}',
    'null',
    '7',
    '<html>',
    '{"ok":false}',
  ]
  for (const raw of bodies) trial.server.fault({ raw, status: 200 }, /getUpdates/)
  trial.server.cut()
  await trial.book.until(() => adapter.status().state !== 'up', 'it to be noticed')
  await trial.book.until(() => adapter.status().state === 'up', 'it to be up again')
  for (const raw of bodies) {
    trial.server.fault({ raw, status: 200 })
    await assert.rejects(trial.send(adapter, words('x')), { name: 'ChanopError' })
  }
})

test('names of channels that are none are said, and break nothing', async t => {
  const trial = await Trial.open(t)
  const { network } = trial.place
  const adapter = await trial.create({}, trial.server.token, ['general', '@public', '-12x', '-'])
  assert.equal(adapter.status().troubles?.length, 4)
  for (const channel of ['general', '-12x', '1e9', '', '-1\n']) {
    const place = { network, channel: channel as never }
    adapter.typing?.(place, 'oracle', true)
    await assert.rejects(async () => adapter.send(place, words('x'), 'd'), { name: 'ChanopError' })
  }
  await assert.rejects(async () => adapter.channels?.join({ network, channel: 'general' as never }), {
    code: 'send-refused',
  })
})

test('strangers who add us to their groups fill neither status nor ledger, and their titles are one line', async t => {
  const trial = await Trial.open(t)
  const { server, book } = trial
  const eve = server.world.user('eve')
  let told = 0
  const { adapter } = await trial.start(t)
  const changed = book.changed.bind(book)
  book.changed = () => {
    told++
    changed()
  }
  const groups = Array.from({ length: 60 }, (_, n) => server.world.group(`Spam\n\u202e${n} ${'x'.repeat(300)}`))
  for (let round = 0; round < 5; round++) for (const group of groups) server.world.say(group, eve, { text: 'buy' })
  server.world.say(trial.room, eve, { text: 'done' })
  await book.hears('done')
  assert.equal(book.messages().length, 1)
  assert.ok(told <= 70, `${told} changes of the status`)
  const troubles = adapter.status().troubles ?? []
  assert.ok(troubles.length <= 20)
  for (const { reason } of troubles) {
    assert.doesNotMatch(reason, /[\n\u202e]/)
    assert.ok(reason.length < 200)
  }
})

test('a mention that Telegram does not take is said without it', async t => {
  const trial = await Trial.open(t)
  const { adapter } = await trial.start(t)
  trial.server.fault(new Refused(400, 'Bad Request: user not found'))
  const mention = { kind: 'mention', id: '99' as never, name: 'zoe' } as const
  await trial.send(adapter, { content: { segments: [mention, { kind: 'text', text: ' hi' }] } })
  assert.deepEqual(trial.texts, ['@zoe hi'])
})

test('names of files end no header, and each file of several keeps its words', async t => {
  const trial = await Trial.open(t)
  const { adapter } = await trial.start(t)
  const name = 'a"; filename="evil.exe"\r\nX-Evil: 1\r\n\r\n<script>'
  const files = ['one', 'two'].map(caption => ({ ...upload(name, Buffer.from(caption)), caption }))
  await trial.send(adapter, { content: { segments: [] }, uploads: files })
  assert.deepEqual(trial.texts, ['one', 'two'])
  assert.deepEqual(
    trial.seen.map(({ file }) => Buffer.from(file ?? []).toString()),
    ['one', 'two'],
  )
})

test('a group whose new id is put into the configuration beside the old one is heard under its own', async t => {
  const trial = await Trial.open(t, {}, { type: 'group' })
  const { server, room, book } = trial
  const moved = server.world.group('Trial')
  await book.cursors.set('moved', JSON.stringify({ [room.chat.id]: moved.chat.id }))
  await trial.start(t, { channels: [room.chat.id, moved.chat.id] })
  server.world.say(moved, server.world.user('alice'), { text: 'here' })
  assert.equal((await book.hears('here')).place.channel, String(moved.chat.id))
})
