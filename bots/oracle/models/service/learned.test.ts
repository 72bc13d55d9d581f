import assert from 'node:assert/strict'
import { test } from 'node:test'
import { providers } from '../../../../config/providers.ts'
import type { ModelMessage } from '../contract.ts'
import { ConfiguredModels } from '../models.ts'
import { mostTokens, wireOf } from '../request/request.ts'
import { countTokens } from '../request/tokens.ts'
import { answer, begin, delta, finished, ModelServer, send, usage } from '../testing-server.ts'
import { hear, model, openWorld, question } from '../testing-world.ts'

const never = (): AbortSignal => new AbortController().signal
const long = (words: number): ModelMessage[] => [{ role: 'user', content: 'some words that count '.repeat(words) }]

test('how a model counts is learned from what it reports, and kept', async t => {
  const messages = long(100)
  const counted = await countTokens(messages[0]?.content as string)
  const server = await ModelServer.listen(t, response => answer(response, ['ok'], usage(Math.round(counted * 1.3), 1)))
  const config = { models: { only: model(server.url, { contextTokens: 100_000 }) } }
  const world = await openWorld(t, config)
  assert.equal(world.models.limits('answer', 'general')?.tokenFactor, 1)
  await hear(world.models.stream({ ...question, messages }, never()))
  const factor = world.models.limits('answer', 'general')?.tokenFactor ?? 0
  assert.ok(Math.abs(factor - 1.3) < 0.02, `${factor}`)
  const again = await openWorld(t, config, world.ledger)
  assert.equal(again.models.limits('answer', 'general')?.tokenFactor, factor)
  assert.ok(again.models instanceof ConfiguredModels)
})

test('a prompt that was cut off silently is noticed, told and avoided from then on', async t => {
  const server = await ModelServer.listen(t, response => answer(response, ['what?'], usage(4000, 96)))
  const models = { only: { provider: 'ollama', model: 'x', baseUrl: server.url, contextTokens: 32_000 } }
  const world = await openWorld(t, { models })
  const { end } = await hear(world.models.stream({ ...question, messages: long(3000) }, never()))
  assert.equal(end?.promptCut, true)
  assert.equal(world.models.limits('answer', 'general')?.contextTokens, 4096)
  const short = await hear(world.models.stream({ ...question, messages: long(990) }, never()))
  assert.equal(short.end?.promptCut, undefined, 'one that fits is not taken for cut')
})

for (const [name, input, output, finish] of [
  ['it read exactly as much as fits', 4096, 50, 'stop'],
  ['it read and wrote exactly as much as fits, and no more', 4000, 96, 'length'],
] as const) {
  test(`a prompt of which little was cut off is noticed: ${name}`, async t => {
    const server = await ModelServer.listen(t, r => {
      begin(r)
      for (const chunk of [delta('what?'), finished(finish), usage(input, output)]) send(r, chunk)
      r.end()
    })
    const models = { only: { provider: 'ollama', model: 'x', baseUrl: server.url, contextTokens: 32_000 } }
    const world = await openWorld(t, { models })
    const { end } = await hear(world.models.stream({ ...question, messages: long(1100) }, never()))
    assert.equal(end?.promptCut, true)
    assert.equal(world.models.limits('answer', 'general')?.contextTokens, 4096)
    assert.equal(world.models.limits('answer', 'general')?.tokenFactor, 1, 'and no measure of how it counts')
  })
}

test('images go to models that take them, and their words to those that do not', () => {
  const messages: ModelMessage[] = [
    {
      role: 'user',
      content: [
        { kind: 'text', text: 'what is this?' },
        { kind: 'image', url: 'data:image/png;base64,AA==', text: '[cat.png]' },
      ],
    },
  ]
  const target = { model: 'x', provider: providers.openai, refused: [] }
  assert.deepEqual(wireOf(messages, 10, { ...target, images: true }).body.messages[0]?.content, [
    { type: 'text', text: 'what is this?' },
    { type: 'image_url', image_url: { url: 'data:image/png;base64,AA==' } },
  ])
  assert.equal(wireOf(messages, 10, { ...target, images: false }).body.messages[0]?.content, 'what is this?\n[cat.png]')
  assert.ok(mostTokens(messages) > 3000)
})

test('a limit goes by another name, or not at all, when it was refused', () => {
  const target = { model: 'x', provider: providers.openai, images: false }
  const limits = (refused: string[]) => {
    const { body, sent } = wireOf([], 10, { ...target, refused })
    return [body.max_completion_tokens, body.max_tokens, sent.length]
  }
  assert.deepEqual(limits([]), [10, undefined, 2])
  assert.deepEqual(limits(['max_completion_tokens']), [undefined, 10, 2])
  assert.deepEqual(limits(['max_completion_tokens', 'max_tokens', 'stream_options']), [undefined, undefined, 0])
})
