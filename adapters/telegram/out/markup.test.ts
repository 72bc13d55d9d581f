import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomText, seeded, seedOf } from '../../../core/contract/random.ts'
import type { Mark, Segment, UserId } from '../../../core/event.ts'
import { clean, plain } from '../../../core/text/text.ts'
import { type Names, segmentsOf } from '../in/entities.ts'
import type { Entity } from '../native.ts'
import { pinged, taken } from '../testing/text.ts'
import { richOf } from './rich.ts'
import { split, textUnits } from './split.ts'
import { stepsOf, textsOf } from './steps.ts'

const names: Names = {
  self: { id: 7, username: 'chanop_bot' },
  idOf: name => (name.toLowerCase() === 'alice_tg' ? 42 : undefined),
}
const seen = (text: string): string => text.replaceAll('\u200b', '')
const text = (value: string, ...marks: Mark[]): Segment => ({
  kind: 'text',
  text: value,
  ...(marks.length > 0 ? { marks } : {}),
})

/** Out to Telegram and in again. */
function around(segments: readonly Segment[]): Segment[] {
  const rich = richOf(segments)
  const there = taken(rich.text, rich.entities, textUnits, 'text')
  return segmentsOf(there.text, there.entities, names)
}

test('formatting goes out and comes in again as it was', () => {
  const cases: Segment[][] = [
    [text('plain')],
    [text('a '), text('bold', 'bold'), text(' b')],
    [text('both', 'bold', 'italic'), text(' and '), text('struck', 'strike')],
    [text('secret', 'spoiler'), text(' under', 'underline')],
    [text('👨‍👩‍👧‍👦 '), text('after emoji', 'bold')],
    [text('see '), { kind: 'link', url: 'https://a.example/x_(y)?q=1&r=2' }],
    [{ kind: 'link', url: 'https://a.example/', text: 'here' }, text(' it is')],
    [text('run '), { kind: 'code', text: 'a < b && c > d', block: false }],
    [text('look:\n'), { kind: 'code', text: 'if (a < b) {\n  `x`\n}', block: true, language: 'ts' }],
    [{ kind: 'quote', text: 'first\nsecond' }, text('\nanswer')],
    [{ kind: 'mention', id: '42' as UserId, name: '@alice' }, text(' hi')],
    [text('<b>no</b> &amp; *no* _no_ [no](x) ~no~ ||no|| `no`')],
    [text('**not bold** \\* __not__ {no} #no +no -no =no |no| .no !no')],
  ]
  for (const segments of cases) assert.deepEqual(around(segments), segments)
})

test('no text is markup on the way, whatever it is', () => {
  const seed = seedOf()
  const random = seeded(seed)
  for (let n = 0; n < 300; n++) {
    const said = `q${randomText(random, 12, true)}q`
    const back = plain({ segments: around([text(said, ...(n % 2 === 0 ? ['bold' as const] : []))]) })
    assert.equal(seen(back), seen(clean(said)), `CHANOP_SEED=${seed}`)
  }
})

test('what nobody meant as a mention tells nobody', () => {
  const hostile = [
    '@alice_tg',
    'hi @alice_tg!',
    '(@alice_tg)',
    '@alice_tg@bob_tg',
    '#@alice_tg',
    'x/@alice_tg',
    '@@alice_tg',
  ]
  for (const said of hostile) {
    for (const segments of [
      [text(said)],
      [text(said, 'bold')],
      [{ kind: 'quote', text: said, author: said } as const],
      [{ kind: 'link', url: 'https://a.example', text: said } as const],
      [{ kind: 'link', url: 'tg://user?id=42', text: said } as const],
      [{ kind: 'mention', id: null, name: said } as const],
      [{ kind: 'emoji', name: said, text: '' } as const],
    ]) {
      const { text, entities } = richOf(segments)
      const there = taken(text, entities, textUnits, 'text')
      assert.deepEqual(pinged(there.text, there.entities), [], JSON.stringify(segments))
    }
  }
  const meant = richOf([{ kind: 'mention', id: '42' as UserId, name: 'alice' }])
  const shown = taken(meant.text, meant.entities, textUnits, 'text')
  assert.deepEqual(pinged(shown.text, shown.entities), [42])
})

test('nobody is pinged by the name of who speaks, nor by that of a file', () => {
  const [rich] = textsOf({
    as: { name: '@alice_tg', relayed: true },
    content: { segments: [text('x')], attachments: [{ ref: 'r', name: '@alice_tg', caption: '@alice_tg' }] },
  })
  assert.ok(rich)
  const there = taken(rich.text, rich.entities, textUnits, 'text')
  assert.deepEqual(pinged(there.text, there.entities), [])
})

test('a long text is cut between words, and what is bold or code goes on in the next part', () => {
  const long = Array.from({ length: 3000 }, (_, n) => `word${n}`).join(' ')
  for (const segment of [
    text(long, 'bold'),
    { kind: 'code', text: long.replaceAll(' ', '\n'), block: true } as const,
  ]) {
    const parts = split(richOf([segment]), textUnits, textUnits)
    assert.ok(parts.length > 4)
    for (const part of parts) {
      assert.ok(part.text.length <= textUnits)
      assert.equal(part.entities.length, 1)
      assert.deepEqual([part.entities[0]?.offset, part.entities[0]?.length], [0, part.text.length])
      assert.match(part.text, /^word\d+[\s\S]*word\d+$/)
    }
    assert.equal(
      parts
        .map(part => part.text)
        .join(' ')
        .replaceAll('\n', ' '),
      long,
    )
  }
})

test('no part has more entities than Telegram takes, and none is lost', () => {
  const many = Array.from({ length: 350 }, (_, n) => [text(`b${n}`, 'bold'), text(' ')]).flat()
  const parts = split(richOf(many), textUnits, textUnits)
  assert.ok(parts.every(({ entities }) => entities.length <= 100))
  assert.equal(parts.flatMap(({ entities }) => entities).length, 350)
})

test('each part of what a relayed person says has their name', () => {
  const parts = textsOf({ as: { name: 'bob', relayed: true }, content: { segments: [text('y '.repeat(5000))] } })
  assert.ok(parts.length > 2)
  for (const part of parts) {
    assert.match(part.text, /^bob\u2063: y/)
    assert.equal(part.entities[0]?.type, 'bold')
    assert.ok(part.text.length <= textUnits)
  }
})

test('one grapheme that is longer than a message, and many that have no space, are cut without loss', () => {
  const zalgo = `a${'\u0301'.repeat(9000)}`
  const family = '👨‍👩‍👧‍👦'.repeat(2000)
  for (const said of [zalgo, family, `${'x'.repeat(4095)}😀`, '😀'.repeat(5000)]) {
    const parts = split(richOf([text(said)]), textUnits, textUnits)
    assert.equal(parts.map(part => part.text).join(''), said)
    for (const part of parts) {
      assert.ok(part.text.length > 0 && part.text.length <= textUnits)
      assert.ok(part.text.isWellFormed())
    }
  }
})

test('entities that no server should send lose no text', () => {
  const said = 'hello 👋 world'
  const bad = [
    { type: 'bold', offset: -5, length: 3 },
    { type: 'bold', offset: 3, length: 9999 },
    { type: 'pre', offset: 2, length: 5 },
    { type: 'text_link', offset: 4, length: 6, url: 'javascript:alert(1)' },
    { type: 'text_link', offset: 0, length: 3 },
    { type: 'code', offset: 7, length: 1 },
    { type: 'nonsense', offset: 1, length: 2 },
    { type: 'bold', offset: 1.5, length: 2 },
    { type: 'text_mention', offset: 0, length: 5 },
    { type: 'mention', offset: 0, length: 5 },
    null,
    7,
  ] as unknown as Entity[]
  for (const one of bad) {
    const told = plain({ segments: segmentsOf(said, [one], names) })
    assert.ok(
      told.replace(/^@/, '').replaceAll('\n', '').startsWith('hello 👋 world') || told.includes('javascript'),
      told,
    )
  }
  for (let n = 0; n < bad.length; n++) segmentsOf(said, [...bad.slice(n), ...bad.slice(0, n)], names)
  const many = Array.from({ length: 20_000 }, (_, n) => ({ type: 'bold', offset: n % 14, length: 3 }))
  assert.equal(plain({ segments: segmentsOf(said, many, names) }), said)
})

test('a draft with nothing to be seen is refused, one with a file is not', () => {
  assert.throws(() => stepsOf({ content: { segments: [text(' \n ')] } }), { code: 'send-refused' })
})
