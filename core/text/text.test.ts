import { strict as assert } from 'node:assert'
import { test } from 'node:test'
import { randomText, seeded, seedOf } from '../contract/random.ts'
import { stopwatch } from '../contract/stopwatch.ts'
import type { Segment } from '../event.ts'
import { withoutEnd } from './markup.ts'
import {
  ago,
  count,
  duration,
  escapeInline,
  fold,
  parseDuration,
  parseInline,
  plain,
  safeName,
  size,
  time,
  truncate,
  visible,
} from './text.ts'

const inline = (markdown: string): string => plain({ segments: parseInline(markdown) })
const text = (said: string, ...marks: ('bold' | 'italic')[]): Segment => ({
  kind: 'text',
  text: said,
  ...(marks.length === 0 ? {} : { marks }),
})

test('every segment has a fallback text', () => {
  const content = {
    segments: [
      text('see '),
      { kind: 'link', url: 'https://a.example', text: 'this' },
      text(' '),
      { kind: 'mention', id: null, name: 'bob' },
      { kind: 'emoji', name: 'wave', text: '👋' },
      { kind: 'emoji', name: 'party', text: '' },
      { kind: 'quote', text: 'one\ntwo', author: 'ann' },
      { kind: 'code', text: 'a = 1', block: true },
      text('end'),
    ] as const,
    attachments: [
      { ref: '1', name: 'log.txt', url: 'https://a.example/1' },
      { ref: '2', name: 'b.png', caption: 'the map' },
    ],
  }
  const expected =
    'see this (https://a.example) @bob👋:party:\n> ann: one\n> two\na = 1\nend\nlog.txt https://a.example/1\n[b.png] the map'
  assert.equal(plain(content), expected)
})

test('what a bot writes becomes segments', () => {
  assert.deepEqual(parseInline('a **b** *c* ***d*** `e*f`'), [
    text('a '),
    text('b', 'bold'),
    text(' '),
    text('c', 'italic'),
    text(' '),
    text('d', 'bold', 'italic'),
    text(' '),
    { kind: 'code', text: 'e*f', block: false },
  ])
  assert.deepEqual(parseInline('**[site](https://a.example/b_(c))**, https://x.example/y.'), [
    { kind: 'link', url: 'https://a.example/b_(c)', text: 'site' },
    text(', '),
    { kind: 'link', url: 'https://x.example/y' },
    text('.'),
  ])
  assert.deepEqual(parseInline('before\n```ts\nlet *a*\n\n```\nafter'), [
    text('before'),
    { kind: 'code', text: 'let *a*\n', block: true, language: 'ts' },
    text('after'),
  ])
  assert.deepEqual(parseInline('``a`b`` ` c'), [{ kind: 'code', text: 'a`b', block: false }, text(' ` c')])
})

test('marks that never close, stars with spaces and escapes are text', () => {
  for (const said of ['**open', 'a * b * c', '* item', '2*3', '[x](javascript:alert(1))', '[x](', '`a', '****a****'])
    assert.equal(inline(said), said)
  assert.deepEqual(parseInline('**a\nb**'), [text('**a\nb**')])
  assert.deepEqual(parseInline('\\*a\\* \\`b\\` \\[c\\](https://d.example)'), [
    text('*a* `b` [c]('),
    { kind: 'link', url: 'https://d.example' },
    text(')'),
  ])
  assert.deepEqual(parseInline('```\nnever closed'), [{ kind: 'code', text: 'never closed', block: true }])
})

test('escaped text comes through as it is, whatever it is', () => {
  const seed = seedOf()
  const random = seeded(seed)
  for (let n = 0; n < 2000; n++) {
    const said = randomText(random, 20, true).toWellFormed()
    assert.equal(inline(escapeInline(said)), said, `CHANOP_SEED=${seed}`)
    const segments = parseInline(said)
    assert.ok(segments.every(segment => segment.kind !== 'text' || segment.text !== ''))
    // Nothing but markup signs may go; every letter stays.
    const letters = (from: string): string => from.replace(/\P{L}/gu, '')
    if (!said.includes('```')) assert.equal(letters(inline(said)), letters(said), `CHANOP_SEED=${seed}`)
  }
})

test('no input makes parsing slow', () => {
  const evil = [
    '*',
    '**a',
    '**a*',
    '`',
    'a``',
    '[',
    '](',
    '[a](',
    '[](',
    '[a](http://x',
    'http:///',
    'http://x ',
    'h',
    '\\',
    '(',
    '`a``',
    '<',
    ' ',
  ]
  for (const piece of evil) {
    const soFarMs = stopwatch()
    parseInline(piece.repeat(Math.ceil(200_000 / piece.length)))
    const tookMs = soFarMs()
    assert.ok(tookMs < 3000, `${JSON.stringify(piece)} took ${tookMs} ms`)
  }
})

test('signs at the end of a text are found in one pass', () => {
  const many = '.'.repeat(200_000)
  const tookMs = stopwatch()
  assert.equal(withoutEnd(`${many}a`, '.,'), `${many}a`)
  assert.equal(withoutEnd(`a.b,${many}`, '.,'), 'a.b')
  assert.equal(withoutEnd(many, '.,'), '')
  assert.ok(tookMs() < 500)
})

test('truncating counts graphemes', () => {
  assert.equal(truncate('hello', 5), 'hello')
  assert.equal(truncate('hello!', 5), 'hell…')
  assert.equal(truncate('👨‍👩‍👧‍👦👍🏽🇩🇪', 3), '👨‍👩‍👧‍👦👍🏽🇩🇪')
  assert.equal(truncate('👨‍👩‍👧‍👦👍🏽🇩🇪x', 3), '👨‍👩‍👧‍👦👍🏽…')
})

test('what can not be seen does not count', () => {
  assert.equal(visible('a\u200bb\u202ec\u0002d\u00a0 e\r\nf\ufeff'), 'abcd e f')
  assert.equal(fold('Ｈello\u200b  WORLD'), 'hello world')
  assert.equal(fold('ﬁne'), fold('FINE'))
})

test('a name can not break its line or pretend to be another', () => {
  assert.equal(safeName('bob>\r\n<ann'), 'bob› ‹ann')
  assert.equal(safeName('\u202e\u200b'), 'nameless')
  assert.equal(safeName(`Z${'\u0351'.repeat(400)}`).length, 4)
  assert.equal(safeName('x'.repeat(50)), `${'x'.repeat(31)}…`)
})

test('figures have one style', () => {
  assert.deepEqual(
    [0, 120, 45_000, 7_200_000, 259_200_000].map(ms => duration(ms)),
    ['0s', '120ms', '45s', '2h', '3d'],
  )
  assert.deepEqual(
    [7_500_000, 3_600_500, 90_061_000].map(ms => duration(ms, 2)),
    ['2h 5m', '1h', '1d 1h'],
  )
  assert.deepEqual(
    ['90s', '1d12h', '2h 5m', '500ms', '1w'].map(parseDuration),
    [90_000, 129_600_000, 7_500_000, 500, 604_800_000],
  )
  assert.deepEqual(['', '5', 'h', '5x', '1h!', '-1h', '9'.repeat(50)].map(parseDuration), Array(7).fill(null))
  assert.deepEqual([0, 999, 1000, 1_234_567, 999_600, 12_345_678].map(size), [
    '0 B',
    '999 B',
    '1.0 kB',
    '1.2 MB',
    '1.0 MB',
    '12 MB',
  ])
  assert.equal(count(1_234_567), '1,234,567')
  assert.equal(time(Date.UTC(2026, 3, 1, 13, 5, 9)), '2026-04-01 13:05:09 UTC')
  assert.deepEqual([ago(1000, 1500), ago(0, 3_600_000)], ['now', '1h ago'])
})

test('joiners stay where they are part of what is seen, and nowhere else', () => {
  for (const whole of ['👩\u200d💻', '❤\ufe0f\u200d🔥', '1\ufe0f\u20e3', 'می\u200cشود', 'क्\u200dष'])
    assert.equal(visible(whole), whole)
  assert.equal(visible('ad\u200dmin'), 'admin')
  assert.equal(visible('a\u200cb\u200b'), 'ab')
  assert.equal(fold('می\u200cشود'), fold('میشود'))
})
