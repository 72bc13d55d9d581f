import type { Segment } from '../../../core/event.ts'
import { splitSegments } from '../../../core/text/cut.ts'
import { toMrkdwn } from './render.ts'

/** Slack's recommendation for a message, and its limit for an edited one. */
export const textUnits = 4000
/** Room for what words that call everybody become. */
const spareUnits = 100

/** Segments in parts that each fit a message. */
export const split = (segments: readonly Segment[]): Segment[][] =>
  splitSegments(segments, textUnits, part => toMrkdwn(part).length <= textUnits - spareUnits)
