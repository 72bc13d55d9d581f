/** The same against a server that others keep: @copilotkit/aimock. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { LLMock } from '@copilotkit/aimock'
import { recentTries } from '../../../core/ledger/oracle/tries.ts'
import { hear, model, openWorld, question } from './testing-world.ts'

type Options = NonNullable<ConstructorParameters<typeof LLMock>[0]>

async function open(t: TestContext, options: Options = {}, patienceSeconds = 2) {
  const mock = new LLMock({ port: 0, host: '127.0.0.1', logLevel: 'silent', ...options })
  await mock.start()
  t.after(() => mock.stop())
  const spare = new LLMock({ port: 0, host: '127.0.0.1', logLevel: 'silent' })
  spare.onMessage(/./, { content: 'from the spare one' })
  await spare.start()
  t.after(() => spare.stop())
  const quick = { firstTokenSeconds: patienceSeconds, betweenChunksSeconds: patienceSeconds }
  const models = { first: model(`${mock.url}/v1`, quick), spare: model(`${spare.url}/v1`, { priority: 2 }) }
  return { mock, ...(await openWorld(t, { models })) }
}

const ask = (text: string) => ({ ...question, messages: [{ role: 'user' as const, content: text }] })
const never = (): AbortSignal => new AbortController().signal

test('streams, and usage is asked for and booked', async t => {
  const { mock, models, ledger } = await open(t)
  const usage = { prompt_tokens: 21, completion_tokens: 5, total_tokens: 26 }
  mock.onMessage('hello', { content: 'Good morning to all of you!', usage }, { chunkSize: 3 })
  let parts = 0
  const { text, end } = await hear(
    models.stream(ask('hello'), never()),
    part => (parts += part.kind === 'text' ? 1 : 0),
  )
  assert.equal(text, 'Good morning to all of you!')
  assert.ok(parts > 3)
  assert.deepEqual([end?.usage.inputTokens, end?.usage.outputTokens, end?.estimated], [21, 5, false])
  assert.equal((await ledger.read(tx => recentTries(tx, 1)))[0]?.costMicroUsd, 21 + 50)
})

test('reasoning is not said', async t => {
  const { mock, models } = await open(t)
  mock.onMessage('think', { content: '42', reasoning: 'the user wants a number' })
  assert.equal((await hear(models.stream(ask('think'), never()))).text, '42')
})

test('length and content_filter are told', async t => {
  const { mock, models } = await open(t)
  mock.onMessage('long', { content: 'and so on', finishReason: 'length' })
  mock.onMessage('bad', { content: 'no', finishReason: 'content_filter' })
  assert.equal((await hear(models.stream(ask('long'), never()))).end?.finishReason, 'length')
  assert.equal((await hear(models.stream(ask('bad'), never()))).end?.finishReason, 'refusal')
})

for (const [name, more] of [
  ['429', { chaos: { rateLimitRate: 1 } }],
  ['500', { chaos: { dropRate: 1 } }],
  ['malformed JSON', { chaos: { malformedRate: 1 } }],
  ['a disconnect', { chaos: { disconnectRate: 1 } }],
  ['a stream that is cut', { truncateAfterChunks: 3, chunkSize: 2 }],
  ['a stream that is cut by time', { disconnectAfterMs: 60, latency: 20, chunkSize: 2 }],
] as const) {
  test(`${name}: the spare one answers`, async t => {
    const { mock, models } = await open(t)
    mock.onMessage('hello', { content: 'this never comes through as a whole' }, more)
    const { text, end } = await hear(models.stream(ask('hello'), never()))
    assert.deepEqual([text, end?.model, end?.tries], ['from the spare one', 'spare', 2])
  })
}

test('50 questions at once are 50 answers', async t => {
  const { mock, models } = await open(t, {}, 20)
  mock.onMessage(/question (\d+)/, { content: 'yes' }, { chunkSize: 1, latency: 5 })
  const heard = await Promise.all(
    Array.from({ length: 50 }, (_, n) => hear(models.stream(ask(`question ${n}`), never()))),
  )
  assert.ok(heard.every(({ text, end }) => text === 'yes' && end?.model === 'first'))
})
