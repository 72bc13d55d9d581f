import { strict as assert } from 'node:assert'
import { test } from 'node:test'
import { randomText, seeded, seedOf } from '../contract/random.ts'
import { stopwatch } from '../contract/stopwatch.ts'
import type { Segment } from '../event.ts'
import { cutAt, splitSegments, takeBytes } from './cut.ts'
import { plain, plainSegment } from './text.ts'

function split(text: string, cut: (text: string) => number): string[] {
  const pieces: string[] = []
  for (let rest = text; rest !== ''; ) {
    const at = cut(rest)
    pieces.push(rest.slice(0, at))
    rest = rest.slice(at)
  }
  return pieces
}

const splitBytes = (text: string, maxBytes: number): string[] =>
  split(text, rest => takeBytes(rest, maxBytes)[0].length)

test('cutting by bytes loses nothing and keeps graphemes and words', () => {
  assert.deepEqual(splitBytes('hello brave new world', 12), ['hello brave ', 'new world'])
  assert.deepEqual(splitBytes('first line\nsecond', 12), ['first line\n', 'second'])
  assert.deepEqual(splitBytes('first line\na b c', 12), ['first line\n', 'a b c'], 'a whole line before a word more')
  assert.deepEqual(splitBytes('👍🏽👍🏽👍🏽', 17), ['👍🏽👍🏽', '👍🏽'])
  assert.deepEqual(takeBytes('', 10), ['', ''])
  const stacked = `e${'\u0301'.repeat(500)}`
  assert.ok(splitBytes(stacked, 100).every(piece => Buffer.byteLength(piece) <= 100))
  assert.deepEqual(splitBytes('日本', 1), ['日', '本'])
  const seed = seedOf()
  const random = seeded(seed)
  for (let n = 0; n < 1000; n++) {
    const said = randomText(random, 60, true)
    const maxBytes = 32 + Math.floor(random() * 100)
    const pieces = splitBytes(said, maxBytes)
    assert.equal(pieces.join(''), said, `CHANOP_SEED=${seed}`)
    for (const piece of pieces) assert.ok(piece !== '' && Buffer.byteLength(piece) <= maxBytes, `CHANOP_SEED=${seed}`)
  }
})

test('by whatever is measured, nothing is lost, no code point is cut and each piece fits', () => {
  const measures = [
    (head: string): number => head.length,
    (head: string): number => Array.from(head).length,
    (head: string): number => head.replaceAll('&', '&amp;').length,
  ]
  const seed = seedOf()
  const random = seeded(seed)
  for (let n = 0; n < 600; n++) {
    const said = `${randomText(random, 60, true)} & ${randomText(random, 60, true)}`.toWellFormed()
    const most = 24 + Math.floor(random() * 40)
    const measure = measures[n % measures.length] ?? assert.fail()
    const pieces = split(said, text => cutAt(text, most * 2, head => measure(head) <= most))
    assert.equal(pieces.join(''), said, `CHANOP_SEED=${seed}`)
    for (const piece of pieces) {
      assert.ok(measure(piece) <= most, `CHANOP_SEED=${seed}`)
      assert.ok(piece.isWellFormed(), `CHANOP_SEED=${seed}`)
    }
  }
})

test('what alone is too long is cut all the same, by one code point at least', () => {
  assert.equal(
    cutAt('👍🏽', 0, () => false),
    2,
  )
  assert.equal(
    cutAt('👍🏽', -100, () => false),
    2,
  )
  assert.equal(
    cutAt('', 0, () => false),
    0,
  )
})

test('a megabyte is cut in good time', () => {
  const tookMs = stopwatch()
  splitBytes('👨‍👩‍👧‍👦 word '.repeat(35_000), 400)
  splitBytes('x'.repeat(1_000_000), 400)
  assert.ok(tookMs() < 5000)
})

test('segments in pieces: marks, code and quotes go on, words and fences begin a piece, and nothing is lost', () => {
  const lines = Array.from({ length: 30 }, (_, n) => `line ${n}`).join('\n')
  const segments: Segment[] = [
    { kind: 'text', text: 'see this: ', marks: ['bold'] },
    { kind: 'code', text: lines, block: true, language: 'ts' },
    { kind: 'text', text: 'long words '.repeat(20), marks: ['italic'] },
    { kind: 'mention', id: null, name: 'n'.repeat(150) },
  ]
  const pieces = splitSegments(segments, 100, piece => plain({ segments: piece }).length <= 100)
  assert.ok(pieces.every(piece => plain({ segments: piece }).length <= 100))
  const ofKind = (kind: Segment['kind']) => pieces.flat().filter(each => each.kind === kind)
  assert.equal(ofKind('code').map(plainSegment).join('\n'), lines)
  assert.ok(ofKind('code').length > 1 && ofKind('code').every(each => 'language' in each && each.language === 'ts'))
  assert.equal(ofKind('text').map(plainSegment).join(''), `see this: ${'long words '.repeat(20)}@${'n'.repeat(150)}`)
  assert.equal(pieces[1]?.[0]?.kind, 'code')
  assert.deepEqual(
    splitSegments(segments, 1000, () => true),
    [segments],
  )
})

test('a block that fits but for its last line break is not followed by an empty one', () => {
  const block: Segment = { kind: 'code', text: `${'x'.repeat(50)}\n`, block: true }
  const after: Segment = { kind: 'text', text: 'and so on' }
  const pieces = splitSegments([block, after], 50, piece => plain({ segments: piece }).length <= 50)
  assert.deepEqual(pieces, [[{ ...block, text: 'x'.repeat(50) }], [after]])
})
