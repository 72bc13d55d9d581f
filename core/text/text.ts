/**
 * Pure functions over text and segments. Every one is linear in its input, whatever the input is: what people and
 * models write goes through here. Scanners instead of regular expressions wherever one could backtrack.
 */
import type { Attachment, Content, Segment } from '../event.ts'
import { graphemesOf } from './graphemes.ts'
import { parseLine, pushText } from './markup.ts'

// ---- fallback text ------------------------------------------------------------------------------------------------

/**
 * What a content says where nothing but text can be shown. Links show their real target, quotes begin with `> `,
 * blocks stand on lines of their own, each attachment is a line `name URL`, or `[name]` where it has no address. Not
 * escaped for any wire.
 */
export function plain({ segments, attachments = [] }: Content): string {
  let out = inLines(segments, plainSegment)
  for (const attachment of attachments) out += `${out === '' ? '' : '\n'}${plainAttachment(attachment)}`
  return out
}

/** Segments one behind the other, as `show` writes each: blocks stand on lines of their own, what shows nothing is left out. */
export function inLines(segments: readonly Segment[], show: (segment: Segment) => string): string {
  let out = ''
  let afterBlock = false
  for (const segment of segments) {
    const block = isBlock(segment)
    const shown = show(segment)
    if (shown === '') continue
    if ((block || afterBlock) && out !== '' && !out.endsWith('\n') && !shown.startsWith('\n')) out += '\n'
    out += shown
    afterBlock = block
  }
  return out
}

/** What stands on lines of its own. */
export const isBlock = (segment: Segment): boolean =>
  segment.kind === 'quote' || (segment.kind === 'code' && segment.block)

/** How an action's words are shown where there is no other sign for one. */
export const inItalics = (segment: Segment): Segment =>
  segment.kind === 'text' ? { ...segment, marks: [...new Set([...(segment.marks ?? []), 'italic' as const])] } : segment

function plainAttachment({ name, url, caption }: Attachment): string {
  const file = url === undefined ? `[${name || 'a file'}]` : name === '' || name === url ? url : `${name} ${url}`
  return caption === undefined ? file : `${file} ${caption}`
}

/** The fallback text of one segment. */
export function plainSegment(segment: Segment): string {
  switch (segment.kind) {
    case 'text':
    case 'code':
      return segment.text
    case 'link':
      return segment.text === undefined || segment.text === segment.url
        ? segment.url
        : `${segment.text} (${segment.url})`
    case 'mention':
      return segment.name.startsWith('@') ? segment.name : `@${segment.name}`
    case 'emoji':
      return segment.text === '' ? `:${segment.name}:` : segment.text
    case 'quote':
      return quoted(segment.author === undefined ? segment.text : `${segment.author}: ${segment.text}`)
  }
}

const quoted = (text: string): string =>
  text
    .split('\n')
    .map(line => `> ${line}`)
    .join('\n')

// ---- Markdown-lite ------------------------------------------------------------------------------------------------

/**
 * Reads what a bot writes: `**bold**`, `*italic*`, `***both***`, `` `code` ``, fenced blocks, `[text](https://…)` and
 * bare http(s) addresses. A backslash takes the meaning from `* [ ] \` and the back-tick. Marks end with their line; a
 * mark that is never closed is text. Text of people or models goes in through `escapeInline`, or as a segment.
 */
export function parseInline(markdown: string): Segment[] {
  const out: Segment[] = []
  const lines = markdown.split('\n')
  for (let at = 0; at < lines.length; at++) {
    const fence = fenceAt(lines, at)
    if (fence !== null) {
      out.push(fence.segment)
      at = fence.last
      continue
    }
    parseLine(lines[at] ?? '', out)
    // A fence stands on lines of its own already.
    if (at < lines.length - 1 && !isFence(lines[at + 1] ?? '')) pushText(out, '\n', [])
  }
  return out
}

/** The same text with nothing in it that `parseInline` would take for markup (bare addresses stay links). */
export const escapeInline = (text: string): string => text.replace(/[\\*`[\]]/g, '\\$&')

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Text that is nothing but text in HTML, inside an element or a quoted attribute. */
export const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, char => entities[char] ?? char)

const isFence = (line: string): boolean => line.startsWith('```') && !line.includes('`', 3)

function fenceAt(lines: readonly string[], first: number): { segment: Segment; last: number } | null {
  const opening = lines[first] ?? ''
  if (!isFence(opening)) return null
  const language = opening.slice(3).trim()
  let last = first + 1
  while (last < lines.length && lines[last]?.trimEnd() !== '```') last++
  // A fence that is never closed takes the rest: a model's answer that was cut short stays code.
  const text = lines.slice(first + 1, last).join('\n')
  return { segment: { kind: 'code', text, block: true, ...(language === '' ? {} : { language }) }, last }
}

// ---- cutting ------------------------------------------------------------------------------------------------------

/** At most `max` graphemes; what was cut off shows as `mark`. */
export function truncate(text: string, max: number, mark = '…'): string {
  if (text.length <= max) return text
  let count = 0
  let end = 0
  for (const { index } of graphemesOf(text)) {
    if (count === max - 1) end = index
    if (count++ === max) return text.slice(0, end) + mark
  }
  return text
}

const controls = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g

/** Without what no wire takes: control characters but newline and tab, single surrogates; one kind of line break. */
export const clean = (text: string): string => text.toWellFormed().replace(/\r\n?/g, '\n').replace(controls, '')

// ---- comparing and showing names ----------------------------------------------------------------------------------

/** Scripts in which a joiner, or its opposite, between two letters changes what is read: Persian, and those of India. */
const joining =
  '[\\p{scx=Arab}\\p{scx=Deva}\\p{scx=Beng}\\p{scx=Guru}\\p{scx=Gujr}\\p{scx=Orya}\\p{scx=Taml}\\p{scx=Telu}\\p{scx=Knda}\\p{scx=Mlym}\\p{scx=Sinh}]'
const emoji = '[\\p{Extended_Pictographic}\\p{EMod}\\ufe0f]'
/** What is part of what is seen, where it stands: inside an emoji, or between letters of such scripts. */
const seen = [
  `(?<=${emoji})\\u200d(?=\\p{Extended_Pictographic})`,
  '(?<=\\p{Extended_Pictographic})\\ufe0f',
  '(?<=[0-9#*])\\ufe0f(?=\\u20e3)',
  `(?<=${joining})[\\u200c\\u200d](?=${joining})`,
].join('|')
const hidden = '[\\p{Cc}\\p{Cf}\\p{DI}\\u2028\\u2029\\u2800]'
/** Characters that show nothing themselves: controls, bidirectional controls, zero-width ones, fillers, tags. */
const invisible = new RegExp(`(?!${seen})${hidden}`, 'gu')
const anyHidden = new RegExp(hidden, 'gu')

/** A word that is the same however it is normalised: most names and nicks. */
export const plainWord = /^[!-~]*$/

/** Without what can't be seen; tabs, line breaks and every kind of space become one space; trimmed. */
export const visible = (text: string): string =>
  plainWord.test(text)
    ? text
    : text
        .toWellFormed()
        .replace(/[\t\n\v\f\r\u0085\u2028\u2029]/g, ' ')
        .replace(invisible, '')
        .replace(/[\p{Zs}]+/gu, ' ')
        .trim()

/** For comparing only, never for showing: visible, compatibility-normalised, lower case. */
export const fold = (text: string): string =>
  plainWord.test(text)
    ? text.toLowerCase()
    : visible(visible(text).replace(anyHidden, '').normalize('NFKC').toLowerCase())

/** Without stacks of combining marks. */
export const unstacked = (text: string): string => text.replace(/(\p{M}{3})\p{M}+/gu, '$1')

/**
 * A person's name as it may be shown before what they said: one line, visible, at most `max` graphemes, no stacks of
 * combining marks, and no `<` or `>` with which a name could pretend to be somebody else's line.
 */
export function safeName(name: string, max = 32): string {
  const shown = unstacked(visible(name)).replaceAll('<', '‹').replaceAll('>', '›')
  return shown === '' ? 'nameless' : truncate(shown, max)
}

/** A file's name that is one, and no path. */
export const fileName = (name: string): string =>
  clean(name)
    .replace(/[\n\t/\\]/g, '_')
    .slice(-200) || 'file'

// ---- figures ------------------------------------------------------------------------------------------------------

export const dayMs = 86_400_000

const unitsMs = { w: 7 * dayMs, d: dayMs, h: 3_600_000, m: 60_000, s: 1000, ms: 1 } as const

/** `2h`, `3d`, `45s`, `120ms`; with `parts` 2: `2h 5m`. Rounded down. */
export function duration(durationMs: number, parts = 1): string {
  const shown: string[] = []
  let restMs = Math.max(0, Math.floor(durationMs))
  for (const [unit, sizeMs] of Object.entries(unitsMs)) {
    if (unit === 'w' || restMs < sizeMs) continue
    if (unit === 'ms' && shown.length > 0) break
    shown.push(`${Math.floor(restMs / sizeMs)}${unit}`)
    restMs %= sizeMs
    if (shown.length === parts) break
  }
  return shown.length === 0 ? '0s' : shown.join(' ')
}

/** Milliseconds of `90s`, `2h`, `1d12h`, `2h 5m`, `500ms`, `1w`; null when it is none. */
export function parseDuration(written: string): number | null {
  const compact = written.replaceAll(' ', '').toLowerCase()
  if (compact === '' || compact.length > 40) return null
  let totalMs = 0
  let end = 0
  for (const match of compact.matchAll(/(\d{1,12})(ms|[wdhms])/g)) {
    if (match.index !== end) return null
    end = match.index + match[0].length
    totalMs += Number(match[1]) * unitsMs[match[2] as keyof typeof unitsMs]
  }
  return end === compact.length ? totalMs : null
}

/** `999 B`, `1.2 kB`, `34 MB`: powers of 1000. */
export function size(sizeBytes: number): string {
  let value = Math.max(0, sizeBytes)
  let unit = 0
  while (unit < 4 && value >= (unit === 0 ? 1000 : 999.5)) {
    value /= 1000
    unit++
  }
  const digits = unit > 0 && value < 9.95 ? 1 : 0
  return `${value.toFixed(digits)} ${['B', 'kB', 'MB', 'GB', 'TB'][unit]}`
}

/** `1,234,567`. */
export const count = (value: number): string => Math.round(value).toLocaleString('en-US')

/** `1 agent`, `2,000 agents`. */
export const counted = (number: number, one: string, many = `${one}s`): string =>
  `${count(number)} ${number === 1 ? one : many}`

/** `a, b, c and 4 more`: all of few, the first of many. */
export const some = (names: readonly string[], most = 20): string =>
  names.length <= most ? names.join(', ') : `${names.slice(0, most).join(', ')} and ${names.length - most} more`

/** `2026-04-01 13:05:09 UTC`. */
export const time = (atMs: number): string => `${new Date(atMs).toISOString().slice(0, 19).replace('T', ' ')} UTC`

/** How long ago: `now`, `45s ago`, `3d ago`. */
export const ago = (atMs: number, nowMs: number): string =>
  nowMs - atMs < 1000 ? 'now' : `${duration(nowMs - atMs)} ago`
