/** For suites: what people, and programs, send on one platform to break what is shown on the others. */
import type { Content } from '../../core/event.ts'
import { discord, html, irc, matrix, rich, row, slack, telegram } from './natives.ts'

/** What came, and the words of it that have to be read everywhere. */
export const hostile: readonly (readonly [name: string, content: () => Content, ...words: readonly string[]])[] = [
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
