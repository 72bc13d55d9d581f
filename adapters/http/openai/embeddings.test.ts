import assert from 'node:assert/strict'
import { test } from 'node:test'
import OpenAI from 'openai'
import { ModelServer } from '../../../bots/oracle/models/testing-server.ts'
import { runOracle } from '../../../bots/oracle/oracle.ts'
import { recentTries } from '../../../core/ledger/oracle/tries.ts'
import { play } from '../../../test/clients/service.ts'
import { openWorld } from '../testing/world.ts'

test('embeddings of a model that is configured for it, and of no other', async t => {
  const service = await ModelServer.listen(t, play)
  const model = `provider: compatible, baseUrl: '${service.url}', price: { inputPerMillion: 1, outputPerMillion: 0 }`
  const world = await openWorld(t, {
    more: `models: { main: { ${model}, model: a }, numbers: { ${model}, model: b, embeddings: true } }`,
  })
  await world.house.run('oracle', context => runOracle(context))
  const client = new OpenAI({ apiKey: await world.key('alice'), baseURL: `${world.url}/v1`, maxRetries: 0 })
  const { data, usage, model: by } = await client.embeddings.create({ model: 'numbers', input: ['a', 'b'] })
  assert.deepEqual(
    data.map(({ embedding }) => embedding),
    [
      [0.5, -1],
      [0.5, -1],
    ],
  )
  assert.deepEqual([usage.prompt_tokens, by, service.requests[0]?.path], [2, 'numbers', '/v1/embeddings'])
  await assert.rejects(async () => client.embeddings.create({ model: 'main', input: 'a' }), OpenAI.BadRequestError)
  const [booked] = await world.house.ledger.read(tx => recentTries(tx, 1))
  assert.deepEqual([booked?.task, booked?.costMicroUsd, booked?.model], ['embeddings', 2, 'numbers'])
})
