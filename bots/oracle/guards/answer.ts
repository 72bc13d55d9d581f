import { CodeSpan } from '../code-span.ts'
import { type Listed, link, linkIn } from './links.ts'
import { maskSecrets } from './secrets.ts'

export interface AnswerRules {
  /** Values that are never said. */
  readonly known: readonly string[]
  /** Whether a link may be shown as one; null: none is previewed where it is said, so all may. */
  readonly listed: Listed | null
}

/** All but line ends and tabs; what turns the direction of text; the invisible letters in which text can be hidden. */
const control =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\u{e0000}-\u{e007f}]/gu
const everyone = /(?<![\w.@/])@(everyone|here|channel|all|room|online)(?![\w-])/gi
/** Slack's and Discord's own spelling of whole groups. */
const nativeGroups = /<(?:!(everyone|channel|here)(?:\|[^>\s]*)?|!subteam\^[^>\s]*|@&\d+)>/gi
const hostEnd = /[^\s<>"'`()[\]|]{1,300}$/

/** No mass mention, nothing that can't be seen, no secret. */
const clean = (text: string, { known }: AnswerRules): string =>
  maskSecrets(text.replace(control, ''), known)
    .replace(everyone, '$1')
    .replace(nativeGroups, (_whole, name: string | undefined) => name ?? 'group')

/** A word that may still become a link, a mention or a key is held back, up to so much; a private key up to more. */
const longestWord = 2000
const longestKey = 10_000

const keyBegins = '-----BEGIN '
const keyEnds = /-----END [A-Z ]{0,30}PRIVATE KEY-----/

/** Of what words are made that links, mentions and keys are made of: text in other scripts is never held back. */
const inWord = (code: number): boolean => code > 32 && code < 127
const isHighSurrogate = (code: number): boolean => code >= 0xd800 && code < 0xdc00

/**
 * Lets an answer through as it comes, without what must not be said. A link that the conversation did not hold is shown as
 * code: a platform that fetches a preview would carry out what somebody may have made the model put into it.
 */
export class AnswerGuard {
  readonly #rules: AnswerRules
  readonly #phrases: readonly string[]
  readonly #code = new CodeSpan()
  #held = ''
  /** Where in `#held` the last word begins. */
  #word = 0
  /** The end of what was said, in a script that is never held back: it may be a host, and its path may come. */
  #said = ''

  constructor(rules: AnswerRules) {
    this.#rules = rules
    this.#phrases = rules.known.filter(value => /\s/.test(value))
  }

  push(piece: string): string {
    const text = this.#held + piece
    const word = this.#wordIn(text, this.#held.length)
    const from = this.#phraseBefore(text, word)
    this.#held = text.slice(from)
    this.#word = word - from
    return this.#through(text.slice(0, from))
  }

  end(): string {
    const left = this.#held
    this.#held = ''
    this.#word = 0
    return this.#through(left)
  }

  /** Where the last word begins, which may go on; only what is new is looked at. */
  #wordIn(text: string, newFrom: number): number {
    let from = text.length
    if (from > newFrom && isHighSurrogate(text.charCodeAt(from - 1))) return from - 1
    while (from > newFrom && inWord(text.charCodeAt(from - 1))) from--
    if (from === newFrom) from = this.#word
    return text.length - from > longestWord ? text.length - longestWord / 10 : from
  }

  /** Where a secret of several words begins that is whole, or may become so, and reaches past `word`. */
  #phraseBefore(text: string, word: number): number {
    const key = text.lastIndexOf(keyBegins)
    const end = key < 0 ? null : keyEnds.exec(text.slice(key))
    const reaches = end ? key + end.index + end[0].length > word : text.length - key < longestKey
    const open = key >= 0 && key < word && reaches
    let from = open ? key : word
    for (const phrase of this.#phrases) {
      const whole = text.lastIndexOf(phrase)
      if (whole >= 0 && whole < from && whole + phrase.length > from) from = whole
      for (let length = Math.min(phrase.length - 1, text.length); length > 2; length--) {
        if (text.length - length < from && text.endsWith(phrase.slice(0, length))) from = text.length - length
      }
    }
    return from
  }

  #through(text: string): string {
    const safe = clean(text, this.#rules)
    const { listed } = this.#rules
    const said = this.#said
    let out = ''
    let at = 0
    for (const { 0: whole, index } of listed ? (said + safe).matchAll(link) : []) {
      const url = linkIn(whole)
      const from = Math.max(index - said.length, 0)
      const end = index + url.length - said.length
      // One that was said with its path was looked at then.
      if (end <= 0 || said.slice(index).includes('/')) continue
      out += this.#plain(safe.slice(at, from))
      at = end
      // Whatever is code is no link already.
      out += this.#code.open || listed?.(url) ? this.#plain(safe.slice(from, at)) : `\`${safe.slice(from, at)}\``
    }
    this.#said = hostEnd.exec(said + safe)?.[0] ?? ''
    return out + this.#plain(safe.slice(at))
  }

  #plain(text: string): string {
    for (const char of text) this.#code.take(char)
    return text
  }
}
