import type { Segment } from '../event.ts'
import { plainSegment } from './text.ts'

/** A person's idea of one character; what is cut is cut between two of them. */
const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' })

const isAscii = (text: string): boolean => /^[\x20-\x7e\n\t]*$/.test(text)

/**
 * Where to cut `text` so that its beginning `fits`, in UTF-16 code units: after a line or a word where one ends in the second
 * half of what fits, else between graphemes; inside a grapheme only when it alone is too long, and never inside a code point.
 * At least one code point, so that cutting comes to an end. `fits` holds for every beginning of what it holds for, and for
 * nothing of more than `mostUnits` units.
 */
export function cutAt(text: string, mostUnits: number, fits: (head: string) => boolean): number {
  if (text.length <= mostUnits && fits(text)) return text.length
  // Room for the grapheme that the last unit lies in.
  const reach = text.slice(0, Math.max(mostUnits, 0) + 64)
  const ends = isAscii(reach) ? null : [...graphemes.segment(reach)].map(({ index, segment }) => index + segment.length)
  const end = longest(ends ?? Array.from(reach, (_, at) => at + 1), reach, fits)
  return end === 0 ? withinGrapheme(reach, fits) : wordCut(reach.slice(0, end), reach[end])
}

/** The last of the ends, which ascend, up to which `text` fits; 0 when it is none. */
function longest(ends: readonly number[], text: string, fits: (head: string) => boolean): number {
  let low = 0
  let high = ends.length
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if (fits(text.slice(0, ends[middle - 1]))) low = middle
    else high = middle - 1
  }
  return ends[low - 1] ?? 0
}

function withinGrapheme(text: string, fits: (head: string) => boolean): number {
  let end = 0
  for (const char of text) {
    if (end > 0 && !fits(text.slice(0, end + char.length))) break
    end += char.length
  }
  return end
}

function wordCut(head: string, next: string | undefined): number {
  if (next === '\n') return head.length
  // A line that stays whole is worth more than a fuller piece: code that is cut at a blank would gain a line.
  const line = head.lastIndexOf('\n') + 1
  if (line > head.length / 2) return line
  if (next === ' ') return head.length
  const word = head.lastIndexOf(' ') + 1
  return word > head.length / 2 ? word : head.length
}

/** The longest beginning of `text` of at most `maxBytes` of UTF-8, cut as `cutAt` does, and what remains; together they are `text`. */
export function takeBytes(text: string, maxBytes: number): [head: string, rest: string] {
  // No UTF-16 unit takes less than a byte.
  const at = cutAt(text, maxBytes, head => Buffer.byteLength(head) <= maxBytes)
  return [text.slice(0, at), text.slice(at)]
}

/** A segment whose text can be cut: those that have none of their own as the words that they are. */
export const cuttable = (segment: Segment): Extract<Segment, { kind: 'text' | 'code' | 'quote' }> =>
  segment.kind === 'text' || segment.kind === 'code' || segment.kind === 'quote'
    ? segment
    : { kind: 'text', text: plainSegment(segment) }
