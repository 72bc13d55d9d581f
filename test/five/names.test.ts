/** Names of people and of files that try to call somebody, to break out of their place, or to look like another's line. */
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { compose as toDiscord, webhookName } from '../../adapters/discord/out/compose.ts'
import { plainLook } from '../../adapters/discord/text/render.ts'
import { compose as toIrc } from '../../adapters/irc/text/outbound.ts'
import { textsOf as toMatrix } from '../../adapters/matrix/outbound.ts'
import { faceOf as slackFace, postsOf as toSlack } from '../../adapters/slack/out/posts.ts'
import { textsOf as toTelegram } from '../../adapters/telegram/out/steps.ts'
import { fileName } from '../../bots/bridge/delivery/refused-files.ts'
import type { Draft } from '../../core/event.ts'
import { withoutMassMentions } from '../../core/text/mass-mentions.ts'
import { safeName } from '../../core/text/text.ts'

const hostile = [
  '@everyone',
  '@here',
  '@room',
  '@\u200beveryone',
  '＠everyone',
  '<!channel>',
  '<!subteam^S1|x>',
  '<@U12345678>',
  '<@&100000000000000001>',
  '<@100000000000000001>',
  '**bold**',
  '`code` ||spoiler||',
  '[x](https://evil.example)',
  '<b>x</b><script>alert(1)</script>',
  '" onmouseover="x',
  'a\r\nPRIVMSG #other :hi',
  'a\u0001ACTION x\u0001',
  '\u0002\u000304red',
  '\u202egnp.exe',
  `z${'\u0301'.repeat(200)}`,
  'admin> hello\n<bob',
  '# heading',
  '> quote',
  '@durov',
  'x'.repeat(400),
  '👩‍👩‍👧‍👦'.repeat(40),
  '\ud83d',
  '   ',
  '',
]

/** A draft as the bridge makes one: whose words it is, and a file that can't be uploaded. */
function draftOf(name: string): Draft {
  const content = withoutMassMentions({
    segments: [{ kind: 'text', text: 'hi' }],
    attachments: [{ ref: 'r', name: fileName(name), caption: name }],
  })
  return { content, as: { name: safeName(name), relayed: true } }
}

const quietly = (text: string): string => text.replace(/https?:\/\/\S+/g, '')

for (const name of hostile) {
  it(JSON.stringify(name.slice(0, 40)), () => {
    const draft = draftOf(name)
    for (const { content, users } of toDiscord(draft, { look: plainLook, named: true })) {
      assert.deepEqual(users, [])
      assert.doesNotMatch(quietly(content), /@(everyone|here)\b|(?<!\\)<@[!&]?\d+>/, content)
      assert.ok(content.isWellFormed())
    }
    const hook = webhookName(name)
    assert.ok(hook.length >= 1 && Array.from(hook).length <= 80 && !/[@#:`]|discord|clyde|[\n\r]/i.test(hook), hook)
    for (const faces of [true, false]) {
      for (const { text, blocks } of toSlack(draft, { faces })) {
        assert.doesNotMatch(text, /<[!@#]/, text)
        assert.doesNotMatch(JSON.stringify(blocks), /"type":"(broadcast|user|usergroup|link)"/)
      }
      const face = slackFace(draft, { faces: true })
      assert.doesNotMatch(String(face['username']), /[\r\n<>]/)
    }
    for (const { text, entities } of toTelegram(draft)) {
      assert.doesNotMatch(text, /(?<![A-Za-z0-9_/])@[A-Za-z0-9_]{4,}/, text)
      for (const { type, offset, length } of entities) {
        assert.equal(type, 'bold')
        assert.ok(offset + length <= text.length)
      }
    }
    for (const content of toMatrix(draft)) {
      assert.deepEqual(content['m.mentions'], {})
      const html = JSON.stringify(content['formatted_body'] ?? '')
      assert.doesNotMatch(html, /<(?!\/?(?:strong|br|em)\b)/, html)
      assert.ok(JSON.stringify(content).isWellFormed())
    }
    const frame = { target: '#x', lineBytes: 400, tags: false, multiline: null, relayAs: null, face: 'us' }
    for (const part of toIrc(draft, { ...frame, instance: 'i', deliveryId: 'd' })) {
      for (const line of part.lines(null)) {
        assert.doesNotMatch(line, /[\r\n\0\u0001\u0007\u001b]/, JSON.stringify(line))
        assert.ok(Buffer.byteLength(line) <= 512, String(Buffer.byteLength(line)))
        assert.match(line, /^PRIVMSG #x :<[^>]+> /, line)
      }
    }
  })
}
