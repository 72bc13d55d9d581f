import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encode } from 'gpt-tokenizer/encoding/o200k_base'
import { stopwatch } from '../../../../core/contract/stopwatch.ts'
import { countTokens } from './tokens.ts'

test('counts as the tokenizer itself does, within a token for each piece', async () => {
  const line = 'bob: have a look at https://example.org/a/b?c=d, it says 42 % of 1,000 — ¿vale? 日本語 🎉\n'
  assert.equal(await countTokens(line), encode(line).length)
  assert.equal(await countTokens(''), 0)
  const long = line.repeat(100)
  const exact = encode(long).length
  assert.ok(Math.abs((await countTokens(long)) - exact) <= long.length / 500, `${await countTokens(long)} of ${exact}`)
})

test('words that look like control tokens are counted as words', async () => {
  assert.ok((await countTokens('a <|endoftext|> b')) > 3)
})

/** The longest time that nothing else could run. */
async function longestStallMs(work: Promise<unknown>): Promise<number> {
  let worst = 0
  let sinceMs = stopwatch()
  const timer = setInterval(() => {
    worst = Math.max(worst, sinceMs())
    sinceMs = stopwatch()
  }, 1)
  await work
  clearInterval(timer)
  return Math.max(worst, sinceMs())
}

for (const [name, text] of [
  ['one letter 80,000 times', 'a'.repeat(80_000)],
  ['80,000 characters of Japanese', '日本語のテキスト'.repeat(10_000)],
  ['megabytes without a blank', '日'.repeat(8_000_000)],
  ['40,000 emoji', '🎉🦀'.repeat(20_000)],
  ['base64', Buffer.from(Array.from({ length: 60_000 }, (_, n) => (n * n) % 251)).toString('base64')],
] as const) {
  test(`no pasted line stops the process: ${name}`, async () => {
    await countTokens('warm')
    const tookMs = stopwatch()
    const stallMs = await longestStallMs(countTokens(text))
    assert.ok(tookMs() < 10_000)
    assert.ok(stallMs < 500, `${stallMs} ms`)
  })
}
