import { createHash } from 'node:crypto'
import type { Draft, Segment } from '../../../core/event.ts'
import { clean, inItalics, plainSegment, truncate } from '../../../core/text/text.ts'
import { metadataType } from '../in/events.ts'
import { isTs, type Native } from '../native.ts'
import { toMrkdwn, toRichText } from '../text/render.ts'
import { split } from '../text/split.ts'
import { linkOf, textOf } from '../text/words.ts'

const oneLine = (text: string): string => clean(text).replaceAll('\n', ' ').trim()

function inert(segment: Segment): Segment {
  switch (segment.kind) {
    case 'link':
      return {
        ...segment,
        url: oneLine(segment.url),
        ...(segment.text === undefined ? {} : { text: oneLine(segment.text) }),
      }
    case 'mention':
      return { ...segment, name: oneLine(segment.name) }
    case 'emoji':
      return { ...segment, name: oneLine(segment.name), text: clean(segment.text) }
    case 'quote':
      return {
        ...segment,
        text: clean(segment.text),
        ...(segment.author === undefined ? {} : { author: oneLine(segment.author) }),
      }
    default:
      return { ...segment, text: clean(segment.text) }
  }
}

/** Files that can't be uploaded here, one a line. */
function filesOf({ content }: Draft, before: boolean): Segment[] {
  return (content.attachments ?? []).flatMap(({ name, url, caption }, at) => [
    ...(before || at > 0 ? textOf('\n') : []),
    ...(url === undefined ? textOf(`[${oneLine(name) || 'a file'}]`) : textOf(name === '' ? '' : `${oneLine(name)} `)),
    ...(url === undefined ? [] : linkOf(url, '')),
    ...(caption === undefined ? [] : textOf(` ${clean(caption)}`)),
  ])
}

export interface Dress {
  /** Whether the app may show other names (`chat:write.customize`); else they stand before the words of each message. */
  faces: boolean
}

/** One native message, without its place. */
export interface Post {
  readonly text: string
  readonly blocks: readonly Native[]
}

/** Words that call everybody, where they may: a mention of its own each. */
function calling(segment: Segment): Segment[] {
  if (segment.kind !== 'text') return [segment]
  const pieces = segment.text.split(/(?<![\p{L}\p{N}@])@(everyone|channel|here|room|all)(?![\p{L}\p{N}_])/u)
  return pieces.flatMap((text, at): Segment[] =>
    at % 2 === 1 ? [{ kind: 'mention', id: null, name: text }] : text === '' ? [] : [{ ...segment, text }],
  )
}

/** What a draft says, without who says it. */
function segmentsOf(draft: Draft): Segment[] {
  const inertly = draft.content.segments.map(inert).filter(segment => plainSegment(segment) !== '')
  const said = draft.everyone ? inertly.flatMap(calling) : inertly
  const dressed = draft.content.style === 'action' ? said.map(inItalics) : said
  const files = filesOf(draft, dressed.length > 0)
  if (dressed.length === 0 && files.length === 0) return []
  const label: Segment[] = draft.repeat ? textOf('(perhaps said before) ') : []
  return [...label, ...dressed, ...files]
}

const isShown = (segments: readonly Segment[]): boolean => segments.some(each => plainSegment(each).trim() !== '')

/**
 * A draft as the messages it takes; none when there is nothing to be shown. Without faces each says whose words it has, so that
 * nobody speaks as somebody else in a later one.
 */
export function postsOf(draft: Draft, { faces }: Dress): Post[] {
  const head = draft.as && !faces ? textOf(`${nameOf(draft)}: `, ['bold']) : []
  return split(segmentsOf(draft), head)
    .filter(isShown)
    .map(part => [...head, ...part])
    .map(part => ({ text: toMrkdwn(part, draft.everyone), blocks: [toRichText(part, draft.everyone)] }))
}

/** The name that is shown for a draft, one line. */
export const nameOf = ({ as }: Draft): string => truncate(oneLine(as?.name ?? ''), 79) || 'nameless'

export function faceOf(draft: Draft, { faces }: Dress): Native {
  if (!draft.as || !faces) return {}
  const { avatar } = draft.as
  return { username: nameOf(draft), ...(avatar?.startsWith('https://') ? { icon_url: avatar } : {}) }
}

/** What finds a message again, and tells that it is a copy. */
export const labelOf = (
  draft: Draft,
  delivery: string,
  instance: string,
  at: { part: number; parts: number },
): Native => ({
  metadata: {
    event_type: metadataType,
    event_payload: { instance, delivery, ...at, hops: draft.as?.relayed ? 1 : 0 },
  },
  client_msg_id: uuidOf(`${instance}/${delivery}/${at.part}`),
})

/** The same for the same delivery: Slack's clients name what they say so. */
function uuidOf(name: string): string {
  const hex = createHash('sha256').update(name).digest('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

/** The thread in which a message stands: its own, or the one under what it answers. */
export function threadFor(thread: string | undefined, draft: Draft): Native {
  const replyTo = draft.as?.relayed ? draft.content.replyTo : undefined
  const root = thread ?? replyTo
  return root !== undefined && isTs(root) ? { thread_ts: root } : {}
}
