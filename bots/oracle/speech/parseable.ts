/**
 * How much of a Markdown text is parsed in a moment. A parser of it takes the square of the signs of one paragraph, and more of what stands
 * in one another: a few kilobytes of `1. 1. 1.` are twenty seconds, or no room on the stack. People do not write so; a model that was asked to, does.
 */

/** Signs that may mean something, of one paragraph and of all. */
const mostOfParagraph = 200
const mostOfAll = 3000
/** Lists and quotes in one another. */
const deepest = 12
const mostIndent = 40

const sign = /[*_~[\]`<&@|]/g
const code = /`[^`]*`/g
/** What a line begins with: quotes and items of lists, perhaps in one another. */
const containers = /^(?:[ \t]*(?:>|(?:[-+*]|\d{1,9}[.)])(?=[ \t]|$)))+/
const container = />|[-+*](?=[ \t]|$)|\d[.)](?=[ \t]|$)/g
const item = /^[ \t]*(?:[-+*]|\d{1,9}[.)])(?:[ \t]|$)/
/** Between the head of a table and its rows. */
const rule = /^[ \t]*\|?[ \t]*:?-[-:| \t]*$/
const unordered = /^[ \t]*(?:[-+*]|#{1,6})[ \t]/

const pipesIn = (line: string): number => line.split('|').length - 1
const indentOf = (line: string): number => /^[ \t]*/.exec(line)?.[0].length ?? 0

/** At the left, where it can stand in no item of a list, and further in. */
const opening = /^ ?(?:(`{3,})[^`]*|(~{3,}).*)$/
const indentedOpening = /^ {2,3}(?:`{3,}|~{3,})/
const closing = /^ {0,3}(`{3,}|~{3,})[ \t]*$/
const markup = /^ {0,3}</
/** Of these the end is no blank line. */
const longMarkup = /^ {0,3}<(?:[!?]|(?:script|pre|style|textarea)\b)/i
const itemAtLeft = /^ ?(?:[-+*]|(\d{1,9})[.)]) +(?=\S)/

/** Follows blocks of code from line to line. Where it can't be certain what is code, nothing is any more. */
class Fences {
  #open: string | null = null
  #lost = false
  /** Lines that may be HTML, in which nothing is a fence: until a blank one, or for good. */
  #markup: 'short' | 'long' | null = null
  /** Where the words begin of the item of a list that the lines stand in. */
  #offset = Number.POSITIVE_INFINITY
  #blank = true

  /** Whether a line stands in a block of code, or ends one. */
  holds(line: string): boolean {
    if (this.#open !== null) {
      if (closing.exec(line)?.[1]?.startsWith(this.#open)) this.#open = null
      return true
    }
    const [, ticks, tildes] = opening.exec(line) ?? []
    const open = ticks ?? tildes ?? null
    if (this.#markup !== null && closing.test(line)) this.#lost = true
    if ((open !== null && this.#markup !== null) || this.#isOutside(line)) this.#lost = true
    if (open !== null && !this.#lost) this.#open = open
    this.#follow(line)
    return false
  }

  /** An indented fence that is in no item of a list: what comes behind it can be code or not. */
  #isOutside = (line: string): boolean => indentedOpening.test(line) && indentOf(line) < this.#offset

  #follow(line: string): void {
    const blank = line.trim() === ''
    if (blank && this.#markup === 'short') this.#markup = null
    if (longMarkup.test(line)) this.#markup = 'long'
    else if (markup.test(line)) this.#markup ??= 'short'
    if (!blank && indentOf(line) < 2) this.#offset = this.#offsetOf(line)
    this.#blank = blank
  }

  /** A number in the middle of words begins no list, and a line of signs is a rule. */
  #offsetOf(line: string): number {
    const [head, number] = itemAtLeft.exec(line) ?? []
    const begins = this.#blank || number === undefined || number === '1' || this.#offset < Number.POSITIVE_INFINITY
    return head === undefined || !begins || /^[-*_\s]+$/.test(line) ? Number.POSITIVE_INFINITY : head.length
  }
}

/** What is counted while a text is read line by line. */
class Measure {
  #all = 0
  #paragraph = 0
  readonly #fences = new Fences()
  /** Whether what stands between two ticks can be something else than code, as long as the paragraph lasts. */
  #odd = false
  #inList = false
  #inTable = false
  #blank = true
  #before = ''

  /** Whether the text can be parsed with this line. */
  takes(line: string): boolean {
    if (this.#fences.holds(line)) return true
    if (line.trim() === '') {
      this.#blank = true
      this.#odd = false
      return true
    }
    if (this.#begins(line)) this.#paragraph = 0
    this.#blank = false
    this.#before = line
    return this.#counts(line)
  }

  /** Whether a paragraph ends before a line: each item of a list is one, and a row of a table; a number in the middle of words begins none. */
  #begins(line: string): boolean {
    if (this.#blank) {
      this.#inList = item.test(line)
      this.#inTable = false
    } else if (rule.test(line) && pipesIn(line) > 0 && pipesIn(line) === pipesIn(this.#before)) this.#inTable = true
    return this.#blank || this.#inTable || unordered.test(line) || (this.#inList && item.test(line))
  }

  #counts(line: string): boolean {
    const before = containers.exec(line)?.[0] ?? ''
    const depth = before.match(container)?.length ?? 0
    this.#odd ||= /\\`|``/.test(line) || /[`<]/.test(line.replace(code, ''))
    // What stands in code counts once, and not for its paragraph.
    const signs = (this.#odd ? line : line.replace(code, '`')).match(sign) ?? []
    this.#paragraph += signs.filter(each => each !== '|' && (this.#odd || each !== '`')).length
    this.#all += signs.length + depth
    const fits = this.#paragraph <= mostOfParagraph && this.#all <= mostOfAll
    return fits && depth <= deepest && (indentOf(line) <= mostIndent || before === '')
  }
}

/** Where a text stops to be parsed: at the beginning of a line. */
export function parseable(markdown: string): number {
  const measure = new Measure()
  const lineEnd = /\r\n?|\n|$/g
  for (let at = 0; at < markdown.length; at = lineEnd.lastIndex) {
    lineEnd.lastIndex = at
    if (!measure.takes(markdown.slice(at, lineEnd.exec(markdown)?.index))) return at
  }
  return markdown.length
}
