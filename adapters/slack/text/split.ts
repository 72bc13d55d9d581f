import type { Segment } from '../../../core/event.ts'
import { splitSegments } from '../../../core/text/cut.ts'
import { toMrkdwn } from './render.ts'

/** Slack's recommendation for a message, and its limit for an edited one. */
export const textUnits = 4000
/** Room for what words that call everybody become. */
const spareUnits = 100

/** Segments in parts that each fit a message behind `head`. */
export const split = (segments: readonly Segment[], head: readonly Segment[] = []): Segment[][] =>
  splitSegments(segments, textUnits, part => toMrkdwn([...head, ...part]).length <= textUnits - spareUnits)
