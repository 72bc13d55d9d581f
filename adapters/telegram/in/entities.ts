import type { Mark, Segment, UserId } from '../../../core/event.ts'
import { isWeb, pushText } from '../../../core/text/markup.ts'
import type { Entity } from '../native.ts'

/** Who is who, for what mentions people. */
export interface Names {
  readonly self: { readonly id: number; readonly username: string }
  /** The account of a user name, where somebody of that name was met. */
  idOf(username: string): number | undefined
}

const markOf: Readonly<Record<string, Mark>> = {
  bold: 'bold',
  italic: 'italic',
  underline: 'underline',
  strikethrough: 'strike',
  spoiler: 'spoiler',
}
/** What becomes a segment of its own; what stands further left wins where several cover the same words. */
const whole = ['pre', 'blockquote', 'expandable_blockquote', 'code', 'text_link', 'text_mention', 'mention', 'url']
/** Telegram gives at most 100; whoever gives more is not Telegram. */
const mostEntities = 500

interface Span {
  readonly from: number
  readonly to: number
  readonly entity: Entity
}

function spansOf(text: string, entities: readonly Entity[]): Span[] {
  const spans: Span[] = []
  for (const entity of entities.slice(0, mostEntities)) {
    if (typeof entity !== 'object' || entity === null) continue
    const { offset, length } = entity
    if (!Number.isInteger(offset) || !Number.isInteger(length) || offset < 0 || length <= 0) continue
    if (offset < text.length) spans.push({ from: offset, to: Math.min(text.length, offset + length), entity })
  }
  return spans
}

/** A text with its entities (offsets in UTF-16 code units, as ours) as segments. Whatever the entities are, no text is lost. */
export function segmentsOf(text: string, entities: readonly Entity[], names: Names): Segment[] {
  const spans = spansOf(text, entities)
  const cuts = [...new Set([0, text.length, ...spans.flatMap(({ from, to }) => [from, to])])].sort((a, b) => a - b)
  const out: Segment[] = []
  let done = 0
  for (const [index, from] of cuts.entries()) {
    const to = cuts[index + 1]
    if (to === undefined || to <= done) continue
    const start = Math.max(from, done)
    const here = spans.filter(span => span.from <= start && span.to >= to)
    const special = leading(here)
    done = special?.to ?? to
    const words = text.slice(start, done)
    const segment = special && segmentOf(words, special.entity, names)
    if (segment) out.push(segment)
    else pushText(out, `${words}${special ? addressOf(words, special.entity) : ''}`, marksOf(here))
  }
  return out
}

const leading = (spans: readonly Span[]): Span | undefined =>
  spans
    .filter(({ entity }) => whole.includes(entity.type))
    .sort((a, b) => whole.indexOf(a.entity.type) - whole.indexOf(b.entity.type))[0]

const marksOf = (spans: readonly Span[]): Mark[] => [
  ...new Set(spans.flatMap(({ entity }) => markOf[entity.type] ?? [])),
]

/** Where a link leads that is none for us: it is shown, not followed. */
const addressOf = (words: string, { type, url }: Entity): string =>
  type === 'text_link' && url !== undefined && url !== words ? ` (${url})` : ''

function segmentOf(words: string, entity: Entity, names: Names): Segment | null {
  const { type, url, language } = entity
  if (type === 'pre') return { kind: 'code', text: words, block: true, ...(language ? { language } : {}) }
  if (type === 'code') return { kind: 'code', text: words, block: false }
  if (type === 'blockquote' || type === 'expandable_blockquote') return { kind: 'quote', text: words }
  if (type === 'url') return isWeb(words) ? { kind: 'link', url: words } : null
  if (type === 'text_link') return linkOf(words, url ?? '', names)
  return mentionOf(words, entity, names)
}

function linkOf(words: string, url: string, names: Names): Segment | null {
  const [, user] = /^tg:\/\/user\?id=(\d{1,16})$/.exec(url) ?? []
  if (user !== undefined) return person(words, Number(user), names)
  if (!isWeb(url)) return null
  return { kind: 'link', url, ...(words === url ? {} : { text: words }) }
}

function mentionOf(words: string, { type, user }: Entity, names: Names): Segment | null {
  if (type === 'text_mention') return person(words, typeof user?.id === 'number' ? user.id : null, names)
  const username = words.replace(/^@/, '')
  const isSelf = username.toLowerCase() === names.self.username.toLowerCase()
  return person(username, isSelf ? names.self.id : (names.idOf(username) ?? null), names)
}

const person = (name: string, id: number | null, { self }: Names): Segment => ({
  kind: 'mention',
  id: id === null ? null : (String(id) as UserId),
  name,
  ...(id === self.id ? { self: true as const } : {}),
})
