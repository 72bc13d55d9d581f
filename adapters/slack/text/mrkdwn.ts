import type { Mark, Segment } from '../../../core/event.ts'
import { emojiText } from './emoji.ts'
import { crowd, joined, linkOf, mentionOf, type Names, textOf } from './words.ts'

const entities: Readonly<Record<string, string>> = { '&amp;': '&', '&lt;': '<', '&gt;': '>' }

export const unescape = (text: string): string => text.replace(/&(?:amp|lt|gt);/g, entity => entities[entity] ?? entity)

/** Nothing in it is markup any more: no mention, no link, no `<!channel>`. */
export const escape = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

const marks: Readonly<Record<string, Mark>> = { '*': 'bold', _: 'italic', '~': 'strike' }
const word = /[\p{L}\p{N}]/u

/**
 * Slack's own markup (`*bold*`, `<@U1>`, `<https://…|label>`, fences) as segments. Linear in its input; a mark that is
 * never closed on its line is text. Specification: "Formatting message text" of docs.slack.dev.
 */
export function fromMrkdwn(mrkdwn: string, names: Names): Segment[] {
  const out: Segment[] = []
  const fences = mrkdwn.split('```')
  for (const [at, piece] of fences.entries()) {
    const fenced = at % 2 === 1 && at < fences.length - 1
    if (!fenced) {
      lines(at % 2 === 1 ? `\`\`\`${piece}` : trimBreaks(piece, at > 0, at < fences.length - 1), names, out)
      continue
    }
    const text = unescape(plainOf(piece, names)).replace(/^\n|\n$/g, '')
    if (text !== '') out.push({ kind: 'code', text, block: true })
  }
  return joined(out)
}

/** A fence stands on lines of its own already. */
function trimBreaks(text: string, afterFence: boolean, beforeFence: boolean): string {
  const from = afterFence && text.startsWith('\n') ? 1 : 0
  const to = beforeFence && text.endsWith('\n') && text.length > from ? text.length - 1 : text.length
  return text.slice(from, to)
}

const plainOf = (text: string, names: Names): string =>
  text.includes('<') ? text.replace(/<([^<>\n]{1,3000})>/g, (_, inner: string) => words(reference(inner, names))) : text

const words = (segments: readonly Segment[]): string =>
  segments
    .map(each => (each.kind === 'mention' ? `@${each.name}` : each.kind === 'link' ? escape(each.url) : each.text))
    .join('')

function lines(text: string, names: Names, out: Segment[]): void {
  let quote: string[] = []
  const endQuote = (): void => {
    if (quote.length > 0) out.push({ kind: 'quote', text: quote.join('\n') })
    quote = []
  }
  const all = text.split('\n')
  for (const [at, line] of all.entries()) {
    const quoted = /^(?:&gt;|>) ?(.*)$/s.exec(line)
    if (quoted) {
      quote.push(words(inline(quoted[1] as string, names)))
      continue
    }
    const ended = quote.length > 0
    endQuote()
    if (at > 0 && !ended) out.push(...textOf('\n'))
    out.push(...inline(line, names))
  }
  endQuote()
}

/** One line. */
function inline(line: string, names: Names, within: readonly Mark[] = []): Segment[] {
  const out: Segment[] = []
  let from = 0
  const flush = (to: number): void => {
    out.push(...textOf(unescape(line.slice(from, to)), within))
  }
  const dead = new Set<string>()
  for (let at = 0; at < line.length; ) {
    const found = special(line, at, { names, within, dead })
    if (!found) {
      at++
      continue
    }
    flush(at)
    out.push(...found.segments)
    at = found.to
    from = at
  }
  flush(line.length)
  return out
}

interface Around {
  readonly names: Names
  readonly within: readonly Mark[]
  /** Signs that are known to have no end on this line. */
  readonly dead: Set<string>
}

interface Found {
  readonly segments: readonly Segment[]
  readonly to: number
}

function special(line: string, at: number, around: Around): Found | null {
  const sign = line[at] as string
  if (around.dead.has(sign)) return null
  if (sign === '<') {
    const end = line.indexOf('>', at)
    if (end === -1) around.dead.add(sign)
    if (end === -1 || end - at > 3000) return null
    return { segments: reference(line.slice(at + 1, end), around.names, around.within), to: end + 1 }
  }
  if (sign === ':') return emojiAt(line, at)
  if (sign === '`') {
    const end = line.indexOf('`', at + 1)
    if (end === -1) around.dead.add(sign)
    if (end <= at + 1) return null
    const text = unescape(plainOf(line.slice(at + 1, end), around.names))
    return { segments: [{ kind: 'code', text, block: false }], to: end + 1 }
  }
  const mark = marks[sign]
  return mark === undefined ? null : marked(line, at, mark, around)
}

function marked(line: string, at: number, mark: Mark, { names, within, dead }: Around): Found | null {
  const sign = line[at] as string
  const before = line[at - 1]
  const next = line[at + 1]
  if (within.includes(mark) || next === undefined || next === ' ' || next === sign) return null
  if (before !== undefined && word.test(before)) return null
  for (let end = line.indexOf(sign, at + 2); end !== -1; end = line.indexOf(sign, end + 1)) {
    const after = line[end + 1]
    if (line[end - 1] === ' ' || (after !== undefined && (word.test(after) || after === sign))) continue
    return { segments: inline(line.slice(at + 1, end), names, [...within, mark]), to: end + 1 }
  }
  dead.add(sign)
  return null
}

function emojiAt(line: string, at: number): Found | null {
  const shape = /:([a-z0-9_+'-]{1,100}(?:::skin-tone-[2-6])?):/y
  shape.lastIndex = at
  const found = shape.exec(line)
  const text = found && emojiText(found[1] as string)
  if (!found || !text) return null
  return { segments: [{ kind: 'emoji', name: found[1] as string, text }], to: at + found[0].length }
}

/** What stands between `<` and `>`. */
function reference(inner: string, names: Names, within: readonly Mark[] = []): Segment[] {
  const bar = inner.indexOf('|')
  const target = bar === -1 ? inner : inner.slice(0, bar)
  const label = bar === -1 ? '' : unescape(inner.slice(bar + 1))
  if (target.startsWith('@')) return [mentionOf(target.slice(1), names)]
  if (target.startsWith('#')) return textOf(`#${label || names.channel(target.slice(1))}`, within)
  if (!target.startsWith('!')) return linkOf(unescape(target), label, within)
  const [command = '', ...rest] = target.slice(1).split('^')
  if (command === 'subteam') return [crowd(label || (rest[0] ?? 'group'))]
  if (command === 'date') return textOf(label, within)
  return ['here', 'channel', 'everyone', 'group'].includes(command)
    ? [crowd(command)]
    : textOf(label || `<${command}>`, within)
}
