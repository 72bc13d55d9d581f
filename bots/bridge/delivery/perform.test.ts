import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Adapter } from '../../../core/adapter.ts'
import { ChanopError } from '../../../core/error.ts'
import type { Draft, Upload } from '../../../core/event.ts'
import type { Delivery } from '../../../core/ledger/out/deliveries.ts'
import { perform, saidBy } from './perform.ts'

test('a file that does not get through keeps its words up for ten minutes and eight tries, and no longer', async () => {
  const file: Upload = { ref: 'r', name: 'map.png', sizeBytes: 1, hash: 'h', open: () => ReadableStream.from([]) }
  const sent: Draft[] = []
  const adapter = {
    limits: { fileBytes: 10 },
    send: async (_place: unknown, draft: Draft) => {
      sent.push(draft)
      if (draft.uploads) throw new ChanopError('network-down', 'the line is too slow')
      return ['id']
    },
  } as unknown as Adapter
  const files = { ready: async () => ({ uploads: [file], words: [] }), named: async (some: unknown) => some }
  const act = { do: 'send', content: { segments: [{ kind: 'text', text: 'look' }], attachments: [file] } }
  const say = (attempts: number, ageMs: number) => {
    const delivery = { act, place: {}, source: 1, attempts, createdMs: Date.now() - ageMs } as unknown as Delivery
    return perform({ adapter, files: files as never, vault: {} as never }, delivery, 'k', { target: [] } as never)
  }
  await assert.rejects(say(0, 0), { code: 'network-down' })
  await assert.rejects(say(50, 10_000), { code: 'network-down' })
  await assert.rejects(say(2, 3_600_000), { code: 'network-down' })
  assert.deepEqual(await say(8, 601_000), ['id'])
  assert.deepEqual([sent.at(-1)?.uploads, sent.at(-1)?.content.attachments], [undefined, [file]])
})

test('what is asked after is what was said: with the message that it answers', () => {
  const act = { do: 'send', content: { segments: [] }, replySeq: 7 }
  const delivery = { act, place: {} } as unknown as Delivery
  const answered = (threads: boolean, way: object) => {
    const said = saidBy({ limits: { threads } } as unknown as Adapter, delivery, { target: [], ...way } as never)
    return said?.do === 'send' ? said.content.replyTo : null
  }
  assert.equal(answered(true, { replyTo: 'r' }), 'r')
  assert.equal(answered(true, { thread: 't' }), undefined)
  assert.equal(answered(false, { thread: 't' }), 't')
})
