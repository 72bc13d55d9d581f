import type { Segment } from '../../../core/event.ts'
import { cuttable } from '../../../core/text.ts'
import { toMrkdwn } from './render.ts'

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' })

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

/** The longest beginning within `max`, cut after a line or word where there is one in its second half. */
function take(text: string, max: number, perLine: number): [head: string, rest: string] {
  if (text.length <= max && cost(text, perLine) <= max) return [text, '']
  let units = 0
  let end = 0
  for (const { segment, index } of graphemes.segment(text.slice(0, max + 64))) {
    units += cost(segment, perLine)
    if (units > max) break
    end = index + segment.length
  }
  if (end === 0) end = withinGrapheme(text, max)
  const head = text.slice(0, end)
  const cut = Math.max(head.lastIndexOf('\n') > end / 2 ? head.lastIndexOf('\n') : head.lastIndexOf(' '), 0) + 1
  const at = /\s/.test(text[end] ?? '') || cut <= end / 2 ? end : cut
  return [text.slice(0, at), text.slice(at)]
}

/** One that is too long by itself is cut between its code points. */
function withinGrapheme(text: string, max: number): number {
  let end = 0
  for (const char of text) {
    if (end > 0 && end + char.length > max) break
    end += char.length
  }
  return end
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
    const [head, rest] = take(
      whole.text,
      left,
      whole.kind === 'quote' ? 2 : whole.kind === 'text' ? markUnits(whole) : 0,
    )
    partOf.push({ ...whole, text: bare(head, isBlock) })
    end()
    if (rest !== '') queue.push({ ...whole, text: bare(rest, isBlock) })
  }
  end()
  return parts
}

/** Signs around each line of a marked text. */
const markUnits = ({ marks }: Segment & { kind: 'text' }): number => 2 * (marks?.length ?? 0)
