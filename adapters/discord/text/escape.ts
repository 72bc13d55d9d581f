/**
 * Text that a person or a model wrote, so that Discord shows it as it is
 * (docs.discord.com/developers/reference#message-formatting; a backslash takes the meaning of any punctuation).
 */

const address = /https?:\/\/[^\s<>]+/g
const signs = /[\\*_~|`[<]/g
/** What makes a heading, a quote, a list or small text at the beginning of a line. */
const lineStart = /^([ \t]*)(?:(#{1,3}|>{1,3}|[-+]|-#)(?=[ \t]|$)|(>)|(\d{1,9})([.)])(?=[ \t]|$))/gm

const inLine = (text: string): string => text.replace(signs, '\\$&')

/** `startsLine`: what stands before it ends a line, or nothing does. */
export function escapeText(text: string, startsLine = true): string {
  let out = ''
  let at = 0
  // An address is left whole: with backslashes in it, it would lead somewhere else.
  for (const { index, 0: found } of text.matchAll(address)) {
    const url = isPlainAddress(found) ? found : ''
    if (url === '') continue
    out += inLine(text.slice(at, index)) + url
    at = index + url.length
  }
  out += inLine(text.slice(at))
  const guarded = out.replace(
    lineStart,
    (_all, space: string, sign?: string, quote?: string, digits?: string, dot?: string) =>
      digits === undefined ? `${space}\\${sign ?? quote}` : `${space}${digits}\\${dot}`,
  )
  if (startsLine) return guarded
  const end = out.indexOf('\n')
  if (end === -1) return out
  const guardedEnd = guarded.indexOf('\n')
  return out.slice(0, end) + guarded.slice(guardedEnd)
}

/** An address in which nothing could be read as markup around it. */
const isPlainAddress = (url: string): boolean => !/[*~|`\\[\]]|__/.test(url) && URL.canParse(url)
