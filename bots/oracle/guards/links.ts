/** Links of an answer that the conversation did not hold: as what its Markdown says, whatever that is written like. */
import type { Segment } from '../../../core/event.ts'
import { withoutEnd } from '../../../core/text/markup.ts'

/** Whether a link may be shown as one. */
export type Listed = (url: string) => boolean

/** Also a host and a path alone: there are clients that make a link of it, and fetch a preview (Element does where there is a `/`). */
export const link =
  /(?:\b(?:https?:\/\/|www\.)|(?<![\p{L}\p{N}_./@:-])(?:[\p{L}\p{N}-]{1,63}\.){1,8}\p{L}{2,24}(?::\d{1,5})?\/)[^\s<>"'`)\]|]+/giu

/** A link without the signs that end the sentence around it. */
export const linkIn = (found: string): string => withoutEnd(found, '.,;:!?')

type Text = Segment & { readonly kind: 'text' }
type Link = Segment & { readonly kind: 'link' }

interface Range {
  readonly from: number
  readonly to: number
}

const code = (text: string): Segment => ({ kind: 'code', block: false, text })
const plainly = (text: string): Text => ({ kind: 'text', text })

const unlistedIn = (text: string, listed: Listed): Range[] =>
  [...text.matchAll(link)].flatMap(({ 0: found, index }) => {
    const url = linkIn(found)
    return listed(url) ? [] : [{ from: index, to: index + url.length }]
  })

/** What of a text, that begins at `begin`, is in no range, and as code what is in one. */
function cut(text: Text, begin: number, ranges: readonly Range[]): Segment[] {
  const out: Segment[] = []
  let at = 0
  for (const { from, to } of ranges) {
    const [start, end] = [Math.max(from - begin, at), Math.min(to - begin, text.text.length)]
    if (start >= end) continue
    if (start > at) out.push({ ...text, text: text.text.slice(at, start) })
    out.push(code(text.text.slice(start, end)))
    at = end
  }
  return at === text.text.length ? out : [...out, { ...text, text: text.text.slice(at) }]
}

/** Texts that stand one behind the other: marks between them end no link. */
function texts(run: readonly Text[], listed: Listed): Segment[] {
  const ranges = unlistedIn(run.map(({ text }) => text).join(''), listed)
  if (ranges.length === 0) return [...run]
  let begin = 0
  return run.flatMap(each => {
    const pieces = cut(each, begin, ranges)
    begin += each.text.length
    return pieces
  })
}

function linked(segment: Link, listed: Listed): Segment[] {
  const { url, text } = segment
  // `www.example.org` alone is read as an address of its own.
  const label = url === `http://${text}` ? undefined : text
  const isListed = listed(url) || (label !== text && listed(text ?? ''))
  if (isListed && (label === undefined || unlistedIn(label, listed).length === 0)) return [segment]
  const shown = isListed ? ({ kind: 'link', url } as const) : code(url)
  return label === undefined ? [shown] : [...texts([plainly(`${label} (`)], listed), shown, plainly(')')]
}

/** In a quote nothing can be code: one with such a link is said as its lines. */
const quoted = (segment: Segment & { readonly kind: 'quote' }, listed: Listed): Segment[] =>
  unlistedIn(segment.text, listed).length === 0
    ? [segment]
    : texts([plainly(segment.text.replace(/^/gm, '> '))], listed)

/** Segments in which no link is one that is not listed: a platform that fetches a preview would carry out what it holds. */
export function defused(segments: readonly Segment[], listed: Listed): Segment[] {
  const out: Segment[] = []
  let run: Text[] = []
  for (const segment of segments) {
    if (segment.kind === 'text') {
      run.push(segment)
      continue
    }
    out.push(...texts(run, listed))
    run = []
    if (segment.kind === 'link') out.push(...linked(segment, listed))
    else if (segment.kind === 'quote') out.push(...quoted(segment, listed))
    else out.push(segment)
  }
  return [...out, ...texts(run, listed)]
}
