import type { Segment } from '../../../core/event.ts'
import * as cut from '../../../core/text/cut.ts'
import { type Look, render } from './render.ts'

/** Characters of one message, counted as Discord does: in code points. */
export const longestText = 2000

export function lengthOf(text: string): number {
  let count = 0
  for (const _ of text) count++
  return count
}

/** Segments in pieces, none too long once it is rendered behind `head`. */
export const splitSegments = (segments: readonly Segment[], look: Look, head: readonly Segment[] = []): Segment[][] =>
  cut.splitSegments(segments, longestText * 2, piece => lengthOf(render([...head, ...piece], look)) <= longestText)
