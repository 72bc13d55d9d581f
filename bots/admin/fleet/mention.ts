import type { Content, Segment } from '../../../core/event.ts'

/** Words that name groups at the moment, lower case: types in both spellings and named groups. */
export interface Known {
  isGroup(word: string): boolean
  /** Of `@worker -x`: whether `x` is anybody at all. */
  isAnybody(part: string): boolean
}

export interface Mention {
  /** `@worker,@scout,-worker-003` */
  readonly selector: string
  /** What is said to them, on one line, without the groups it began with. */
  readonly words: string
}

/** In the words of a person, what stands in front of `@` and behind the name. An address of mail is no mention. */
const token = /(?<![^\s([{"'“‘,;])@([a-z0-9_][a-z0-9_-]{0,60}\*?)(?=$|[\s,;:!?)\]}"'”’]|\.(?:\s|$))/giu
const exclusion = /(?:\s*,\s*|\s+)-(@?[a-z0-9_][a-z0-9_-]{0,60}\*?)(?=$|[\s,;:!?]|\.(?:\s|$))/iuy
const between = /^[\s,;:&+]*(?:and\s+)?$/i

const isCode = (segment: Segment): boolean =>
  segment.kind === 'code' || (segment.kind === 'text' && segment.marks?.includes('mono') === true)

/** Code as people write it where there is no other way: between back-ticks. */
const withoutCode = (text: string): string => text.replace(/```[^]*?(?:```|$)/g, blank).replace(/`[^`\n]*`/g, blank)

/** As long as it was, so that places in the text stay. */
const blank = (text: string): string => '\0'.repeat(text.length)

function spokenText(segments: readonly Segment[]): { text: string; heard: string } {
  let text = ''
  let heard = ''
  for (const segment of segments) {
    if (segment.kind === 'quote') continue
    const said =
      segment.kind === 'mention'
        ? segment.name.replace(/^@?/, '@')
        : segment.kind === 'link'
          ? segment.url
          : segment.kind === 'emoji'
            ? segment.text
            : segment.text
    text += said
    // A platform's own mention of a person is that person's; one that it could not resolve may be ours.
    const silent = isCode(segment) || segment.kind === 'link' || (segment.kind === 'mention' && segment.id !== null)
    heard += silent ? blank(said) : said
  }
  return { text, heard: withoutCode(heard) }
}

/** The groups a message mentions, and what it says to them; null when it mentions none. Linear in the text. */
export function mentionOf(content: Content, known: Known): Mention | null {
  if (content.style === 'notice') return null
  const { text, heard } = spokenText(content.segments)
  const parts: string[] = []
  let begins = 0
  for (const found of heard.matchAll(token)) {
    const word = (found[1] ?? '').toLowerCase()
    if (!word.endsWith('*') && !known.isGroup(word)) continue
    parts.push(`@${word}`)
    const end = excluded(heard, found.index + found[0].length, known, parts)
    if (between.test(heard.slice(begins, found.index))) begins = end
  }
  if (parts.length === 0) return null
  const words = text.slice(begins).replace(/^[\s,;:]+/, '')
  return { selector: parts.join(','), words: words.replace(/\s+/g, ' ').trim() }
}

/** Reads `,-worker-003 -@scout` behind a group; returns where that ends. */
function excluded(heard: string, from: number, known: Known, parts: string[]): number {
  let at = from
  for (;;) {
    exclusion.lastIndex = at
    const part = exclusion.exec(heard)?.[1]?.toLowerCase()
    if (part === undefined || !known.isAnybody(part)) return at
    parts.push(`-${part}`)
    at = exclusion.lastIndex
  }
}

/** Whether it is worth a look at all. */
export const mayMention = ({ segments }: Content): boolean =>
  segments.some(segment =>
    segment.kind === 'mention' ? segment.id === null : segment.kind === 'text' && segment.text.includes('@'),
  )
