import { strict as assert } from 'node:assert'
import { describe, test } from 'node:test'
import { randomText, seeded, seedOf } from '../../../core/contract/random.ts'
import { stopwatch } from '../../../core/contract/stopwatch.ts'
import type { Segment } from '../../../core/event.ts'
import { plain } from '../../../core/text/text.ts'
import { fromBlocks } from './blocks.ts'
import { emojiName, emojiText } from './emoji.ts'
import { fromMrkdwn } from './mrkdwn.ts'
import { toMrkdwn, toRichText } from './render.ts'
import { split } from './split.ts'
import type { Names } from './words.ts'

const names: Names = {
  person: id => ({ U1: 'alice', UBOT: 'chanop' })[id] ?? id,
  channel: id => ({ C1: 'general' })[id] ?? id,
  isSelf: id => id === 'UBOT',
}
const read = (text: string): Segment[] => fromMrkdwn(text, names)
const t = (text: string, ...marks: ('bold' | 'italic' | 'strike')[]): Segment => ({
  kind: 'text',
  text,
  ...(marks.length === 0 ? {} : { marks }),
})
const back = (segments: readonly Segment[]): Segment[] => fromBlocks([toRichText(segments)], names)

describe('mrkdwn is read', () => {
  const cases: readonly [string, Segment[]][] = [
    ['*bold* _it_ ~gone~', [t('bold', 'bold'), t(' '), t('it', 'italic'), t(' '), t('gone', 'strike')]],
    ['*_both_*', [t('both', 'bold', 'italic')]],
    ['2*3*4 and a_b_c', [t('2*3*4 and a_b_c')]],
    ['* no* and *no *', [t('* no* and *no *')]],
    ['*never closed', [t('*never closed')]],
    ['a &lt;b&gt; &amp;amp;', [t('a <b> &amp;')]],
    ['`*x* &lt;` ok', [{ kind: 'code', text: '*x* <', block: false }, t(' ok')]],
    [
      'see\n```\nlet a = &lt;b&gt;\n```\nthere',
      [t('see'), { kind: 'code', text: 'let a = <b>', block: true }, t('there')],
    ],
    ['``` never closed', [t('``` never closed')]],
    ['<https://a.example/?q=1&amp;r=2|a page>', [{ kind: 'link', url: 'https://a.example/?q=1&r=2', text: 'a page' }]],
    ['<https://a.example>', [{ kind: 'link', url: 'https://a.example' }]],
    ['<mailto:a@b.example|a@b.example>', [t('a@b.example')]],
    ['<javascript:alert(1)|click>', [t('click (javascript:alert(1))')]],
    [
      '<@U1> and <@UBOT|me>',
      [
        { kind: 'mention', id: 'U1' as never, name: 'alice' },
        t(' and '),
        { kind: 'mention', id: 'UBOT' as never, name: 'chanop', self: true },
      ],
    ],
    [
      '<!channel> <!here|here> <!subteam^S1|@ops>',
      [
        { kind: 'mention', id: null, name: 'channel' },
        t(' '),
        { kind: 'mention', id: null, name: 'here' },
        t(' '),
        { kind: 'mention', id: null, name: 'ops' },
      ],
    ],
    ['<#C1|> <#C9|ops>', [t('#general #ops')]],
    ['<!date^1392734382^{date}|18 Feb>', [t('18 Feb')]],
    [':tada: :nothing-such: 12:30:45', [{ kind: 'emoji', name: 'tada', text: '🎉' }, t(' :nothing-such: 12:30:45')]],
    ['&gt; one\n&gt; two\nthree', [{ kind: 'quote', text: 'one\ntwo' }, t('three')]],
  ]
  for (const [mrkdwn, segments] of cases) test(mrkdwn, () => assert.deepEqual(read(mrkdwn), segments))

  test('hostile input takes no time', () => {
    const tookMs = stopwatch()
    for (const nasty of ['<', '*', '_a ', '`', '*_~', ':a', '<@U1', '```', '&gt; ', '*a', '~ _', '<a|'])
      read(nasty.repeat(10_000))
    assert.ok(tookMs() < 3000, `${tookMs()} ms`)
  })
})

describe('blocks are read', () => {
  const rich = (...elements: unknown[]): Segment[] =>
    fromBlocks([{ type: 'rich_text', elements: [{ type: 'rich_text_section', elements }] }], names)

  test('inline elements', () => {
    assert.deepEqual(
      rich(
        { type: 'text', text: 'hi ', style: { bold: true } },
        { type: 'user', user_id: 'U1' },
        { type: 'broadcast', range: 'here' },
        { type: 'channel', channel_id: 'C1' },
        { type: 'emoji', name: 'wave', skin_tone: 3, unicode: '1f44b-1f3fc' },
        { type: 'emoji', name: 'party_parrot' },
        { type: 'link', url: 'https://a.example', text: 'a' },
        { type: 'color', value: '#fff' },
        { type: 'text', text: 'x', style: { code: true } },
      ),
      [
        t('hi ', 'bold'),
        { kind: 'mention', id: 'U1', name: 'alice' },
        { kind: 'mention', id: null, name: 'here' },
        t('#general'),
        { kind: 'emoji', name: 'wave::skin-tone-3', text: '👋🏼' },
        { kind: 'emoji', name: 'party_parrot', text: '' },
        { kind: 'link', url: 'https://a.example', text: 'a' },
        t('#fff'),
        { kind: 'code', text: 'x', block: false },
      ],
    )
  })

  test('lists, quotes and fences stand on their lines', () => {
    const section = (text: string) => ({ type: 'rich_text_section', elements: [{ type: 'text', text }] })
    const found = fromBlocks(
      [
        {
          type: 'rich_text',
          elements: [
            section('shopping:\n'),
            { type: 'rich_text_list', style: 'bullet', indent: 0, elements: [section('milk'), section('bread')] },
            { type: 'rich_text_list', style: 'ordered', indent: 1, offset: 2, elements: [section('rye')] },
            { type: 'rich_text_quote', elements: [{ type: 'text', text: 'wise' }] },
            { type: 'rich_text_preformatted', elements: [{ type: 'text', text: 'a\nb' }] },
            section('end'),
          ],
        },
      ],
      names,
    )
    assert.equal(plain({ segments: found }), 'shopping:\n• milk\n• bread\n  3. rye\n> wise\na\nb\nend')
  })

  test('what other programs build is shown', () => {
    const found = fromBlocks(
      [
        { type: 'header', text: { type: 'plain_text', text: 'Deploy *1*' } },
        { type: 'section', text: { type: 'mrkdwn', text: '*done* by <@U1>' }, fields: [{ type: 'mrkdwn', text: 'a' }] },
        { type: 'divider' },
        {
          type: 'context',
          elements: [
            { type: 'image', alt_text: 'logo' },
            { type: 'mrkdwn', text: 'at 9' },
          ],
        },
        {
          type: 'actions',
          elements: [
            { type: 'button', text: { type: 'plain_text', text: 'Undo' } },
            { type: 'button', text: { type: 'plain_text', text: 'Keep' } },
          ],
        },
        { type: 'image', image_url: 'https://a.example/i.png', alt_text: 'graph' },
        {
          type: 'table',
          rows: [
            [
              { type: 'raw_text', text: 'a' },
              { type: 'raw_text', text: 'bb' },
            ],
            [
              { type: 'raw_text', text: 'ccc' },
              { type: 'raw_text', text: 'd' },
            ],
          ],
        },
        { type: 'markdown', text: '**strong**' },
        { type: 'something_new', title: 'Title', text: { type: 'plain_text', text: 'words' } },
        { type: 'something_empty' },
        { type: 42 },
      ],
      names,
    )
    assert.equal(
      plain({ segments: found }),
      [
        'Deploy *1*',
        'done by @alice',
        'a',
        '—',
        '[image: logo] at 9',
        '[Undo | Keep]',
        '[image: graph] (https://a.example/i.png)',
        'a    bb\nccc  d',
        'strong',
        'Title',
        'words',
        '[something_empty]',
        '[block]',
      ].join('\n'),
    )
  })
})

describe('segments are shown', () => {
  test('nothing that somebody wrote is markup', () => {
    const nasty = '<!channel> <@U1> <https://evil.example|bank> &lt;!here&gt; @everyone *b* `c` ```d```'
    assert.deepEqual(back([t(nasty)]), [t(nasty)])
    const text = toMrkdwn([
      t(nasty),
      { kind: 'mention', id: null, name: 'channel' },
      { kind: 'mention', id: '<!here>' as never, name: '<!here>' },
    ])
    assert.doesNotMatch(text, /<[!@#h]/)
    assert.doesNotMatch(
      JSON.stringify(toRichText([{ kind: 'mention', id: '!channel' as never, name: 'channel' }])),
      /user_id|broadcast/,
    )
  })

  test('a link can not break out of its brackets', () => {
    const url = 'https://a.example/?a=<!channel>|x y'
    assert.doesNotMatch(toMrkdwn([{ kind: 'link', url, text: 'a>b|<!here>' }]).slice(1, -1), /[<>]/)
  })

  test('marks touch what they mark', () => {
    assert.equal(toMrkdwn([t(' a b ', 'bold')]), ' *a b* ')
    assert.equal(toMrkdwn([t('a\nb', 'bold', 'italic')]), '*_a_*\n*_b_*')
  })

  test('a marked line of blanks takes no time', () => {
    const line = `a${' '.repeat(200_000)}b`
    const tookMs = stopwatch()
    assert.equal(toMrkdwn([t(`${line} `, 'italic')]), `_${line}_ `)
    assert.ok(tookMs() < 1000)
  })

  test('everything comes back from its blocks as it was', () => {
    const seed = seedOf()
    const random = seeded(seed)
    const clean = () => randomText(random, 6).replace(/[\n\r]/g, ' ') || 'x'
    for (let n = 0; n < 200; n++) {
      const segments: Segment[] = [
        t(`${clean()} `, 'bold'),
        t(clean()),
        { kind: 'code', text: clean(), block: false },
        { kind: 'mention', id: 'U1' as never, name: 'alice' },
        t(`${clean()}.`, 'italic', 'strike'),
        { kind: 'code', text: `${clean()}\n${clean()}`, block: true },
        { kind: 'quote', text: clean() },
        { kind: 'link', url: 'https://a.example/', text: clean() },
      ]
      assert.deepEqual(back(segments), segments, `CHANOP_SEED=${seed}`)
    }
  })
})

describe('splitting', () => {
  const units = (part: readonly Segment[]): number => toMrkdwn(part).length
  const mixed: Segment[] = [
    t('bold words '.repeat(600), 'bold'),
    { kind: 'code', text: 'let a = b < c && d\n'.repeat(500).trimEnd(), block: true, language: 'ts' },
    { kind: 'quote', text: 'wise\n'.repeat(3000).trimEnd() },
    t('<&>'.repeat(3000)),
    { kind: 'link', url: `https://a.example/${'a'.repeat(9000)}` },
    t('日本語'.repeat(2000)),
    t('👨‍👩‍👧‍👦'.repeat(900)),
    t(`a${'\u0301'.repeat(9000)}`),
  ]

  test('no part is too long, and marks and fences go on', () => {
    const parts = split(mixed)
    for (const part of parts) assert.ok(units(part) <= 4000 && units(part) > 0, String(units(part)))
    const bare = (text: string): string => text.replace(/\s/g, '')
    const said = parts.map(segments => plain({ segments })).join('')
    assert.equal(bare(said).replaceAll('>', ''), bare(plain({ segments: mixed })).replaceAll('>', ''))
    const code = parts.flat().filter(each => each.kind === 'code')
    assert.ok(code.length > 1 && code.every(each => each.block && each.language === 'ts'))
    assert.ok(parts[0]?.[0]?.kind === 'text' && parts[1]?.[0]?.kind === 'text')
    assert.deepEqual(parts[1]?.[0]?.marks, ['bold'])
  })

  test('what fits is one part', () => assert.deepEqual(split([t('a'), t('b', 'bold')]), [[t('a'), t('b', 'bold')]]))
})

test('emoji have their names, with skin tones', () => {
  for (const [emoji, name] of [
    ['👍', '+1'],
    ['❤️', 'heart'],
    ['❤', 'heart'],
    ['👍🏽', '+1::skin-tone-4'],
    [':party_parrot:', 'party_parrot'],
    ['🎉', 'tada'],
    ['👩‍💻', 'female-technologist'],
  ] as const) {
    assert.equal(emojiName(emoji), name)
    if (!emoji.startsWith(':') && emoji !== '❤') assert.equal(emojiText(name), emoji)
  }
  assert.equal(emojiText('thumbsup'), '👍')
  assert.equal(emojiName('hello'), null)
  assert.equal(emojiText('party_parrot'), null)
})
