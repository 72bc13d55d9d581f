import assert from 'node:assert/strict'
import { test } from 'node:test'
import { providers } from '../../../../config/providers.ts'
import { readChunk, usageOf } from './chunk.ts'

const { openai, groq, deepseek } = providers
const chunk = (delta: object, more: object = {}) => ({ choices: [{ index: 0, delta, ...more }] })

test('text, reasoning, tool calls and refusals are told apart', () => {
  assert.equal(readChunk(chunk({ role: 'assistant', content: 'hi' }), openai).text, 'hi')
  assert.deepEqual(readChunk(chunk({ content: null, reasoning_content: 'hm' }), deepseek), {
    text: '',
    hidden: 'hm',
    finish: null,
    usage: null,
    error: undefined,
  })
  const tool = readChunk(chunk({ tool_calls: [{ index: 0, function: { name: 'ls' } }] }), openai)
  assert.deepEqual([tool.text, tool.hidden.includes('ls')], ['', true])
  const list = readChunk(
    chunk({
      content: [
        { type: 'thinking', thinking: 'hm' },
        { type: 'text', text: 'hi' },
      ],
    }),
    openai,
  )
  assert.deepEqual([list.text, list.hidden.includes('hm')], ['hi', true])
  const no = readChunk(chunk({ refusal: 'I will not.' }, { finish_reason: 'stop' }), openai)
  assert.deepEqual([no.text, no.finish], ['I will not.', 'refusal'])
})

test('an empty delta is no sign of life, an unknown kind of reasoning is', () => {
  for (const delta of [{}, { role: 'assistant', content: '' }, { content: null, tool_calls: [], reasoning: null }]) {
    const { text, hidden } = readChunk(chunk(delta), openai)
    assert.equal(text + hidden, '', JSON.stringify(delta))
  }
  assert.equal(readChunk(chunk({ thoughts: 'hm' }), openai).hidden, 'hm')
})

test('why it ended, in the words of each', () => {
  const finish = (written: unknown) => readChunk(chunk({}, { finish_reason: written }), openai).finish
  assert.deepEqual(
    ['stop', 'eos', 'STOP', 'length', 'max_tokens', 'content_filter', 'tool_calls', null, ''].map(finish),
    ['stop', 'stop', 'stop', 'length', 'length', 'refusal', 'tool', null, null],
  )
})

test('usage, wherever it stands, and only when there are numbers in it', () => {
  const usage = { prompt_tokens: 10, completion_tokens: 2, prompt_tokens_details: { cached_tokens: 8 } }
  const wanted = { inputTokens: 10, outputTokens: 2, cachedTokens: 8 }
  assert.deepEqual(readChunk({ choices: [], usage }, openai).usage, wanted)
  assert.deepEqual(readChunk({ choices: [], x_groq: { usage } }, groq).usage, wanted)
  assert.deepEqual(usageOf({ prompt_tokens: 10, completion_tokens: 2, prompt_cache_hit_tokens: 99 })?.cachedTokens, 10)
  // xAI's own example: 9 said, 94 thought.
  assert.equal(usageOf({ prompt_tokens: 32, completion_tokens: 9, total_tokens: 135 })?.outputTokens, 103)
  assert.equal(usageOf({ prompt_tokens: 32, completion_tokens: 9, total_tokens: 0 })?.outputTokens, 9)
  for (const beyond of [1e308, Number.POSITIVE_INFINITY, 2 ** 53])
    assert.equal(usageOf({ prompt_tokens: 10, completion_tokens: beyond }), null)
  for (const nothing of [null, undefined, {}, { prompt_tokens: 0, completion_tokens: 0 }, { prompt_tokens: 5 }, 'x']) {
    assert.equal(usageOf(nothing), null, JSON.stringify(nothing))
  }
})

test('what is no chunk at all brings nothing', () => {
  for (const raw of [null, 42, 'x', [], {}, { choices: null }, { choices: [null] }, { choices: [{ delta: 'x' }] }]) {
    const { text, hidden, finish, usage } = readChunk(raw, openai)
    assert.deepEqual([text, hidden, finish, usage], ['', '', null, null], JSON.stringify(raw))
  }
  assert.deepEqual(readChunk({ error: { message: 'no' } }, openai).error, { message: 'no' })
})
