/** OpenAI's Responses API, as its newest helpers use it. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import OpenAI from 'openai'
import { until } from '../../../../bots/bridge/testing.ts'
import { ModelServer } from '../../../../bots/oracle/models/testing-server.ts'
import { runOracle } from '../../../../bots/oracle/oracle.ts'
import { openTries } from '../../../../core/ledger/oracle/tries.ts'
import { play } from '../../../../test/clients/service.ts'
import { openWorld, type World } from '../../testing/world.ts'

let world: World
let service: ModelServer
let client: OpenAI
const closing: (() => void | Promise<void>)[] = []

before(async () => {
  const t = { after: (done: () => void | Promise<void>) => closing.push(done) }
  service = await ModelServer.listen(t, play)
  const model = `provider: compatible, baseUrl: '${service.url}', model: test-model, tools: true`
  world = await openWorld(t, { more: `models: { main: { ${model} } }` })
  await world.house.run('oracle', context => runOracle(context, { mindFolder: world.house.dataDir }))
  client = new OpenAI({ apiKey: await world.key('alice'), baseURL: `${world.url}/v1`, maxRetries: 0 })
})
after(async () => {
  for (const done of closing) await done()
})

const weather = {
  type: 'function' as const,
  name: 'weather',
  description: 'what the sky does',
  parameters: { type: 'object', properties: { city: { type: 'string' } } },
  strict: false,
}

for (const model of ['oracle', 'main']) {
  test(`${model} answers at once and streamed`, async () => {
    const whole = await client.responses.create({ model, input: 'hello', instructions: 'Be brief.' })
    assert.deepEqual([whole.output_text, whole.status, whole.object], ['Hello there', 'completed', 'response'])
    assert.ok((whole.usage?.total_tokens ?? 0) > 0)
    const types: string[] = []
    const stream = client.responses.stream({ model, input: [{ role: 'user', content: 'hello' }] })
    stream.on('event', ({ type }) => types.push(type))
    const final = await stream.finalResponse()
    assert.equal(final.output_text, 'Hello there')
    assert.equal(types[0], 'response.created')
    assert.equal(types.at(-1), 'response.completed')
    assert.ok(types.includes('response.output_text.delta') && types.includes('response.output_item.done'))
  })
}

test('tools are called, and their results are read', async () => {
  const input: OpenAI.Responses.ResponseInput = [{ role: 'user', content: 'what is the weather?' }]
  const asked = await client.responses.create({ model: 'main', input, tools: [weather], tool_choice: 'auto' })
  const [call] = asked.output
  assert.ok(call?.type === 'function_call')
  assert.deepEqual([call.name, JSON.parse(call.arguments)], ['weather', { city: 'Oslo' }])
  const output = { type: 'function_call_output' as const, call_id: call.call_id, output: 'sunny' }
  const told = await client.responses.create({ model: 'main', input: [...input, call, output], tools: [weather] })
  assert.equal(told.output_text, 'It is sunny')
  const { messages, tools } = service.requests.at(-1)?.body ?? {}
  assert.deepEqual(
    (messages as { role: string; tool_call_id?: string }[]).map(({ role, tool_call_id: id }) => [role, id]),
    [
      ['user', undefined],
      ['assistant', undefined],
      ['tool', call.call_id],
    ],
  )
  const { type, ...named } = weather
  assert.deepEqual(tools, [{ type, function: named }])
  const streamed = await client.responses.stream({ model: 'main', input, tools: [weather] }).finalResponse()
  const [again] = streamed.output
  assert.ok(again?.type === 'function_call' && again.arguments === '{"city": "Oslo"}')
})

test('who hangs up ends the request at the service', async () => {
  const stop = new AbortController()
  const { signal } = stop
  const stream = await client.responses.create({ model: 'main', input: 'slowly', stream: true }, { signal })
  for await (const event of stream) if (event.type === 'response.output_text.delta') stop.abort()
  await service.requests.at(-1)?.hungUp
  await until(async () => (await world.house.ledger.read(openTries)).length === 0, 'it to be booked')
})

test('what would need that something is kept, or tools of OpenAI’s own, is refused with its name', async () => {
  const ask = (more: object) =>
    client.responses.create({ model: 'main', input: 'hello', ...more }).then(
      () => assert.fail('it was answered'),
      (error: unknown) => error as InstanceType<typeof OpenAI.APIError>,
    )
  for (const [more, param] of [
    [{ previous_response_id: 'resp_1' }, 'previous_response_id'],
    [{ tools: [{ type: 'web_search' }] }, 'tools[0]'],
    [{ input: [{ type: 'item_reference', id: 'x' }] }, 'input[0]'],
    [{ input: [{ role: 'user', content: [{ type: 'input_file', file_id: 'x' }] }] }, 'input[0].content'],
    [{ input: [{ role: 'user', content: [null] }] }, 'input[0].content'],
    [{ background: true }, 'background'],
  ] as const) {
    const { status, param: named } = await ask(more)
    assert.deepEqual([status, named], [400, param])
  }
})
