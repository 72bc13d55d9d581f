import type { Segment } from '../event.ts'
import { graphemesOf } from './graphemes.ts'
import { isBlock, plainSegment } from './text.ts'

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
  const ends = isAscii(reach) ? null : [...graphemesOf(reach)].map(({ index, segment }) => index + segment.length)
  const endOf = (count: number): number => (ends ? (ends[count - 1] ?? 0) : count)
  const end = endOf(most(ends?.length ?? reach.length, count => fits(reach.slice(0, endOf(count)))))
  return end === 0 ? withinGrapheme(reach, fits) : wordCut(reach.slice(0, end), reach[end])
}

/** The largest number up to `highest` for which `holds`, which then holds for all below it; 0 when it is none. */
function most(highest: number, holds: (count: number) => boolean): number {
  let low = 0
  let high = 1
  for (; high <= highest && holds(high); high *= 2) low = high
  high = Math.min(high, highest + 1)
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (holds(middle)) low = middle
    else high = middle
  }
  return low
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

/** Less than that of a text is not worth being said before the rest. */
const leastUnits = 16

type Piece = readonly Segment[]

/**
 * Segments in pieces that each `fits`, which holds for every beginning of what it holds for and for nothing of more than
 * `mostUnits` units of text. Marks, code and quotes go on in the next piece as what they were.
 */
export function splitSegments(segments: Piece, mostUnits: number, fits: (piece: Piece) => boolean): Segment[][] {
  const pieces: Segment[][] = []
  for (let rest = segments; rest.length > 0; ) {
    const whole = rest.slice(
      0,
      most(rest.length, count => fits(rest.slice(0, count))),
    )
    const [next, ...after] = rest.slice(whole.length)
    const [head, tail] = next ? cutSegment(next, whole, mostUnits, fits) : [[], []]
    pieces.push([...whole, ...head])
    rest = [...tail, ...after]
  }
  return pieces
}

/** What of a segment still fits behind what is in its piece, and the rest. */
function cutSegment(
  segment: Segment,
  before: Piece,
  mostUnits: number,
  fits: (piece: Piece) => boolean,
): [Piece, Piece] {
  const alone = before.length === 0
  // A word or a fence begins a piece rather than being cut at the end of one.
  if (!alone && segment.kind !== 'text') return [[], [segment]]
  const whole = cuttable(segment)
  const at = cutAt(whole.text, mostUnits, text => fits([...before, { ...whole, text }]))
  if (!alone && at < leastUnits) return [[], [segment]]
  const [head, tail] = [whole.text.slice(0, at), whole.text.slice(at)]
  if (tail === '' || (tail === '\n' && isBlock(whole))) return [[{ ...whole, text: head }], []]
  if (!isBlock(whole)) return [[{ ...whole, text: head }], [{ ...whole, text: tail }]]
  // Blocks stand on lines of their own: where one is cut, its line break is the cut's.
  const shown = { ...whole, text: head.replace(/\n$/, '') }
  return [[shown], [{ ...whole, text: head === shown.text ? tail.replace(/^\n/, '') : tail }]]
}

/** A segment whose text can be cut: those that have none of their own as the words that they are. */
const cuttable = (segment: Segment): Extract<Segment, { kind: 'text' | 'code' | 'quote' }> =>
  segment.kind === 'text' || segment.kind === 'code' || segment.kind === 'quote'
    ? segment
    : { kind: 'text', text: plainSegment(segment) }
