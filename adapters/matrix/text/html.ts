/** HTML as people's clients write it (Matrix specification, m.room.message) as segments. Whatever it is, it ends and is text. */

import type { Element, ElementContent, Nodes } from 'hast'
import { fromHtml } from 'hast-util-from-html'
import type { Mark, Segment } from '../../../core/event.ts'
import { pushText } from '../../../core/text/markup.ts'
import { isBlock, plain } from '../../../core/text/text.ts'
import { tableText } from './table.ts'
import { clean, isUserId, localpart, pushWords } from './words.ts'

/** Deeper than this only words are read. */
const deepest = 100
const mostTags = 10_000
/** The parser opens what is still open of `formatting` again, behind each tag at worst: elements that a message can become by that. */
const mostReopened = 300_000
const formatting = /<(a|b|big|code|em|font|i|nobr|s|small|strike|strong|tt|u)(?=([\s/>]))/gi

const marksOf: Readonly<Record<string, Mark>> = {
  b: 'bold',
  strong: 'bold',
  i: 'italic',
  em: 'italic',
  cite: 'italic',
  u: 'underline',
  ins: 'underline',
  s: 'strike',
  del: 'strike',
  strike: 'strike',
  tt: 'mono',
  kbd: 'mono',
  samp: 'mono',
}
const headings = /^h[1-6]$/
const blocks =
  /^(p|div|[uod]l|d[td]|details|summary|section|article|header|footer|figure|figcaption|center|address|h[1-6])$/
/** Never shown, with what is in it: the quotation of a reply, which names its message already, and what is no text. */
const unseen = /^(mx-reply|script|style|title|template|head|iframe|object|noscript|svg|math)$/

/** Segments of `formatted_body`; null when it can't be read, or is too much of it: then `body` is what was said. */
export function parseHtml(html: string): Segment[] | null {
  const tags = html.match(/<[a-z]/gi)?.length ?? 0
  if (tags > mostTags || tags * mostOpen(html) > mostReopened) return null
  try {
    const reader = new Reader()
    reader.all(fromHtml(html, { fragment: true }).children as ElementContent[], { marks: [], depth: 0, list: 0 })
    return reader.done()
  } catch (error) {
    // Nested so deeply that the parser itself gives up.
    if (error instanceof RangeError) return null
    throw error
  }
}

/**
 * How many formatting elements can be open at once at most: three of each that is written without attributes, one link, and
 * all others (HTML standard, "the list of active formatting elements").
 */
function mostOpen(html: string): number {
  const bare = new Set<string>()
  let others = 0
  for (const [, tag = '', next] of html.matchAll(formatting)) {
    const name = tag.toLowerCase()
    if (next === '>' || name === 'a') bare.add(name)
    else others++
  }
  return 3 * bare.size + others
}

interface Where {
  readonly marks: readonly Mark[]
  readonly depth: number
  /** How many lists it stands in. */
  readonly list: number
}

const text = (node: Nodes | undefined): string => {
  let out = ''
  const waiting: Nodes[] = node ? [node] : []
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    if (next.type === 'text') out += next.value
    else if (next.type === 'element' && next.tagName === 'br') out += '\n'
    else if ('children' in next && !(next.type === 'element' && unseen.test(next.tagName)))
      waiting.push(...[...next.children].reverse())
  }
  return clean(out)
}

const property = (element: Element, name: string): string | undefined => {
  const value = element.properties[name]
  return typeof value === 'string' ? value : Array.isArray(value) ? value.join(' ') : undefined
}

class Reader {
  readonly #out: Segment[] = []
  /** Whether a line has begun: white space before it is nothing. */
  #begun = false
  #breaks = 0
  /** A space is due, with these marks. */
  #space: readonly Mark[] | null = null

  done(): Segment[] {
    return this.#out
  }

  all(nodes: readonly ElementContent[], where: Where): void {
    for (const node of nodes) this.#node(node, where)
  }

  #node(node: ElementContent, where: Where): void {
    if (node.type === 'text') return this.#words(node.value, where.marks)
    if (node.type !== 'element' || unseen.test(node.tagName)) return
    if (where.depth >= deepest) return this.#words(text(node), where.marks)
    this.#element(node, { ...where, depth: where.depth + 1 })
  }

  #element(element: Element, where: Where): void {
    const { tagName: tag, children } = element
    const mark = marksOf[tag] ?? (property(element, 'dataMxSpoiler') === undefined ? undefined : 'spoiler')
    if (mark) return this.#marked(element, mark, where)
    if (tag === 'br') return this.#break(1)
    if (tag === 'hr') return this.#alone({ kind: 'text', text: '———' })
    if (tag === 'a') return this.#anchor(element, where)
    if (tag === 'img') return this.#image(element, where)
    if (tag === 'code') return this.#segment({ kind: 'code', text: text(element), block: false })
    if (tag === 'pre') return this.#pre(element)
    if (tag === 'blockquote') return this.#quote(element, where)
    if (tag === 'table') return this.#alone({ kind: 'code', text: tableText(element, text), block: true })
    if (tag === 'ul' || tag === 'ol') return this.#list(element, where)
    if (!blocks.test(tag)) return this.all(children, where)
    // Paragraphs stand apart, all other blocks on lines of their own.
    this.#block(tag === 'p' || headings.test(tag) ? 2 : 1)
    this.all(children, headings.test(tag) ? { ...where, marks: withMark(where.marks, 'bold') } : where)
    this.#block(tag === 'p' || headings.test(tag) ? 2 : 1)
  }

  #marked(element: Element, mark: Mark, where: Where): void {
    const reason = mark === 'spoiler' ? property(element, 'dataMxSpoiler') : undefined
    if (reason) this.#words(`(${clean(reason)}) `, where.marks)
    this.all(element.children, { ...where, marks: withMark(where.marks, mark) })
  }

  #anchor(element: Element, where: Where): void {
    const href = property(element, 'href') ?? ''
    const words = text(element).replace(/\s+/g, ' ').trim()
    const person = personOf(href)
    if (person)
      return this.#segment({ kind: 'mention', id: person as never, name: words.replace(/^@/, '') || localpart(person) })
    if (!/^(https?|mailto|ftp|magnet):/i.test(href)) return this.all(element.children, where)
    const url = clean(href).replace(/\s/g, '%20')
    this.#segment({ kind: 'link', url, ...(words === '' || words === url ? {} : { text: words }) })
  }

  #image(element: Element, where: Where): void {
    const alt = clean(property(element, 'alt') ?? property(element, 'title') ?? '')
    const name = alt.replace(/^:|:$/g, '').trim()
    if (property(element, 'dataMxEmoticon') !== undefined && name !== '')
      return this.#segment({ kind: 'emoji', name, text: '' })
    this.#words(alt === '' ? '[image]' : `[image: ${alt}]`, where.marks)
  }

  #pre(element: Element): void {
    const code = element.children.find(child => child.type === 'element' && child.tagName === 'code')
    const classes = code?.type === 'element' ? (property(code, 'className') ?? '') : ''
    const language = /(?:^|\s)language-(\S{1,40})/.exec(classes)?.[1]
    const inner = text(element).replace(/^\n|\n$/g, '')
    this.#alone({ kind: 'code', text: inner, block: true, ...(language ? { language: clean(language) } : {}) })
  }

  #quote(element: Element, { depth }: Where): void {
    const inner = new Reader()
    inner.all(element.children, { marks: [], depth, list: 0 })
    const words = plain({ segments: inner.done() }).trim()
    if (words !== '') this.#alone({ kind: 'quote', text: words })
  }

  #list(element: Element, where: Where): void {
    let number = Number(property(element, 'start') ?? element.properties['start'] ?? 1) || 1
    this.#block(1)
    for (const item of element.children) {
      if (item.type !== 'element') continue
      const sign = element.tagName === 'ol' ? `${number++}. ` : '• '
      this.#block(1)
      this.#raw(`${'  '.repeat(Math.min(where.list, 10))}${sign}`, [])
      this.all(item.children, { ...where, list: where.list + 1 })
    }
    this.#block(1)
  }

  // ---- laying out -------------------------------------------------------------------------------------------------

  /** At least so many line breaks before what comes next. */
  #block(breaks: number): void {
    if (this.#out.length > 0) this.#breaks = Math.max(this.#breaks, breaks)
    this.#begun = false
    this.#space = null
  }

  #break(breaks: number): void {
    this.#breaks += breaks
    this.#begun = false
    this.#space = null
  }

  #lead(): void {
    if (this.#breaks > 0) {
      const block = this.#out.at(-1)
      const done = block && isBlock(block) ? 1 : 0
      pushText(this.#out, '\n'.repeat(Math.max(0, this.#breaks - done)), [])
    } else if (this.#space && this.#begun) pushText(this.#out, ' ', this.#space)
    this.#breaks = 0
    this.#space = null
  }

  #raw(words: string, marks: readonly Mark[]): void {
    this.#lead()
    pushWords(this.#out, words, marks)
    this.#begun = !words.endsWith(' ')
  }

  /** White space is one space, and nothing at the beginning of a line (CSS Text, `white-space: normal`). */
  #words(value: string, marks: readonly Mark[]): void {
    const words = clean(value).replace(/[ \t\n]+/g, ' ')
    const inner = words.replace(/^ | $/g, '')
    if (words.startsWith(' ')) this.#space ??= marks
    if (inner === '') return
    this.#lead()
    pushWords(this.#out, inner, marks)
    this.#begun = true
    this.#space = words.endsWith(' ') ? marks : null
  }

  #segment(segment: Segment): void {
    if ('text' in segment && segment.text === '' && segment.kind !== 'emoji') return
    this.#lead()
    this.#out.push(segment)
    this.#begun = true
  }

  /** A block has its line breaks in itself. */
  #alone(segment: Segment): void {
    this.#block(1)
    if (segment.kind !== 'text' && this.#breaks === 1) this.#breaks = 0
    this.#segment(segment)
    this.#block(1)
  }
}

const withMark = (marks: readonly Mark[], mark: Mark): readonly Mark[] =>
  marks.includes(mark) ? marks : [...marks, mark]

/** Who is meant by a `matrix.to` address or a `matrix:` URI (Matrix specification, appendix "URIs"). */
export function personOf(href: string): string | null {
  const linked = /^https:\/\/matrix\.to\/#\/([^/?#]+)/i.exec(href)?.[1]
  const named = /^matrix:u\/([^/?#]+)/i.exec(href)?.[1]
  try {
    const id = linked ? decodeURIComponent(linked) : named ? `@${decodeURIComponent(named)}` : ''
    return isUserId(id) ? id : null
  } catch {
    return null
  }
}
