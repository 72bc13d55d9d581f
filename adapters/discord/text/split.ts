import type { Segment } from '../../../core/event.ts'
import { cutAt, cuttable } from '../../../core/text/cut.ts'
import { type Look, render } from './render.ts'

/** Characters of one message, counted as Discord does: in code points. */
export const longestText = 2000

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
  // A mark, an escape and a reference to a person may each be more or fewer characters than what they stand for.
  const end = cutAt(whole.text, longestText * 2, text => fits({ ...whole, text }))
  if (!alone && !fits({ ...whole, text: whole.text.slice(0, end) })) return [null, segment]
  const rest = whole.text.slice(end)
  return [{ ...whole, text: whole.text.slice(0, end) }, rest === '' ? null : { ...whole, text: rest }]
}
