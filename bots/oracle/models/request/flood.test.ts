/** Services that send what says nothing, as fast as it is taken, or what takes long to read: other answers and `!stop` go on meanwhile. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { stopwatch } from '../../../../core/contract/stopwatch.ts'
import { recentTries } from '../../../../core/ledger/oracle/tries.ts'
import { answer, begin, delta, finished, ModelServer, pour, RawServer, send } from '../testing-server.ts'
import { hear, model, openWorld, question } from '../testing-world.ts'

const head = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n'

/** The longest that a timer of 5 ms was late so far, ms. */
function lateness(t: TestContext): () => number {
  let worst = 0
  let tookMs = stopwatch()
  const look = (): number => ((worst = Math.max(worst, tookMs())), worst)
  const timer = setInterval(() => (look(), (tookMs = stopwatch())), 5)
  t.after(() => clearInterval(timer))
  return look
}

const floods: Readonly<Record<string, string>> = {
  'blank lines': '\n',
  'blank lines of CR LF': '\r\n',
  comments: ':\n\n',
  'comments of no event': ':\n',
  'ids of no event': 'id:\n\n',
  'events with nothing in them': 'data:{}\n\n',
  'a little of everything': ':\n\n\n\r\rid: 1\n\ndata: {"choices":[]}\n\n',
}

for (const [name, piece] of Object.entries(floods))
  test(`no end of ${name}: it is given up, and nothing else waits for it`, { timeout: 120_000 }, async t => {
    const { url } = await RawServer.listen(t, socket => (socket.write(head), pour(socket, piece)))
    const second = await ModelServer.listen(t, response => answer(response, ['for', 'ty-two']))
    const both = { first: model(url), second: model(second.url, { priority: 2 }) }
    const { models, ledger } = await openWorld(t, { models: both })
    const lateMs = lateness(t)
    assert.equal((await hear(models.stream(question, new AbortController().signal))).text, 'forty-two')
    const [, failed] = await ledger.read(tx => recentTries(tx, 2))
    assert.equal(failed?.error, 'sent something without an end')
    assert.ok(lateMs() < 200, `${lateMs()} ms late`)
  })

test('a model whose thoughts come as events with nothing in them may think for long', { timeout: 60_000 }, async t => {
  const thought = `data: ${JSON.stringify(delta(''))}\n\n`
  const { url } = await ModelServer.listen(t, response => {
    begin(response).write(thought.repeat(40_000))
    for (const event of [delta('forty-two'), finished(), '[DONE]']) send(response, event)
    response.end()
  })
  const { models } = await openWorld(t, { models: { first: model(url) } })
  assert.equal((await hear(models.stream(question, new AbortController().signal))).text, 'forty-two')
})

const errors: Readonly<Record<string, string>> = {
  dots: `${'.'.repeat(300_000)}x`,
  blanks: `${' \u200b'.repeat(300_000)}x`,
  'a page of titles': `<html>${'<title'.repeat(100_000)}`,
  'half a key': 'sk-'.repeat(200_000),
}

for (const [name, message] of Object.entries(errors))
  test(`an error of ${name}: nothing else waits for it`, { timeout: 60_000 }, async t => {
    const { url } = await ModelServer.listen(t, response => (begin(response), send(response, { error: { message } })))
    const second = await ModelServer.listen(t, response => answer(response, ['for', 'ty-two']))
    const both = { first: model(url), second: model(second.url, { priority: 2 }) }
    const { models, ledger } = await openWorld(t, { models: both })
    const lateMs = lateness(t)
    assert.equal((await hear(models.stream(question, new AbortController().signal))).text, 'forty-two')
    const [, failed] = await ledger.read(tx => recentTries(tx, 2))
    assert.match(failed?.error ?? '', /^has a fault/)
    assert.ok((failed?.error ?? '').length < 220)
    assert.ok(lateMs() < 200, `${lateMs()} ms late`)
  })
