import assert from 'node:assert/strict'
import { it } from 'node:test'
import { parseMarkdown } from '../../adapters/discord/text/read.ts'
import { render as toMarkdown } from '../../adapters/discord/text/render.ts'
import { formatSegments, parseFormat } from '../../adapters/irc/text/format.ts'
import { parseBody } from '../../adapters/matrix/text/body.ts'
import { render as toHtml } from '../../adapters/matrix/text/render.ts'
import { fromBlocks } from '../../adapters/slack/text/blocks.ts'
import { toRichText } from '../../adapters/slack/text/render.ts'
import { segmentsOf } from '../../adapters/telegram/in/entities.ts'
import { richOf } from '../../adapters/telegram/out/rich.ts'
import type { Mark, Segment } from '../../core/event.ts'
import { plain } from '../../core/text/text.ts'

/** What a platform makes of segments, read again by our own reader. */
const over: Readonly<Record<string, (segments: readonly Segment[]) => Segment[]>> = {
  irc: segments =>
    formatSegments(segments)
      .split('\n')
      .flatMap((line, at) => [...(at > 0 ? [{ kind: 'text' as const, text: '\n' }] : []), ...parseFormat(line)]),
  discord: segments =>
    parseMarkdown(toMarkdown(segments), {
      user: name => ({ name, self: false }),
      role: name => ({ name, self: false }),
      channel: name => name,
    }),
  slack: segments =>
    fromBlocks([toRichText(segments)], { person: name => name, channel: name => name, isSelf: () => false }),
  telegram: segments => {
    const { text, entities } = richOf(segments)
    return segmentsOf(text, entities as never, { self: { id: 1, username: 'us' }, idOf: () => undefined })
  },
  matrix: segments => {
    const { body, html } = toHtml(segments)
    return parseBody({ body, reply: false, ...(html === null ? {} : { html }) })
  },
}

const words = [
  'plain words',
  'a * b * c',
  '**not bold**',
  '*x*',
  '_x_ and snake_case_name',
  '__x__',
  '~~x~~ ~y~',
  '`tick`',
  '``` fence',
  '||spoiler||',
  '# heading',
  '- list',
  '1. list',
  '> quote',
  '>>> all',
  '\\*escaped\\*',
  '<b>bold</b>',
  '<script>alert(1)</script>',
  '&lt;b&gt; &amp; &nbsp;',
  '<@123456789012345678>',
  '<!channel> <!here>',
  '<#C123|x> <@U123>',
  '[text](javascript:alert(1))',
  'a | b | c',
  'x < y > z & w',
  '"quoted" and \'single\'',
  'Grüße, żółć, 日本語, עברית',
  '👩‍👩‍👧‍👦 🇩🇪 👍🏽',
  'e\u0301 combining',
  '-# small',
  ':smile: :not an emoji:',
  '03 digits first 99',
  'tab\tin it',
  '{{curly}} %s $1 ${x}',
  '^caret^ ~tilde~',
  '___',
  '*',
  '\\',
  'end with \\',
  '@somebody and a@b.example',
]
const marks: readonly (readonly Mark[])[] = [[], ['bold'], ['italic'], ['strike'], ['bold', 'italic']]
const cases: readonly Segment[][] = words.flatMap(text =>
  marks.map(mark => [
    { kind: 'text' as const, text: 'x ' },
    { kind: 'text' as const, text, ...(mark.length > 0 ? { marks: mark } : {}) },
    { kind: 'text' as const, text: ' y' },
  ]),
)

/** Letters that are seen; blanks in a row are one. */
const read = (segments: readonly Segment[]): string =>
  plain({ segments })
    .replace(/[\u200b\u2060\u2063]/g, '')
    .replace(/\s+/g, ' ')
    .trim()

for (const [from, first] of Object.entries(over)) {
  for (const [to, second] of Object.entries(over)) {
    if (from === to) continue
    it(`${from} → ${to}: ${cases.length} texts read as they were said`, () => {
      const wrong = cases.flatMap(segments => {
        const [said, came] = [read(segments), read(second(first(segments)))]
        return said === came ? [] : [`${JSON.stringify(said)} → ${JSON.stringify(came)}`]
      })
      assert.deepEqual(wrong, [])
    })
  }
}

it('bold is bold from each to each', () => {
  const bold: Segment = { kind: 'text', text: 'loud', marks: ['bold'] }
  for (const [from, first] of Object.entries(over))
    for (const [to, second] of Object.entries(over)) {
      const came = second(first([{ kind: 'text', text: 'not ' }, bold, { kind: 'text', text: ' so' }]))
      const loud = came
        .filter(each => each.kind === 'text' && each.marks?.includes('bold'))
        .map(each => plain({ segments: [each] }))
      assert.deepEqual(loud, ['loud'], `${from} → ${to}`)
    }
})
