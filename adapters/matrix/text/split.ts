import type { Segment } from '../../../core/event.ts'
import { cuttable, takeBytes } from '../../../core/text/cut.ts'
import { plain } from '../../../core/text/text.ts'

const bytesOf = (segments: readonly Segment[]): number => Buffer.byteLength(plain({ segments }))

/** Least room that is worth beginning a segment in that would have to be cut. */
const leastBytes = 64

/**
 * Segments in pieces that `fits` takes, each of at most `maxBytes` of plain text. What is cut goes on in the next piece as
 * what it was: marks, code and quotes are opened anew there.
 */
export function splitSegments(
  segments: readonly Segment[],
  maxBytes: number,
  fits: (piece: readonly Segment[]) => boolean,
): Segment[][] {
  const pieces: Segment[][] = []
  for (let rest = segments; rest.length > 0; ) {
    let room = maxBytes
    let [piece, left] = take(rest, room)
    // HTML and escapes may need many times the room of the text itself.
    while (room > leastBytes && !fits(piece)) {
      room = Math.floor(room / 2)
      ;[piece, left] = take(rest, room)
    }
    pieces.push(piece)
    rest = left
  }
  return pieces
}

/** As many segments as there is room for, at least the beginning of the first; and what is left. */
function take(segments: readonly Segment[], maxBytes: number): [Segment[], readonly Segment[]] {
  const piece: Segment[] = []
  let bytes = 0
  for (const [at, segment] of segments.entries()) {
    const size = bytesOf([segment]) + 1
    if (bytes + size <= maxBytes + 1) {
      piece.push(segment)
      bytes += size
      continue
    }
    const room = maxBytes - bytes
    if (piece.length > 0 && room < leastBytes) return [piece, segments.slice(at)]
    const [head, tail] = cut(segment, room)
    if (piece.length > 0 && segment.kind !== 'text' && segment.kind !== 'code') return [piece, segments.slice(at)]
    return [
      [...piece, head],
      [...tail, ...segments.slice(at + 1)],
    ]
  }
  return [piece, []]
}

function cut(segment: Segment, roomBytes: number): [Segment, Segment[]] {
  const whole = cuttable(segment)
  // Each line of a quote begins with a sign of its own.
  const signs =
    whole.kind === 'quote' ? 2 * whole.text.split('\n').length + Buffer.byteLength(whole.author ?? '') + 2 : 0
  const [head, rest] = takeBytes(whole.text, Math.max(16, roomBytes - signs))
  return [{ ...whole, text: head }, rest === '' ? [] : [{ ...whole, text: rest }]]
}
