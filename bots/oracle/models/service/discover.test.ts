import assert from 'node:assert/strict'
import { test } from 'node:test'
import { configSchema } from '../../../../config/schema.ts'
import { stopwatch } from '../../../../core/contract/stopwatch.ts'
import { ModelServer, nobody, refuse } from '../testing-server.ts'
import { discover, ollamaUrl } from './discover.ts'

const never = (): AbortSignal => new AbortController().signal
const nowhere = { OLLAMA_HOST: await nobody() }

const valid = (model: object): void =>
  void configSchema.parse({ networks: { chat: { kind: 'memory' } }, models: { it: model } })

const ollama = (models: readonly string[]) =>
  ((response, { path }) => {
    if (path === '/v1/models') return refuse(response, 200, { data: models.map(id => ({ id })) })
    if (path === '/api/ps') return refuse(response, 200, { models: [] })
    refuse(response, 200, { parameters: 'stop "x"\nnum_ctx    16384', model_info: { 'llama.context_length': 131_072 } })
  }) satisfies Parameters<typeof ModelServer.listen>[1]

test('an Ollama that runs here is taken first, with the context that its model really gets', async t => {
  const server = await ModelServer.listen(t, ollama(['nomic-embed-text', 'llama3.2:latest']))
  const { found } = await discover({ OLLAMA_HOST: server.url.replace('/v1', ''), OPENAI_API_KEY: 'k' }, [], never())
  assert.equal(found?.by, 'an Ollama that runs here')
  assert.deepEqual(found?.model, {
    provider: 'ollama',
    model: 'llama3.2:latest',
    baseUrl: server.url,
    contextTokens: 16_384,
  })
  valid(found?.model ?? {})
})

test('one that runs and has no model is passed over', async t => {
  const server = await ModelServer.listen(t, ollama(['nomic-embed-text']))
  assert.equal((await discover({ OLLAMA_HOST: server.url }, [], never())).found, null)
})

test('a key in the environment: the first suggestion that the service offers', async t => {
  const server = await ModelServer.listen(t, (response, { headers }) =>
    headers.authorization === 'Bearer k'
      ? refuse(response, 200, { data: [{ id: 'other' }, { id: 'gpt-4o-mini' }] })
      : refuse(response, 401, {}),
  )
  const { found } = await discover({ ...nowhere, OPENAI_API_KEY: 'k', OPENAI_BASE_URL: server.url }, [], never())
  assert.deepEqual(
    [found?.by, found?.model.model, found?.model['apiKey']],
    ['OPENAI_API_KEY', 'gpt-4o-mini', 'env:OPENAI_API_KEY'],
  )
  assert.deepEqual(found?.model['price'], { inputPerMillion: 0.15, outputPerMillion: 0.6 })
  valid(found?.model ?? {})
})

test('a service on this machine that offers something else is taken as it is, and is free', async t => {
  const server = await ModelServer.listen(t, response =>
    refuse(response, 200, { data: [{ id: 'own', max_model_len: 4000 }] }),
  )
  const { found } = await discover({ ...nowhere, OPENAI_API_KEY: 'k', OPENAI_BASE_URL: server.url }, [], never())
  assert.deepEqual([found?.model.model, found?.model['price'], found?.model['contextTokens']], ['own', undefined, 4000])
  valid(found?.model ?? {})
})

test('a key that is refused is a line, and the next one is looked at', async t => {
  const refusing = await ModelServer.listen(t, response =>
    refuse(response, 401, { error: { message: 'no such key sesame' } }),
  )
  const well = await ModelServer.listen(t, response => refuse(response, 200, { data: [{ id: 'claude-haiku-4-5' }] }))
  const env = {
    ...nowhere,
    OPENAI_API_KEY: 'sesame',
    OPENAI_BASE_URL: refusing.url,
    ANTHROPIC_API_KEY: 'k',
    ANTHROPIC_BASE_URL: well.url.replace('/v1', ''),
  }
  const { found, notes } = await discover(env, [], never())
  assert.equal(found?.by, 'ANTHROPIC_API_KEY')
  assert.deepEqual(notes, ['OPENAI_API_KEY: openai refuses the key (401): no such key [key]'])
  assert.equal((await discover(env, ['anthropic'], never())).found, null, 'what was taken once is not taken again')
})

test('without anything there is nothing, at once', async () => {
  const tookMs = stopwatch()
  assert.deepEqual(await discover(nowhere, [], never()), { found: null, notes: [] })
  assert.ok(tookMs() < 1500)
})

test('OLLAMA_HOST in all its forms', () => {
  assert.deepEqual([undefined, '0.0.0.0', 'box:8080', 'http://box', 'https://box:443', ':::'].map(ollamaUrl), [
    'http://127.0.0.1:11434/v1',
    'http://127.0.0.1:11434/v1',
    'http://box:8080/v1',
    'http://box:11434/v1',
    'https://box:443/v1',
    'http://127.0.0.1:11434/v1',
  ])
})
