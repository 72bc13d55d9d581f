import assert from 'node:assert/strict'
import { it } from 'node:test'
import { stopwatch } from '../../../../core/contract/stopwatch.ts'
import { withTexts } from './brought.ts'

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
