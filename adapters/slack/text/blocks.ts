import type { Segment } from '../../../core/event.ts'
import { parseInline } from '../../../core/text/text.ts'
import { list, type Native, part, str } from '../native.ts'
import { fromMrkdwn } from './mrkdwn.ts'
import { fromRichText, plainOf, stacked } from './rich.ts'
import { joined, linkOf, type Names, textOf, titled } from './words.ts'

/** A text object: `mrkdwn` or `plain_text`. */
function textObject(object: Native, names: Names): Segment[] {
  const text = str(object, 'text')
  return object['type'] === 'mrkdwn' ? fromMrkdwn(text, names) : textOf(text)
}

function image(block: Native): Segment[] {
  const title = str(part(block, 'title'), 'text') || str(block, 'alt_text')
  const url = str(block, 'image_url')
  return url === '' ? titled('image', title) : linkOf(url, title === '' ? '[image]' : `[image: ${title}]`)
}

/** What can be pressed, chosen or typed: only its words can be shown elsewhere. */
function control(element: Native): string {
  const words = str(part(element, 'text'), 'text') || str(part(element, 'placeholder'), 'text')
  const options = list(element, 'options').map(option => str(part(option, 'text'), 'text'))
  return options.length > 0 ? options.join(' · ') : words
}

function controls(elements: readonly Native[]): Segment[] {
  const words = elements.map(control).filter(each => each !== '')
  return words.length === 0 ? [] : textOf(`[${words.join(' | ')}]`)
}

function contextOf(block: Native, names: Names): Segment[] {
  const parts = list(block, 'elements').map(element =>
    element['type'] === 'image' ? titled('image', str(element, 'alt_text')) : textObject(element, names),
  )
  return parts.flatMap((each, at) => (at === 0 || each.length === 0 ? each : [...textOf(' '), ...each]))
}

function sectionOf(block: Native, names: Names): Segment[] {
  const fields = list(block, 'fields').map(field => textObject(field, names))
  const accessory = part(block, 'accessory')
  const beside = accessory['type'] === 'image' ? image(accessory) : controls([accessory])
  return stacked([textObject(part(block, 'text'), names), ...fields, beside])
}

/** Columns below each other, so that the table is read where there are none. */
function table(block: Native, names: Names): Segment[] {
  const { rows: lines } = block
  const cell = (each: Native): string => {
    const words = each['type'] === 'rich_text' ? plainOf(fromRichText(each, names)) : str(each, 'text')
    return words.replace(/\s+/g, ' ').trim()
  }
  const rows = (Array.isArray(lines) ? lines : [])
    .filter((row: unknown) => Array.isArray(row))
    .map(row => list({ row }, 'row').map(cell))
  const widths: number[] = []
  for (const row of rows) for (const [at, words] of row.entries()) widths[at] = Math.max(widths[at] ?? 0, words.length)
  const text = rows
    .map(row => row.map((words, at) => (at === row.length - 1 ? words : words.padEnd(widths[at] ?? 0))).join('  '))
    .join('\n')
  return text === '' ? [] : [{ kind: 'code', text, block: true }]
}

/** Every text that a block of a kind we don't know has on its surface. */
function unknown(block: Native, names: Names): Segment[] {
  const title = part(block, 'title')
  const parts = [
    title['text'] === undefined ? textOf(str(block, 'title')) : textObject(title, names),
    typeof block['text'] === 'string' ? textOf(block['text']) : textObject(part(block, 'text'), names),
    block['elements'] === undefined ? [] : contextOf(block, names),
  ]
  const found = stacked(parts)
  return found.length > 0 ? found : titled(str(block, 'type') || 'block', '')
}

function fromBlock(block: Native, names: Names): Segment[] {
  switch (block['type']) {
    case 'rich_text':
      return fromRichText(block, names)
    case 'section':
      return sectionOf(block, names)
    case 'header':
      return textOf(str(part(block, 'text'), 'text'), ['bold'])
    case 'context':
      return contextOf(block, names)
    case 'markdown':
      return parseInline(str(block, 'text'))
    case 'divider':
      return textOf('—')
    case 'image':
      return image(block)
    case 'actions':
    case 'context_actions':
      return controls(list(block, 'elements'))
    case 'input':
      return stacked([textObject(part(block, 'label'), names), controls([part(block, 'element')])])
    case 'video':
      return linkOf(str(block, 'title_url') || str(block, 'video_url'), `[video: ${str(part(block, 'title'), 'text')}]`)
    case 'table':
      return table(block, names)
    case 'file':
      return titled('file', str(block, 'external_id'))
    case 'call':
      return titled('call', '')
    default:
      return unknown(block, names)
  }
}

/** Blocks of Block Kit as segments; none when nothing is shown. */
export const fromBlocks = (blocks: readonly Native[], names: Names): Segment[] =>
  joined(stacked(blocks.map(block => fromBlock(block, names))))
