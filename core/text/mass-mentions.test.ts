import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { Content, UserId } from '../event.ts'
import { harmless, withoutMassMentions } from './mass-mentions.ts'
import { plain } from './text.ts'

/** As a platform may read it that takes away what can't be seen, and folds wide letters. */
const read = (text: string): string =>
  text
    .replace(/(?!\u200b)[\p{Cf}\p{DI}]/gu, '')
    .normalize('NFKC')
    .toLowerCase()
const call = /[@]\p{M}*(everyone|here|room|channel|all)\b|<!|<@&/u

for (const hostile of [
  '@everyone',
  'hi @here!',
  '@ROOM',
  '<!channel>',
  '<!subteam^S1|ops>',
  '<@&123>',
  '@every\u2060one',
  '@\u2060everyone',
  '＠everyone',
  '@ｅveryone',
  '@h\u00adere',
  '<\u2063!here>',
  '(@everyone)',
  '@here@everyone',
]) {
  it(`calls nobody: ${JSON.stringify(hostile)}`, () => {
    assert.match(read(hostile), call, 'the case is one')
    assert.doesNotMatch(read(harmless(hostile)), call)
  })
}

it('a call with letters that look like Latin ones is taken for one', () => {
  assert.notEqual(harmless('@\u0435veryone'), '@\u0435veryone')
})

it('leaves everything else as it is', () => {
  for (const text of ['@alice', 'everyone', '@everyoneelse', 'x < y', '<b>', '@hereford', '<@123>', ''])
    assert.equal(harmless(text), text)
})

it('a call in pieces, in a name of a file, a quote or a link is one as well', () => {
  const content: Content = {
    segments: [
      { kind: 'text', text: '@' },
      { kind: 'text', text: 'everyone', marks: ['bold'] },
      { kind: 'quote', text: '@here', author: '@room' },
      { kind: 'link', url: 'https://example.org', text: '<!channel>' },
      { kind: 'code', text: '@everyone', block: true },
      { kind: 'mention', id: null, name: '@everyone' },
      { kind: 'mention', id: null, name: 'channel' },
      { kind: 'mention', id: 'u1' as UserId, name: 'here' },
      { kind: 'emoji', name: 'x', text: '@here' },
    ],
    attachments: [{ ref: 'r', name: '@here.png', caption: '@everyone' }],
  }
  assert.doesNotMatch(read(plain(withoutMassMentions(content))), call)
})
