import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Adapter } from '../../core/adapter.ts'
import { upload, within } from '../../core/contract/harness.ts'
import { ChanopError } from '../../core/error.ts'
import type { MessageId } from '../../core/event.ts'
import { Doubts } from './doubts.ts'
import { Refused } from './testing/text.ts'
import { Trial, words } from './testing/trial.ts'

test('a message whose answer was lost is found by its number, among those of others', async t => {
  const trial = await Trial.open(t)
  const { server, room } = trial
  const alice = server.world.user('alice')
  const { adapter } = await trial.start(t)
  await trial.send(adapter, words('before'))
  server.fault('lose-answer')
  server.world.say(room, alice, { text: 'meanwhile' })
  await assert.rejects(adapter.send(trial.place, words('perhaps'), 'lost'), { code: 'network-down' })
  server.world.say(room, alice, { text: 'and after' })
  const found = await within(adapter.find?.(trial.place, 'lost', { do: 'send', ...words('perhaps') }) as never, 'find')
  assert.deepEqual(found, [String(trial.seen.at(-1)?.message.message_id)])
  assert.deepEqual(trial.texts, ['before', 'perhaps'])
})

test('what was said before a restart is not taken for what was lost after it, whatever is told of old messages', async t => {
  const trial = await Trial.open(t)
  const { server, room } = trial
  const old = server.world.say(room, server.world.user('alice'), { text: 'old' })
  const first = await trial.start(t)
  await trial.book.hears('old')
  for (const text of ['one', 'two']) await trial.send(first.adapter, words(text))
  await first.stop()
  const { adapter } = await trial.start(t)
  server.world.edit(old, { text: 'changed' })
  await trial.book.until(() => trial.book.facts.some(({ kind }) => kind === 'edit'), 'the edit')
  server.fault('lose-request')
  await assert.rejects(adapter.send(trial.place, words('three'), 'lost'), { code: 'network-down' })
  assert.equal(await adapter.find?.(trial.place, 'lost', { do: 'send', ...words('three') }), 'cannot-tell')
})

test('in a channel whose posts we may change what somebody else posted is not taken for ours', async t => {
  const trial = await Trial.open(t, {}, { type: 'channel' })
  const { server, room } = trial
  const { adapter } = await trial.start(t)
  await trial.send(adapter, words('before'))
  // Telegram has not told us of it yet.
  server.world.store(room, null, { text: "an administrator's" })
  server.fault('lose-request')
  await assert.rejects(adapter.send(trial.place, words('ours'), 'lost'), { code: 'network-down' })
  assert.equal(await adapter.find?.(trial.place, 'lost', { do: 'send', ...words('ours') }), 'cannot-tell')
})

test('what Telegram never got is not found, and comes again with a label', async t => {
  const trial = await Trial.open(t)
  const { adapter } = await trial.start(t)
  await trial.send(adapter, words('before'))
  trial.server.fault('lose-request')
  await assert.rejects(adapter.send(trial.place, words('perhaps'), 'lost'), { code: 'network-down' })
  assert.equal(await adapter.find?.(trial.place, 'lost', { do: 'send', ...words('perhaps') }), 'cannot-tell')
  await adapter.send(trial.place, { ...words('perhaps'), repeat: true }, 'lost')
  assert.deepEqual(trial.texts, ['before', '(may be a repeat) perhaps'])
})

test('a long text whose middle is in doubt goes on where it was', async t => {
  const trial = await Trial.open(t)
  const { adapter } = await trial.start(t)
  const long = Array.from({ length: 2000 }, (_, n) => `w${n}`).join(' ')
  await trial.send(adapter, words('before'))
  const first = trial.server.until(() => trial.texts.length === 2)
  void first.then(() => trial.server.fault('lose-answer'))
  await assert.rejects(adapter.send(trial.place, words(long), 'long'), { code: 'network-down' })
  const found = await adapter.find?.(trial.place, 'long', { do: 'send', ...words(long) })
  const ids = found === 'not-sent' ? await adapter.send(trial.place, words(long), 'long') : found
  assert.equal(ids?.length, 3)
  assert.equal(trial.texts.slice(1).join(' '), long)
})

test('a long text that has to wait in its middle goes on by itself, and a stop there leaves it in doubt', async t => {
  const window = { most: 2, windowMs: 500 }
  const trial = await Trial.open(t, { speeds: { chat: window, group: window, all: window } })
  const long = Array.from({ length: 2000 }, (_, n) => `w${n}`).join(' ')
  const first = await trial.start(t)
  assert.equal((await trial.send(first.adapter, words(long))).length, 3)
  assert.equal(trial.texts.join(' '), long)
  await first.stop()
  trial.server.limits.speeds = null
  const paced = await trial.start(t, { rate: { chatPerSecond: 20, groupPerMinute: 2, perSecond: 30 } })
  const sending = assert.rejects(paced.adapter.send(trial.place, words(long), 'cut'), { code: 'network-down' })
  await trial.server.until(() => trial.texts.length === 5)
  await paced.stop()
  await sending
  const { adapter } = await trial.start(t)
  assert.equal(await adapter.find?.(trial.place, 'cut', { do: 'send', ...words(long) }), 'cannot-tell')
})

test('who may not ask about all numbers at once goes on where they were', async () => {
  const doubts = new Doubts()
  const chatId = -1_001_000_000_001
  doubts.know({ chatId, messageId: 10 })
  doubts.doubt('lost', chatId, 10, 1)
  const asked: number[] = []
  const resolve = () =>
    doubts.resolve('lost', async ({ messageId }) => {
      if (asked.length % 5 === 4 && asked.at(-1) !== 0) {
        asked.push(0)
        throw new ChanopError('send-later', 'Telegram takes no more in this chat now.')
      }
      asked.push(messageId)
      return 'none'
    })
  await assert.rejects(resolve, { code: 'send-later' })
  await assert.rejects(resolve, { code: 'send-later' })
  assert.equal(await resolve(), null)
  assert.deepEqual(
    asked.filter(id => id !== 0),
    Array.from({ length: 12 }, (_, n) => 11 + n),
  )
})

test('what was lost where we may say nothing any more holds nothing up', async t => {
  for (const end of ['moved', 'put out'] as const) {
    const trial = await Trial.open(t, {}, { type: 'group' })
    const { server, room, place } = trial
    const { adapter } = await trial.start(t)
    await trial.send(adapter, words('before'))
    server.fault('lose-request')
    await assert.rejects(adapter.send(place, words('lost'), 'lost'), { code: 'network-down' })
    if (end === 'moved') room.movedTo = server.world.group('Trial').chat.id
    else server.fault(new Refused(403, 'Forbidden: bot was kicked from the group chat'), /^edit/, 100)
    const find = async () => adapter.find?.(place, 'lost', { do: 'send', ...words('lost') })
    if (end === 'moved') await assert.rejects(find, { code: 'send-later' })
    assert.equal(await find(), 'cannot-tell', end)
  }
})

test('what an edit adds is found when its answer was lost, and says that it may be a repeat when nobody can tell', async t => {
  const long = Array.from({ length: 2000 }, (_, n) => `w${n}`).join(' ')
  for (const how of ['lose-answer', 'lose-request'] as const) {
    const trial = await Trial.open(t)
    const { adapter } = await trial.start(t)
    const ids = await trial.send(adapter, words('short'))
    const edit = () => within(adapter.edit?.(trial.place, ids, words(long), 'e') as never, 'edit')
    trial.server.fault(how)
    await assert.rejects(edit(), { code: 'network-down' })
    assert.equal(((await edit()) as string[]).length, 3)
    const [first, second, third] = trial.texts
    assert.equal([first, second?.replace('(may be a repeat) ', ''), third].join(' '), long)
    assert.deepEqual([trial.texts.length, second?.startsWith('(may')], [3, how === 'lose-request'])
  }
})

test('what an edit added reads as the text does by the time that it is tried again', async t => {
  const long = Array.from({ length: 900 }, (_, n) => `w${n}`).join(' ')
  const trial = await Trial.open(t)
  const { adapter } = await trial.start(t)
  const ids = await trial.send(adapter, words('short'))
  const edit = (text: string) => within(adapter.edit?.(trial.place, ids, words(text), 'e') as never, 'edit')
  trial.server.fault('lose-answer')
  await assert.rejects(edit(long), { code: 'network-down' })
  assert.equal(((await edit(`${long} to its end`)) as string[]).length, 2)
  assert.equal(trial.texts.join(' '), `${long} to its end`)
})

test('what an edit added before a restart says that it may be a repeat, and what it adds the next time does not', async t => {
  const long = Array.from({ length: 1500 }, (_, n) => `w${n}`).join(' ')
  const trial = await Trial.open(t)
  const edit = ({ adapter }: { adapter: Adapter }, ids: readonly MessageId[], text: string) =>
    within(adapter.edit?.(trial.place, ids, words(text), 'e') as Promise<readonly MessageId[]>, 'edit')
  const first = await trial.start(t)
  const ids = await trial.send(first.adapter, words('short'))
  const grown = await edit(first, ids, long)
  assert.equal(trial.texts.length, 2)
  // The ledger knows what was added.
  assert.equal((await edit(first, grown, `${long} ${long}`)).length, 4)
  assert.doesNotMatch(trial.texts.join(), /repeat/)
  await first.stop()
  // It does not.
  await edit(await trial.start(t), grown, `${long} ${long}`)
  assert.equal(trial.texts.filter(text => text.startsWith('(may be a repeat)')).length, 1)
})

test('words are said once although the file behind them can not be read, and after a restart with a label', async t => {
  const trial = await Trial.open(t)
  const long = 'word '.repeat(300)
  const first = await trial.start(t)
  const broken = { ...upload('a.bin', Buffer.alloc(9)), open: () => ReadableStream.from(failing()) }
  const said = { ...words(long), uploads: [broken] }
  await assert.rejects(first.adapter.send(trial.place, said, 'f'), { code: 'network-down' })
  assert.equal(await first.adapter.find?.(trial.place, 'f', { do: 'send', ...words(long) }), 'not-sent')
  await first.adapter.send(trial.place, { ...said, uploads: [upload('a.bin', Buffer.alloc(9))] }, 'f')
  assert.equal(trial.texts.filter(text => text.startsWith('word')).length, 1)
  await assert.rejects(first.adapter.send(trial.place, said, 'g'), { code: 'network-down' })
  await first.stop()
  const { adapter } = await trial.start(t)
  assert.equal(await adapter.find?.(trial.place, 'g', { do: 'send', ...words(long) }), 'cannot-tell')
})

async function* failing(): AsyncGenerator<Uint8Array> {
  yield Buffer.alloc(1)
  throw new Error('the disk is gone')
}
