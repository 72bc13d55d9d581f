import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Config, configSchema } from '../../../../config/schema.ts'
import { candidateOf } from '../choice.ts'
import { answer, ModelServer } from '../testing-server.ts'
import { model, openWorld } from '../testing-world.ts'
import { tryOut } from './trial.ts'

test('a service that says our key back is not quoted with it, also before its model is configured', async t => {
  const server = await ModelServer.listen(t, (response, { headers }) =>
    answer(response, ['hi ', `${headers.authorization}`]),
  )
  const models = { fresh: model(server.url, { apiKey: 'env:MY_KEY' }) }
  const later = configSchema.parse({ networks: { chat: { kind: 'memory' } }, models })
  const { models: tried } = await openWorld(t, {})
  const candidate = candidateOf('fresh', later.models['fresh'] as Config['models'][string])
  const who = { room: 'general', person: null }
  const { text } = await tryOut(tried, candidate, who, new AbortController().signal)
  assert.equal(text, 'hi Bearer [secret]')
})
