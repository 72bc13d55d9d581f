import assert from 'node:assert/strict'
import { test } from 'node:test'
import { complete, type ModelRequest } from './contract.ts'
import { ScriptedModels } from './testing.ts'

const request: ModelRequest = {
  messages: [{ role: 'user', content: 'hello' }],
  task: 'answer',
  room: 'general',
  person: null,
  turn: null,
}

test('a whole answer is the text after the last new beginning', async () => {
  const models = new ScriptedModels(() => ['lost ', { restart: 'it broke' }, 'hel', 'lo'])
  const { text, finishReason } = await complete(models, request, new AbortController().signal)
  assert.deepEqual({ text, finishReason }, { text: 'hello', finishReason: 'stop' })
})

test('one that hangs ends when it is stopped, with what it said', async () => {
  const models = new ScriptedModels(() => ['part', { hang: true }, 'never'])
  const stop = new AbortController()
  setImmediate(() => stop.abort())
  const { text, finishReason } = await complete(models, request, stop.signal)
  assert.deepEqual({ text, finishReason }, { text: 'part', finishReason: 'aborted' })
  assert.equal(models.aborted.length, 1)
})

test('a failure is thrown as one line', async () => {
  const models = new ScriptedModels(() => [{ fail: 'nobody answers' }])
  await assert.rejects(complete(models, request, new AbortController().signal), { code: 'model-failed' })
})
