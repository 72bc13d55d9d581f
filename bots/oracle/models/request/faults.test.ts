/** What services do when they break, byte by byte, and what becomes of it. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { stopwatch } from '../../../../core/contract/stopwatch.ts'
import { openTries, recentTries } from '../../../../core/ledger/oracle/tries.ts'
import { answer, begin, delta, finished, type Handler, ModelServer, refuse, send, usage } from '../testing-server.ts'
import { hear, model, openWorld, question } from '../testing-world.ts'

const never = (): AbortSignal => new AbortController().signal
const quick = { firstTokenSeconds: 1, betweenChunksSeconds: 1 }

/** Two models: the first is broken, the second well. */
async function pair(t: TestContext, broken: Handler, more: object = {}) {
  const first = await ModelServer.listen(t, broken)
  const second = await ModelServer.listen(t, response => answer(response, ['for', 'ty', '-two']))
  const models = { first: model(first.url, { ...quick, ...more }), second: model(second.url, { priority: 2 }) }
  return { first, second, ...(await openWorld(t, { models })) }
}

const faults: readonly [name: string, broken: Handler, reason: RegExp][] = [
  [
    '429',
    r => refuse(r, 429, { error: { message: 'slow down' } }, { 'retry-after': '30' }),
    /asks to wait \(429\): slow down/,
  ],
  ['500', r => refuse(r, 500, { error: { message: 'oops' } }), /has a fault \(500\): oops/],
  ['503 in plain text', r => refuse(r, 503, 'no backend'), /has a fault \(503\): no backend/],
  [
    '401',
    r => refuse(r, 401, { error: { message: 'Incorrect API key provided: sk-abcdefghijk' } }),
    /refuses the key \(401\).*\[key\]$/,
  ],
  ['404', r => refuse(r, 404, { detail: 'no model x' }), /knows no such model or address \(404\): no model x/],
  [
    'too long for its context',
    r =>
      refuse(r, 400, {
        error: {
          code: 'context_length_exceeded',
          message: "This model's maximum context length is 8192 tokens, max_tokens too",
        },
      }),
    /refuses the request \(400\)/,
  ],
  ['the connection is closed before anything', r => void r.socket?.destroy(), /cut off/],
  [
    'the stream is cut in the middle',
    r => (begin(r), send(r, delta('half')), void setTimeout(() => r.socket?.destroy(), 50)),
    /cut off/,
  ],
  [
    'the stream ends without finish_reason',
    r => (begin(r), send(r, delta('half')), send(r, '[DONE]'), void r.end()),
    /has no end/,
  ],
  [
    'only empty choices',
    r => (begin(r), send(r, { choices: [] }), send(r, { choices: [] }), send(r, '[DONE]'), void r.end()),
    /cut off/,
  ],
  ['a whole answer of nothing', r => answer(r, []), /answered with nothing/],
  ['an empty stream', r => void begin(r).end(), /sent nothing/],
  ['200 with an error body', r => refuse(r, 200, { error: { message: 'no credit' } }), /no credit/],
  [
    '200 with an error body that calls itself a stream',
    r => void begin(r).end(JSON.stringify({ error: { message: 'no' } })),
    /sent nothing/,
  ],
  [
    '200 with a page',
    r => void r.writeHead(200, { 'content-type': 'text/html' }).end('<html>login</html>'),
    /sent nothing/,
  ],
  [
    'an error as an event',
    r => (begin(r), send(r, delta('half')), send(r, { error: { message: 'overloaded' } }), void r.end()),
    /overloaded/,
  ],
  [
    'a malformed chunk',
    r => (begin(r), send(r, delta('half')), send(r, '{"choices": [{"del'), void r.end()),
    /no chunk/,
  ],
  ['nothing at all', () => undefined, /no sign of an answer for 1 s/],
  ['headers and then nothing', r => begin(r).flushHeaders(), /no sign of an answer for 1 s/],
  [
    'comments and empty deltas keep it open',
    async r => {
      begin(r)
      for (let n = 0; n < 40 && !r.destroyed; n++) {
        r.write(': keep-alive\n\n')
        send(r, delta(''))
        await wait(100)
      }
    },
    /no sign of an answer for 1 s/,
  ],
  ['it falls silent in the middle', r => (begin(r), send(r, delta('half'))), /fell silent in the middle for 1 s/],
  ['it only thinks', r => answer(r, ['<think>hm', 'm</think>']), /thought and said nothing/],
  [
    'it thinks until its tokens are used up',
    r => (
      begin(r),
      send(r, { choices: [{ delta: { reasoning_content: 'hm' } }] }),
      send(r, finished('length')),
      void r.end()
    ),
    /said nothing: raise its maxOutputTokens/,
  ],
]

for (const [name, broken, reason] of faults) {
  test(`the next one answers: ${name}`, async t => {
    const said: string[] = []
    for (const stream of ['log', 'warn', 'error', 'info', 'debug'] as const) {
      t.mock.method(console, stream, (...words: unknown[]) => void said.push(words.join(' ')))
    }
    const { models, ledger, first, second } = await pair(t, broken)
    const heard = await hear(models.stream(question, never()))
    assert.equal(heard.text, 'forty-two')
    assert.deepEqual([heard.end?.model, heard.end?.finishReason, heard.end?.tries], ['second', 'stop', 2])
    assert.ok(heard.restarts.length <= 1)
    assert.deepEqual([first.requests.length, second.requests.length], [1, 1])
    const tries = await ledger.read(tx => recentTries(tx, 9))
    assert.deepEqual(
      tries.map(one => [one.model, one.outcome, one.booked]),
      [
        ['second', 'stop', true],
        ['first', 'failed', true],
      ],
    )
    assert.match(tries[1]?.error ?? '', reason)
    assert.equal(
      heard.end?.costMicroUsd,
      tries.reduce((sum, one) => sum + one.costMicroUsd, 0),
    )
    assert.deepEqual(said, [], 'nothing is said to the console')
  })
}

test('text that was said before a fault is void once the next one begins, and is paid', async t => {
  const { models, ledger } = await pair(
    t,
    r => (begin(r), send(r, delta('half an ans')), void setTimeout(() => r.socket?.destroy(), 50)),
  )
  const parts: string[] = []
  const heard = await hear(models.stream(question, never()), part => parts.push(part.kind))
  assert.deepEqual(parts, ['text', 'restart', 'text', 'end'])
  assert.match(heard.restarts[0] ?? '', /^first was cut off/)
  const [, lost] = await ledger.read(tx => recentTries(tx, 2))
  assert.ok(lost?.estimated && lost.inputTokens > 10 && lost.outputTokens >= 3 && lost.costMicroUsd > 0)
  assert.equal(heard.end?.estimated, true)
})

test('with no other left it fails with one line, and what was said stands', async t => {
  const server = await ModelServer.listen(t, r => refuse(r, 401, { error: { message: 'bad key' } }))
  const { models } = await openWorld(t, { models: { only: model(server.url) } })
  await assert.rejects(hear(models.stream(question, never())), {
    code: 'model-failed',
    message: 'only refuses the key (401): bad key. !model list shows how they are, !model test NAME tries one.',
  })
})

test('without any, it says how to add one', async t => {
  const { models } = await openWorld(t, {})
  await assert.rejects(hear(models.stream(question, never())), { code: 'model-missing', message: /!model add/ })
  const off = await openWorld(t, { models: { a: { provider: 'ollama', model: 'x', on: false } } })
  await assert.rejects(hear(off.models.stream(question, never())), { code: 'model-missing', message: /!model list/ })
  assert.equal(off.models.limits('answer', 'general'), null)
})

test('a model that asks to wait is left alone so long, then real traffic returns to it', async t => {
  let well = false
  const { models, first, second } = await pair(t, r =>
    well ? answer(r, ['first']) : refuse(r, 429, {}, { 'retry-after': '1' }),
  )
  assert.equal((await hear(models.stream(question, never()))).text, 'forty-two')
  const sinceMs = performance.now()
  assert.equal((await hear(models.stream(question, never()))).text, 'forty-two')
  assert.equal(first.requests.length, 1, 'it is not even asked')
  well = true
  while (first.requests.length < 2) await hear(models.stream(question, never())).then(() => wait(50))
  assert.ok(performance.now() - sinceMs > 700)
  assert.equal((await hear(models.stream(question, never()))).text, 'first')
  assert.ok(second.requests.length > 2)
})

test('the same model with another key is another one', async t => {
  const server = await ModelServer.listen(t, (r, { headers }) =>
    headers.authorization?.includes('env:ONE') ? refuse(r, 429, {}, { 'retry-after': '30' }) : answer(r, ['two']),
  )
  const { models } = await openWorld(t, {
    models: {
      one: model(server.url, { apiKey: 'env:ONE' }),
      two: model(server.url, { apiKey: 'env:TWO', priority: 2 }),
    },
  })
  const tookMs = stopwatch()
  const { text, end } = await hear(models.stream(question, never()))
  assert.deepEqual([text, end?.model], ['two', 'two'])
  assert.ok(tookMs() < 1000)
})

test('a storm of 429 from the only model is waited out, as long as it asks', async t => {
  const server = await ModelServer.listen(t, (r, _request, count) =>
    count < 3 ? refuse(r, 429, { error: 'busy' }, { 'retry-after': '0.3' }) : answer(r, ['here']),
  )
  const { models } = await openWorld(t, { models: { only: model(server.url) } })
  const sinceMs = performance.now()
  const { text, end } = await hear(models.stream(question, never()))
  assert.deepEqual([text, end?.tries], ['here', 3])
  assert.ok(performance.now() - sinceMs > 500)
})

test('one that asks for an hour is not waited for, and the line says so', async t => {
  const server = await ModelServer.listen(t, r =>
    refuse(r, 429, { error: { message: 'quota' } }, { 'retry-after': '3600' }),
  )
  const { models } = await openWorld(t, { models: { only: model(server.url) } })
  await assert.rejects(hear(models.stream(question, never())), {
    message: /asks to wait \(429\): quota\. Try again in (1h|59m)/,
  })
  await assert.rejects(hear(models.stream(question, never())), { message: /asks to wait \(429\): quota/ })
  assert.equal(server.requests.length, 1)
})

const parameterBodies: readonly [name: string, status: number, body: (parameter: string) => unknown][] = [
  [
    'OpenAI',
    400,
    parameter => ({
      error: {
        message: `Unsupported parameter: '${parameter}' is not supported with this model.`,
        param: parameter,
        code: 'unsupported_parameter',
      },
    }),
  ],
  [
    'Mistral',
    422,
    parameter => ({
      object: 'error',
      message: {
        detail: [{ type: 'extra_forbidden', loc: ['body', parameter], msg: 'Extra inputs are not permitted' }],
      },
    }),
  ],
  ['pydantic', 422, parameter => ({ detail: [{ loc: ['body', parameter], msg: 'extra fields not permitted' }] })],
  ['words alone', 400, parameter => `unknown field ${parameter}`],
]

for (const [name, status, body] of parameterBodies) {
  test(`a parameter that is refused is left out and remembered: ${name}`, async t => {
    const server = await ModelServer.listen(t, (r, { body: asked }) => {
      const wrong = ['stream_options', 'max_tokens'].find(parameter => parameter in asked)
      if (wrong) refuse(r, status, body(wrong))
      else answer(r, ['ok'])
    })
    const models = { only: model(server.url) }
    const world = await openWorld(t, { models })
    const { text, end } = await hear(world.models.stream(question, never()))
    assert.deepEqual([text, end?.tries, server.requests.length], ['ok', 3, 3])
    assert.equal(server.requests[2]?.body['max_completion_tokens'], 4096, 'the limit goes by its other name')
    await hear(world.models.stream(question, never()))
    assert.equal(server.requests.length, 4)
  })
}

for (const words of [
  'max_tokens is too large: 4096. This model supports at most 2048 completion tokens, whereas you provided 4096.',
  'max_tokens: 4096 > 2048, which is the maximum allowed number of output tokens',
]) {
  test(`a limit that is too large is left out as long as it is: ${words.slice(0, 25)}`, async t => {
    const server = await ModelServer.listen(t, (r, { body: { max_tokens: most } }) =>
      Number(most) > 2048 ? refuse(r, 400, { error: { message: words, param: 'max_tokens' } }) : answer(r, ['ok']),
    )
    const { models } = await openWorld(t, { models: { only: model(server.url) } })
    const { end } = await hear(models.stream(question, never()))
    assert.equal(end?.tries, 2)
    await hear(models.stream({ ...question, maxOutputTokens: 2000 }, never()))
    await hear(models.stream(question, never()))
    assert.deepEqual(
      server.requests.map(({ body }) => [body['max_tokens'], body['max_completion_tokens']]),
      [4096, undefined, 2000, undefined].map(most => [most, undefined]),
    )
  })
}

test('a limit that is too small for an answer is nothing that a service refuses', async t => {
  const words =
    'Could not finish the message because max_tokens or model output limit was reached. Try again with higher max_tokens.'
  const server = await ModelServer.listen(t, (r, { body: { max_tokens: most } }) =>
    Number(most) < 10 ? refuse(r, 400, { error: { message: words } }) : answer(r, ['ok']),
  )
  const { models } = await openWorld(t, { models: { only: model(server.url) } })
  await assert.rejects(hear(models.stream({ ...question, maxOutputTokens: 5 }, never())), /refuses the request \(400\)/)
  await hear(models.stream(question, never()))
  assert.deepEqual(
    server.requests.map(({ body }) => body['max_tokens']),
    [5, 4096],
  )
})

test('a refusal by the filter is an answer, not a fault', async t => {
  for (const broken of [
    (r => (begin(r), send(r, delta('I ')), send(r, finished('content_filter')), void r.end())) satisfies Handler,
    (r => refuse(r, 400, { error: { code: 'content_filter', message: 'filtered' } })) satisfies Handler,
  ]) {
    const { models, second } = await pair(t, broken)
    const { end } = await hear(models.stream(question, never()))
    assert.deepEqual([end?.finishReason, end?.model, second.requests.length], ['refusal', 'first', 0])
  }
})

test('an answer that is cut off by its limit says so', async t => {
  const { models } = await pair(
    t,
    r => (begin(r), send(r, delta('long')), send(r, finished('length')), send(r, usage(5, 1)), void r.end()),
  )
  const { text, end } = await hear(models.stream(question, never()))
  assert.deepEqual([text, end?.finishReason], ['long', 'length'])
})

test('a whole answer in place of a stream is taken', async t => {
  const { models } = await pair(t, r =>
    refuse(r, 200, {
      choices: [{ message: { content: 'whole' }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 3, completion_tokens: 1 },
    }),
  )
  const { text, end } = await hear(models.stream(question, never()))
  assert.deepEqual([text, end?.usage.inputTokens], ['whole', 3])
})

test('a stream that is never closed after its end is no fault', async t => {
  const { models } = await pair(t, r => (begin(r), send(r, delta('done')), send(r, finished())))
  const { text, end } = await hear(models.stream(question, never()))
  assert.deepEqual([text, end?.finishReason, end?.estimated], ['done', 'stop', true])
})

test('who takes time to listen is no reason to hang up on the service', async t => {
  const { models } = await pair(t, async r => {
    begin(r)
    send(r, delta('a'))
    await wait(600)
    send(r, delta('b'))
    send(r, finished())
    r.end()
  })
  let text = ''
  for await (const part of models.stream(question, never())) {
    if (part.kind === 'text') text += part.text
    if (part.kind === 'text') await wait(1300)
  }
  assert.equal(text, 'ab')
})

test('a model that does not keep to its limit is hung up on', async t => {
  const { models, first } = await pair(
    t,
    async r => {
      begin(r)
      while (!r.destroyed) {
        send(r, delta('word '.repeat(50)))
        await wait(1)
      }
    },
    { maxOutputTokens: 100 },
  )
  const { end } = await hear(models.stream(question, never()))
  assert.equal(end?.finishReason, 'length')
  await first.requests[0]?.hungUp
})

test('every try is booked, none is left open', async t => {
  const { models, ledger } = await pair(t, r => refuse(r, 500, {}))
  await Promise.all(Array.from({ length: 20 }, () => hear(models.stream(question, never()))))
  assert.deepEqual(await ledger.read(openTries), [])
})
