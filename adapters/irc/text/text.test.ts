import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { stopwatch } from '../../../core/contract/stopwatch.ts'
import type { Segment } from '../../../core/event.ts'
import { formatSegments, parseFormat, stripFormat } from './format.ts'
import { splitLine } from './split.ts'

describe('formatting', () => {
  const fixtures: readonly (readonly [string, readonly Segment[]])[] = [
    ['plain', [{ kind: 'text', text: 'plain' }]],
    ['a \x02b\x02 c', [{ kind: 'text', text: 'a ' }, { kind: 'text', text: 'b', marks: ['bold'] }, { kind: 'text', text: ' c' }]],
    ['\x02\x1dboth\x0f none', [{ kind: 'text', text: 'both', marks: ['bold', 'italic'] }, { kind: 'text', text: ' none' }]],
    ['\x0304red\x03 \x0399,01x', [{ kind: 'text', text: 'red' }, { kind: 'text', text: ' ' }, { kind: 'text', text: 'x' }]],
    ['\x04FF0000hex\x04', [{ kind: 'text', text: 'hex' }]],
    ['\x0301,01hidden\x03', [{ kind: 'text', text: 'hidden', marks: ['spoiler'] }]],
    ['\x11code\x11', [{ kind: 'text', text: 'code', marks: ['mono'] }]],
    ['see https://example.org/a_b?c=d. ok', [{ kind: 'text', text: 'see ' }, { kind: 'link', url: 'https://example.org/a_b?c=d' }, { kind: 'text', text: '. ok' }]],
    ['bell\x07 esc\x1b[31m', [{ kind: 'text', text: 'bell esc[31m' }]],
  ] // biome-ignore format: one fixture a line

  for (const [line, segments] of fixtures) {
    it(`reads ${JSON.stringify(line)}`, () => assert.deepEqual(parseFormat(line), segments))
  }

  it('reads an address of many dots, and writes many line ends, at once', () => {
    const url = `http://${'.'.repeat(200_000)}a`
    const text = `a${'\n'.repeat(200_000)}b`
    const tookMs = stopwatch()
    assert.deepEqual(parseFormat(url), [{ kind: 'link', url }])
    assert.equal(formatSegments([{ kind: 'text', text: `\n${text}\n` }]), text)
    assert.ok(tookMs() < 500)
  })

  it('keeps marks over a round trip', () => {
    const segments: Segment[] = [
      { kind: 'text', text: 'a ' },
      { kind: 'text', text: 'b', marks: ['bold', 'underline'] },
      { kind: 'text', text: ' c ' },
      { kind: 'text', text: 'd', marks: ['spoiler'] },
    ]
    assert.deepEqual(parseFormat(formatSegments(segments)), segments)
  })

  it('writes every kind of segment as text that still means something without formatting', () => {
    const written = formatSegments([
      { kind: 'mention', id: null, name: 'ann\nbob' },
      { kind: 'text', text: ' ' },
      { kind: 'link', url: 'https://e.org/x y', text: 'the page' },
      { kind: 'text', text: ' ' },
      { kind: 'emoji', name: 'smile', text: '😄' },
      { kind: 'code', text: 'one\ntwo\n', block: true },
      { kind: 'quote', text: 'said\nso', author: 'eve' },
    ])
    assert.equal(stripFormat(written), 'ann bob the page (https://e.org/x%20y) 😄\none\ntwo\n> eve: said\n> so')
  })
})

describe('splitting', () => {
  const fits = (pieces: readonly string[], limit: number): void => {
    for (const piece of pieces) assert.ok(Buffer.byteLength(piece) <= limit, `${Buffer.byteLength(piece)} > ${limit}`)
  }

  it('leaves what fits', () => assert.deepEqual(splitLine('short', 400), ['short']))

  it('breaks at words and drops the space there', () => {
    const pieces = splitLine('aaaa bbbb '.repeat(30).trim(), 60)
    fits(pieces, 60)
    assert.equal(pieces.join(' '), 'aaaa bbbb '.repeat(30).trim())
  })

  it('keeps every byte where the pieces are joined again', () => {
    const text = 'word  and ünïcödé 👨‍👩‍👧‍👦 '.repeat(40)
    const pieces = splitLine(text, 80, true)
    fits(pieces, 80)
    assert.equal(pieces.join(''), text)
  })

  it('cuts no grapheme', () => {
    for (const grapheme of ['👨‍👩‍👧‍👦', '🇩🇪', '👍🏽', 'नि', 'é']) {
      const pieces = splitLine(grapheme.repeat(60), 100)
      fits(pieces, 100)
      for (const piece of pieces) assert.equal(piece.replaceAll(grapheme, ''), '')
    }
  })

  it('cuts a grapheme that is longer than a line between code points', () => {
    const zalgo = `a${'\u0301'.repeat(400)}`
    const pieces = splitLine(zalgo, 100)
    fits(pieces, 100)
    assert.equal(pieces.join(''), zalgo)
  })

  it('keeps to the limit where a big grapheme follows a long last word', () => {
    const text = `${'a'.repeat(101)} ${'字'.repeat(95)}e${'\u0301'.repeat(150)} end`
    const pieces = splitLine(text, 400)
    fits(pieces, 400)
    assert.equal(pieces.join('').replaceAll(' ', ''), text.replaceAll(' ', ''))
  })

  it('goes on with the formatting that is open', () => {
    const pieces = splitLine(`\x02\x0304,12${'bold '.repeat(60)}\x02plain`, 100)
    fits(pieces, 100)
    assert.ok(pieces.length > 2)
    for (const piece of pieces) assert.ok(piece.startsWith('\x02\x0304,12'))
  })

  it('takes linear time', () => {
    const took = (length: number): number => {
      const text = 'ä b'.repeat(length)
      const tookMs = stopwatch()
      splitLine(text, 400)
      return tookMs()
    }
    took(20_000)
    const [short, long] = [took(20_000), took(160_000)]
    assert.ok(long < short * 40 + 50, `${short} ms, then ${long} ms for eight times as much`)
  })
})
