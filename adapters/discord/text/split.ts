import type { Segment } from '../../../core/event.ts'
import { cuttable } from '../../../core/text.ts'
import { type Look, render } from './render.ts'

/** Characters of one message, counted as Discord does: in code points. */
export const longestText = 2000

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' })

export function lengthOf(text: string): number {
  let count = 0
  for (const _ of text) count++
  return count
}

/**
 * Segments in pieces, each of at most `most` characters once rendered. Code blocks and marks are closed at the end of a piece
 * and opened anew in the next. Cuts after a line or a word where there is one in the second half, else between graphemes.
 */
export function splitSegments(segments: readonly Segment[], look: Look, most = longestText): Segment[][] {
  const pieces: Segment[][] = []
  let piece: Segment[] = []
  const fits = (...more: readonly Segment[]): boolean => lengthOf(render([...piece, ...more], look)) <= most
  const queue = [...segments].reverse()
  for (let segment = queue.pop(); segment; segment = queue.pop()) {
    if (fits(segment)) {
      piece.push(segment)
      continue
    }
    const [head, rest] = cut(segment, fits, piece.length === 0)
    if (head) piece.push(head)
    if (piece.length > 0) pieces.push(piece)
    piece = []
    if (rest) queue.push(rest)
  }
  if (piece.length > 0) pieces.push(piece)
  return pieces
}

type Fits = (segment: Segment) => boolean

/** What of a segment still fits, and the rest. `alone`: something of it has to, or there would be no end. */
function cut(segment: Segment, fits: Fits, alone: boolean): [Segment | null, Segment | null] {
  if (!alone && segment.kind !== 'text') return [null, segment]
  const whole = cuttable(segment)
  const end = cutAt(whole.text, text => fits({ ...whole, text }), alone)
  if (end === 0) return [null, segment]
  const rest = whole.text.slice(end)
  return [{ ...whole, text: whole.text.slice(0, end) }, rest === '' ? null : { ...whole, text: rest }]
}

/** Where to cut `text` so that its beginning fits, UTF-16 units; 0 when nothing does and it need not. */
function cutAt(text: string, fits: (head: string) => boolean, some: boolean): number {
  const reach = text.slice(0, longestText * 2 + 64)
  const ends = [...graphemes.segment(reach)].map(({ index, segment }) => index + segment.length)
  let low = 0
  let high = ends.length
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if (fits(reach.slice(0, ends[middle - 1]))) low = middle
    else high = middle - 1
  }
  if (low === 0) return some ? codePointsThatFit(reach, fits) : 0
  return wordCut(text, ends[low - 1] ?? reach.length)
}

/** Of a grapheme that alone is too long: as many of its code points as fit, one at least. */
function codePointsThatFit(text: string, fits: (head: string) => boolean): number {
  let end = 0
  for (const char of text) {
    if (end > 0 && !fits(text.slice(0, end + char.length))) break
    end += char.length
  }
  return end
}

function wordCut(text: string, end: number): number {
  if (text[end] === ' ' || text[end] === '\n') return end
  const head = text.slice(0, end)
  const line = head.lastIndexOf('\n') + 1
  if (line > end / 2) return line
  const word = head.lastIndexOf(' ') + 1
  return word > end / 2 ? word : end
}
