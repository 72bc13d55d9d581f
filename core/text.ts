/**
 * Pure functions over text and segments. Every one is linear in its input, whatever the input is: what people and
 * models write goes through here. Scanners instead of regular expressions wherever one could backtrack.
 */
import type { Attachment, Content, Mark, Segment } from './event.ts'

const graphemeSegmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' })

// ---- fallback text ------------------------------------------------------------------------------------------------

/**
 * What a content says where nothing but text can be shown. Links show their real target, quotes begin with `> `,
 * blocks stand on lines of their own, each attachment is a line `name URL`. Not escaped for any wire.
 */
export function plain(content: Content): string {
  let out = ''
  let afterBlock = false
  for (const segment of content.segments) {
    const block = isBlock(segment)
    const shown = plainSegment(segment)
    if (shown === '') continue
    if ((block || afterBlock) && out !== '' && !out.endsWith('\n') && !shown.startsWith('\n')) out += '\n'
    out += shown
    afterBlock = block
  }
  for (const attachment of content.attachments ?? []) out += `${out === '' ? '' : '\n'}${plainAttachment(attachment)}`
  return out
}

const isBlock = (segment: Segment): boolean => segment.kind === 'quote' || (segment.kind === 'code' && segment.block)

const plainAttachment = ({ name, url }: Attachment): string => (name === '' || name === url ? url : `${name} ${url}`)

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

type Token =
  | { readonly text: string }
  | { readonly segment: Segment }
  | { readonly mark: Mark; role: 'open' | 'close' | 'none' }

function parseLine(line: string, out: Segment[]): void {
  const tokens = new LineScanner(line).tokens()
  pairMarks(tokens)
  const active = new Set<Mark>()
  for (const token of tokens) {
    if ('text' in token) pushText(out, token.text, [...active])
    else if ('segment' in token) out.push(token.segment)
    else if (token.role === 'open') active.add(token.mark)
    else if (token.role === 'close') active.delete(token.mark)
  }
}

/** Leaves `open` and `close` only on marks that have a partner; the others become the stars they were written as. */
function pairMarks(tokens: Token[]): void {
  const opened = new Map<Mark, number>()
  for (const [at, token] of tokens.entries()) {
    if (!('mark' in token)) continue
    const { mark } = token
    if (token.role === 'close' && !opened.delete(mark)) tokens[at] = { text: stars(mark) }
    else if (token.role === 'open') opened.set(mark, at)
  }
  for (const [mark, at] of opened) tokens[at] = { text: stars(mark) }
}

const stars = (mark: Mark): string => (mark === 'bold' ? '**' : '*')

function pushText(out: Segment[], text: string, marks: readonly Mark[]): void {
  if (text === '') return
  const last = out.at(-1)
  if (last?.kind === 'text' && (last.marks ?? []).join() === marks.join()) {
    out[out.length - 1] = { ...last, text: last.text + text }
  } else out.push({ kind: 'text', text, ...(marks.length === 0 ? {} : { marks }) })
}

const isSpace = (char: string | undefined): boolean => char === undefined || /\s/.test(char)
const isWord = (char: string | undefined): boolean => char !== undefined && /[\p{L}\p{N}_]/u.test(char)

/** Cuts one line into tokens in one pass: what was looked for ahead and found (or not) is remembered. */
class LineScanner {
  readonly #line: string
  readonly #out: Token[] = []
  readonly #open = new Set<Mark>()
  readonly #lastTicks = new Map<number, number>()
  #literal = ''
  #bracket = -1
  #bracketOpener = -1

  constructor(line: string) {
    this.#line = line
    for (let at = 0; at < line.length; ) {
      const length = this.#run(at, '`')
      if (length > 0) this.#lastTicks.set(length, at)
      at += Math.max(1, length)
    }
  }

  tokens(): Token[] {
    for (let at = 0; at < this.#line.length; ) at = this.#step(at)
    this.#flush()
    return this.#out
  }

  #step(at: number): number {
    const char = this.#line[at] ?? ''
    if (char === '\\' && /[\\*`[\]]/.test(this.#line[at + 1] ?? '')) return this.#text(at + 1, at + 2)
    if (char === '`') return this.#code(at)
    if (char === '*') return this.#star(at)
    if (char === '[') return this.#link(at)
    if (char === 'h' && !isWord(this.#line[at - 1])) return this.#address(at)
    return this.#text(at, at + 1)
  }

  #text(from: number, to: number): number {
    this.#literal += this.#line.slice(from, to)
    return to
  }

  #flush(): void {
    if (this.#literal !== '') this.#out.push({ text: this.#literal })
    this.#literal = ''
  }

  #push(token: Token): void {
    this.#flush()
    this.#out.push(token)
  }

  #run(at: number, char: string): number {
    let end = at
    while (this.#line[end] === char) end++
    return end - at
  }

  #code(at: number): number {
    const length = this.#run(at, '`')
    const start = at + length
    // Without a later run of this length there is no end to look for.
    if ((this.#lastTicks.get(length) ?? -1) <= at) return this.#text(at, start)
    let end = start
    for (let run = 0; run !== length; end += run !== length ? Math.max(1, run) : 0) run = this.#run(end, '`')
    const inner = this.#line.slice(start, end)
    const padded = inner.length > 2 && inner.startsWith(' ') && inner.endsWith(' ')
    this.#push({ segment: { kind: 'code', text: padded ? inner.slice(1, -1) : inner, block: false } })
    return end + length
  }

  #star(at: number): number {
    const length = this.#run(at, '*')
    const end = at + length
    if (length > 3) return this.#text(at, end)
    const marks: Mark[] = length === 1 ? ['italic'] : length === 2 ? ['bold'] : ['bold', 'italic']
    const opens = !isSpace(this.#line[end])
    const closes = !isSpace(this.#line[at - 1])
    for (const mark of marks) {
      const role = closes && this.#open.delete(mark) ? 'close' : opens ? 'open' : 'none'
      if (role === 'open') this.#open.add(mark)
      this.#push(role === 'none' ? { text: stars(mark) } : { mark, role })
    }
    return end
  }

  #link(at: number): number {
    const line = this.#line
    if (this.#bracket < at) {
      const found = line.indexOf('](', at)
      this.#bracket = found === -1 ? Number.POSITIVE_INFINITY : found
      this.#bracketOpener = found === -1 ? -1 : line.lastIndexOf('[', found)
    }
    if (this.#bracketOpener !== at) return this.#text(at, at + 1)
    const end = addressEnd(line, this.#bracket + 2, true)
    const url = line.slice(this.#bracket + 2, end)
    const text = line.slice(at + 1, this.#bracket)
    if (line[end] !== ')' || !isAddress(url) || text === '') return this.#text(at, at + 1)
    this.#push({ segment: { kind: 'link', url, ...(text === url ? {} : { text }) } })
    return end + 1
  }

  #address(at: number): number {
    const line = this.#line
    if (!line.startsWith('https://', at) && !line.startsWith('http://', at)) return this.#text(at, at + 1)
    let end = addressEnd(line, at, false)
    while (end > at && '.,;:!?\'"*_~|'.includes(line[end - 1] ?? '')) end--
    const url = line.slice(at, end)
    if (!isAddress(url)) return this.#text(at, Math.max(end, at + 1))
    this.#push({ segment: { kind: 'link', url } })
    return end
  }
}

/** Where an address that begins at `from` ends: at a space, a sign that no address holds, or an unpaired `)`. */
function addressEnd(line: string, from: number, spaced: boolean): number {
  let depth = 0
  for (let at = from; at < line.length; at++) {
    const char = line[at] ?? ''
    if (isSpace(char) || char < ' ' || '<>"`[]\\'.includes(char)) return spaced ? line.length : at
    if (char === '(') depth++
    if (char === ')' && depth-- === 0) return at
  }
  return line.length
}

const isAddress = (url: string): boolean => url.length <= 2048 && /^https?:\/\/[^\s/]/.test(url) && URL.canParse(url)

// ---- cutting ------------------------------------------------------------------------------------------------------

/** At most `max` graphemes; what was cut off shows as `mark`. */
export function truncate(text: string, max: number, mark = '…'): string {
  if (text.length <= max) return text
  let count = 0
  let end = 0
  for (const { index } of graphemeSegmenter.segment(text)) {
    if (count === max - 1) end = index
    if (count++ === max) return text.slice(0, end) + mark
  }
  return text
}

const isAscii = (text: string): boolean => /^[\x20-\x7e\n\t]*$/.test(text)

/**
 * The longest beginning of `text` that fits into `maxBytes` of UTF-8 and what remains; together they are `text`.
 * Cuts after a line break or a space when there is one in the second half, else between graphemes; inside a grapheme
 * only when it alone is too long, and never inside a code point. The beginning is empty only when `text` is.
 */
export function takeBytes(text: string, maxBytes: number): [head: string, rest: string] {
  // No UTF-16 unit takes less than a byte, so what fits lies within the first `maxBytes` units.
  if (text.length <= maxBytes && Buffer.byteLength(text) <= maxBytes) return [text, '']
  const reach = text.slice(0, maxBytes + 64)
  const end = isAscii(reach) ? maxBytes : graphemeCut(reach, maxBytes)
  const cut = wordCut(reach.slice(0, end), reach[end])
  return [text.slice(0, cut), text.slice(cut)]
}

function graphemeCut(reach: string, maxBytes: number): number {
  let bytes = 0
  for (const { index, segment } of graphemeSegmenter.segment(reach)) {
    bytes += Buffer.byteLength(segment)
    if (bytes > maxBytes) return index > 0 ? index : codePointCut(reach, maxBytes)
  }
  return reach.length
}

function codePointCut(reach: string, maxBytes: number): number {
  let bytes = 0
  let units = 0
  for (const char of reach) {
    bytes += Buffer.byteLength(char)
    if (bytes > maxBytes) break
    units += char.length
  }
  return units > 0 ? units : String.fromCodePoint(reach.codePointAt(0) ?? 0).length
}

function wordCut(head: string, next: string | undefined): number {
  if (next === ' ' || next === '\n') return head.length
  const line = head.lastIndexOf('\n') + 1
  if (line > head.length / 2) return line
  const word = head.lastIndexOf(' ') + 1
  return word > head.length / 2 ? word : head.length
}

/** `text` in pieces of at most `maxBytes` of UTF-8, cut as `takeBytes` does. Joined they are `text`. */
export function splitBytes(text: string, maxBytes: number): string[] {
  const pieces: string[] = []
  for (let rest = text; rest !== ''; ) {
    const [head, tail] = takeBytes(rest, maxBytes)
    pieces.push(head)
    rest = tail
  }
  return pieces
}

// ---- comparing and showing names ----------------------------------------------------------------------------------

/** Characters that show nothing themselves: controls, bidirectional controls, zero-width ones, fillers, tags. */
const invisible = /[\p{Cc}\p{Cf}\p{DI}\u2028\u2029\u2800]/gu

/** Without what can't be seen; tabs, line breaks and every kind of space become one space; trimmed. */
export const visible = (text: string): string =>
  text
    .toWellFormed()
    .replace(/[\t\n\v\f\r\u0085\u2028\u2029]/g, ' ')
    .replace(invisible, '')
    .replace(/[\p{Zs}]+/gu, ' ')
    .trim()

/** For comparing only, never for showing: visible, compatibility-normalised, lower case. */
export const fold = (text: string): string => visible(visible(text).normalize('NFKC').toLowerCase())

/**
 * A person's name as it may be shown before what they said: one line, visible, at most `max` graphemes, no stacks of
 * combining marks, and no `<` or `>` with which a name could pretend to be somebody else's line.
 */
export function safeName(name: string, max = 32): string {
  const shown = visible(name)
    .replace(/(\p{M}{3})\p{M}+/gu, '$1')
    .replaceAll('<', '‹')
    .replaceAll('>', '›')
  return shown === '' ? 'nameless' : truncate(shown, max)
}

// ---- figures ------------------------------------------------------------------------------------------------------

const unitsMs = { w: 604_800_000, d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000, ms: 1 } as const

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

/** `2026-04-01 13:05:09 UTC`. */
export const time = (atMs: number): string => `${new Date(atMs).toISOString().slice(0, 19).replace('T', ' ')} UTC`

/** How long ago: `now`, `45s ago`, `3d ago`. */
export const ago = (atMs: number, nowMs: number): string =>
  nowMs - atMs < 1000 ? 'now' : `${duration(nowMs - atMs)} ago`
