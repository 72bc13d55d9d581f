import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stopwatch } from '../../../core/contract/stopwatch.ts'
import type { Segment } from '../../../core/event.ts'
import { parseInline, plain } from '../../../core/text/text.ts'
import { linesOf, liteOf } from './lines.ts'
import { blocksOf, segmentsOf } from './markdown.ts'
import { parseable } from './parseable.ts'

const shown = (markdown: string): string => plain({ segments: segmentsOf(markdown) })

test('marks, code, links and lists become segments', () => {
  assert.deepEqual(segmentsOf('Use **bold**, *soft*, ~~no~~ and `x = 1`, see [docs](https://a.example/x).'), [
    { kind: 'text', text: 'Use ' },
    { kind: 'text', text: 'bold', marks: ['bold'] },
    { kind: 'text', text: ', ' },
    { kind: 'text', text: 'soft', marks: ['italic'] },
    { kind: 'text', text: ', ' },
    { kind: 'text', text: 'no', marks: ['strike'] },
    { kind: 'text', text: ' and ' },
    { kind: 'code', block: false, text: 'x = 1' },
    { kind: 'text', text: ', see ' },
    { kind: 'link', url: 'https://a.example/x', text: 'docs' },
    { kind: 'text', text: '.' },
  ])
  assert.equal(shown('1. one\n2. two\n   - deep\n3. three'), '1. one\n2. two\n  • deep\n3. three')
  assert.equal(shown('# Head\n\nText\nof it'), 'Head\n\nText\nof it')
  assert.equal(shown('- [x] done\n- [ ] open'), '• [x] done\n• [ ] open')
})

test('a block of code and a table stay whole, with their language and in columns', () => {
  assert.deepEqual(segmentsOf('Look:\n\n```ts\nconst a = `1`\n\nb()\n```\nEnd'), [
    { kind: 'text', text: 'Look:\n' },
    { kind: 'code', block: true, text: 'const a = `1`\n\nb()', language: 'ts' },
    { kind: 'text', text: '\n\nEnd' },
  ])
  assert.deepEqual(segmentsOf('| a | bb |\n|---|:--|\n| 1 | **2** |\n| three | |'), [
    { kind: 'code', block: true, text: 'a     │ bb\n──────┼───\n1     │ 2\nthree │' },
  ])
})

test('no text keeps the parser busy: what would is text as it stands', () => {
  const size = 33_000
  const hostile = [
    ...['>', '- ', '1. ', '**a', '*a ', '[', '![', '~a', '`a', '-\n', '>a\n', '[^a]', '<a ', 'a@b.c '].map(each =>
      each.repeat(size / each.length),
    ),
    `${'*_'.repeat(5000)}a${'_*'.repeat(5000)}`,
    Array.from({ length: 150 }, (_, depth) => `${' '.repeat(depth * 2)}- a`).join('\n'),
    `${'> '.repeat(2000)}a`,
  ]
  for (const text of hostile) {
    const tookMs = stopwatch()
    const said = shown(`Before **it**.\n\n${text}`)
    assert.ok(tookMs() < 8000, text.slice(0, 20))
    assert.match(said, /^Before it\.\n/)
    assert.ok(said.length < size * 4)
  }
})

test('what only looks like code is counted as any text', () => {
  const bad = '**a'.repeat(3000)
  for (const before of [
    '```js\nx\n```js\n```\n',
    '```a`b\n',
    '- a\n  ```\n',
    '```\nx\r```\n',
    '<div>\n```\n',
    '<!-- a\n\n```\n-->\n',
    '   ```\nx\n```\n',
    '* * *\n  ```\nx\n```\n',
    'text\n2. x\n   ```\nx\n```\n',
  ])
    assert.ok(parseable(`${before}\n${bad}`) <= before.length + 1, before)
  for (const line of [`\\\`${bad}\``, `\`${bad}\`\``, `a \` b\nx \` ${bad} \` y`, `<a title="\`"> ${bad} \``])
    assert.ok(parseable(line) < 10, line.slice(0, 20))
  const items = '1. Run:\n   ```sh\n   a *.c | b\n   ```\n2. Write:\n\n'
  const code = `\`\`\`c\n${'int *a[3] = {*b, **c};\n'.repeat(1000)}\`\`\`\n\n**end**`
  assert.equal(parseable(items + code), items.length + code.length)
})

test('much that people write is parsed to its end', () => {
  const list = Array.from({ length: 300 }, (_, n) => `- **${n}**: \`x_y\` and [z](https://a.example/${n})`).join('\n')
  const numbers = Array.from({ length: 200 }, (_, n) => `${n + 1}. **a** *b*`).join('\n')
  const rows = Array.from({ length: 100 }, (_, n) => `| **${n}** | *b* | [c] |`).join('\n')
  const code = `\`\`\`c\n${'int *a[3] = {*b, **c};\n'.repeat(1000)}\`\`\``
  for (const text of [list, numbers, `| a | b | c |\n|---|---|---|\n${rows}`, code])
    assert.doesNotMatch(shown(`${text}\n\n**end**`).replace(/^int.*$/gm, ''), /\*/)
})

test('a wide cell makes no other row as wide', () => {
  const said = shown(`| ${'a'.repeat(5000)} | b |\n|---|---|\n${'| c | d |\n'.repeat(100)}`)
  assert.ok(said.length < 20_000)
})

test('what is no web address is text, and markup of other kinds does nothing', () => {
  assert.equal(shown('[x](javascript:alert(1)) <b>hi</b>'), 'x (javascript:alert(1)) <b>hi</b>')
  assert.equal(
    shown('a@b.example, <c@d.example>, [us](mailto:e@f.example)'),
    'a@b.example, c@d.example, us (mailto:e@f.example)',
  )
  assert.deepEqual(segmentsOf('![a cat](https://x.example/c.png)'), [
    { kind: 'link', url: 'https://x.example/c.png', text: 'a cat' },
  ])
})

test('a block ends where its text ends: what is whole can be said before the rest comes', () => {
  const text = 'One.\n\nTwo\nmore'
  assert.deepEqual(
    blocksOf(text).map(({ end }) => text.slice(0, end)),
    ['One.', text],
  )
})

test('every line stands for itself, also when only some of them are shown', () => {
  const lines = linesOf(segmentsOf('Text **a**\nmore\n\n```\nif (x) {\n  y()\n}\n```\n\n> said\n> so'))
  assert.deepEqual(
    lines.map(liteOf),
    ['Text **a**', 'more', '`if (x) {`', '`  y()`', '`}`', '\\> said', '\\> so'].map(line => line.replace('\\>', '>')),
  )
  for (const line of lines) assert.equal(plain({ segments: parseInline(liteOf(line)) }), plain({ segments: line }))
})

test('long lines are cut, nothing of them is lost', () => {
  const words = Array.from({ length: 300 }, (_, n) => `wörd${n}`).join(' ')
  const segments: Segment[] = [
    { kind: 'text', text: words },
    { kind: 'code', block: true, text: 'c'.repeat(1000) },
  ]
  const lines = linesOf(segments)
  for (const line of lines) assert.ok(Buffer.byteLength(plain({ segments: line })) <= 380)
  const all = lines.map(line => plain({ segments: line })).join('')
  assert.equal(all.replace(/\s/g, ''), (words + 'c'.repeat(1000)).replace(/\s/g, ''))
})

test('any text survives the way through Markdown-lite', () => {
  for (const text of ['a*b*c', '`` ` ``', '[x](y)', '\\*', '**', 'see https://x.example/a_(b)', '  spaced  ']) {
    const segments: Segment[] = [{ kind: 'text', text }]
    assert.equal(plain({ segments: parseInline(liteOf(segments)) }), text)
  }
  assert.equal(plain({ segments: parseInline(liteOf([{ kind: 'code', block: false, text: 'a `b` c' }])) }), 'a `b` c')
})
