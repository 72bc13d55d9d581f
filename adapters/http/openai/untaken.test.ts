import assert from 'node:assert/strict'
import { test } from 'node:test'
import OpenAI from 'openai'
import { until } from '../../../bots/bridge/testing.ts'
import { openCompletions } from '../../../core/ledger/oracle/completions.ts'
import { sql } from '../../../core/ledger/sqlite.ts'
import { openWorld } from '../testing/world.ts'

const main = "{ provider: compatible, model: test-model, baseUrl: 'http://127.0.0.1:9/v1' }"
const more = `models: { main: ${main} }`

test('what nobody takes up ends, and is not taken up later', async t => {
  const world = await openWorld(t, { more })
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

test('the oracle hears of what it is asked by itself before others do', { timeout: 10_000 }, async t => {
  const world = await openWorld(t, { more })
  const client = new OpenAI({ apiKey: await world.key('alice'), baseURL: `${world.url}/v1`, maxRetries: 0 })
  const content = '### Task:\nGenerate a title'
  for (const model of ['main', 'oracle']) {
    const heard = Promise.withResolvers<void>()
    const off = world.house.ledger.onCommit((_seq, first) => first.has('oracle') && heard.resolve())
    const stop = new AbortController()
    const body = { model, messages: [{ role: 'user' as const, content }] }
    const asking = client.chat.completions.create(body, { signal: AbortSignal.any([stop.signal, t.signal]) })
    await Promise.race([heard.promise, asking])
    off()
    stop.abort()
    await assert.rejects(asking, /aborted/)
  }
})
