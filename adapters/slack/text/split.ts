import type { Segment } from '../../../core/event.ts'
import { cutAt, cuttable } from '../../../core/text/cut.ts'
import { toMrkdwn } from './render.ts'

/** Slack's recommendation for a message, and its limit for an edited one. */
export const textUnits = 4000
/** Room for fences, quotes and signs around a part. */
const spareUnits = 100

const costOf = (char: string): number => (char === '&' ? 5 : char === '<' || char === '>' ? 4 : char.length)

/** What it takes in the fallback, where three characters are escaped and each quoted line has its sign. */
function cost(text: string, perLine: number): number {
  let units = text.length
  for (const char of text) units += costOf(char) - char.length + (char === '\n' ? perLine : 0)
  return units
}

/** Where a block is cut its line break is the cut's. */
const bare = (text: string, isBlock: boolean): string => (isBlock ? text.replace(/^\n|\n$/g, '') : text)

/**
 * Segments in parts that each fit a message. Marks, fences and quotes go on in the next part, since each part of a segment
 * has them.
 */
export function split(segments: readonly Segment[], maxUnits = textUnits): Segment[][] {
  const room = maxUnits - spareUnits
  const parts: Segment[][] = []
  let partOf: Segment[] = []
  let used = 0
  const end = (): void => {
    if (partOf.length > 0) parts.push(partOf)
    partOf = []
    used = 0
  }
  const queue = [...segments].reverse()
  for (let segment = queue.pop(); segment; segment = queue.pop()) {
    const size = toMrkdwn([segment]).length + 1
    if (used + size <= room) {
      partOf.push(segment)
      used += size
      continue
    }
    const left = room - used
    // A word or a fence begins a message rather than being cut at the end of one.
    if (used > 0 && (segment.kind !== 'text' || left < 200)) {
      end()
      queue.push(segment)
      continue
    }
    const whole = cuttable(segment)
    const isBlock = whole.kind === 'quote' || (whole.kind === 'code' && whole.block)
    const perLine = whole.kind === 'quote' ? 2 : whole.kind === 'text' ? markUnits(whole) : 0
    const at = cutAt(whole.text, left, head => cost(head, perLine) <= left)
    const rest = whole.text.slice(at)
    partOf.push({ ...whole, text: bare(whole.text.slice(0, at), isBlock) })
    end()
    if (rest !== '') queue.push({ ...whole, text: bare(rest, isBlock) })
  }
  end()
  return parts
}

/** Signs around each line of a marked text. */
const markUnits = ({ marks }: Segment & { kind: 'text' }): number => 2 * (marks?.length ?? 0)
