import type { Mark, Segment, UserId } from '../../../core/event.ts'
import { isSpace, isWord, pushText, pushTokens, Scanner, type Token, withoutEnd } from '../../../core/text/markup.ts'
import { plain } from '../../../core/text/text.ts'

/** Who and what the ids in a text are. */
export interface Names {
  user(id: string): { readonly name: string; readonly self: boolean }
  role(id: string): { readonly name: string; readonly self: boolean }
  channel(id: string): string
}

/**
 * Discord's Markdown as segments, in one pass over the text
 * (docs.discord.com/developers/reference#message-formatting; signs without a partner are text).
 */
export function parseMarkdown(text: string, names: Names): Segment[] {
  const out: Segment[] = []
  for (const block of blocksOf(text, names)) {
    if (typeof block !== 'string') out.push(block)
    else addInline(block, names, out)
  }
  return out
}

/** Code blocks and quotes, and what stands between them. */
function* blocksOf(text: string, names: Names): Generator<string | Segment> {
  let at = 0
  while (at < text.length) {
    const open = text.indexOf('```', at)
    const close = open === -1 ? -1 : text.indexOf('```', open + 3)
    if (close === -1) {
      yield* quotesOf(text.slice(at), names)
      return
    }
    if (open > at) yield* quotesOf(text.slice(at, open).replace(/\n$/, ''), names)
    yield codeBlock(text.slice(open + 3, close))
    at = close + 3
    if (text[at] === '\n') at++
  }
}

function codeBlock(inner: string): Segment {
  const [, language, rest] = /^([A-Za-z0-9_+\-.#]{1,30})\n([^]*)$/.exec(inner) ?? []
  const text = (rest ?? inner).replace(/^\n+/, '').replace(/\n+$/, '')
  return { kind: 'code', text, block: true, ...(language === undefined ? {} : { language }) }
}

/** `> ` takes its line, `>>> ` all the rest. */
function* quotesOf(text: string, names: Names): Generator<string | Segment> {
  const lines = text.split('\n')
  let plain: string[] = []
  let quoted: string[] = []
  for (const [at, line] of lines.entries()) {
    if (line.startsWith('>>> ')) {
      quoted.push(line.slice(4), ...lines.slice(at + 1))
      break
    }
    if (line.startsWith('> ')) {
      if (plain.length > 0) yield plain.join('\n')
      plain = []
      quoted.push(line.slice(2))
      continue
    }
    if (quoted.length > 0) yield quoteOf(quoted, names)
    quoted = []
    plain.push(line)
  }
  if (plain.length > 0) yield plain.join('\n')
  if (quoted.length > 0) yield quoteOf(quoted, names)
}

/** A quote is words alone: who and what is named in it has its name. */
function quoteOf(lines: readonly string[], names: Names): Segment {
  const inside: Segment[] = []
  addInline(lines.join('\n'), names, inside)
  return { kind: 'quote', text: plain({ segments: inside }) }
}
const unescape = (text: string): string => text.replace(/\\([^0-9A-Za-z\s])/g, '$1')

function addInline(text: string, names: Names, out: Segment[]): void {
  for (const [at, line] of text.split('\n').entries()) {
    if (at > 0) pushText(out, '\n', [])
    const heading = /^(#{1,3}) +(?=\S)/.exec(line)
    const small = /^-# +(?=\S)/.exec(line)
    const rest = line.slice((heading ?? small)?.[0].length ?? 0)
    addLine(rest, names, out, heading ? ['bold'] : [])
  }
}

function addLine(line: string, names: Names, out: Segment[], base: readonly Mark[]): void {
  const tokens = new LineScanner(line, names).tokens()
  pairMarks(tokens)
  pushTokens(out, tokens, base)
}

/** Leaves `open` and `close` only on marks that have a partner and do not cross others. */
function pairMarks(tokens: Token[]): void {
  const stack: number[] = []
  for (const [at, token] of tokens.entries()) {
    if (!('mark' in token)) continue
    const partner = token.role === 'open' ? -1 : stack.findLastIndex(open => markAt(tokens, open) === token.mark)
    if (partner === -1) {
      if (token.role === 'close') token.role = 'none'
      else stack.push(at)
      continue
    }
    token.role = 'close'
    for (const open of stack.splice(partner).slice(1)) setNone(tokens, open)
  }
  for (const open of stack) setNone(tokens, open)
  for (const [at, token] of tokens.entries())
    if ('mark' in token && token.role === 'none') tokens[at] = { text: token.sign }
}

const markAt = (tokens: readonly Token[], at: number): Mark | null => {
  const token = tokens[at]
  return token && 'mark' in token ? token.mark : null
}

function setNone(tokens: readonly Token[], at: number): void {
  const token = tokens[at]
  if (token && 'mark' in token) token.role = 'none'
}

const special =
  /^<(?:@!?(\d{17,20})|@&(\d{17,20})|#(\d{17,20})|a?:(\w{2,32}):(\d{17,20})|t:(-?\d{1,13})(?::[tTdDfFRsS])?|\/([^:>]{1,100}):\d{17,20}|id:(\w{1,20}))>/

class LineScanner extends Scanner {
  readonly #names: Names
  readonly #open = new Map<Mark, number>()

  constructor(line: string, names: Names) {
    super(line)
    this.#names = names
  }

  protected step(at: number): number {
    const char = this.line[at] ?? ''
    if (char === '\\' && /[^0-9A-Za-z\s]/.test(this.line[at + 1] ?? '')) return this.text(at + 1, at + 2)
    if (char === '`') return this.#code(at)
    if ('*_~|'.includes(char)) return this.#sign(at, char)
    if (char === '<') return this.#angle(at)
    if (char === '[') return this.#masked(at)
    if (char === 'h' && !isWord(this.line[at - 1])) return this.#address(at)
    return this.text(at, at + 1)
  }

  #code(at: number): number {
    const ticks = '`'.repeat(this.run(at, '`'))
    const start = at + ticks.length
    for (let end = this.line.indexOf(ticks, start); end !== -1; ) {
      const after = end + this.run(end, '`')
      if (after - end === ticks.length) {
        const inner = this.line.slice(start, end)
        const padded = /^ `|` $/.test(inner) && inner.startsWith(' ') && inner.endsWith(' ')
        this.push({ segment: { kind: 'code', text: padded ? inner.slice(1, -1) : inner, block: false } })
        return after
      }
      end = this.line.indexOf(ticks, after)
    }
    return this.text(at, start)
  }

  #sign(at: number, char: string): number {
    const end = at + this.run(at, char)
    if (end - at > 3) return this.text(at, end)
    const double = { '*': 'bold', _: 'underline', '~': 'strike', '|': 'spoiler' } as const
    let from = at
    // Three open the longer sign first and close it last, so that they nest.
    const shortFirst = end - at === 3 && this.#open.has('italic')
    while (from < end) {
      const long = end - from >= 2 && !(shortFirst && from === at)
      const mark = long ? double[char as keyof typeof double] : char === '*' || char === '_' ? 'italic' : null
      const sign = char.repeat(long ? 2 : 1)
      if (mark === null) return this.text(from, end)
      this.#mark(mark, sign, { before: this.line[at - 1], after: this.line[end] })
      from += sign.length
    }
    return end
  }

  #mark(mark: Mark, sign: string, { before, after }: { before: string | undefined; after: string | undefined }): void {
    const italic = mark === 'italic'
    const opens = (!italic || !isSpace(after)) && !(sign === '_' && isWord(before))
    const closes = (!italic || !isSpace(before)) && !(sign === '_' && isWord(after))
    const isOpen = this.#open.has(mark) && sign.length === this.#open.get(mark)
    const role = closes && isOpen ? 'close' : opens && after !== undefined ? 'open' : 'none'
    if (role === 'open') this.#open.set(mark, sign.length)
    if (role === 'close') this.#open.delete(mark)
    this.push(role === 'none' ? { text: sign } : { mark, sign, role })
  }

  #angle(at: number): number {
    const rest = this.line.slice(at, at + 160)
    const found = special.exec(rest)
    if (found) return this.#special(found, at)
    const [whole, url] = /^<(https?:\/\/[^\s<>]{1,2000})>/.exec(this.line.slice(at, at + 2100)) ?? []
    if (whole === undefined || url === undefined || !URL.canParse(url)) return this.text(at, at + 1)
    this.push({ segment: { kind: 'link', url } })
    return at + whole.length
  }

  #special([whole, user, role, channel, emoji, , seconds, command, guide]: RegExpExecArray, at: number): number {
    if (user !== undefined || role !== undefined) {
      const { name, self } = user === undefined ? this.#names.role(role ?? '') : this.#names.user(user)
      const id = user === undefined ? null : (user as UserId)
      this.push({ segment: { kind: 'mention', id, name, ...(self ? { self: true as const } : {}) } })
    } else if (channel !== undefined) this.literal += `#${this.#names.channel(channel)}`
    else if (emoji !== undefined) this.push({ segment: { kind: 'emoji', name: emoji, text: '' } })
    else if (seconds !== undefined) this.literal += shownTime(Number(seconds))
    else if (command !== undefined) this.literal += `/${command}`
    else this.literal += `#${guide ?? ''}`
    return at + whole.length
  }

  #masked(at: number): number {
    const found =
      /^\[((?:\\.|[^[\]\\\n]){1,300})\]\(<?(https?:\/\/[^\s<>()]{1,1500}(?:\([^\s<>()]*\)[^\s<>()]{0,500})?)>?(?: +"[^"\n]{0,300}")?\)/.exec(
        this.line.slice(at, at + 3000),
      )
    const [whole, text, url] = found ?? []
    if (whole === undefined || text === undefined || url === undefined || !URL.canParse(url))
      return this.text(at, at + 1)
    const shown = unescape(text)
    this.push({ segment: { kind: 'link', url, ...(shown === url ? {} : { text: shown }) } })
    return at + whole.length
  }

  #address(at: number): number {
    const rest = this.line.slice(at, at + 2048)
    const [found] = /^https?:\/\/[^\s<>"`\\]+/.exec(rest) ?? []
    if (found === undefined) return this.text(at, at + 1)
    let url = withoutEnd(found, ".,;:!?'*_~|]")
    const unpaired = (sign: string): number => url.split(sign).length
    while (url.endsWith(')') && unpaired(')') > unpaired('(')) url = url.slice(0, -1)
    if (url.length < 10 || !URL.canParse(url)) return this.text(at, at + 1)
    this.push({ segment: { kind: 'link', url } })
    return at + url.length
  }
}

function shownTime(seconds: number): string {
  const at = new Date(seconds * 1000)
  return Number.isNaN(at.getTime()) ? `<t:${seconds}>` : `${at.toISOString().slice(0, 16).replace('T', ' ')} UTC`
}
