import { strict as assert } from 'node:assert'
import { describe, test } from 'node:test'
import { draft, upload, within } from '../../../core/contract/harness.ts'
import type { Draft, MessageId } from '../../../core/event.ts'
import { placeOf, Trial } from '../testing/trial.ts'
import { shown } from '../testing/workspace.ts'

const alice = 'U0000ALICE'
const long = Array.from({ length: 1500 }, (_, n) => `w${n}`).join(' ')
const answerTo = (said: string, to: string): Draft => ({
  as: { name: 'bob', relayed: true },
  content: { ...draft(said).content, replyTo: to as MessageId },
})

describe('what stands in a thread, and what is out in part', { concurrency: 4 }, () => {
  test('a file and what an edit adds stand in the thread that an answer opened, and a file outlives an edit after a restart', async t => {
    const trial = await Trial.open(t)
    const first = await trial.up()
    const { fake, general } = trial
    const place = placeOf(general)
    const root = fake.workspace.say(general, alice, 'root')
    const said = { ...answerTo('look', root.ts), uploads: [upload('a.bin', new Uint8Array(9))] }
    const ids = await first.adapter.send(place, said, 'd1')
    assert.equal(ids.length, 2)
    await first.stop()
    const { adapter } = await trial.up()
    const edited = (await adapter.edit?.(place, ids, { as: said.as, ...draft(long) } as Draft, 'd2')) ?? []
    assert.equal(edited.length, 4)
    assert.deepEqual(
      general.messages.map(({ thread_ts, files }) => [thread_ts === root.ts, files?.length ?? 0]),
      [
        [true, 0],
        [true, 0],
        [true, 1],
        [true, 0],
        [true, 0],
      ],
    )
    const texts = general.messages.filter(({ subtype, files }) => subtype === 'bot_message' && !files).map(shown)
    assert.equal(texts.join(' ').replace(/\s+/g, ' '), long)
  })

  test('words are said once although the file behind them can not be read, over a restart too', async t => {
    const trial = await Trial.open(t)
    const first = await trial.up()
    const { fake, general } = trial
    const place = placeOf(general)
    const file = upload('a.bin', new Uint8Array(9))
    const broken = { ...file, open: () => ReadableStream.from(failing()) }
    await assert.rejects(first.adapter.send(place, { ...draft('look'), uploads: [broken] }, 'd1'), {
      code: 'network-down',
      message: /could not be uploaded/,
    })
    await first.stop()
    const { adapter } = await trial.up()
    const content = { ...draft('look').content, attachments: [{ ref: 'r', name: 'a.bin' }] }
    assert.equal(await adapter.find?.(place, 'd1', { do: 'send', content }), 'not-sent')
    assert.equal((await adapter.send(place, { ...draft('look'), uploads: [file] }, 'd1')).length, 2)
    assert.equal(fake.said(general).filter(text => text === 'look').length, 1)
  })

  test('a long message that grows is not asked about again and again', async t => {
    const trial = await Trial.open(t)
    const first = await trial.up()
    const { fake, general } = trial
    const ids = await first.adapter.send(placeOf(general), draft(long), 'd1')
    await first.stop()
    const { adapter } = await trial.up()
    const asked = fake.callsOf('conversations.replies').length
    for (const words of [`${long} a`, `${long} b`, `${long} c`])
      assert.deepEqual(await adapter.edit?.(placeOf(general), ids, draft(words), 'd2'), ids)
    assert.equal(fake.callsOf('conversations.replies').length - asked, ids.length)
  })

  test('a file whose message Slack names late is not shown twice', async t => {
    const trial = await Trial.open(t)
    const { adapter } = await trial.up()
    const { fake, general, book } = trial
    const place = placeOf(general)
    fake.hideShares = true
    fake.loseAnswer('files.completeUploadExternal')
    const said = { content: { segments: [] }, uploads: [upload('a.bin', new Uint8Array(9))] }
    await assert.rejects(adapter.send(place, said, 'd1'), { code: 'network-down' })
    await book.until(() => adapter.status().state === 'up', 'up')
    const asked = fake.callsOf('files.info').length
    const content = { segments: [], attachments: [{ ref: 'r', name: 'a.bin' }] }
    const finding = adapter.find?.(place, 'd1', { do: 'send', content }) as Promise<unknown>
    await fake.until(() => fake.callsOf('files.info').length > asked, 'the question')
    fake.hideShares = false
    assert.deepEqual(await within(finding, 'find'), [general.messages.at(-1)?.ts])
  })
})

async function* failing(): AsyncGenerator<Uint8Array> {
  yield new Uint8Array(1)
  throw new Error('the disk is gone')
}
