import type { Mark, Segment } from '../../../core/event.ts'
import { withoutEnd } from '../../../core/text/markup.ts'
import { plainSegment } from '../../../core/text/text.ts'

/** Formatting bytes (modern.ircdocs.horse/formatting). Toggles, not pairs. */
const codes: Readonly<Record<Exclude<Mark, 'spoiler'>, string>> = {
  bold: '\x02',
  italic: '\x1d',
  underline: '\x1f',
  strike: '\x1e',
  mono: '\x11',
}
const marksByCode = new Map(Object.entries(codes).map(([mark, code]) => [code, mark as Mark]))
const anyCode =
  /\x03(?:(\d{1,2})(?:,(\d{1,2}))?)?|\x04(?:[0-9a-fA-F]{6}(?:,[0-9a-fA-F]{6})?)?|[\x02\x0f\x11\x16\x1d\x1e\x1f]/g
const link = /\bhttps?:\/\/[^\s\x00-\x1f<>"]+/g
const reset = '\x0f'
/** Every C0 control but newline and tab, and DEL: none may come from text into a line. */
const controls = /[\x00-\x08\x0b-\x1f\x7f]/g

type Text = Extract<Segment, { kind: 'text' }>

const textSegment = (text: string, marks: ReadonlySet<Mark>): Text =>
  marks.size === 0 ? { kind: 'text', text } : { kind: 'text', text, marks: [...marks] }

/** A link ends before the punctuation of the sentence it stands in. */
const trimLink = (url: string): string => {
  const bare = withoutEnd(url, ".,;:!?'*_")
  return bare.endsWith(')') && !bare.includes('(') ? bare.slice(0, -1) : bare
}

function pushText(into: Segment[], text: string, marks: ReadonlySet<Mark>): void {
  const plain = text.replace(controls, '')
  let at = 0
  if (plain.includes('://')) {
    for (const found of plain.matchAll(link)) {
      const url = trimLink(found[0])
      if (found.index > at) into.push(textSegment(plain.slice(at, found.index), marks))
      into.push({ kind: 'link', url })
      at = found.index + url.length
    }
  }
  if (at < plain.length) into.push(textSegment(plain.slice(at), marks))
}

function toggle(marks: Set<Mark>, found: RegExpMatchArray): void {
  const code = found[0]
  const mark = marksByCode.get(code)
  if (code === reset) marks.clear()
  else if (mark !== undefined) {
    if (!marks.delete(mark)) marks.add(mark)
  } else if (code.startsWith('\x03')) {
    // Text in the colour of its ground is how people hide spoilers; other colours carry no meaning elsewhere.
    if (found[1] !== undefined && Number(found[1]) === Number(found[2])) marks.add('spoiler')
    else marks.delete('spoiler')
  }
}

/** Text of a line, with IRC's formatting bytes, as segments. Control bytes never survive. */
export function parseFormat(line: string): Segment[] {
  const segments: Segment[] = []
  if (!/[\x00-\x1f\x7f]/.test(line)) {
    pushText(segments, line, new Set())
    return segments
  }
  const marks = new Set<Mark>()
  let at = 0
  for (const found of line.matchAll(anyCode)) {
    if (found.index > at) pushText(segments, line.slice(at, found.index), marks)
    toggle(marks, found)
    at = found.index + found[0].length
  }
  if (at < line.length) pushText(segments, line.slice(at), marks)
  return segments
}

/**
 * Plain text that can't carry a control byte; tabs become spaces. Everything that some program takes for the end of a
 * line becomes a newline, so that each line gets its sender's name.
 */
export const cleanText = (text: string): string =>
  /[\x00-\x1f\x7f\u0085\u2028\u2029]/.test(text)
    ? text
        // Else two halves of characters become a whole one when what stands between is taken out.
        .toWellFormed()
        .replace(/\r\n?|[\x0b\x0c\u0085\u2028\u2029]/g, '\n')
        .replaceAll('\t', '  ')
        .replace(controls, '')
    : text

function marked(text: string, marks: readonly Mark[]): string {
  const clean = cleanText(text)
  if (marks.length === 0 || clean === '') return clean
  // Formatting ends with the line, so that each line opens and closes its own.
  return clean
    .split('\n')
    .map(line => (line === '' ? '' : wrap(line, marks)))
    .join('\n')
}

function wrap(line: string, marks: readonly Mark[]): string {
  const toggles = marks.map(mark => (mark === 'spoiler' ? '' : codes[mark])).join('')
  const wrapped = `${toggles}${line}${toggles}`
  // Ended by a reset: digits behind the code for no colour would be a colour.
  return marks.includes('spoiler') ? `\x0301,01${wrapped}${reset}` : wrapped
}

const quoted = (text: string, author: string | undefined): string => {
  const lines = cleanText(text).split('\n')
  const by = author === undefined ? '' : `${oneLine(author)}: `
  return `${lines.map((line, index) => `> ${index === 0 ? by : ''}${line}`).join('\n')}\n`
}

/** Text that must stay on one line: a name, an address. */
export const oneLine = (text: string): string => text.replace(/[\x00-\x1f\x7f\u0085\u2028\u2029]+/g, ' ').trim()

function linkText(url: string, text: string | undefined): string {
  const address = cleanText(url).replace(/\s/g, '%20')
  return text === undefined || text === url ? address : `${oneLine(text)} (${address})`
}

function code(text: string, block: boolean): string {
  if (!block) return marked(text, ['mono'])
  return `\n${marked(text.replace(/\n$/, ''), ['mono'])}\n`
}

function render(segment: Segment): string {
  switch (segment.kind) {
    case 'text':
      return marked(segment.text, segment.marks ?? [])
    case 'link':
      return linkText(segment.url, segment.text)
    case 'mention':
      return oneLine(segment.name)
    case 'emoji':
      return oneLine(plainSegment(segment))
    case 'code':
      return code(segment.text, segment.block)
    case 'quote':
      return quoted(segment.text, segment.author)
  }
}

/** Segments as IRC text: formatting bytes and newlines are the only control bytes in it. */
export const formatSegments = (segments: readonly Segment[]): string =>
  withoutEnd(segments.map(render).join(''), '\n').replace(/^\n+/, '')

/** The same without any formatting, where the meaning must survive on its own. */
export const stripFormat = (line: string): string => line.replace(anyCode, '')

const marks = /\x03(?:\d{1,2}(?:,\d{1,2})?)?|\x04(?:[\da-f]{6}(?:,[\da-f]{6})?)?|[\x02\x0f\x11\x16\x1d-\x1f]/gi

export const isFormatted = (line: string): boolean => line.search(marks) !== -1
export const withoutFormat = (line: string): string => line.replace(marks, '')
