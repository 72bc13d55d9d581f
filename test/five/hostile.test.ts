/** What people, and programs, send on one platform to break what is shown on the others: nothing is lost, calls anybody or breaks out. */
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { Directory } from '../../adapters/discord/guild/directory.ts'
import { contentOf as fromDiscord } from '../../adapters/discord/inbound.ts'
import { parseMarkdown } from '../../adapters/discord/text/read.ts'
import { plainLook, render as toMarkdown } from '../../adapters/discord/text/render.ts'
import { lengthOf, splitSegments as splitMarkdown } from '../../adapters/discord/text/split.ts'
import { formatSegments, parseFormat } from '../../adapters/irc/text/format.ts'
import { splitLine } from '../../adapters/irc/text/split.ts'
import { factsOf } from '../../adapters/matrix/inbound.ts'
import { parseBody } from '../../adapters/matrix/text/body.ts'
import { render as toHtml } from '../../adapters/matrix/text/render.ts'
import { contentOf as fromSlack } from '../../adapters/slack/in/content.ts'
import { fromBlocks } from '../../adapters/slack/text/blocks.ts'
import { toMrkdwn, toRichText } from '../../adapters/slack/text/render.ts'
import { split as splitBlocks } from '../../adapters/slack/text/split.ts'
import { contentOf as fromTelegram } from '../../adapters/telegram/in/content.ts'
import { segmentsOf } from '../../adapters/telegram/in/entities.ts'
import { richOf } from '../../adapters/telegram/out/rich.ts'
import { split as splitEntities } from '../../adapters/telegram/out/split.ts'
import type { Content, Segment } from '../../core/event.ts'
import { withoutMassMentions } from '../../core/text/mass-mentions.ts'
import { plain } from '../../core/text/text.ts'

type Json = Readonly<Record<string, unknown>>

const discord = (native: Json): Content =>
  fromDiscord(
    {
      network: 'dc' as never,
      directory: new Directory(),
      cdn: '',
      isPlace: () => false,
      webhook: () => 'other',
    },
    null,
    {
      id: '1',
      channel_id: '2',
      type: 0,
      content: '',
      author: { id: '3', username: 'eve' },
      attachments: [],
      ...native,
    } as never,
  )
const slack = (native: Json): Content =>
  fromSlack(native, { person: () => 'eve', channel: () => 'general', isSelf: () => false })
const telegram = (native: Json): Content =>
  fromTelegram({ message_id: 1, date: 1, chat: { id: -1, type: 'supergroup', title: 't' }, ...native } as never, {
    names: { self: { id: 1, username: 'us' }, idOf: () => undefined },
    messageId: () => '1' as never,
    commandOf: () => undefined,
  })
const matrix = (content: Json, type = 'm.room.message'): Content => {
  const event = {
    type,
    event_id: '$1',
    sender: '@eve:x',
    origin_server_ts: 1,
    content: { msgtype: 'm.text', ...content },
  }
  const heard = {
    network: 'mx' as never,
    me: '@us:x',
    myNames: [],
    place: { network: 'mx' as never, channel: '!a' as never },
    origin: 'live' as const,
    name: () => null,
    given: () => undefined,
  }
  const [fact] = factsOf(event as never, heard)
  assert.ok(fact?.kind === 'message')
  return fact.content
}
const irc = (line: string): Content => ({ segments: parseFormat(line) })
const html = (formatted_body: string, body = 'fallback'): Content =>
  matrix({ body, format: 'org.matrix.custom.html', formatted_body })
const rich = (...elements: readonly Json[]): Content =>
  slack({ blocks: [{ type: 'rich_text', elements }], text: 'fallback' })
const row = (...elements: readonly Json[]): Json => ({ type: 'rich_text_section', elements })

/** What came, and the words of it that have to be read everywhere. */
const cases: readonly (readonly [name: string, content: () => Content, ...words: readonly string[]])[] = [
  // Discord
  [
    'a fence in a fence',
    () => discord({ content: '```md\n`` `x` ``\nalpha\n```\nbeta ```js\ngamma' }),
    'alpha',
    'beta',
    'gamma',
  ],
  [
    'signs without a partner',
    () => discord({ content: '**alpha *beta ~~gamma ||delta __eps `zeta' }),
    'alpha',
    'beta',
    'gamma',
    'delta',
    'eps',
    'zeta',
  ],
  [
    'crossing marks',
    () => discord({ content: '**alpha *beta** gamma* ||del**ta|| eps**' }),
    'alpha',
    'beta',
    'gamma',
    'del',
    'ta',
    'eps',
  ],
  [
    'mentions in code',
    () => discord({ content: '`@everyone <@&1> <!channel>` ```\n@here alpha\n```' }),
    'everyone',
    'here',
    'alpha',
  ],
  [
    'everyone in all spellings',
    () => discord({ content: '@everyone @\u200beveryone @ｅveryone ＠everyone @EVERYONE @everyоne @here\u2060 @room' }),
    'everyone',
    'room',
  ],
  [
    'everyone in a link',
    () => discord({ content: '[@everyone](https://a.example/@here) <https://b.example/<!channel>>' }),
    'a.example',
    'b.example',
  ],
  [
    'a poll that calls everybody',
    () =>
      discord({
        poll: {
          question: { text: '@everyone vote <!channel>' },
          answers: [{ poll_media: { text: '@here' } }, { poll_media: { text: 'alpha' } }],
        },
      }),
    'vote',
    'alpha',
  ],
  [
    'a forward',
    () =>
      discord({ message_snapshots: [{ message: { content: '**alpha** @everyone', attachments: [], embeds: [] } }] }),
    'alpha',
    'forwarded',
  ],
  [
    'a forward of components',
    () =>
      discord({
        message_snapshots: [
          {
            message: {
              content: '',
              attachments: [],
              components: [{ type: 17, components: [{ type: 10, content: '# alpha' }] }],
            },
          },
        ],
      }),
    'alpha',
  ],
  [
    'a voice message',
    () =>
      discord({
        flags: 1 << 13,
        attachments: [{ id: '5', filename: '@everyone.ogg', size: 1, url: '', duration_secs: 3.2, waveform: 'x' }],
      }),
    'voice message',
  ],
  ['a sticker', () => discord({ sticker_items: [{ id: '1', name: '<!channel> alpha', format_type: 1 }] }), 'alpha'],
  [
    'components',
    () =>
      discord({
        author: { id: '3', username: 'b', bot: true },
        flags: 1 << 15,
        components: [
          {
            type: 17,
            components: [
              { type: 9, components: [{ type: 10, content: 'alpha' }], accessory: { type: 2, label: 'beta' } },
              { type: 12, items: [] },
              { type: 10, content: '@everyone' },
            ],
          },
        ],
      }),
    'alpha',
    'everyone',
  ],
  [
    'custom emoji alone',
    () => discord({ content: '<:alpha:100000000000000001><a:beta:100000000000000002>' }),
    ':alpha:',
    ':beta:',
  ],
  [
    'mentions in a quote',
    () =>
      discord({
        content: '> alpha <@100000000000000001> @everyone\nbeta',
        mentions: [{ id: '100000000000000001', username: 'mallory' }],
      }),
    'alpha',
    'mallory',
    'beta',
  ],
  [
    'bidi and combining',
    () => discord({ content: `alpha \u202eatleb\u202c ${'z\u0301\u0302\u0303'.repeat(40)} gamma` }),
    'alpha',
    'gamma',
  ],
  // Slack
  [
    'each element of rich text',
    () =>
      rich(
        row(
          { type: 'text', text: 'alpha' },
          { type: 'broadcast', range: 'channel' },
          { type: 'user', user_id: 'U1' },
          { type: 'usergroup', usergroup_id: 'S1' },
          { type: 'channel', channel_id: 'C1' },
          { type: 'link', url: 'https://a.example/x', text: 'beta' },
          { type: 'emoji', name: 'nope' },
          { type: 'date', timestamp: 1, format: '{date}', fallback: 'gamma' },
          { type: 'color', value: '#ff0000' },
          { type: 'new_kind', text: 'delta' },
        ),
      ),
    'alpha',
    'beta',
    'a.example',
    ':nope:',
    'gamma',
    '#ff0000',
    'delta',
    'general',
  ],
  [
    'lists deep',
    () =>
      rich(
        ...Array.from({ length: 9 }, (_, n) => ({
          type: 'rich_text_list',
          style: n % 2 ? 'ordered' : 'bullet',
          indent: n,
          elements: [row({ type: 'text', text: `item${n}` })],
        })),
      ),
    'item0',
    'item8',
  ],
  [
    'a fence with fences',
    () =>
      rich(
        { type: 'rich_text_preformatted', elements: [{ type: 'text', text: 'alpha\n```\n<!channel>\n```` beta' }] },
        row({ type: 'text', text: 'gamma' }),
      ),
    'alpha',
    'beta',
    'gamma',
  ],
  [
    'a quote with quotes',
    () =>
      rich(
        { type: 'rich_text_quote', elements: [{ type: 'text', text: '> alpha\n>>> beta\n@everyone' }] },
        row({ type: 'text', text: 'gamma' }),
      ),
    'alpha',
    'beta',
    'gamma',
  ],
  [
    'mrkdwn that calls',
    () =>
      slack({ text: '<!channel> <!here|here> <!everyone> <!subteam^S1|@admins> <@U1|alpha> &lt;!channel&gt; beta' }),
    'beta',
    'admins',
  ],
  [
    'a table',
    () =>
      slack({
        blocks: [
          {
            type: 'table',
            rows: [
              [
                { type: 'raw_text', text: 'alpha' },
                { type: 'raw_text', text: '@everyone' },
              ],
              [
                { type: 'raw_text', text: 'b|c`d' },
                { type: 'raw_text', text: 'beta' },
              ],
            ],
          },
        ],
      }),
    'alpha',
    'b|c`d',
    'beta',
  ],
  [
    'a link that lies',
    () => slack({ text: '<https://evil.example|https://bank.example>' }),
    'evil.example',
    'bank.example',
  ],
  ['a link to a script', () => rich(row({ type: 'link', url: 'javascript:alert(1)', text: 'alpha' })), 'alpha'],
  // Telegram
  [
    'overlapping entities',
    () =>
      telegram({
        text: 'alpha beta gamma',
        entities: [
          { type: 'bold', offset: 0, length: 10 },
          { type: 'italic', offset: 6, length: 10 },
          { type: 'text_link', offset: 3, length: 5, url: 'https://a.example' },
          { type: 'pre', offset: 8, length: 4 },
          { type: 'custom_emoji', offset: 2, length: 2, custom_emoji_id: '1' },
        ],
      }),
    'amma',
    'a.example',
  ],
  [
    'entities from nowhere',
    () =>
      telegram({
        text: 'alpha',
        entities: [
          { type: 'bold', offset: -5, length: 99 },
          { type: 'code', offset: 2, length: 9e9 },
          null,
          { type: 'mention' },
          { type: 'unheard_of', offset: 0, length: 5 },
        ] as never,
      }),
    'al',
    'pha',
  ],
  [
    'half of a letter',
    () => telegram({ text: '👩‍👩‍👧 alpha', entities: [{ type: 'bold', offset: 1, length: 3 }] }),
    'alpha',
  ],
  [
    'a poll',
    () =>
      telegram({ poll: { question: '@everyone alpha <!channel>', options: [{ text: '@here' }, { text: 'beta' }] } }),
    'alpha',
    'beta',
  ],
  [
    'a checklist',
    () => telegram({ checklist: { title: '<!here> alpha', tasks: [{ id: 1, text: '@room beta' }] } }),
    'alpha',
    'beta',
  ],
  [
    'markup as text',
    () => telegram({ text: '**alpha** [x](https://e.example) `b` <b>beta</b> &amp; > gamma\n> delta\n# eps' }),
    '**alpha**',
    '<b>beta</b>',
    '&amp;',
    '> gamma',
    '> delta',
    '# eps',
  ],
  // Matrix
  [
    'hostile HTML',
    () =>
      html(
        '<mx-reply>gone</mx-reply><b>alpha<script>alert(1)</script></b><img src=x onerror=alert(1) alt="beta"><a href="javascript:alert(1)">gamma</a><style>x</style>',
      ),
    'alpha',
    'beta',
    'gamma',
  ],
  [
    'HTML never closed',
    () => html('<b><i><blockquote>alpha<pre><code>beta <table><tr><td>gamma'),
    'alpha',
    'beta',
    'gamma',
  ],
  [
    'a room called',
    () => html('<a href="https://matrix.to/#/@room:x">@room</a> @room alpha <strong>@</strong>everyone', '@room'),
    'alpha',
  ],
  [
    'a spoiler with a reason',
    () => html('<span data-mx-spoiler="alpha">beta</span>5 gamma'),
    'alpha',
    'beta',
    '5 gamma',
  ],
  ['HTML of a hundred levels', () => html(`${'<div><ul><li>'.repeat(150)}alpha`), 'alpha'],
  [
    'a reply with its fallback',
    () => matrix({ body: '> <@a:x> @room\n> old\n\nalpha', 'm.relates_to': { 'm.in_reply_to': { event_id: '$0' } } }),
    'alpha',
  ],
  [
    'a poll with markup',
    () =>
      matrix(
        {
          'm.poll': {
            question: { 'm.text': [{ body: '@room alpha' }] },
            answers: [{ 'm.text': [{ body: '**beta**' }] }],
          },
        },
        'm.poll.start',
      ),
    'alpha',
    '**beta**',
  ],
  // IRC
  [
    'colours with digits behind',
    () => irc('\x0304,04alpha\x03 5 \x02\x0399beta\x03\x0312345 gamma\x04ff00aa77 delta'),
    'alpha',
    '5',
    'beta',
    '345 gamma',
    '77 delta',
  ],
  [
    'all of IRC',
    () => irc('\x02\x1d\x1f\x1e\x11\x16alpha\x0f\x02beta\x07\x1b[31mgamma\x00\x0a'),
    'alpha',
    'beta',
    'gamma',
  ],
  ['everybody on IRC', () => irc('@everyone @here @room <!channel> <@&1> <@U1> alpha <#C1> @all'), 'alpha'],
  ['emoji with selectors', () => irc('❤️ ☠\ufe0e 🏳️‍🌈 1️⃣ 🇩🇪🇩🇪 alpha 👍🏽'), '🏳️‍🌈', '👍🏽', 'alpha'],
]

/** What a platform gets, what it shows of that, and what of it would call somebody there. */
interface Shown {
  readonly back: readonly Segment[]
  readonly calls: readonly string[]
}

const gaps = /[\u200b\u2060\u2063]/g
const tells = (text: string, sign: RegExp): string[] => [...text.matchAll(sign)].map(([found]) => found)
const everybody = /@(?:everyone|here|room|channel|all)\b/gi

const over: Readonly<Record<string, (segments: readonly Segment[]) => Shown>> = {
  irc(segments) {
    const text = formatSegments(segments)
    const back = text
      .split('\n')
      .flatMap((line, at) => [...(at > 0 ? [{ kind: 'text' as const, text: '\n' }] : []), ...parseFormat(line)])
    return { back, calls: tells(text, /[\x00-\x01\x05-\x09\x0b-\x0e\x12-\x15\x17-\x1c\x7f]/g) }
  },
  discord(segments) {
    const text = toMarkdown(segments)
    const names = { user: (name: string) => ({ name, self: false }), channel: (name: string) => name }
    const back = parseMarkdown(text, { ...names, role: names.user })
    const outside = text.replace(/https?:\/\/\S+/g, '')
    return { back, calls: [...tells(outside, everybody), ...tells(text, /<@[!&]?\d+>/g)] }
  },
  slack(segments) {
    const block = toRichText(segments)
    const text = toMrkdwn(segments)
    const inside = JSON.stringify(block)
    const back = fromBlocks([block], { person: name => name, channel: name => name, isSelf: () => false })
    return {
      back,
      calls: [...tells(text, /<[!@#][^>]*>/g), ...tells(inside, /"type":"(?:broadcast|user|usergroup)"/g)],
    }
  },
  telegram(segments) {
    const { text, entities } = richOf(segments)
    const code = entities.filter(({ type }) => type === 'code' || type === 'pre')
    const outside = [...text.matchAll(/(?<![A-Za-z0-9_/])@[A-Za-z0-9_]{4,}/g)].filter(
      ({ index }) => !code.some(({ offset, length }) => index >= offset && index < offset + length),
    )
    const wrong = entities.filter(({ offset, length }) => offset < 0 || length <= 0 || offset + length > text.length)
    const back = segmentsOf(text, entities as never, { self: { id: 1, username: 'us' }, idOf: () => undefined })
    const links = text.match(/https?:\/\/\S+/g) ?? []
    const calls = outside.map(([found]) => found).filter(found => !links.some(link => link.includes(found)))
    return { back, calls: [...calls, ...wrong.map(each => JSON.stringify(each))] }
  },
  matrix(segments) {
    const { body, html: shown, mentions } = toHtml(segments)
    const back = parseBody({ body, reply: false, ...(shown === null ? {} : { html: shown }) })
    const tags = tells(
      shown ?? '',
      /<(?!\/?(?:strong|em|u|del|code|span|br|pre|blockquote|a)\b)[^>]*>?|javascript:|on\w+=/gi,
    )
    return { back, calls: [...mentions, ...(shown === null ? [] : tags.filter(tag => tag.startsWith('<')))] }
  },
}

/** A mention names nobody of another network. */
const abroad = ({ segments, ...rest }: Content): Content =>
  withoutMassMentions({
    ...rest,
    segments: segments.map(each => (each.kind === 'mention' ? { ...each, id: null } : each)),
  })

const read = (segments: readonly Segment[]): string =>
  plain({ segments })
    .replace(gaps, '')
    .replace(/[\u00a0\s]+/g, ' ')

for (const [name, content, ...words] of cases) {
  it(name, () => {
    const said = abroad(content())
    for (const [to, show] of Object.entries(over)) {
      const end: Segment = { kind: 'text', text: ' 7 the end' }
      const { back, calls } = show([...said.segments, end])
      const shown = read(back)
      for (const word of words) assert.ok(shown.includes(word), `${to}: ${word} is lost in ${JSON.stringify(shown)}`)
      assert.deepEqual(calls, [], `${to}: calls or breaks out: ${JSON.stringify(said.segments)}`)
      const last = back.at(-1)
      assert.ok(
        last?.kind === 'text' && !last.marks?.length && last.text.endsWith('7 the end'),
        `${to}: what follows is ${JSON.stringify(back.slice(-2))}`,
      )
    }
  })
}

const families = ['👩‍👩‍👧‍👦', '🏳️‍🌈', '👍🏽', '𝕏', 'é', 'z\u0301\u0302\u0323']

it('no letter is cut in two where a message ends', () => {
  for (const letter of families) {
    for (const shift of [0, 1, 2, 3]) {
      const text = `${'x'.repeat(shift)}${letter.repeat(4200)}`
      const segments: Segment[] = [{ kind: 'text', text, marks: ['bold'] }]
      const pieces: Readonly<Record<string, readonly string[]>> = {
        irc: splitLine(text, 400),
        discord: splitMarkdown(segments, plainLook).map(piece => plain({ segments: piece })),
        slack: splitBlocks(segments).map(piece => plain({ segments: piece })),
        telegram: splitEntities(richOf(segments), 4096, 4096).map(piece => piece.text),
      }
      for (const piece of splitMarkdown(segments, plainLook)) assert.ok(lengthOf(toMarkdown(piece)) <= 2000)
      for (const [to, parts] of Object.entries(pieces)) {
        assert.equal(parts.join(''), text, to)
        assert.ok(parts.length > 1, to)
        for (const part of parts) assert.equal(part.replaceAll(letter, '').replace(/^x*/, ''), '', `${to}: ${letter}`)
      }
    }
  }
})
