import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomText, seeded, seedOf } from '../../../core/contract/random.ts'
import { stopwatch } from '../../../core/contract/stopwatch.ts'
import type { Mark, Segment } from '../../../core/event.ts'
import { clean, plain } from '../../../core/text/text.ts'
import { type Names, parseMarkdown } from './read.ts'
import { render } from './render.ts'
import { lengthOf, splitSegments } from './split.ts'

const names: Names = {
  user: id => ({ name: id === '100000000000000001' ? 'alice' : 'Chanop', self: id === '100000000000000002' }),
  role: id => ({ name: 'helpers', self: id === '100000000000000009' }),
  channel: () => 'general',
}
const read = (text: string): Segment[] => parseMarkdown(text, names)
const said = (text: string, ...marks: readonly Mark[]): Segment => ({
  kind: 'text',
  text,
  ...(marks.length === 0 ? {} : { marks }),
})
const look = { emoji: (name: string) => (name === 'blob' ? '<:blob:100000000000000003>' : null) }

const readings: readonly (readonly [string, readonly Segment[]])[] = [
  ['plain', [said('plain')]],
  [
    '**a** *b* _c_ __d__ ~~e~~ ||f||',
    [
      said('a', 'bold'),
      said(' '),
      said('b', 'italic'),
      said(' '),
      said('c', 'italic'),
      said(' '),
      said('d', 'underline'),
      said(' '),
      said('e', 'strike'),
      said(' '),
      said('f', 'spoiler'),
    ],
  ],
  ['***both***', [said('both', 'bold', 'italic')]],
  ['**bold *and* so**', [said('bold ', 'bold'), said('and', 'bold', 'italic'), said(' so', 'bold')]],
  ['snake_case_name 2*3*4', [said('snake_case_name 2'), said('3', 'italic'), said('4')]],
  ['* not italic *', [said('* not italic *')]],
  ['a ** b', [said('a ** b')]],
  ['\\*\\*a\\*\\*', [said('**a**')]],
  [
    '`a*b*` ``c`d``',
    [{ kind: 'code', text: 'a*b*', block: false }, said(' '), { kind: 'code', text: 'c`d', block: false }],
  ],
  ['```ts\nlet a\n```', [{ kind: 'code', text: 'let a', block: true, language: 'ts' }]],
  ['x ```y``` z', [said('x '), { kind: 'code', text: 'y', block: true }, said(' z')]],
  ['```never closed', [said('```never closed')]],
  ['> one\n> two\nthree', [{ kind: 'quote', text: 'one\ntwo' }, said('three')]],
  ['>>> all\nof it', [{ kind: 'quote', text: 'all\nof it' }]],
  ['# Head\n-# small', [said('Head', 'bold'), said('\nsmall')]],
  [
    '<@100000000000000001> and <@!100000000000000002>',
    [
      { kind: 'mention', id: '100000000000000001' as never, name: 'alice' },
      said(' and '),
      { kind: 'mention', id: '100000000000000002' as never, name: 'Chanop', self: true },
    ],
  ],
  ['<@&100000000000000009>', [{ kind: 'mention', id: null, name: 'helpers', self: true }]],
  ['in <#100000000000000004>', [said('in #general')]],
  [
    '<:blob:100000000000000003><a:dance:100000000000000005>',
    [
      { kind: 'emoji', name: 'blob', text: '' },
      { kind: 'emoji', name: 'dance', text: '' },
    ],
  ],
  ['<t:1700000000:R>', [said('2023-11-14 22:13 UTC')]],
  ['</role grant:100000000000000006>', [said('/role grant')]],
  ['<https://a.example/x>', [{ kind: 'link', url: 'https://a.example/x' }]],
  ['see https://a.example/x_(y).', [said('see '), { kind: 'link', url: 'https://a.example/x_(y)' }, said('.')]],
  ['[text](https://a.example)', [{ kind: 'link', url: 'https://a.example', text: 'text' }]],
  ['[text](<https://a.example> "title")', [{ kind: 'link', url: 'https://a.example', text: 'text' }]],
  ['[no](javascript:alert(1))', [said('[no](javascript:alert(1))')]],
  ['@everyone <@nobody> <#x>', [said('@everyone <@nobody> <#x>')]],
]

test('what people write there is read as it is meant there', () => {
  for (const [text, segments] of readings) assert.deepEqual(read(text), segments, text)
})

const hostile = [
  '*',
  '**',
  '***',
  '****',
  '_',
  '__',
  '___',
  '~~',
  '||',
  '|||',
  '`',
  '``',
  '```',
  '> ',
  '>>> ',
  '# ',
  '## x',
  '-# x',
  '- x',
  '1. x',
  '\\',
  '\\*',
  '[a](https://b.example)',
  '<@100000000000000001>',
  '<@&100000000000000001>',
  '<#100000000000000001>',
  '<:x:100000000000000001>',
  '@everyone',
  '@here',
  '<t:1>',
  '</x:100000000000000001>',
  '<id:guide>',
  '`a`',
  '**a**',
  '*a*',
  '_a_',
  '__a__',
  '~~a~~',
  '||a||',
  'a*b*c',
  'a_b_c',
  'a__b__c',
  'x```y```z',
  '```js\ncode\n```',
  '> a\nb',
  'a\n> b',
  '# a',
  'a\n# b',
  '   # a',
  'a\\',
  '\\\\',
  'https://a.example/_b_',
  'https://a.example/**x**',
  'https://a.example/a__b',
  '(https://a.example)',
  '[x',
  ']x',
  '[x](',
  '](https://a.example)',
  '***a** b*',
  '**a *b** c*',
  '<https://a.example>',
  '<script>',
  '&amp;',
  '&lt;',
  ':smile:',
  '1) x',
  '+ x',
  '99999999999. x',
  '\u202eabc',
  'a\u200bb',
  '~',
  '|',
  '||a',
  'a||',
  '`a',
  "it's *his* and _hers_",
  '¯\\_(ツ)_/¯',
  '__init__',
  '**kwargs',
  '*args, **kw',
  '2 * 3 * 4',
  'a | b || c',
  '~/x ~/y',
  '#hash',
  '>x',
  '>>x',
  '-x',
  '--x',
]

/** To the eye: what holds two signs apart shows nothing. */
const eye = (segments: readonly Segment[]): string => plain({ segments }).replaceAll('\u200b', '').trim()

test('a text that was written elsewhere is shown there as it was, whatever stands in it', () => {
  for (const text of hostile) {
    const back = read(render([said(text)]))
    assert.equal(eye(back), clean(text).replaceAll('\u200b', '').trim(), JSON.stringify(render([said(text)])))
    assert.ok(
      back.every(segment => (segment.kind === 'text' && !segment.marks) || segment.kind === 'link'),
      text,
    )
    const lines = read(render([said('before\n'), said(text), said('\nafter')]))
    assert.equal(eye(lines), `before\n${clean(text).replaceAll('\u200b', '')}\nafter`, text)
  }
})

test('marks, code and quotes go there and come back', () => {
  const shapes: Segment[][] = [
    [said('a', 'bold'), said('b', 'italic')],
    [said('a', 'italic'), said('b', 'bold')],
    [said('a', 'bold'), said('b', 'bold', 'italic'), said('c', 'italic')],
    [said('x '), said('a_b*c', 'bold', 'underline'), said(' y')],
    [said('secret', 'spoiler'), said('gone', 'strike')],
    [said('one'), said('mono', 'mono'), said('two')],
    [{ kind: 'code', text: 'a`b``c', block: false }],
    [{ kind: 'code', text: '`', block: false }],
    [{ kind: 'code', text: 'x\n  y', block: true, language: 'py' }],
    [said('before'), { kind: 'code', text: 'z', block: true }, said('after')],
    [{ kind: 'quote', text: 'q1\n# q2' }, said('answer')],
    [{ kind: 'mention', id: '100000000000000001' as never, name: 'alice' }, said(' hi')],
    [
      { kind: 'emoji', name: 'blob', text: '' },
      { kind: 'emoji', name: 'none', text: '🙂' },
    ],
    [
      { kind: 'link', url: 'https://a.example/a_b_c' },
      said(' '),
      { kind: 'link', url: 'https://b.example', text: 'https://bank.example' },
    ],
  ]
  for (const segments of shapes) {
    const back = read(render(segments, look))
    const letters = (list: readonly Segment[]): unknown[] =>
      list.flatMap(segment => {
        const shown = { ...segment, text: eye([segment]).replace(/[\s`]/g, '') }
        const marks =
          segment.kind === 'text' ? [...(segment.marks ?? [])].toSorted().filter(mark => mark !== 'mono') : []
        return Array.from(shown.text, letter => `${letter}${marks.join()}${segment.kind === 'quote' ? 'q' : ''}`)
      })
    assert.deepEqual(letters(back), letters(segments), JSON.stringify(render(segments, look)))
  }
})

test('no text breaks out of a code block, a link or a quote', () => {
  const [only, ...more] = read(render([{ kind: 'code', text: 'a\n```\n**b**', block: true }]))
  assert.equal(more.length, 0)
  assert.equal(only?.kind, 'code')
  const link = render([
    { kind: 'link', url: 'https://a.example/ x> **b**\n@everyone', text: 'safe](https://evil.example) [x' },
  ])
  assert.ok(
    read(link).every(segment => segment.kind !== 'link' || segment.text === undefined),
    link,
  )
  assert.match(link, /\(https:\/\/a\.example\//)
  assert.equal(link.includes('\n'), false)
  const quote = read(render([{ kind: 'quote', text: 'a\n\nb', author: 'eve\nadmin' }]))
  assert.deepEqual(quote, [{ kind: 'quote', text: 'eve\nadmin: a\n\nb' }])
})

test('random text goes there and comes back, and reading never takes long', () => {
  const seed = seedOf()
  const random = seeded(seed)
  for (let n = 0; n < 1_500; n++) {
    const text = randomText(random, 12, true)
    const wanted = clean(text).replaceAll('\u200b', '').trim()
    assert.equal(eye(read(render([said(text)]))), wanted, `CHANOP_SEED=${seed} ${JSON.stringify(text)}`)
  }
  for (const piece of [
    '*',
    '_',
    '`',
    '```',
    '||',
    '[',
    '](',
    '<',
    '\\',
    '> ',
    '**a ',
    '[a](https://b.example',
    'https://',
  ]) {
    const tookMs = stopwatch()
    read(piece.repeat(4_000 / piece.length))
    assert.ok(tookMs() < 500, `${piece} takes ${tookMs()} ms`)
  }
})

const parts = (segments: readonly Segment[]): string[] =>
  splitSegments(segments, look).map(piece => render(piece, look))

test('2,000 characters are counted as Discord does: an emoji is as many as its code points', () => {
  assert.equal(parts([said('🙂'.repeat(2_000))]).length, 1)
  assert.equal(parts([said('🙂'.repeat(2_001))]).length, 2)
  assert.equal(parts([said('x'.repeat(2_000))]).length, 1)
  const escaped = parts([said('*'.repeat(1_500))])
  assert.ok(escaped.length === 2 && escaped.every(part => lengthOf(part) <= 2_000))
})

test('fences and marks are closed at the end of a piece and opened anew, and nothing is lost', () => {
  const code = Array.from({ length: 400 }, (_, n) => `line ${n}: let x = "\`"`).join('\n')
  const blocks = parts([
    said('look: '),
    { kind: 'code', text: code, block: true, language: 'ts' },
    said('done', 'bold'),
  ])
  assert.ok(blocks.length > 3)
  for (const part of blocks) {
    assert.ok(lengthOf(part) <= 2_000)
    assert.equal(part.split('```').length % 2, 1, part)
  }
  const back = blocks.flatMap(read).filter(({ kind }) => kind === 'code')
  assert.equal(
    back
      .map(segment => plain({ segments: [segment] }))
      .join('\n')
      .replaceAll('\n\n', '\n'),
    code,
  )
  const bold = parts([said('word '.repeat(1_000), 'bold', 'underline')])
  assert.ok(bold.length > 2)
  for (const segment of bold.flatMap(read)) {
    if (segment.kind !== 'text' || segment.text.trim() === '') continue
    assert.deepEqual([...(segment.marks ?? [])].toSorted(), ['bold', 'underline'])
  }
  const quote = parts([{ kind: 'quote', text: 'q '.repeat(1_500) }])
  assert.ok(quote.length > 1 && quote.every(part => part.startsWith('> ')))
})

test('what no grapheme is, and what is one alone, are split as well', () => {
  const zalgo = `e${'\u0301'.repeat(5_000)}`
  const pieces = parts([said(zalgo)])
  assert.ok(pieces.length >= 3 && pieces.every(part => lengthOf(part) <= 2_000))
  assert.equal(pieces.join(''), zalgo)
  const mention: Segment = { kind: 'mention', id: null, name: 'n'.repeat(5_000) }
  assert.ok(parts([mention]).every(part => lengthOf(part) <= 2_000))
  const url: Segment = { kind: 'link', url: `https://a.example/${'x'.repeat(5_000)}` }
  assert.ok(parts([said('see '), url]).every(part => lengthOf(part) <= 2_000))
})
