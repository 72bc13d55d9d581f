import type { Segment } from '../../../core/event.ts'
import { takeBytes } from '../../../core/text/cut.ts'
import { escapeInline } from '../../../core/text/text.ts'

/** UTF-8 bytes of one line: fits beside what every network adds. */
const lineBytes = 380

const bytesOf = (segment: Segment): number =>
  Buffer.byteLength(
    segment.kind === 'link'
      ? `${segment.text ?? ''} (${segment.url})`
      : 'text' in segment
        ? (segment.text ?? '')
        : segment.name,
  )

/**
 * An answer as lines, for places where a line is a message: each stands for itself, whatever is shown with it. Blocks of
 * code and tables become lines of code.
 */
export function linesOf(segments: readonly Segment[]): Segment[][] {
  const lines: Segment[][] = [[]]
  const add = (segment: Segment): void => void (lines.at(-1) as Segment[]).push(segment)
  for (const segment of segments) {
    const block = segment.kind === 'quote' || (segment.kind === 'code' && segment.block)
    if (block && (lines.at(-1) as Segment[]).length > 0) lines.push([])
    const [first, ...rest] = linesIn(segment)
    if (first) add(first)
    for (const piece of rest) lines.push([piece])
    if (block) lines.push([])
  }
  return lines.filter(line => line.some(isShown)).flatMap(cut)
}

const isShown = (segment: Segment): boolean =>
  !('text' in segment) || segment.text?.trim() !== '' || segment.kind === 'link'

function linesIn(segment: Segment): Segment[] {
  if (segment.kind !== 'text' && segment.kind !== 'code' && segment.kind !== 'quote') return [segment]
  const pieces = segment.text.replace(/\n$/, segment.kind === 'text' ? '\n' : '').split('\n')
  if (segment.kind === 'code') return pieces.map(text => ({ kind: 'code', block: false, text }))
  if (segment.kind === 'quote') return pieces.map(text => ({ kind: 'text', text: `> ${text}` }))
  return pieces.map(text => ({ ...segment, text }))
}

function cut(line: readonly Segment[]): Segment[][] {
  const lines: Segment[][] = [[]]
  let room = lineBytes
  const queue = [...line].reverse()
  for (let segment = queue.pop(); segment; segment = queue.pop()) {
    const last = lines.at(-1) as Segment[]
    if (bytesOf(segment) <= room) {
      last.push(segment)
      room -= bytesOf(segment)
    } else if ((segment.kind === 'text' || segment.kind === 'code') && room > lineBytes / 4) {
      const [head, rest] = takeBytes(segment.text, room)
      last.push({ ...segment, text: head })
      lines.push([])
      room = lineBytes
      if (rest !== '') queue.push({ ...segment, text: rest })
    } else if (last.length === 0) {
      last.push(segment)
      room = 0
    } else {
      lines.push([])
      room = lineBytes
      queue.push(segment)
    }
  }
  return lines.filter(each => each.some(isShown))
}

const stars = { bold: '**', italic: '*' } as const

/** A line as Markdown-lite, the way `!more` keeps what was not said yet. */
export function liteOf(line: readonly Segment[]): string {
  return line.map(lite).join('')
}

function lite(segment: Segment): string {
  switch (segment.kind) {
    case 'text': {
      const marks = (segment.marks ?? []).flatMap(mark => (mark === 'bold' || mark === 'italic' ? [stars[mark]] : []))
      const [, before = '', words = '', after = ''] = /^(\s*)([^]*?)(\s*)$/.exec(segment.text) ?? []
      return words === ''
        ? segment.text
        : `${before}${marks.join('')}${escapeInline(words)}${marks.toReversed().join('')}${after}`
    }
    case 'code':
      return codeLite(segment.text)
    case 'link':
      return segment.text === undefined ? segment.url : `[${segment.text.replaceAll(']', ')')}](${segment.url})`
    case 'mention':
      return escapeInline(segment.name)
    case 'emoji':
      return segment.text
    case 'quote':
      return escapeInline(`> ${segment.text}`)
  }
}

/** Between more back-ticks than it holds itself. */
function codeLite(text: string): string {
  const longest = Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length))
  const fence = '`'.repeat(longest + 1)
  return text.trim() === '' ? text : longest > 0 ? `${fence} ${text} ${fence}` : `${fence}${text}${fence}`
}
