import assert from 'node:assert/strict'
import { test } from 'node:test'
import OpenAI from 'openai'
import { until } from '../../../bots/bridge/testing.ts'
import { openCompletions } from '../../../core/ledger/oracle/completions.ts'
import { sql } from '../../../core/ledger/sqlite.ts'
import { openWorld } from '../testing/world.ts'

test('what nobody takes up ends, and is not taken up later', async t => {
  const model = "{ provider: compatible, model: test-model, baseUrl: 'http://127.0.0.1:9/v1' }"
  const world = await openWorld(t, { more: `models: { main: ${model} }` })
  const client = new OpenAI({ apiKey: await world.key('alice'), baseURL: `${world.url}/v1`, maxRetries: 0 })
  const asking = client.chat.completions.create({ model: 'main', messages: [{ role: 'user', content: 'hello' }] }).then(
    () => assert.fail('it was answered'),
    (error: unknown) => error as InstanceType<typeof OpenAI.APIError>,
  )
  const { ledger } = world.house
  await until(() => ledger.read(tx => openCompletions(tx, 'all').length === 1), 'the request')
  await ledger.write(tx => sql(tx, 'UPDATE completion SET created_ms = created_ms - 60000').run())
  const { status, code } = await asking
  assert.deepEqual([status, code], [503, 'network-down'])
  await until(() => ledger.read(tx => openCompletions(tx, 'all').length === 0), 'it to be closed')
})
