import type { Mark, Segment } from '../../../core/event.ts'
import { clean, isBlock, plainSegment } from '../../../core/text/text.ts'
import { escapeText } from './escape.ts'

/** What rendering needs to know of the place: emoji of the server by name, as Discord writes them. */
export interface Look {
  emoji(name: string): string | null
}

export const plainLook: Look = { emoji: () => null }

const delimiters: Readonly<Record<Exclude<Mark, 'mono'>, string>> = {
  spoiler: '||',
  strike: '~~',
  underline: '__',
  bold: '**',
  italic: '*',
}
const order = ['spoiler', 'strike', 'underline', 'bold', 'italic'] as const
/** Keeps two signs apart that would be read as one. */
const apart = '\u200b'

/** Segments as Discord's Markdown. Nothing that stands in them means anything but itself. */
export function render(segments: readonly Segment[], look: Look = plainLook): string {
  let out = ''
  let afterBlock = false
  for (const segment of segments) {
    const block = isBlock(segment)
    const shown = renderSegment(segment, look, out === '' || out.endsWith('\n') || afterBlock || block)
    if (shown === '') continue
    if ((block || afterBlock) && out !== '' && !out.endsWith('\n') && !shown.startsWith('\n')) out += '\n'
    out += join(out, shown)
    afterBlock = block
  }
  return out
}

/** Where one piece ends and the next begins with the same sign, something stands between them. */
function join(before: string, shown: string): string {
  const first = shown[0] ?? ''
  const needs = '*_~|`'.includes(first) && before.endsWith(first) && !before.endsWith(`\\${first}`)
  return needs ? apart + shown : shown
}

function renderSegment(segment: Segment, look: Look, startsLine: boolean): string {
  switch (segment.kind) {
    case 'text':
      return marked(clean(segment.text), segment.marks ?? [], startsLine)
    case 'code':
      return segment.block ? fence(clean(segment.text), segment.language) : inlineCode(clean(segment.text))
    case 'link':
      return link(segment.url, segment.text)
    case 'mention':
      return segment.id !== null && /^\d{17,20}$/.test(segment.id)
        ? `<@${segment.id}>`
        : escapeText(clean(plainSegment(segment)), startsLine)
    case 'emoji':
      return look.emoji(segment.name) ?? escapeText(clean(plainSegment(segment)), startsLine)
    case 'quote':
      return quote(segment.author === undefined ? segment.text : `${segment.author}: ${segment.text}`)
  }
}

/** Marks end with their line: what makes a list or a quote stands outside of them. */
function marked(text: string, marks: readonly Mark[], startsLine: boolean): string {
  if (marks.length === 0 || text.trim() === '') return escapeText(text, startsLine)
  return text
    .split('\n')
    .map((line, at) => markedLine(line, marks, startsLine || at > 0))
    .join('\n')
}

function markedLine(line: string, marks: readonly Mark[], startsLine: boolean): string {
  const inner = line.trim()
  if (inner === '') return line
  const from = line.indexOf(inner)
  const signs = order.filter(mark => marks.includes(mark)).map(mark => delimiters[mark])
  const said = marks.includes('mono') ? inlineCode(inner) : escapeText(inner, startsLine && signs.length === 0)
  return `${line.slice(0, from)}${signs.join('')}${said}${signs.reverse().join('')}${line.slice(from + inner.length)}`
}

const longestRun = (text: string): number => Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length))

function inlineCode(text: string): string {
  if (text.trim() === '') return text
  const ticks = '`'.repeat(longestRun(text) + 1)
  const pad = text.startsWith('`') || text.endsWith('`') ? ' ' : ''
  return `${ticks}${pad}${text}${pad}${ticks}`
}

/** Three back-ticks end a block wherever they stand: inside they are held apart. */
function fence(text: string, language: string | undefined): string {
  const inner = text.replaceAll('```', `\`${apart}\`${apart}\``)
  const shown = inner.endsWith('`') ? `${inner}\n` : inner
  return `\`\`\`${/^[A-Za-z0-9_+\-.#]{1,30}$/.test(language ?? '') ? language : ''}\n${shown}\n\`\`\``
}

const quote = (text: string): string =>
  clean(text)
    .split('\n')
    .map(line => `> ${escapeText(line, true)}`)
    .join('\n')

/** A link shows where it leads, whatever it is called. */
function link(url: string, text: string | undefined): string {
  const address = clean(url).replace(/[\s<>]/g, encodeURIComponent)
  const bare = /^https?:\/\//i.test(address) ? address : escapeText(address)
  return text === undefined || text === url ? bare : `${escapeText(clean(text), false)} (${bare})`
}
