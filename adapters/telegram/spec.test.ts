import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { upload } from '../../core/contract/harness.ts'
import { silentLog } from '../../core/log.ts'
import { telegram } from './index.ts'
import { BotApi } from './testing/spec.ts'
import { network, placeOf, said, Trial, words } from './testing/trial.ts'

const folder = process.env['CHANOP_SPECS'] ?? resolve(import.meta.dirname, '..', '..', '..', 'shared', 'specs')
const path = join(folder, 'telegram.json')
const skip = existsSync(path) ? false : `no ${path}: the Bot API's description is not here`

test('what we ask and what the fake answers is as the Bot API is described', { skip }, async t => {
  const api = new BotApi(path)
  const trial = await Trial.open(t, {}, { is_forum: true })
  const { server, room } = trial
  const alice = server.world.user('alice')
  const own = server.world.rooms.get(alice.id)
  assert.ok(own)
  own.bot.status = 'member'
  const { adapter, stop } = await trial.start(t)
  const { message } = server.world.say(room, alice, { text: 'hello' })
  await trial.book.hears('hello')
  const topic = server.world.say(room, alice, { forum_topic_created: { name: 'news', icon_color: 7322096 } })
  const file = upload('a.bin', Buffer.from('bytes'))
  const picture = { ...upload('a.png', Buffer.from('png')), type: 'image/png' }
  const id = trial.book.idOf('hello')
  const thread = String(topic.message.message_id) as typeof id
  const ids = await trial.send(adapter, said({ kind: 'text', text: 'b', marks: ['bold', 'spoiler'] }))
  await trial.send(adapter, { ...words('answer'), content: { ...words('answer').content, replyTo: id } })
  await trial.send(adapter, words('topical'), { ...trial.place, thread })
  await trial.send(adapter, { ...words('a file'), uploads: [file] })
  await trial.send(adapter, { ...words('files'), uploads: [file, { ...file, name: 'b.bin' }, picture] })
  await trial.send(adapter, {
    as: { name: 'bob', relayed: true },
    content: {
      segments: [
        { kind: 'mention', id: String(alice.id) as never, name: 'alice' },
        { kind: 'link', url: 'https://a.example/', text: 'here' },
        { kind: 'code', text: 'x = 1', block: true, language: 'js' },
        { kind: 'quote', text: 'q' },
      ],
    },
  })
  await adapter.edit?.(trial.place, ids, words('changed'), 'edit')
  await adapter.edit?.(trial.place, ids, words('changed'), 'edit')
  await adapter.react?.(trial.place, id, { emoji: '👍' }, 'react')
  await adapter.react?.(trial.place, id, { emoji: '👍', removed: true }, 'react')
  await adapter.remove?.(trial.place, ids, undefined, 'remove')
  adapter.typing?.(trial.place, 'oracle', true)
  await adapter.direct?.(String(alice.id) as never)
  adapter.stream?.(placeOf(own), said({ kind: 'text', text: 'between', marks: ['bold'] }), 'd-grows')
  await server.until(() => server.asked('sendMessageDraft').length > 0)
  await trial.send(adapter, words('between us'), placeOf(own))
  const command = {
    name: 'role grant',
    bot: 'admin',
    summary: 'gives',
    private: false,
    role: 'owner',
    fields: [],
  } as const
  await adapter.announce?.([command], AbortSignal.timeout(5000))
  const config = telegram.schema.parse({ kind: 'telegram', token: 'env:T', api: server.url, channels: [room.chat.id] })
  const context = { network, log: silentLog(), dataDir: '', secret: async () => server.token }
  await telegram.probe?.(config, { ...context, signal: AbortSignal.timeout(5000) })
  const kept = [...server.world.files.keys()][0] as string
  await adapter.open?.({ ref: kept, name: 'x' }, new AbortController().signal)
  server.limits.flood(room.chat.id, 1000)
  await assert.rejects(trial.send(adapter, words('too much')), { code: 'send-later' })
  server.world.edit(room.messages.find(each => each.message === message) ?? topic, { text: 'hello again' })
  await trial.book.until(() => trial.book.facts.some(({ kind }) => kind === 'edit'), 'the edit')
  await stop()
  const faults = server.journal.map(exchange => api.fault(exchange)).filter(fault => fault !== null)
  assert.deepEqual(faults, [])
  const used = new Set(server.journal.map(({ method }) => method))
  for (const method of ['getMe', 'getUpdates', 'sendMediaGroup', 'editMessageText', 'setMessageReaction', 'getFile']) {
    assert.ok(used.has(method), `${method} was asked`)
  }
})
