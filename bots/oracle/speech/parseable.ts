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

const fence = /^ {0,3}(`{3,}|~{3,})/
/** What stands in code counts once. */
const sign = /`[^`\n]*`|[*_~[\]`<&@|]/g
/** What a line begins with: quotes and items of lists, perhaps in one another. */
const containers = /^(?:[ \t]*(?:>|(?:[-+*]|\d{1,9}[.)])(?=[ \t]|$)))+/
const container = />|[-+*](?=[ \t]|$)|\d[.)](?=[ \t]|$)/g
const item = /^[ \t]*(?:[-+*]|\d{1,9}[.)])(?:[ \t]|$)/
/** Between the head of a table and its rows. */
const rule = /^[ \t]*\|?[ \t]*:?-[-:| \t]*$/
const unordered = /^[ \t]*(?:[-+*]|#{1,6})[ \t]/

const pipesIn = (line: string): number => line.split('|').length - 1
const indentOf = (line: string): number => /^[ \t]*/.exec(line)?.[0].length ?? 0

/** What is counted while a text is read line by line. */
class Measure {
  #all = 0
  #paragraph = 0
  #fence: string | null = null
  #inList = false
  #inTable = false
  #blank = true
  #before = ''

  /** Whether the text can be parsed with this line. */
  takes(line: string): boolean {
    const marks = fence.exec(line)?.[1] ?? null
    if (this.#fence !== null) {
      if (marks?.startsWith(this.#fence)) this.#fence = null
      return true
    }
    if (marks !== null) this.#fence = marks
    if (line.trim() === '') {
      this.#blank = true
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
    const signs = line.match(sign) ?? []
    this.#paragraph += signs.filter(each => each.length === 1 && each !== '|').length
    this.#all += signs.length + depth
    const fits = this.#paragraph <= mostOfParagraph && this.#all <= mostOfAll
    return fits && depth <= deepest && (indentOf(line) <= mostIndent || before === '')
  }
}

/** Where a text stops to be parsed: at the beginning of a line. */
export function parseable(markdown: string): number {
  const measure = new Measure()
  for (let at = 0; at < markdown.length; ) {
    const end = markdown.indexOf('\n', at)
    const next = end < 0 ? markdown.length : end + 1
    if (!measure.takes(markdown.slice(at, end < 0 ? next : end))) return at
    at = next
  }
  return markdown.length
}
