import { straight } from '../../../core/command/parse/grammar.ts'

/** Scripts that are written without spaces: each character is a word of its own, a written word is a phrase of them. */
const unspaced = /[\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{scx=Thai}\p{scx=Lao}\p{scx=Khmer}\p{scx=Myanmar}]/gu
const plainText = /^[\x20-\x7e\n\t]*$/
const longestText = 16_384

/** Text the way it is indexed and looked for: compatibility forms joined, what can't be seen left out. */
export function indexable(text: string): string {
  const cut = text.length > longestText ? text.slice(0, longestText) : text
  if (plainText.test(cut)) return cut
  return cut
    .toWellFormed()
    .normalize('NFKC')
    .replace(/\p{Cf}|\0/gu, '')
    .replace(unspaced, ' $& ')
}

/** Whether the index can hold anything of this at all: it knows letters and digits. */
export const searchable = (text: string): boolean => /[\p{L}\p{N}\p{Co}]/u.test(text)

export interface Term {
  /** A word, or several that must follow each other. */
  readonly text: string
  /** `deploy*`: every word that begins so. */
  readonly prefix: boolean
  readonly exclude: boolean
}

const written = (text: string): string => straight(text).replace(/[«»]/g, '"')
const pieces = /(-?)"([^"]*)(?:"|$)|(\S+)/g

/** Signs that the index knows nothing of: emoji, `C++`, `100%`, a star in front. Those that only mark text up are no loss. */
const signs =
  /\p{Extended_Pictographic}[\ufe0f\u200d\p{EMod}\p{Extended_Pictographic}]*|\p{RI}{2}|(?![`^~|])[\p{Sm}\p{Sc}\p{Sk}%#&]+|^\*+(?=[^*]*$)/gu

/** What of the words the index can't hold: looked for without it. */
export const unsearchable = (words: string): string[] => [
  ...new Set(
    [...written(words).matchAll(pieces)].flatMap(([whole, , phrase]) =>
      searchable(phrase ?? whole) ? (whole.match(signs) ?? []) : [whole],
    ),
  ),
]

/**
 * Reads `words "a phrase" -not deploy*`. Never fails: what holds no letter or digit is left out, a quote that is never
 * closed goes to the end.
 */
export function parseTerms(words: string): Term[] {
  const terms: Term[] = []
  for (const match of written(words).matchAll(pieces)) {
    const term = match[3] === undefined ? quotedTerm(match[1], match[2]) : wordTerm(match[3])
    if (searchable(term.text)) terms.push(term)
  }
  return terms
}

const longestTerm = 200
const cleaned = (text: string): string => indexable(text).trim().slice(0, longestTerm)

const quotedTerm = (sign: string | undefined, phrase = ''): Term => ({
  text: cleaned(phrase),
  prefix: false,
  exclude: sign === '-',
})

function wordTerm(word: string): Term {
  const exclude = word.startsWith('-')
  return { text: cleaned(exclude ? word.slice(1) : word), prefix: word.endsWith('*'), exclude }
}

/** A string of FTS5's query language: nothing in it is an operator. */
const quote = (text: string): string => `"${text.replaceAll('"', '""')}"`

const any = (parts: readonly string[]): string => `(${parts.join(' OR ')})`

/**
 * The query for FTS5: all words, none of the excluded, and one tag of each group; null when nothing is asked of it.
 * An empty group matches nothing: callers don't ask then.
 */
export function expression(terms: readonly Term[], tagGroups: readonly (readonly string[])[]): string | null {
  const term = (one: Term): string => `text : ${quote(one.text)}${one.prefix ? ' *' : ''}`
  const wanted = [
    ...terms.filter(one => !one.exclude).map(term),
    ...tagGroups.map(group => any(group.map(tag => `tags : ${quote(tag)}`))),
  ]
  const unwanted = terms.filter(one => one.exclude).map(term)
  if (wanted.length === 0) return null
  const all = `(${wanted.join(' AND ')})`
  return unwanted.length > 0 ? `${all} NOT ${any(unwanted)}` : all
}
