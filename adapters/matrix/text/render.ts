import type { Mark, Segment } from '../../../core/event.ts'
import { escapeHtml, isBlock, plain } from '../../../core/text/text.ts'
import { clean, isUserId, oneLine } from './words.ts'

/** A text as both forms of an event. `html` is null where plain text says the same. */
export interface Rendered {
  readonly body: string
  readonly html: string | null
  /** Who is meant, for `m.mentions`. */
  readonly mentions: readonly string[]
}

const tags: Readonly<Record<Mark, readonly [string, string]>> = {
  bold: ['<strong>', '</strong>'],
  italic: ['<em>', '</em>'],
  underline: ['<u>', '</u>'],
  strike: ['<del>', '</del>'],
  mono: ['<code>', '</code>'],
  spoiler: ['<span data-mx-spoiler>', '</span>'],
}

/** Spaces in a row, and at a line's beginning, are shown. */
const spaced = (html: string): string => html.replace(/^ |  /gm, run => '\u00a0'.padEnd(run.length, ' '))

const lines = (text: string): string => spaced(escapeHtml(clean(text))).replaceAll('\n', '<br>')

/** Only what a browser may be sent to. */
const isAddress = (url: string): boolean => /^(https?|mailto):[^\s]+$/i.test(url)

function marked(text: string, marks: readonly Mark[]): string {
  const order = marks.filter((mark, at) => marks.indexOf(mark) === at)
  const open = order.map(mark => tags[mark][0]).join('')
  return `${open}${lines(text)}${order
    .map(mark => tags[mark][1])
    .reverse()
    .join('')}`
}

function html(segment: Segment): string {
  switch (segment.kind) {
    case 'text':
      return marked(segment.text, segment.marks ?? [])
    case 'link': {
      const shown = escapeHtml(oneLine(segment.text ?? segment.url))
      if (!isAddress(segment.url)) return escapeHtml(clean(plain({ segments: [segment] })))
      return `<a href="${escapeHtml(clean(segment.url))}">${shown}</a>`
    }
    case 'mention': {
      const name = escapeHtml(oneLine(segment.name))
      if (segment.id === null || !isUserId(segment.id)) return escapeHtml(plain({ segments: [segment] }))
      return `<a href="https://matrix.to/#/${encodeURIComponent(segment.id)}">${name}</a>`
    }
    case 'emoji':
      return escapeHtml(clean(segment.text === '' ? `:${segment.name}:` : segment.text))
    case 'code': {
      if (!segment.block) return `<code>${escapeHtml(clean(segment.text))}</code>`
      const language = /^[A-Za-z0-9+#._-]{1,40}$/.exec(segment.language ?? '')?.[0]
      const name = language === undefined ? '' : ` class="language-${escapeHtml(language)}"`
      return `<pre><code${name}>${escapeHtml(clean(segment.text))}\n</code></pre>`
    }
    case 'quote': {
      const by = segment.author === undefined ? '' : `<strong>${escapeHtml(oneLine(segment.author))}:</strong> `
      return `<blockquote>${by}${lines(segment.text)}</blockquote>`
    }
  }
}

/** Breaks beside a block are the block's own. */
function besideBlocks(segments: readonly Segment[], at: number): Segment {
  const segment = segments[at] as Segment
  if (segment.kind !== 'text') return segment
  const [before, after] = [segments[at - 1], segments[at + 1]]
  const text = before && isBlock(before) ? segment.text.replace(/^\n/, '') : segment.text
  return { ...segment, text: after && isBlock(after) ? text.replace(/\n$/, '') : text }
}

const isPlain = (segment: Segment): boolean =>
  (segment.kind === 'text' && (segment.marks ?? []).length === 0) ||
  segment.kind === 'emoji' ||
  (segment.kind === 'link' && (segment.text === undefined || segment.text === segment.url)) ||
  (segment.kind === 'mention' && (segment.id === null || !isUserId(segment.id)))

/** Segments as a message of Matrix has them (specification, "m.room.message msgtypes"): nothing in them becomes markup. */
export function render(segments: readonly Segment[]): Rendered {
  const mentions = segments.flatMap(segment =>
    segment.kind === 'mention' && segment.id !== null && isUserId(segment.id) ? [segment.id as string] : [],
  )
  return {
    body: clean(plain({ segments })),
    html: segments.every(isPlain) ? null : segments.map((_, at) => html(besideBlocks(segments, at))).join(''),
    mentions: [...new Set(mentions)],
  }
}
