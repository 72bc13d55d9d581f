/** Services that keep to the letter of HTTP and SSE in ways of their own, and those that keep to nothing. */
import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { describe, type TestContext, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { stopwatch } from '../../../../core/contract/stopwatch.ts'
import { openTries, recentTries } from '../../../../core/ledger/oracle/tries.ts'
import { answer, delta, finished, ModelServer, pour, RawServer, usage } from '../testing-server.ts'
import { hear, model, openWorld, question } from '../testing-world.ts'

/** A busy machine is no reason to give up on those that speak. */
const patient = { firstTokenSeconds: 60, betweenChunksSeconds: 60 }
/** For those that say nothing. */
const quick = { firstTokenSeconds: 1, betweenChunksSeconds: 1 }
const never = (): AbortSignal => new AbortController().signal

type Send = (socket: Socket) => void | Promise<void>

/** A broken model, and one that is well. */
async function pair(t: TestContext, does: Send, more: object = {}) {
  const first = await RawServer.listen(t, does)
  const second = await ModelServer.listen(t, response => answer(response, ['for', 'ty-two']))
  const models = { first: model(first.url, { ...patient, ...more }), second: model(second.url, { priority: 2 }) }
  return { first, second, ...(await openWorld(t, { models })) }
}

const head = (type = 'text/event-stream', more = ''): string =>
  `HTTP/1.1 200 OK\r\n${type === '' ? '' : `content-type: ${type}\r\n`}${more}connection: close\r\n\r\n`

const event = (data: object): string => `data: ${JSON.stringify(data)}\n\n`
const words = [delta('h'), delta('é🎉'), delta('llo'), finished(), usage(7, 3)].map(event)
const whole = `${words.join('')}data: [DONE]\n\n`

/** All of it, and then the connection ends. */
const says =
  (body: string | Buffer, type?: string, more?: string): Send =>
  socket =>
    void (socket.write(head(type, more)), socket.end(body))

const choice = (more: object): object => ({ choices: [{ index: 0, delta: { content: '' }, ...more }] })
const gone = (...events: object[]): Send => says(events.map(event).join(''))

const odd: readonly (readonly [name: string, does: Send])[] = [
  ['lines that end in CR LF', says(whole.replaceAll('\n', '\r\n'))],
  ['lines that end in CR', says(whole.replaceAll('\n', '\r'))],
  ['no space behind data:', says(whole.replaceAll('data: ', 'data:'))],
  [
    'comments, ids and names of events in between',
    says(words.map((each, n) => `: ping\n\nid: ${n}\nretry: 10\nevent: message\n${each}`).join('')),
  ],
  ['a byte order mark', says(`\ufeff${whole}`)],
  ['no [DONE], and no blank line behind the last event', says(words.join('').trimEnd())],
  ['JSON over several lines of data', says(words.map(each => each.replace('{', '{\ndata: ')).join(''))],
  ['gzip', says(gzipSync(whole), undefined, 'content-encoding: gzip\r\n')],
  ['no content type', says(whole, '')],
  ['text/plain', says(whole, 'text/plain')],
  ['HTTP/1.0', socket => void socket.end(`${head().replace('1.1', '1.0')}${whole}`)],
  [
    'every byte for itself',
    async socket => {
      socket.setNoDelay(true).write(head())
      for (const byte of Buffer.from(whole)) {
        socket.write(Buffer.from([byte]))
        await new Promise(resolve => setImmediate(resolve))
      }
      socket.end()
    },
  ],
  [
    'a whole answer in place of a stream',
    says(
      JSON.stringify({
        choices: [{ message: { content: 'hé🎉llo' }, finish_reason: 'stop' }],
        usage: { prompt_tokens: 7, completion_tokens: 3 },
      }),
      'application/json',
    ),
  ],
  [
    'nothing where something could be',
    gone(
      delta('hé🎉llo'),
      { choices: null },
      { choices: [{}] },
      choice({ delta: null }),
      choice({ delta: { content: null } }),
      finished(),
      usage(7, 3),
    ),
  ],
  [
    'content in parts',
    gone(
      choice({ delta: { content: [{ type: 'text', text: 'hé🎉' }, null, { type: 'text', text: 'llo' }] } }),
      finished(),
      usage(7, 3),
    ),
  ],
  ...['reasoning_content', 'reasoning', 'thinking', 'thought', 'reasoning_text'].map(
    key =>
      [
        `thinking as ${key}`,
        gone(choice({ delta: { [key]: 'secret plan' } }), delta('hé🎉llo'), finished(), usage(7, 3)),
      ] as const,
  ),
  [
    'thinking as reasoning_details',
    gone(
      choice({ delta: { reasoning_details: [{ type: 'reasoning.text', text: 'secret' }] } }),
      delta('hé🎉llo'),
      finished(),
      usage(7, 3),
    ),
  ],
  [
    'thinking in words, over chunks',
    gone(...['<th', 'ink>sec', 'ret</', 'think>', 'hé🎉llo'].map(each => delta(each)), finished(), usage(7, 3)),
  ],
  [
    'a call of a tool that nobody gave it',
    gone(
      delta('hé🎉llo'),
      choice({ delta: { tool_calls: [{ index: 0, function: { name: 'rm', arguments: '{}' } }] } }),
      finished('tool_calls'),
      usage(7, 3),
    ),
  ],
  [
    'empty chunks for ever behind its end',
    async socket => {
      socket.write(head() + words.join(''))
      for (; !socket.destroyed; await wait(100))
        socket.write(event({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] }))
    },
  ],
  [
    'usage in the choice',
    gone(delta('hé🎉llo'), choice({ finish_reason: 'stop', usage: { prompt_tokens: 7, completion_tokens: 3 } })),
  ],
  [
    'usage in each chunk, the first of them empty',
    gone(
      { ...delta('hé🎉'), usage: { prompt_tokens: 0, completion_tokens: 0 } },
      { ...delta('llo'), usage: { prompt_tokens: 7, completion_tokens: 1 } },
      { ...finished(), usage: { prompt_tokens: 7, completion_tokens: 3 } },
      { choices: [], usage: null },
    ),
  ],
]

describe('odd', { concurrency: 8 }, () => {
  for (const [name, does] of odd) {
    test(`it is understood: ${name}`, async t => {
      const { models, first, second } = await pair(t, does)
      const { text, end, restarts } = await hear(models.stream(question, never()))
      assert.deepEqual([text, end?.model, end?.finishReason, restarts], ['hé🎉llo', 'first', 'stop', []])
      assert.deepEqual([first.requests.length, second.requests.length], [1, 0])
      assert.deepEqual([end?.usage.inputTokens, end?.usage.outputTokens, end?.estimated], [7, 3, false])
    })
  }
})

const status =
  (line: string, body: string, more = ''): Send =>
  socket =>
    void socket.end(`HTTP/1.1 ${line}\r\nconnection: close\r\n${more}\r\n${body}`)

const endless =
  (piece: string, before = '', type?: string): Send =>
  socket => (socket.write(head(type) + before), pour(socket, piece))

const page = '<!DOCTYPE html>\n<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>'
const deep = `${'{"error":'.repeat(5000)}"x"${'}'.repeat(5000)}`

const broken: readonly (readonly [name: string, does: Send, reason: RegExp, more?: object])[] = [
  ['reset before the headers', socket => void socket.resetAndDestroy(), /^was cut off$/],
  [
    'reset in the headers',
    socket => void (socket.write('HTTP/1.1 200 O'), setTimeout(() => socket.resetAndDestroy(), 20)),
    /^was cut off$/,
  ],
  [
    'what is no HTTP',
    socket => void socket.end('SSH-2.0-OpenSSH_9.6\r\n'),
    /can not be reached: what answers there speaks no HTTP/,
  ],
  [
    'headers that never end',
    async socket => {
      socket.write('HTTP/1.1 200 OK\r\n')
      for (let n = 0; !socket.destroyed && n < 60; n++) {
        socket.write(`x-${n}: ${n}\r\n`)
        await wait(50)
      }
    },
    /gave no sign of an answer for 1 s/,
    quick,
  ],
  ['a page with 200', says(page, 'text/html'), /sent nothing/],
  [
    'a page with 502',
    status('502 Bad Gateway', page, 'content-type: text/html\r\n'),
    /^has a fault \(502\): 502 Bad Gateway$/,
  ],
  ['words of a stream that call themselves JSON', says(whole, 'application/json'), /no chunk/],
  ['JSON that is cut off', says('{"choices": [{"message"', 'application/json'), /no chunk/],
  [
    'JSON that never ends',
    socket => void socket.write(`${head('application/json')}{"choices":`),
    /gave no sign of an answer for 1 s/,
    quick,
  ],
  ['an empty object', says('{}', 'application/json'), /has no end/],
  ['null', says('null', 'application/json'), /has no end/],
  ['no content', status('204 No Content', ''), /sent nothing/],
  ['plain words that call themselves gzip', says(whole, undefined, 'content-encoding: gzip\r\n'), /cut off/],
  [
    'gzip that is cut off',
    says(gzipSync(whole).subarray(0, 40), undefined, 'content-encoding: gzip\r\n'),
    /cut off|sent nothing/,
  ],
  ['fewer bytes than it promised', says(words[0] ?? '', undefined, 'content-length: 9999\r\n'), /cut off/],
  ['events without blank lines', says(whole.replaceAll('\n\n', '\n')), /no chunk|has no end/],
  ['an error event', says('event: error\ndata: {"error":{"message":"overloaded"}}\n\n'), /overloaded/],
  ['a deep error', status('500 Oops', deep, 'content-type: application/json\r\n'), /^has a fault \(500\)/],
  [
    'an error whose words never end',
    socket => void socket.write('HTTP/1.1 500 Oops\r\n\r\nwell, '),
    /^(has a fault \(500\): well,|gave no sign of an answer for 1 s)/,
    quick,
  ],
  [
    'an error that is cut off',
    socket =>
      void (socket.write('HTTP/1.1 503 Oops\r\ncontent-length: 99\r\n\r\nbusy'),
      setTimeout(() => socket.resetAndDestroy(), 20)),
    /^has a fault \(503\): busy$/,
  ],
  ...['error', 'abort', 'network_error', 'insufficient_system_resource'].map(
    reason =>
      [`it ends with ${reason}`, gone(delta('half an'), finished(reason)), /cut off: it says so itself/] as const,
  ),
  ['an error without words', status('500 Oops', '{}', 'content-type: application/json\r\n'), /^has a fault \(500\)$/],
  [
    'an error with signs that nobody sees',
    status('500 Oops', JSON.stringify({ error: { message: '\u202eno\u0003,4 way\n!stop\u200b' } })),
    /^has a fault \(500\): no,4 way !stop$/,
  ],
  [
    'nothing but a call of a tool',
    gone(
      choice({ delta: { tool_calls: [{ index: 0, function: { name: 'rm', arguments: '{}' } }] } }),
      finished('tool_calls'),
    ),
    /called tools that it was not given/,
  ],
  ['thinking that is never closed', gone(delta('<think>well'), delta(' now'), finished()), /thought and said nothing/],
  ['spaces for ever', endless(' '), /sent something without an end/],
  ['JSON with blank lines for ever', endless('\n', '{"choices":', 'application/json'), /sent something without an end/],
  [
    'a little thinking now and then',
    async socket => {
      socket.write(head())
      for (; !socket.destroyed; await wait(200)) socket.write(event(choice({ delta: { reasoning: '.' } })))
    },
    /took longer than 4s/,
    { firstTokenSeconds: 3, maxOutputTokens: 1 },
  ],
  [
    'an error that says our key',
    status('401 Who', JSON.stringify({ error: 'the key value of env:MY_KEY is no key', x: 'value of env:MY_KEY' })),
    /^refuses the key \(401\): the key \[key\] is no key$/,
    { apiKey: 'env:MY_KEY' },
  ],
  [
    'an error event that says our key',
    gone({ error: { message: 'value of env:MY_KEY?' } }),
    /\[key\]\?$/,
    { apiKey: 'env:MY_KEY' },
  ],
  ['one event for ever', endless('x', 'data: {"choices":"'), /sent something without an end/],
  ['a redirect to nowhere', status('302 Over there', ''), /^leads on to nowhere, where nothing is sent/],
  [
    'a redirect to itself',
    status('307 Over there', '', 'location: /v1/chat/completions\r\n'),
    /^leads on to 127\.0\.0\.1:\d+, where nothing is sent: correct its baseUrl$/,
  ],
]

describe('broken', { concurrency: 8 }, () => {
  for (const [name, does, reason, more] of broken) {
    test(`the next one answers: ${name}`, async t => {
      const { models, ledger, second } = await pair(t, does, more)
      const { text, end, restarts } = await hear(models.stream(question, never()))
      assert.deepEqual([text, end?.model, second.requests.length], ['forty-two', 'second', 1])
      assert.ok(restarts.length <= 1)
      const [, failed] = await ledger.read(tx => recentTries(tx, 2))
      assert.match(failed?.error ?? '', reason)
      assert.ok(
        (failed?.error ?? '').length < 220 && !/[\n\r<]/.test(failed?.error ?? ''),
        'one line that people can read',
      )
      assert.deepEqual(await ledger.read(openTries), [])
    })
  }
})

for (const code of ['301', '302', '303', '307', '308'])
  test(`a redirect with ${code}: nothing is asked where it leads`, async t => {
    const elsewhere = await ModelServer.listen(t, response => answer(response, ['me']))
    const location = `location: ${elsewhere.url.replace('/v1', '/secret?key=value')}\r\n`
    const { models, ledger } = await pair(t, status(`${code} Over there`, 'go', location), { apiKey: 'env:MY_KEY' })
    assert.equal((await hear(models.stream(question, never()))).text, 'forty-two')
    assert.deepEqual(elsewhere.requests, [])
    const [, failed] = await ledger.read(tx => recentTries(tx, 2))
    const { host } = new URL(elsewhere.url)
    assert.equal(failed?.error, `leads on to ${host}, where nothing is sent: correct its baseUrl`)
  })

for (const asked of [
  'never',
  '-5',
  'NaN',
  '99999999999999',
  'Thu, 01 Jan 1970 00:00:00 GMT',
  'Fri, 31 Dec 9999 23:59:59 GMT',
  '',
]) {
  test(`asked to wait "${asked}": the other answers at once, and the next question does not go there first`, async t => {
    const { models, first } = await pair(t, status('429 Wait', '{}', `retry-after: ${asked}\r\n`))
    const tookMs = stopwatch()
    assert.equal((await hear(models.stream(question, never()))).text, 'forty-two')
    assert.ok(tookMs() < 5000)
    assert.equal((await hear(models.stream(question, never()))).text, 'forty-two')
    assert.equal(first.requests.length, 1)
  })
}

const phases: readonly [name: string, does: Send][] = [
  ['before the headers', () => undefined],
  ['in the headers', socket => void socket.write('HTTP/1.1 200 OK\r\nx: y\r\n')],
  ['in the words of an error', socket => void socket.write('HTTP/1.1 500 Oops\r\n\r\nwell, ')],
  ['before the first event', socket => void socket.write(head())],
  ['in a whole answer', socket => void socket.write(`${head('application/json')}{"choices":`)],
  ['in an event', socket => void socket.write(`${head()}data: {"choices":`)],
  [
    'while it thinks',
    async socket => {
      socket.write(head())
      while (!socket.destroyed) {
        socket.write(event(choice({ delta: { reasoning_content: 'hm ' } })))
        await wait(10)
      }
    },
  ],
  ['in the middle', socket => void socket.write(`${head()}${words[0]}`)],
  ['behind the end', socket => void socket.write(`${head()}${words[0]}${words[3]}`)],
  ['in what never ends', endless('\n')],
]

const stopped = (name: string, does: Send): Promise<void> =>
  test(`a stop ${name}: the service sees the hang-up, and it is booked`, async t => {
    const server = await RawServer.listen(t, does)
    const { models, ledger } = await openWorld(t, { models: { only: model(server.url) } })
    const stop = new AbortController()
    const hearing = hear(models.stream(question, stop.signal))
    while (server.requests.length === 0) await wait(5)
    await wait(50)
    const tookMs = stopwatch()
    stop.abort()
    await server.requests[0]?.hungUp
    const { end } = await hearing
    assert.ok(tookMs() < 1000, `${tookMs()} ms`)
    assert.equal(end?.finishReason, 'aborted')
    const [tried] = await ledger.read(tx => recentTries(tx, 1))
    assert.deepEqual([tried?.outcome, tried?.booked, tried?.estimated], ['aborted', true, true])
    assert.ok((tried?.costMicroUsd ?? 0) > 0)
  })

describe('stopped', { concurrency: 4 }, () => {
  for (const [name, does] of phases) void stopped(name, does)
})

test('one piece of megabytes is said as far as an answer may be', async t => {
  const { models } = await pair(t, gone(delta('word '.repeat(500_000)), finished()), { maxOutputTokens: 100 })
  const { text, end } = await hear(models.stream(question, never()))
  assert.deepEqual([end?.model, end?.finishReason], ['first', 'length'])
  assert.ok(text.length > 1000 && text.length <= 1601, `${text.length}`)
})
