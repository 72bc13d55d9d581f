/** Of what is sent to break what is shown elsewhere nothing is lost, calls anybody or breaks out. */
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { parseMarkdown } from '../../adapters/discord/text/read.ts'
import { plainLook, render as toMarkdown } from '../../adapters/discord/text/render.ts'
import { lengthOf, splitSegments as splitMarkdown } from '../../adapters/discord/text/split.ts'
import { formatSegments, parseFormat } from '../../adapters/irc/text/format.ts'
import { splitLine } from '../../adapters/irc/text/split.ts'
import { parseBody } from '../../adapters/matrix/text/body.ts'
import { render as toHtml } from '../../adapters/matrix/text/render.ts'
import { fromBlocks } from '../../adapters/slack/text/blocks.ts'
import { toMrkdwn, toRichText } from '../../adapters/slack/text/render.ts'
import { split as splitBlocks } from '../../adapters/slack/text/split.ts'
import { segmentsOf } from '../../adapters/telegram/in/entities.ts'
import { richOf } from '../../adapters/telegram/out/rich.ts'
import { split as splitEntities } from '../../adapters/telegram/out/split.ts'
import type { Content, Segment } from '../../core/event.ts'
import { withoutMassMentions } from '../../core/text/mass-mentions.ts'
import { plain } from '../../core/text/text.ts'
import { hostile } from './hostile.ts'

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

for (const [name, content, ...words] of hostile) {
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
