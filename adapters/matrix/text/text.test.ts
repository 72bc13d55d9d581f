import { strict as assert } from 'node:assert'
import { test } from 'node:test'
import { randomText, seeded, seedOf } from '../../../core/contract/random.ts'
import { stopwatch } from '../../../core/contract/stopwatch.ts'
import type { Mark, Segment, UserId } from '../../../core/event.ts'
import { splitSegments } from '../../../core/text/cut.ts'
import { plain } from '../../../core/text/text.ts'
import { parseBody } from './body.ts'
import { parseHtml } from './html.ts'
import { render } from './render.ts'

const shown = (html: string): string => plain({ segments: parseHtml(html) ?? [] })

test('what people’s clients write becomes text that reads the same', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['a &amp; b &lt;c&gt;', 'a & b <c>'],
    ['one<br>two<br/>three', 'one\ntwo\nthree'],
    ['<p>one</p>\n<p>two</p>', 'one\n\ntwo'],
    ['<h1>Title</h1><p>text</p>', 'Title\n\ntext'],
    ['<ul>\n<li>a</li>\n<li>b<ul><li>c</li></ul></li>\n</ul>\nafter', '• a\n• b\n  • c\nafter'],
    ['<ol start="3"><li>x</li><li>y</li></ol>', '3. x\n4. y'],
    ['x<blockquote>quoted<br>twice</blockquote>y', 'x\n> quoted\n> twice\ny'],
    ['<blockquote><p>a</p><blockquote>b</blockquote></blockquote>', '> a\n> \n> > b'],
    ['<pre><code class="language-ts">let a = 1\n  b()\n</code></pre>', 'let a = 1\n  b()'],
    ['before<pre>code</pre>after', 'before\ncode\nafter'],
    [
      '<table><thead><tr><th>n</th><th>name</th></tr></thead><tbody><tr><td>10</td><td>x</td></tr></tbody></table>',
      'n  | name\n10 | x',
    ],
    ['<mx-reply><blockquote>old</blockquote></mx-reply>new', 'new'],
    ['<a href="https://a.example/x">here</a>', 'here (https://a.example/x)'],
    ['<a href="javascript:alert(1)">click</a>', 'click'],
    ['<a href="https://matrix.to/#/%40bob%3Aexample.org">Bob</a> hi', '@Bob hi'],
    ['<a href="matrix:u/bob:example.org">Bob</a>', '@Bob'],
    ['<a href="https://matrix.to/#/%E0%A4%A">x</a>', 'x (https://matrix.to/#/%E0%A4%A)'],
    ['<img data-mx-emoticon alt=":party:" src="mxc://a/b">', ':party:'],
    ['<img src="mxc://a/b" alt="a cat">', '[image: a cat]'],
    ['<script>alert(1)</script><style>b{}</style>ok', 'ok'],
    ['a<hr>b', 'a\n———\nb'],
    ['  spaced   out\n text ', 'spaced out text'],
    ['see https://a.example/x, or', 'see https://a.example/x, or'],
    ['<font color="red">red</font> <span data-mx-color="#f00">too</span>', 'red too'],
    ['<details><summary>More</summary>hidden</details>', 'More\nhidden'],
    ['x\u0000\u0007y', 'xy'],
  ]
  for (const [html, text] of cases) assert.equal(shown(html), text, html)
})

test('marks, languages, spoilers and mentions are kept', () => {
  assert.deepEqual(parseHtml('<b>a<i>b</i></b><del>c</del><u>d</u><code>e</code>'), [
    { kind: 'text', text: 'a', marks: ['bold'] },
    { kind: 'text', text: 'b', marks: ['bold', 'italic'] },
    { kind: 'text', text: 'c', marks: ['strike'] },
    { kind: 'text', text: 'd', marks: ['underline'] },
    { kind: 'code', text: 'e', block: false },
  ])
  assert.deepEqual(parseHtml('<pre><code class="language-c++">x</code></pre>'), [
    { kind: 'code', text: 'x', block: true, language: 'c++' },
  ])
  assert.deepEqual(parseHtml('<span data-mx-spoiler="the end">he dies</span>'), [
    { kind: 'text', text: '(the end) ' },
    { kind: 'text', text: 'he dies', marks: ['spoiler'] },
  ])
  assert.deepEqual(parseHtml('<a href="https://matrix.to/#/@a:b.c?via=d">A</a>'), [
    { kind: 'mention', id: '@a:b.c', name: 'A' },
  ])
})

test('hostile HTML ends soon, and what is written in it can be read', () => {
  const cases: Readonly<Record<string, string>> = {
    'nested 100 deep': `${'<b>'.repeat(100)}deep${'</b>'.repeat(100)}`,
    'nested 100 quotes deep': `${'<blockquote>'.repeat(100)}deep${'</blockquote>'.repeat(100)}`,
    'nested 150 lists deep': `${'<ul><li>'.repeat(150)}deep`,
    'nested 150 links deep': `${'<span><a href="https://a.example">'.repeat(150)}deep`,
    'never closed': '<b><i><u><pre><table><tr><td>deep',
    'closed too often': `deep${'</b></p></div>'.repeat(2000)}`,
    misnested: `${'<b><p>x</b>'.repeat(800)}deep`,
    'many attributes': `<b ${'a=1 '.repeat(10_000)}>deep</b>`,
    'many entities': `deep${'&amp;'.repeat(12_000)}`,
    'a wide table': `<table><tr>${'<td>x</td>'.repeat(5000)}</tr><tr><td>deep</td></tr></table>`,
  }
  for (const [name, html] of Object.entries(cases)) {
    const tookMs = stopwatch()
    const read = parseHtml(html)
    assert.ok(read !== null, name)
    assert.match(plain({ segments: read }), /deep/, name)
    assert.ok(tookMs() < 3000, `${name} took ${tookMs()} ms`)
  }
  for (const html of ['<b>'.repeat(20_000), '<div>'.repeat(12_000), '<table><tr><td>'.repeat(3000)]) {
    const read = parseBody({ body: 'the plain text', html, reply: false })
    assert.ok(
      plain({ segments: read }) === 'the plain text' || read.every(({ kind }) => kind === 'text' || kind === 'code'),
    )
  }
})

test('formatting that is open again in every paragraph is no more than memory holds', () => {
  const distinct = (count: number): string =>
    Array.from({ length: count }, (_, n) => `<${n % 2 ? 'b' : 'i'} a${n}>`).join('')
  const tookMs = stopwatch()
  assert.equal(parseHtml(`<p>${distinct(4000)}${'<p>x'.repeat(5000)}`), null)
  assert.ok(tookMs() < 500)
  const words = '<p>some <b>bold</b> and <a href="https://a.example/1">linked</a> words, <code>code</code></p>'
  for (const html of [`<p>${distinct(300)}${'<p>x'.repeat(600)}`, words.repeat(2000)])
    assert.notEqual(parseHtml(html), null)
})

test('an address of many dots is read at once', () => {
  const url = `http://${'.'.repeat(200_000)}a`
  const tookMs = stopwatch()
  assert.deepEqual(parseBody({ body: `${url}.`, reply: false }), [
    { kind: 'link', url },
    { kind: 'text', text: '.' },
  ])
  assert.ok(tookMs() < 500)
})

test('the quotation of an answer is left out of its plain text, other quotations stay', () => {
  const said = (body: string, reply: boolean): string => plain({ segments: parseBody({ body, reply }) })
  assert.equal(said('> <@a:b> one\n> two\n\nanswer', true), 'answer')
  assert.equal(said('> * <@a:b> waves\n\nanswer\n> mine', true), 'answer\n> mine')
  assert.equal(said('> my own words\n\nanswer', true), '> my own words\n\nanswer')
  assert.equal(said('> <@a:b> one\n\nanswer', false), '> <@a:b> one\n\nanswer')
})

test('nothing that was written becomes markup, whatever it is', () => {
  const evil = `<script>alert("1")</script> & 'x' </code></pre><img src=x onerror=y>`
  const all: readonly Segment[] = [
    { kind: 'text', text: evil, marks: ['bold', 'spoiler'] },
    { kind: 'link', url: `javascript:alert(1)`, text: evil },
    { kind: 'link', url: `https://a.example/"onmouseover="x`, text: evil },
    { kind: 'mention', id: `@a:b"><script>` as UserId, name: evil },
    { kind: 'mention', id: '@bob:example.org' as UserId, name: evil },
    { kind: 'mention', id: null, name: evil },
    { kind: 'emoji', name: evil, text: '' },
    { kind: 'code', text: evil, block: true, language: 'x" onclick="y' },
    { kind: 'code', text: evil, block: false },
    { kind: 'quote', text: evil, author: evil },
  ]
  const { html } = render(all)
  const closing = /^\/(strong|em|u|del|code|span|pre|blockquote|a)$/
  const allowed =
    /^(strong|em|u|del|code|span data-mx-spoiler|br|pre|blockquote|a href="(https?:|mailto:)[^"<>]*"|code class="language-[A-Za-z0-9+#._-]+")$/
  for (const [, tag = ''] of (html ?? '').matchAll(/<([^>]*)>/g))
    assert.match(tag, tag.startsWith('/') ? closing : allowed)
  assert.doesNotMatch((html ?? '').replace(/<[^>]*>/g, ''), /["']/)
})

test('what we write is read back as it was', () => {
  const seed = seedOf()
  const random = seeded(seed)
  const marks: readonly Mark[][] = [[], ['bold'], ['italic', 'strike'], ['underline'], ['spoiler']]
  for (let n = 0; n < 300; n++) {
    const words = randomText(random, 6, true).replaceAll('://', ' ')
    const segments: Segment[] = [
      { kind: 'text', text: `x${words}x`, marks: marks[n % marks.length] as Mark[] },
      { kind: 'text', text: ' and ' },
      { kind: 'code', text: 'a < b', block: n % 2 === 0, ...(n % 4 === 0 ? { language: 'ts' } : {}) },
      { kind: 'text', text: 'end' },
    ]
    const { html, body } = render(segments)
    const back = parseBody({ body, ...(html === null ? {} : { html }), reply: false })
    const bare = (some: readonly Segment[]): string =>
      // Halves of a pair are not joined by what is taken out between them.
      plain({ segments: some })
        .toWellFormed()
        .replace(/[\s\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, '')
    assert.equal(bare(back), bare(segments), `CHANOP_SEED=${seed} n=${n}`)
    const code = back.find(({ kind }) => kind === 'code')
    assert.deepEqual(code, segments[2], `CHANOP_SEED=${seed} n=${n}`)
    const [first] = back
    assert.deepEqual(
      first?.kind === 'text' && (first.marks ?? []),
      segments[0]?.kind === 'text' && segments[0].marks,
      `CHANOP_SEED=${seed} n=${n}`,
    )
  }
})

test('lines, indentation and spaces of plain text survive the way there and back', () => {
  for (const text of ['a\n  b\n\nc', 'a    b', '  first', 'x\ty']) {
    const { html, body } = render([{ kind: 'text', text, marks: ['bold'] }])
    const back = plain({ segments: parseHtml(html ?? '') ?? [] })
    assert.equal(back.replaceAll('\u00a0', ' '), text.replace('\t', ' '))
    assert.equal(body, text)
  }
})

test('long texts are cut between words, what is cut goes on as what it was', () => {
  const code = Array.from({ length: 400 }, (_, n) => `line ${n}`).join('\n')
  const segments: Segment[] = [
    { kind: 'text', text: 'see: ', marks: ['bold'] },
    { kind: 'code', text: code, block: true, language: 'ts' },
    { kind: 'quote', text: 'word '.repeat(300), author: 'alice' },
    { kind: 'link', url: `https://a.example/${'x'.repeat(1200)}` },
  ]
  const pieces = splitSegments(segments, 500, piece => Buffer.byteLength(plain({ segments: piece })) <= 500)
  for (const piece of pieces) assert.ok(Buffer.byteLength(plain({ segments: piece })) <= 500)
  const codes = pieces.flat().filter(segment => segment.kind === 'code')
  assert.ok(codes.length > 5 && codes.every(each => each.kind === 'code' && each.block && each.language === 'ts'))
  assert.equal(codes.map(each => each.kind === 'code' && each.text).join('\n'), code)
  assert.ok(pieces.flat().filter(({ kind }) => kind === 'quote').length > 1)
})

test('where HTML needs more room than text, pieces are smaller', () => {
  const text = '<&">'.repeat(5000)
  const size = (piece: readonly Segment[]): number => (render(piece).html?.length ?? 0) + render(piece).body.length
  const pieces = splitSegments([{ kind: 'text', text, marks: ['bold'] }], 20_000, piece => size(piece) <= 20_000)
  assert.ok(pieces.length > 4)
  assert.equal(
    pieces
      .flat()
      .map(segment => segment.kind === 'text' && segment.text)
      .join(''),
    text,
  )
})
