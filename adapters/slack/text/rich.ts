import type { Mark, Segment } from '../../../core/event.ts'
import { isBlock } from '../../../core/text/text.ts'
import { flag, list, type Native, num, part, str } from '../native.ts'
import { emojiText } from './emoji.ts'
import { crowd, linkOf, mentionOf, type Names, textOf, trimmedEnd } from './words.ts'

const styles: readonly [string, Mark][] = [
  ['bold', 'bold'],
  ['italic', 'italic'],
  ['strike', 'strike'],
  ['underline', 'underline'],
]

const marksOf = (style: Native): Mark[] => styles.filter(([name]) => flag(style, name)).map(([, mark]) => mark)

/** `1f44d-1f3fd` as an emoji. */
function fromUnicode(points: string): string {
  const numbers = points.split('-').map(point => Number.parseInt(point, 16))
  return numbers.length > 0 && numbers.every(each => each > 0 && each <= 0x10ffff)
    ? String.fromCodePoint(...numbers)
    : ''
}

function emojiOf(element: Native): Segment {
  const skin = num(element, 'skin_tone')
  const name = str(element, 'name') + (skin === undefined ? '' : `::skin-tone-${skin}`)
  const text = emojiText(name) ?? fromUnicode(str(element, 'unicode'))
  return { kind: 'emoji', name, text }
}

function inline(element: Native, names: Names): Segment[] {
  const style = part(element, 'style')
  const marks = marksOf(style)
  const text = str(element, 'text')
  switch (element['type']) {
    case 'text':
      return flag(style, 'code') ? (text === '' ? [] : [{ kind: 'code', text, block: false }]) : textOf(text, marks)
    case 'link':
      return linkOf(str(element, 'url'), text, marks)
    case 'user':
      return [mentionOf(str(element, 'user_id'), names)]
    case 'usergroup':
      return [crowd(str(element, 'usergroup_id') || 'group')]
    case 'broadcast':
      return [crowd(str(element, 'range') || 'channel')]
    case 'channel':
      return textOf(`#${names.channel(str(element, 'channel_id'))}`, marks)
    case 'emoji':
      return [emojiOf(element)]
    case 'date':
      return textOf(str(element, 'fallback'), marks)
    case 'color':
      return textOf(str(element, 'value'), marks)
    default:
      return textOf(text || str(element, 'fallback') || str(element, 'value'), marks)
  }
}

export const plainOf = (segments: readonly Segment[]): string =>
  segments
    .map(each => {
      if (each.kind === 'mention') return `@${each.name}`
      if (each.kind === 'emoji') return each.text || `:${each.name}:`
      return each.kind === 'link' && each.text === undefined ? each.url : (each.text ?? '')
    })
    .join('')

const elementsOf = (of: Native, names: Names): Segment[] =>
  list(of, 'elements').flatMap(element => inline(element, names))

/** A point before each item, indented as deep as it stands. */
function listOf(block: Native, names: Names): Segment[] {
  const indent = '  '.repeat(Math.min(8, num(block, 'indent') ?? 0))
  const first = (num(block, 'offset') ?? 0) + 1
  const items = list(block, 'elements').map((item, at) => {
    const sign = str(block, 'style') === 'ordered' ? `${first + at}. ` : '• '
    return [...textOf(indent + sign), ...elementsOf(item, names)]
  })
  return items.flatMap((item, at) => (at === 0 ? item : [...textOf('\n'), ...item]))
}

/** What stands on lines of its own. */
function section(element: Native, names: Names): Segment[] {
  switch (element['type']) {
    case 'rich_text_list':
      return listOf(element, names)
    case 'rich_text_preformatted': {
      const text = plainOf(elementsOf(element, names))
      const language = str(element, 'language')
      return text === '' ? [] : [{ kind: 'code', text, block: true, ...(language === '' ? {} : { language }) }]
    }
    case 'rich_text_quote': {
      const text = plainOf(elementsOf(element, names)).replace(/\n$/, '')
      return text === '' ? [] : [{ kind: 'quote', text }]
    }
    default:
      return elementsOf(element, names)
  }
}

/** Parts below each other: a line break between two of them unless one stands on lines of its own anyway. */
export function stacked(parts: readonly (readonly Segment[])[]): Segment[] {
  const out: Segment[] = []
  for (const each of parts) {
    const [first] = each
    const last = out.at(-1)
    const apart = !first || !last || isBlock(last) || isBlock(first) || endsLine(last)
    out.push(...(apart ? [] : textOf('\n')), ...each)
  }
  return out
}

const endsLine = (segment: Segment): boolean => segment.kind === 'text' && segment.text.endsWith('\n')

/** A `rich_text` block, as people's messages carry it. */
export const fromRichText = (block: Native, names: Names): Segment[] => {
  const sections = list(block, 'elements')
  return stacked(
    sections.map((element, at) => {
      const segments = section(element, names)
      // Slack ends a section that something follows with a line break.
      return at < sections.length - 1 ? trimmedEnd(segments) : segments
    }),
  )
}
