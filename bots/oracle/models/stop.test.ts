/** The signal, at every moment of a try: the service sees the hang-up, and what was done is booked. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { stopwatch } from '../../../core/contract/stopwatch.ts'
import { openTries, recentTries } from '../../../core/ledger/oracle/tries.ts'
import { begin, delta, finished, type Handler, ModelServer, refuse, send, usage } from './testing-server.ts'
import { hear, model, openWorld, question } from './testing-world.ts'

async function open(t: TestContext, handler: Handler, more: object = {}) {
  const server = await ModelServer.listen(t, handler)
  return { server, ...(await openWorld(t, { models: { only: model(server.url) }, ...more })) }
}

/** Until the condition holds, or a test has waited long enough. */
async function until(condition: () => boolean): Promise<void> {
  const endMs = performance.now() + 5000
  while (!condition()) {
    assert.ok(performance.now() < endMs, 'waited 5 s in vain')
    await wait(2)
  }
}

test('before anything: no request, nothing booked', async t => {
  const { models, server, ledger } = await open(t, () => undefined)
  const { end, text } = await hear(models.stream(question, AbortSignal.abort()))
  assert.deepEqual([end?.finishReason, end?.tries, end?.costMicroUsd, text], ['aborted', 0, 0, ''])
  assert.equal(server.requests.length, 0)
  assert.deepEqual(await ledger.read(tx => recentTries(tx, 5)), [])
})

const moments: readonly [name: string, handler: Handler, output: number][] = [
  ['before the headers', () => undefined, 0],
  ['before the first token', r => begin(r).flushHeaders(), 0],
]

for (const [name, handler, output] of moments) {
  test(`${name}: hung up on, the question is booked`, async t => {
    const { models, server, ledger } = await open(t, handler)
    const stop = new AbortController()
    const hearing = hear(models.stream(question, stop.signal))
    await until(() => server.requests.length === 1)
    const tookMs = stopwatch()
    stop.abort()
    await server.requests[0]?.hungUp
    assert.ok(tookMs() < 300)
    const { end } = await hearing
    assert.deepEqual([end?.finishReason, end?.tries, end?.estimated], ['aborted', 1, true])
    const [booked] = await ledger.read(tx => recentTries(tx, 5))
    assert.deepEqual([booked?.outcome, booked?.outputTokens], ['aborted', output])
    assert.ok((booked?.inputTokens ?? 0) > 10)
  })
}

test('in the middle: not one word more, and what was said is booked', async t => {
  const { models, server, ledger } = await open(t, async r => {
    begin(r)
    for (let n = 0; !r.destroyed && n < 1000; n++) {
      send(r, delta(`word${n} `))
      await wait(5)
    }
  })
  const stop = new AbortController()
  let after = 0
  const { end, text } = await hear(models.stream(question, stop.signal), part => {
    if (stop.signal.aborted && part.kind === 'text') after++
    if (part.kind === 'text' && part.text.includes('word5')) stop.abort()
  })
  await server.requests[0]?.hungUp
  assert.deepEqual([end?.finishReason, after, text], ['aborted', 0, 'word0 word1 word2 word3 word4 word5 '])
  const [booked] = await ledger.read(tx => recentTries(tx, 5))
  assert.ok(booked?.estimated && booked.outputTokens >= 6 && booked.outputTokens < 30)
})

test('what is said behind the usage that a service tells first is booked too', async t => {
  const { models, ledger } = await open(t, async r => {
    begin(r)
    send(r, usage(1000, 1, 900))
    for (let n = 0; !r.destroyed && n < 1000; n++) {
      send(r, delta(`word${n} `))
      await wait(1)
    }
  })
  const stop = new AbortController()
  await hear(models.stream(question, stop.signal), part => {
    if (part.kind === 'text' && part.text.includes('word50')) stop.abort()
  })
  const [booked] = await ledger.read(tx => recentTries(tx, 1))
  assert.deepEqual([booked?.inputTokens, booked?.cachedTokens, booked?.estimated], [1000, 900, true])
  assert.ok((booked?.outputTokens ?? 0) > 50)
})

test('while it waits for a model that asked to wait', async t => {
  const { models, server } = await open(t, r => refuse(r, 429, {}, { 'retry-after': '10' }))
  const stop = new AbortController()
  const hearing = hear(models.stream(question, stop.signal))
  await until(() => server.requests.length === 1)
  await wait(100)
  const tookMs = stopwatch()
  stop.abort()
  const { end } = await hearing
  assert.equal(end?.finishReason, 'aborted')
  assert.ok(tookMs() < 200)
})

test('while it waits for what others hold of the budget', async t => {
  const { models, server } = await open(t, r => begin(r).flushHeaders(), { budget: { dailyUsd: 0.01 } })
  const [first, second] = [new AbortController(), new AbortController()]
  const holding = hear(models.stream(question, first.signal))
  await until(() => server.requests.length === 1)
  const waiting = hear(models.stream(question, second.signal))
  await wait(100)
  assert.equal(server.requests.length, 1)
  second.abort()
  assert.equal((await waiting).end?.finishReason, 'aborted')
  first.abort()
  await holding
})

test('who leaves the loop hangs up, and it is booked', async t => {
  const { models, server, ledger } = await open(t, r => (begin(r), send(r, delta('one ')), send(r, delta('two '))))
  for await (const part of models.stream(question, new AbortController().signal)) {
    if (part.kind === 'text') break
  }
  await server.requests[0]?.hungUp
  assert.deepEqual(await ledger.read(openTries), [])
  const [booked] = await ledger.read(tx => recentTries(tx, 5))
  assert.deepEqual([booked?.outcome, booked?.estimated], ['aborted', true])
})

test('a stop leaves nothing behind: the next question is answered', async t => {
  const { models } = await open(t, (r, _request, count) => {
    begin(r)
    if (count === 1) return
    send(r, delta('yes'))
    send(r, finished())
    r.end()
  })
  const stop = new AbortController()
  setTimeout(() => stop.abort(), 100)
  await hear(models.stream(question, stop.signal))
  assert.equal((await hear(models.stream(question, new AbortController().signal))).text, 'yes')
})
