import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatRuns, withoutFormat } from './format.ts'
import { clean, paint, sgr } from './style.ts'
import { clip, columns, graphemes, wrap } from './wrap.ts'

const text = (rows: readonly (readonly { text: string }[])[]): string[] =>
  rows.map(row => row.map(run => run.text).join(''))
/** What is left of terminal output when our own SGR sequences are taken out. */
const bare = (painted: string): string => painted.replace(/\x1b\[[0-9;]*m/g, '')

test('nothing from the wire can drive the terminal', () => {
  const attacks = [
    '\x1b[2J', '\x1b]0;title\x07', '\x9b31m', '\x1bP1$tx\x1b\\', 'a\rb\nc\x08\x7f', '\u202eevil\u202c', '\u2066x\u2069', '\u0085', '\ud800',
  ] // biome-ignore format: a list to read at a glance
  for (const attack of attacks) {
    const painted = bare(paint(formatRuns(`x${attack}y`)))
    assert.doesNotMatch(painted, /[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/, JSON.stringify(attack))
    assert.ok(painted.isWellFormed())
    assert.ok(painted.startsWith('x') && painted.endsWith('y'))
  }
})

test('random bytes, formatted, wrapped and painted, hold no control but our own', () => {
  let seed = 7
  const random = (): number => (seed = (seed * 1103515245 + 12345) & 0x7fffffff)
  for (let round = 0; round < 2000; round++) {
    const said = Array.from({ length: 40 }, () => String.fromCharCode(random() % (round % 2 ? 0x100 : 0x10000))).join(
      '',
    )
    for (const row of wrap([{ text: '<a> ', style: {} }], formatRuns(said), 20)) {
      assert.doesNotMatch(bare(paint(row)), /[\x00-\x1f\x7f-\x9f]/)
      assert.ok(columns(row.map(run => run.text).join('')) <= 21, JSON.stringify(said))
    }
  }
})

test('towers of marks are cut, ordinary accents and emoji stay', () => {
  assert.equal(clean(`a${'\u0301'.repeat(50)}`), `a${'\u0301'.repeat(4)}`)
  assert.equal(clean('naïve 👩‍👩‍👧 日本'), 'naïve 👩‍👩‍👧 日本')
})

test('IRC formatting becomes styles that end where they end', () => {
  assert.deepEqual(formatRuns('a\x02b\x1dc\x0fd'), [
    { text: 'a', style: {} },
    { text: 'b', style: { bold: true } },
    { text: 'c', style: { bold: true, italic: true } },
    { text: 'd', style: {} },
  ])
  assert.deepEqual(formatRuns('\x0304,12red\x03,1'), [
    { text: 'red', style: { ink: 9, ground: 12 } },
    { text: ',1', style: {} },
  ])
  assert.deepEqual(formatRuns('\x04ff8000x'), [{ text: 'x', style: { ink: '#ff8000' } }])
  assert.equal(withoutFormat('\x02a\x0304,05b\x04ff0000c\x0f'), 'abc')
})

test('text in the colour of its ground is shown', () => {
  assert.deepEqual(formatRuns('\x0301,01hidden'), [{ text: 'hidden', style: { reverse: true } }])
})

test('styles are SGR sequences from a reset', () => {
  assert.equal(sgr({ bold: true, ink: 9, ground: '#0a0b0c' }), '\x1b[0;1;38;5;9;48;2;10;11;12m')
  assert.equal(paint([{ text: 'x', style: {} }]), '\x1b[0mx\x1b[0m')
  assert.equal(paint([{ text: 'x', style: { bold: true, ink: 9, ground: 1 } }], false), '\x1b[0;1mx\x1b[0m')
})

test('columns count wide, combined and invisible characters', () => {
  const cases: [string, number][] = [
    ['abc', 3],
    ['日本', 4],
    ['é', 1],
    ['e\u0301', 1],
    ['👩‍👩‍👧', 2],
    ['\u200b', 0],
    ['ｆ', 2],
    ['⏎', 1],
  ]
  for (const [said, expected] of cases) assert.equal(columns(said), expected, said)
  assert.deepEqual(graphemes('e\u0301x👩‍👩‍👧'), ['e\u0301', 'x', '👩‍👩‍👧'])
})

test('rows break at spaces, indent under the text, and cut words that are too long', () => {
  const head = [{ text: '<a> ', style: {} }]
  const body = (said: string): { text: string; style: object }[] => [{ text: said, style: {} }]
  assert.deepEqual(text(wrap(head, body('one two three'), 11)), ['<a> one two', '    three'])
  assert.deepEqual(text(wrap(head, body('abcdefghijkl'), 10)), ['<a> abcdef', '    ghijkl'])
  assert.deepEqual(text(wrap(head, body('日本日本'), 10)), ['<a> 日本日', '    本'])
  assert.deepEqual(text(wrap(head, body(''), 10)), ['<a> '])
  assert.deepEqual(text(wrap(head, body('hello'), 4)), ['<a>', 'hell', 'o'])
  assert.equal(text(wrap(head, body('日本'), 1)).join(''), '<a>日本')
})

test('clipping never goes past the edge', () => {
  assert.deepEqual(text([clip([{ text: 'ab日', style: {} }], 3)]), ['ab'])
  assert.deepEqual(text([clip([{ text: 'ab日', style: {} }], 4)]), ['ab日'])
})
