/** Configured models as they are, for keys that may use them: through `oracle`, to services that a test plays. */
import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import OpenAI from 'openai'
import { until } from '../../bots/bridge/testing.ts'
import {
  answer,
  begin,
  delta,
  finished,
  type Handler,
  ModelServer,
  type Received,
  refuse,
  send,
  usage,
} from '../../bots/oracle/models/testing-server.ts'
import { runOracle } from '../../bots/oracle/oracle.ts'
import type { UserId } from '../../core/event.ts'
import { agentNamed } from '../../core/ledger/agents/agents.ts'
import { spendOf } from '../../core/ledger/oracle/spend.ts'
import { openTries, recentTries } from '../../core/ledger/oracle/tries.ts'
import { sql } from '../../core/ledger/sqlite.ts'
import { openWorld, type World } from './testing/world.ts'

type Failed = InstanceType<typeof OpenAI.APIError>

const serviceKey = 'service-key-of-the-test'
const weather = {
  type: 'function' as const,
  function: { name: 'weather', parameters: { type: 'object', properties: { city: { type: 'string' } } } },
}

/** Each but the spare one is asked by its name alone. */
const modelAt = (url: string, more = 'weight: 0'): string =>
  `{ provider: compatible, model: test-model, baseUrl: '${url}', apiKey: 'env:SERVICE', price: { inputPerMillion: 1, outputPerMillion: 10 }, tools: true, images: true, ${more} }`

const names = ['main', ...Array.from({ length: 12 }, (_, n) => `m${n}`)]

/** What each model does; requests by model. */
const plays = new Map<string, Handler>()
const asked = new Map<string, Received[]>()
let world: World
let client: OpenAI
const closing: (() => void | Promise<void>)[] = []

before(async () => {
  const t = { after: (done: () => void | Promise<void>) => closing.push(done) }
  const service = await ModelServer.listen(t, (response, request) => {
    const name = request.path.split('/')[2] ?? ''
    const all = asked.get(name) ?? []
    asked.set(name, [...all, request])
    return plays.get(name)?.(response, request, all.length + 1)
  })
  const models = names.map(name => `  ${name}: ${modelAt(`${service.url}/${name}`)}`)
  const numbers = `{ provider: compatible, model: numbers-1, baseUrl: '${service.url}/numbers', price: { inputPerMillion: 1, outputPerMillion: 0 }, embeddings: true }`
  world = await openWorld(t, {
    env: { SERVICE: serviceKey },
    more: `models:
${models.join('\n')}
  spare: ${modelAt(`${service.url}/spare`, 'priority: 2')}
  away: ${modelAt(`${service.url}/away`, 'on: false')}
  numbers: ${numbers}
budget: { dailyUsd: 1000, monthlyUsd: 1000, perPersonDailyUsd: 1000 }`,
  })
  await world.house.run('oracle', context => runOracle(context))
  client = clientOf(await world.key('alice', 'member', { account: 'alice-key' as UserId }))
})
beforeEach(() => {
  asked.clear()
  plays.clear()
  plays.set('spare', r => answer(r, ['spare']))
})
after(async () => {
  for (const done of closing) await done()
})

const clientOf = (key: string): OpenAI => new OpenAI({ apiKey: key, baseURL: `${world.url}/v1`, maxRetries: 0 })
const requests = (name: string): readonly Received[] => asked.get(name) ?? []

const hello = [{ role: 'user' as const, content: 'hello' }]
const failure = (work: Promise<unknown>): Promise<Failed> =>
  work.then(
    () => assert.fail('it was answered'),
    (error: unknown) => error as Failed,
  )
const tries = () => world.house.ledger.read(tx => recentTries(tx, 10))
const body = (name: string): Received['body'] => requests(name).at(-1)?.body ?? {}

test('each model that is on is listed for keys with the scope, and asked as it is', async () => {
  plays.set('main', r => answer(r, ['Good', ' day'], usage(12, 2, 4)))
  const ids = []
  for await (const { id } of client.models.list()) ids.push(id)
  assert.deepEqual(ids, ['oracle', ...names, 'spare', 'numbers'])
  const whole = await client.chat.completions.create({ model: 'main', messages: hello, temperature: 0.3, top_p: 0.9 })
  assert.equal(whole.choices[0]?.message.content, 'Good day')
  assert.deepEqual([whole.model, whole.choices[0]?.finish_reason], ['main', 'stop'])
  assert.deepEqual([whole.usage?.prompt_tokens, whole.usage?.completion_tokens], [12, 2])
  const sent = body('main')
  assert.deepEqual(sent['messages'], hello, 'no mind, no rules')
  assert.deepEqual([sent['model'], sent['temperature'], sent['top_p']], ['test-model', 0.3, 0.9])
  assert.equal(requests('main')[0]?.headers.authorization, `Bearer ${serviceKey}`)
  const [booked] = await tries()
  assert.deepEqual(
    [booked?.task, booked?.room, booked?.costMicroUsd, booked?.outcome],
    ['gateway', 'web:@alice-key', 32, 'stop'],
  )
  const [spent, outside] = await world.house.ledger.read(tx => {
    const scopes = [booked?.person ?? '', 'room:web:@alice-key', 'model:main', 'all', 'task:gateway']
    return [
      scopes.map(scope => spendOf(tx, booked?.day ?? '', scope).costMicroUsd),
      spendOf(tx, booked?.day ?? '', 'unasked').tries,
    ]
  })
  assert.deepEqual([spent, outside], [[32, 32, 32, 32, 32], 0])
  const record = await world.house.ledger.read(tx => JSON.stringify(sql(tx, 'SELECT body FROM event').all()))
  assert.ok(!record.includes('hello'), 'nothing of it is in the record')
  await until(
    () => world.house.ledger.read(tx => sql(tx, 'SELECT * FROM completion').all().length === 0),
    'what was read to be gone',
  )
})

test('tools, their calls and results, pictures and formats go through, and calls come back', async () => {
  plays.set('main', (r, { body: { messages } }) => {
    if (JSON.stringify(messages).includes('tool_call_id')) return answer(r, ['It is sunny.'])
    begin(r)
    const call = (more: object) => ({ choices: [{ index: 0, delta: { tool_calls: [more] }, finish_reason: null }] })
    send(r, { choices: [{ index: 0, delta: { role: 'assistant', content: null }, finish_reason: null }] })
    send(r, call({ index: 0, id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{"ci' } }))
    send(r, call({ index: 0, function: { arguments: 'ty":"Oslo"}' } }))
    send(r, call({ index: 1, id: 'call_2', type: 'function', function: { name: 'weather', arguments: '{}' } }))
    send(r, finished('tool_calls'))
    send(r, usage(20, 9))
    r.end('data: [DONE]\n\n')
  })
  const picture = { type: 'image_url' as const, image_url: { url: 'data:image/png;base64,AAAA' } }
  const question = {
    model: 'main',
    messages: [
      { role: 'system' as const, content: 'Be exact.' },
      { role: 'user' as const, content: [{ type: 'text' as const, text: 'weather?' }, picture] },
    ],
    tools: [weather],
    tool_choice: 'auto' as const,
    response_format: { type: 'json_object' as const },
  }
  const expected = [
    { id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{"city":"Oslo"}' } },
    { id: 'call_2', type: 'function', function: { name: 'weather', arguments: '{}' } },
  ]
  const whole = await client.chat.completions.create(question)
  assert.deepEqual(whole.choices[0]?.message.tool_calls, expected)
  assert.equal(whole.choices[0]?.finish_reason, 'tool_calls')
  const { messages, tools, tool_choice: choice, response_format: format } = body('main')
  assert.deepEqual(
    [messages, tools, choice, format],
    [question.messages, question.tools, 'auto', question.response_format],
  )
  const streamed = await client.chat.completions.stream({ ...question, stream: true }).finalChatCompletion()
  assert.deepEqual(
    streamed.choices[0]?.message.tool_calls?.map(({ id }) => id),
    ['call_1', 'call_2'],
  )
  const message = whole.choices[0]?.message as OpenAI.ChatCompletionMessage
  const result = { role: 'tool' as const, tool_call_id: 'call_1', content: '{"sky":"clear"}' }
  const next = await client.chat.completions.create({ ...question, messages: [...question.messages, message, result] })
  assert.equal(next.choices[0]?.message.content, 'It is sunny.')
  assert.deepEqual((body('main')['messages'] as unknown[]).at(-1), result)
})

test('calls that a service does not number are told apart, and end as calls', async () => {
  plays.set('main', r => {
    begin(r)
    const call = (id: string) => ({ id, type: 'function', function: { name: 'weather', arguments: '{}' } })
    send(r, { choices: [{ index: 0, delta: { tool_calls: [call('a')] }, finish_reason: null }] })
    send(r, { choices: [{ index: 0, delta: { tool_calls: [{ ...call('b'), index: 0 }] }, finish_reason: null }] })
    send(r, finished('stop'))
    r.end('data: [DONE]\n\n')
  })
  const { choices } = await client.chat.completions.create({ model: 'main', messages: hello, tools: [weather] })
  assert.deepEqual(
    choices[0]?.message.tool_calls?.map(({ id }) => id),
    ['a', 'b'],
  )
  assert.equal(choices[0]?.finish_reason, 'tool_calls')
})

test('streams piece by piece, with usage only where it is asked for', async () => {
  const heard: PromiseWithResolvers<void>[] = [Promise.withResolvers(), Promise.withResolvers()]
  plays.set('main', async r => {
    begin(r)
    for (const [at, word] of ['one', ' two', ' three'].entries()) {
      send(r, delta(word))
      // The next one is written when this one has come through.
      await heard[at]?.promise
    }
    send(r, finished())
    send(r, usage(10, 3))
    r.end('data: [DONE]\n\n')
  })
  for (const wanted of [true, false]) {
    const options = wanted ? { stream_options: { include_usage: true } } : {}
    const stream = await client.chat.completions.create({ model: 'main', stream: true, messages: hello, ...options })
    const pieces: string[] = []
    const usages: unknown[] = []
    for await (const { choices, usage: used, model } of stream) {
      assert.equal(model, 'main')
      if (choices[0]?.delta.content) heard[pieces.push(choices[0].delta.content) - 1]?.resolve()
      if (used) usages.push(used.prompt_tokens + used.completion_tokens)
    }
    assert.equal(pieces.join(''), 'one two three')
    assert.deepEqual(usages, wanted ? [13] : [])
  }
})

const faults: readonly [string, Handler][] = [
  ['429', r => refuse(r, 429, { error: { message: 'slow down' } }, { 'retry-after': '60' })],
  ['503', r => refuse(r, 503, { error: { message: 'overloaded' } })],
  ['an error in the stream before anything', r => (begin(r), send(r, { error: { message: 'no' } }), void r.end())],
  ['a role and then nothing', r => (begin(r), send(r, { choices: [{ delta: { role: 'assistant' } }] }), void r.end())],
]

for (const [at, [name, handler]] of faults.entries()) {
  test(`${name}: the next model answers, and says so`, async () => {
    const [first, second] = [`m${at * 2}`, `m${at * 2 + 1}`]
    for (const model of [first, second]) plays.set(model, handler)
    const whole = await client.chat.completions.create({ model: first, messages: hello })
    assert.deepEqual([whole.model, whole.choices[0]?.message.content], ['spare', 'spare'])
    const stream = client.chat.completions.stream({ model: second, messages: hello, stream: true })
    assert.equal((await stream.finalChatCompletion()).choices[0]?.message.content, 'spare')
    const failed = (await tries()).filter(({ outcome }) => outcome === 'failed').map(({ model }) => model)
    assert.deepEqual(failed.slice(0, 2), [second, first])
  })
}

/** All of a stream, and the error that it ends with. */
async function brokenStream(of: OpenAI, model: string, saw: () => void = () => undefined) {
  let text = ''
  const stream = await of.chat.completions.create({ model, messages: hello, stream: true })
  const listening = async () => {
    for await (const { choices } of stream) {
      text += choices[0]?.delta.content ?? ''
      if (choices[0]?.delta.content) saw()
    }
  }
  return { failed: await failure(listening()), text }
}

test('what breaks off in the middle begins anew at the next model, but for what was streamed already', async () => {
  for (const model of ['m8', 'm9']) plays.set(model, r => (begin(r), send(r, delta('half of')), void r.end()))
  const whole = await client.chat.completions.create({ model: 'm8', messages: hello })
  assert.equal(whole.choices[0]?.message.content, 'spare')
  const { text, failed } = await brokenStream(client, 'm9')
  assert.equal(text, 'half of')
  assert.match(failed.message, /m9 was cut off/)
})

test('what all of them refuse is told in OpenAI’s shape, and no key with it', async () => {
  const long = (r: Parameters<Handler>[0]) => refuse(r, 400, { error: { message: 'maximum context length is 8192' } })
  plays.set('spare', long)
  plays.set('main', (r, { headers }, count) =>
    count === 1
      ? refuse(r, 400, { error: { message: `bad tools, ${String(headers.authorization)}`, param: 'tools' } })
      : long(r),
  )
  const ask = () => failure(client.chat.completions.create({ model: 'main', messages: hello, tools: [weather] }))
  const refused = await ask()
  assert.ok(refused instanceof OpenAI.BadRequestError)
  assert.ok(!refused.message.includes(serviceKey), refused.message)
  const tooLong = await ask()
  assert.deepEqual([tooLong.status, tooLong.code], [400, 'context_length_exceeded'])
})

test('a parameter that a service does not know is left out, one with a bad value is not', async () => {
  plays.set('spare', r => refuse(r, 400, { error: { message: 'no' } }))
  plays.set('main', (r, { body: { temperature } }) => {
    const words = temperature === 2 ? 'temperature is too high' : "Unsupported: 'temperature' with this model"
    if (temperature === undefined) answer(r, ['yes'])
    else refuse(r, 400, { error: { message: words, param: 'temperature' } })
  })
  const ask = (temperature: number) => client.chat.completions.create({ model: 'main', messages: hello, temperature })
  assert.equal((await failure(ask(2))).status, 400)
  assert.equal((await ask(0.2)).choices[0]?.message.content, 'yes')
  assert.equal(requests('main').length, 3)
  await ask(0.3)
  assert.equal(requests('main').length, 4, 'it is remembered')
})

test('who hangs up ends the request at the service, and what was used is booked', async () => {
  plays.set('main', r => (begin(r), send(r, delta('I begin and go on'))))
  const stop = new AbortController()
  const { signal } = stop
  const stream = await client.chat.completions.create({ model: 'main', messages: hello, stream: true }, { signal })
  for await (const chunk of stream) if (chunk.choices[0]?.delta.content) stop.abort()
  await requests('main')[0]?.hungUp
  await until(async () => (await world.house.ledger.read(openTries)).length === 0, 'it to be booked')
  const [booked] = await tries()
  assert.deepEqual([booked?.outcome, booked?.estimated, (booked?.costMicroUsd ?? 0) > 0], ['aborted', true, true])
})

test('stop in chat ends what runs for who says it', async () => {
  plays.set('main', r => (begin(r), send(r, delta('I begin'))))
  const person = world.house.server('a').user('alice')
  person.join('#general')
  const { failed, text } = await brokenStream(client, 'main', () => person.say('#general', '!stop'))
  assert.deepEqual([failed.code, failed.message, text], ['stopped', 'this request was stopped', 'I begin'])
  const whole = client.chat.completions.create({ model: 'main', messages: hello })
  await until(() => requests('main').length === 2, 'it to be asked')
  person.say('#general', '!stop')
  const { status, headers } = await failure(whole)
  assert.deepEqual([status, headers?.get('x-should-retry')], [403, 'false'])
  for (const { hungUp } of requests('main')) await hungUp
})

test('an agent spends on its own budget, which usage shows; stop by its name ends what it asks', async () => {
  plays.set('main', r => answer(r, ['x'], usage(1000, 100)))
  const { house } = world
  await house.grant('chat', 'olga', 'owner')
  const olga = house.server('a').user('olga')
  olga.join('#general')
  await olga.shouldReply('#general', '!register w-1 type=worker channels=#general', /w-1/)
  await until(() => house.ledger.read(tx => agentNamed(tx, 'w-1')?.state === 'active'), 'the agent to be registered')
  const own = clientOf(await world.key('w-1', 'agent'))
  await own.chat.completions.create({ model: 'main', messages: hello })
  const seen = await olga.shouldReply('#general', '!usage @worker', /^w-1: /)
  assert.equal(seen.text, 'w-1: $0.002 in 1 request, 1,000 tokens read, 100 written')
  await olga.shouldReply('#general', '!budget set agent:w-1 daily=0.001', 'agent:w-1: $0.001 a day')
  assert.equal(
    (await failure(own.chat.completions.create({ model: 'main', messages: hello }))).code,
    'insufficient_quota',
  )
  await olga.shouldReply('#general', '!budget set agent:w-1 daily=5', 'agent:w-1: $5 a day')
  plays.set('main', r => (begin(r), send(r, delta('I begin'))))
  const { failed } = await brokenStream(own, 'main', () => olga.say('#general', '!stop w-1'))
  assert.equal(failed.code, 'stopped')
})

test('the budget of a key holds, and its refusal is told apart from a 429 of a service', async () => {
  plays.set('main', r => answer(r, ['dear'], usage(0, 30_000)))
  const poor = clientOf(await world.key('bob', 'member', { budgetUsd: 0.5 }))
  const ask = () => poor.chat.completions.create({ model: 'main', messages: hello })
  await ask()
  await ask()
  const failed = await failure(ask())
  assert.deepEqual([failed.status, failed.code, failed.type], [429, 'insufficient_quota', 'insufficient_quota'])
  assert.equal(requests('main').length, 2)
})

test('the budget of a key holds for what it asks the oracle in a room too', async () => {
  for (const name of ['main', 'spare']) plays.set(name, r => answer(r, ['dear'], usage(0, 30_000)))
  const key = await world.key('paul', 'member', { account: 'paul-key' as UserId, budgetUsd: 0.5 })
  const reader = world.house.server('a').user('reader')
  await clientOf(key).chat.completions.create({ model: 'main', messages: hello })
  let heard = 0
  for (const answered of [/dear/, /budget: the key web:paul-key spent \$0\.6 of today's \$0\.5;/]) {
    await world.call('POST', '/v1/channels/general/messages', key, { text: 'oracle: hi' })
    heard = (await reader.hears('#general', answered, heard)).seq
  }
})

test('a key without the scope is refused, an unknown model is none, a model for numbers answers nothing', async () => {
  const [only, talker] = [
    clientOf(await world.key('kim', 'member', { scopes: ['models'] })),
    clientOf(await world.key('mia', 'member', { scopes: ['say'] })),
  ]
  const ask = (of: OpenAI, model: string) => failure(of.chat.completions.create({ model, messages: hello }))
  const denied = await ask(talker, 'main')
  assert.deepEqual([denied.status, denied.type], [403, 'permission_error'])
  assert.equal((await ask(only, 'oracle')).status, 403)
  for (const name of ['away', 'gpt-9', '__proto__']) {
    const missing = await ask(only, name)
    assert.deepEqual([missing.status, missing.code], [404, 'model_not_found'])
  }
  assert.equal((await ask(only, 'numbers')).status, 400)
  const ids = []
  for await (const { id } of talker.models.list()) ids.push(id)
  assert.deepEqual([ids, asked.size], [['oracle'], 0])
})

test('all ask to wait: 429 with the time', async () => {
  for (const name of ['m10', 'spare'])
    plays.set(name, r => refuse(r, 429, { error: { message: 'slow down' } }, { 'retry-after': '90' }))
  const failed = await failure(client.chat.completions.create({ model: 'm10', messages: hello }))
  assert.deepEqual([failed.status, failed.code, failed.type], [429, 'rate_limit_exceeded', 'rate_limit_error'])
  assert.ok(Number(failed.headers?.get('retry-after')) > 60)
})

test('the same request under its Idempotency-Key has the same answer, and one that failed is asked anew', async () => {
  plays.set('spare', r => refuse(r, 500, {}))
  plays.set('m11', r => refuse(r, 400, { error: { message: 'no' } }))
  const ask = () =>
    client.chat.completions.create({ model: 'm11', messages: hello }, { headers: { 'Idempotency-Key': 'once-1' } })
  await failure(ask())
  plays.set('m11', r => answer(r, [`answer ${requests('m11').length}`]))
  const first = await ask()
  const second = await ask()
  assert.deepEqual(second.choices, first.choices)
  assert.equal(requests('m11').length, 2)
})
