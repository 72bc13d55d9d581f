/**
 * Markdown-lite within one line: marks, code, links and bare addresses. Linear in its input: scanners instead of regular
 * expressions wherever one could backtrack.
 */
import type { Mark, Segment } from '../event.ts'

/** A piece of a line. `sign`: how a mark is written, which is what it is where it marks nothing. */
export type Token =
  | { readonly text: string }
  | { readonly segment: Segment }
  | { readonly mark: Mark; readonly sign: string; role: 'open' | 'close' | 'none' }

/** Adds the segments of one line to `out`. */
export function parseLine(line: string, out: Segment[]): void {
  const tokens = new LineScanner(line).tokens()
  pairMarks(tokens)
  pushTokens(out, tokens, [])
}

/** Adds what tokens say, whose marks have their partners; all of it has the marks of `base`. */
export function pushTokens(out: Segment[], tokens: readonly Token[], base: readonly Mark[]): void {
  const active = new Set<Mark>(base)
  for (const token of tokens) {
    if ('text' in token) pushText(out, token.text, [...active])
    else if ('segment' in token) out.push(token.segment)
    else if (token.role === 'open') active.add(token.mark)
    else if (token.role === 'close' && !base.includes(token.mark)) active.delete(token.mark)
  }
}

/** Leaves `open` and `close` only on marks that have a partner; the others become the stars they were written as. */
function pairMarks(tokens: Token[]): void {
  const opened = new Map<Mark, number>()
  for (const [at, token] of tokens.entries()) {
    if (!('mark' in token)) continue
    const { mark } = token
    if (token.role === 'close' && !opened.delete(mark)) tokens[at] = { text: token.sign }
    else if (token.role === 'open') opened.set(mark, at)
  }
  for (const at of opened.values()) {
    const token = tokens[at]
    if (token && 'mark' in token) tokens[at] = { text: token.sign }
  }
}

const stars = (mark: Mark): string => (mark === 'bold' ? '**' : '*')

/** Adds text, to the last segment where the marks are the same. */
export function pushText(out: Segment[], text: string, marks: readonly Mark[]): void {
  if (text === '') return
  const last = out.at(-1)
  if (last?.kind === 'text' && (last.marks ?? []).join() === marks.join()) {
    out[out.length - 1] = { ...last, text: last.text + text }
  } else out.push({ kind: 'text', text, ...(marks.length === 0 ? {} : { marks }) })
}

/** Without any of these signs at its end. A regular expression would look from each of them for the end. */
export function withoutEnd(text: string, signs: string): string {
  let end = text.length
  while (end > 0 && signs.includes(text[end - 1] ?? '')) end--
  return text.slice(0, end)
}

export const isSpace = (char: string | undefined): boolean => char === undefined || /\s/.test(char)
export const isWord = (char: string | undefined): boolean => char !== undefined && /[\p{L}\p{N}_]/u.test(char)

/** Cuts one line into tokens, in one pass. */
export abstract class Scanner {
  protected readonly line: string
  protected literal = ''
  readonly #out: Token[] = []

  constructor(line: string) {
    this.line = line
  }

  /** Takes what begins at `at`; gives where the next begins. */
  protected abstract step(at: number): number

  tokens(): Token[] {
    for (let at = 0; at < this.line.length; ) at = this.step(at)
    this.#flush()
    return this.#out
  }

  protected text(from: number, to: number): number {
    this.literal += this.line.slice(from, to)
    return to
  }

  protected push(token: Token): void {
    this.#flush()
    this.#out.push(token)
  }

  #flush(): void {
    if (this.literal !== '') this.#out.push({ text: this.literal })
    this.literal = ''
  }

  /** How often a sign stands there in a row. */
  protected run(at: number, char: string): number {
    let end = at
    while (this.line[end] === char) end++
    return end - at
  }
}

/** What was looked for ahead and found (or not) is remembered. */
class LineScanner extends Scanner {
  readonly #open = new Set<Mark>()
  readonly #lastTicks = new Map<number, number>()
  #bracket = -1
  #bracketOpener = -1

  constructor(line: string) {
    super(line)
    for (let at = 0; at < line.length; ) {
      const length = this.run(at, '`')
      if (length > 0) this.#lastTicks.set(length, at)
      at += Math.max(1, length)
    }
  }

  protected step(at: number): number {
    const char = this.line[at] ?? ''
    if (char === '\\' && /[\\*`[\]]/.test(this.line[at + 1] ?? '')) return this.text(at + 1, at + 2)
    if (char === '`') return this.#code(at)
    if (char === '*') return this.#star(at)
    if (char === '[') return this.#link(at)
    if (char === 'h' && !isWord(this.line[at - 1])) return this.#address(at)
    return this.text(at, at + 1)
  }

  #code(at: number): number {
    const length = this.run(at, '`')
    const start = at + length
    // Without a later run of this length there is no end to look for.
    if ((this.#lastTicks.get(length) ?? -1) <= at) return this.text(at, start)
    let end = start
    for (let run = 0; run !== length; end += run !== length ? Math.max(1, run) : 0) run = this.run(end, '`')
    const inner = this.line.slice(start, end)
    const padded = inner.length > 2 && inner.startsWith(' ') && inner.endsWith(' ')
    this.push({ segment: { kind: 'code', text: padded ? inner.slice(1, -1) : inner, block: false } })
    return end + length
  }

  #star(at: number): number {
    const length = this.run(at, '*')
    const end = at + length
    if (length > 3) return this.text(at, end)
    const marks: Mark[] = length === 1 ? ['italic'] : length === 2 ? ['bold'] : ['bold', 'italic']
    const opens = !isSpace(this.line[end])
    const closes = !isSpace(this.line[at - 1])
    for (const mark of marks) {
      const role = closes && this.#open.delete(mark) ? 'close' : opens ? 'open' : 'none'
      if (role === 'open') this.#open.add(mark)
      this.push(role === 'none' ? { text: stars(mark) } : { mark, sign: stars(mark), role })
    }
    return end
  }

  #link(at: number): number {
    const line = this.line
    if (this.#bracket < at) {
      const found = line.indexOf('](', at)
      this.#bracket = found === -1 ? Number.POSITIVE_INFINITY : found
      this.#bracketOpener = found === -1 ? -1 : line.lastIndexOf('[', found)
    }
    if (this.#bracketOpener !== at) return this.text(at, at + 1)
    const end = addressEnd(line, this.#bracket + 2, true)
    const url = line.slice(this.#bracket + 2, end)
    const text = line.slice(at + 1, this.#bracket)
    if (line[end] !== ')' || !isAddress(url) || text === '') return this.text(at, at + 1)
    this.push({ segment: { kind: 'link', url, ...(text === url ? {} : { text }) } })
    return end + 1
  }

  #address(at: number): number {
    const line = this.line
    if (!line.startsWith('https://', at) && !line.startsWith('http://', at)) return this.text(at, at + 1)
    const url = withoutEnd(line.slice(at, addressEnd(line, at, false)), '.,;:!?\'"*_~|')
    const end = at + url.length
    if (!isAddress(url)) return this.text(at, Math.max(end, at + 1))
    this.push({ segment: { kind: 'link', url } })
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

/** An address of the web that can be opened. */
export const isWeb = (url: string): boolean => /^https?:\/\/[^\s/]/i.test(url) && URL.canParse(url)

const isAddress = (url: string): boolean => url.length <= 2048 && isWeb(url)
