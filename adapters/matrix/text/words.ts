import type { Mark, Segment } from '../../../core/event.ts'
import { pushText, withoutEnd } from '../../../core/text/markup.ts'
import { clean as cleanText } from '../../../core/text/text.ts'

const address = /\bhttps?:\/\/[^\s\u0000-\u001f<>"]+/g

/** Plain text that a homeserver takes (a lone surrogate is refused with an error of its own) and that controls nothing. */
export const clean = (text: string): string => cleanText(text.replace(/[\u2028\u2029]/g, '\n'))

export const oneLine = (text: string): string => clean(text).replace(/\s+/g, ' ').trim()

/** An address ends before the punctuation of the sentence it stands in. */
function trimmed(url: string): string {
  const bare = withoutEnd(url, ".,;:!?'*_")
  return bare.endsWith(')') && !bare.includes('(') ? bare.slice(0, -1) : bare
}

/** Adds text with these marks; bare addresses in it are links. */
export function pushWords(out: Segment[], words: string, marks: readonly Mark[]): void {
  let at = 0
  if (words.includes('://')) {
    for (const found of words.matchAll(address)) {
      const url = trimmed(found[0])
      pushText(out, words.slice(at, found.index), marks)
      out.push({ kind: 'link', url })
      at = found.index + url.length
    }
  }
  pushText(out, words.slice(at), marks)
}

/** `@user:server` as the specification has it, whatever it stands for. */
export const isUserId = (id: string): boolean => id.isWellFormed() && /^@[^\s:]{0,250}:[^\s]{1,250}$/.test(id)

/** What somebody is called whose name nobody told us. */
export const localpart = (user: string): string => user.slice(1).split(':', 1)[0] || user

/** The server in an id; empty where there is none. */
export const hostOf = (id: string): string => id.slice(id.indexOf(':') + 1 || id.length)

/** The beginning of a text, whole characters alone: half of one is an error to a homeserver. */
export const head = (text: string, units: number): string =>
  text
    .slice(0, units)
    .replace(/[\ud800-\udbff]$/, '')
    .toWellFormed()
