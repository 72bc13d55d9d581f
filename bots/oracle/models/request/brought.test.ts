import assert from 'node:assert/strict'
import { it } from 'node:test'
import { stopwatch } from '../../../../core/contract/stopwatch.ts'
import { recentTries } from '../../../../core/ledger/oracle/tries.ts'
import { answer, ModelServer, RawServer } from '../testing-server.ts'
import { model, openWorld, question } from '../testing-world.ts'
import { broughtWire, withTexts } from './brought.ts'

const masked = <T>(value: T): T => withTexts(value, text => text.replaceAll('hunter22', '[secret]'))

it('texts are changed wherever they stand, also those that begin as a picture does', () => {
  for (const [text, safe] of [
    ['data: {"token":"hunter22"}', 'data: {"token":"[secret]"}'],
    ['data:image/png;base64,AAAA hunter22', 'data:image/png;base64,AAAA [secret]'],
    ['data:image/png;base64,AAAA\nhunter22', 'data:image/png;base64,AAAA\n[secret]'],
    ['data:text/plain,hunter22', 'data:text/plain,[secret]'],
    [' data:image/png;base64,hunter22', ' data:image/png;base64,[secret]'],
  ])
    assert.deepEqual(masked({ messages: [{ content: text }] }), { messages: [{ content: safe }] }, text)
})

it('pictures and sounds stay as they are, and megabytes take no time', () => {
  const letters = 'hunter22'.repeat(1 << 20)
  for (const head of ['image/png', 'image/svg+xml', 'audio/ogg;codecs=opus', 'application/pdf']) {
    const url = `data:${head};base64,${letters}==`
    assert.ok(masked({ image_url: { url } }).image_url.url === url, head)
  }
  const tookMs = stopwatch()
  for (const text of [
    `data:${letters}`,
    `data:image/${letters}`,
    `data:a/b${';a=b'.repeat(1 << 20)}`,
    `data:a/b;base64,${letters}!`,
  ])
    withTexts(text, same => same)
  assert.ok(tookMs() < 2000)
})

it('which model answers, and at which price, is not said by who asks', () => {
  const body = {
    messages: [],
    models: ['dear'],
    fallbacks: ['dear'],
    route: 'fallback',
    service_tier: 'priority',
    seed: 1,
  }
  const target = { model: 'ours', provider: { tokenLimit: 'max_tokens', usage: 'given' }, images: false } as const
  const sent = (more: object) =>
    broughtWire({ api: 'chat', body: { ...body, ...more }, streamed: true }, 10, {
      ...target,
      refused: [],
      developer: false,
    }).body
  assert.deepEqual(sent({}), { messages: [], model: 'ours', stream: true, seed: 1, max_tokens: 10 })
  assert.equal((sent({ service_tier: 'flex' }) as { service_tier?: string }).service_tier, 'flex')
})

it('what is passed on is held no longer than an answer may be, with nothing in it that is one', async t => {
  const stuffing = `data: ${JSON.stringify({ choices: [], stuffing: 'x'.repeat(1_000_000) })}\n\n`
  const stuffed = await RawServer.listen(t, async socket => {
    socket.write('HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n')
    while (!socket.destroyed) {
      if (!socket.write(stuffing))
        await new Promise<void>(resolve => socket.once('drain', resolve).once('close', () => resolve()))
      await new Promise(resolve => setImmediate(resolve))
    }
  })
  const second = await ModelServer.listen(t, response => answer(response, ['forty-two']))
  const { models, ledger } = await openWorld(t, {
    models: { first: model(stuffed.url, { maxOutputTokens: 10 }), second: model(second.url, { priority: 2 }) },
  })
  const brought = { api: 'chat' as const, body: { messages: question.messages }, streamed: true }
  let answered = ''
  for await (const part of models.pass('first', brought, question, new AbortController().signal))
    if (part.kind === 'end') answered = part.model
  assert.equal(answered, 'second')
  const [, failed] = await ledger.read(tx => recentTries(tx, 2))
  assert.equal(failed?.error, 'sent far more than an answer')
})
