import { createHash } from 'node:crypto'
import { ChanopError } from '../../core/error.ts'
import type { Draft, Segment, Upload } from '../../core/event.ts'
import { splitSegments } from '../../core/text/cut.ts'
import { escapeHtml, plain } from '../../core/text/text.ts'
import { fileContent } from './files.ts'
import { type CopyMark, copyMark, type Json, profileKey } from './native.ts'
import { render } from './text/render.ts'
import { head, oneLine } from './text/words.ts'

/** Bytes of plain text in one message. */
export const textBytes = 32_000
/** An event may have 65,536 bytes as canonical JSON, with what the server adds. */
export const eventBytes = 60_000
/** An edit holds its content twice: once for clients that know no edits. */
const contentBytes = eventBytes / 2

export interface Frame {
  readonly instance: string
  readonly deliveryId: string
  readonly thread?: string | undefined
}

const nameOf = ({ as }: Draft): string => head(oneLine(as?.name ?? ''), 200)

const profileId = (name: string): string => createHash('sha256').update(name).digest('hex').slice(0, 16)

/** Whose words they are (MSC4144). `fallback`: the name stands in the text too, for clients that can't show it. */
function profileOf(draft: Draft, fallback: boolean): Json {
  const name = nameOf(draft)
  if (name === '') return {}
  return {
    [profileKey]: { id: profileId(name), displayname: name, ...(fallback ? { has_fallback: true } : {}) },
  }
}

interface Said {
  readonly draft: Draft
  readonly segments: readonly Segment[]
  /** Stands before the words: that they may be a repeat. */
  readonly label: string
}

const msgtypes = { action: 'm.emote', notice: 'm.notice', text: 'm.text' } as const

function textContent({ draft, segments, label }: Said): Json {
  const shown: readonly Segment[] = label === '' ? segments : [{ kind: 'text', text: label }, ...segments]
  const { body, html, mentions } = render(shown)
  const relayed = draft.as?.relayed === true && nameOf(draft) !== ''
  const name = nameOf(draft)
  const formatted = html ?? (relayed ? escapeHtml(body).replaceAll('\n', '<br>') : null)
  const prefix = relayed ? `<strong data-mx-profile-fallback>${escapeHtml(name)}: </strong>` : ''
  return {
    msgtype: msgtypes[draft.content.style ?? 'text'],
    body: relayed ? `${name}: ${body}` : body,
    ...(formatted === null ? {} : { format: 'org.matrix.custom.html', formatted_body: `${prefix}${formatted}` }),
    // Always there: without it old rules let words such as @room wake everybody.
    'm.mentions': mentions.length === 0 ? {} : { user_ids: mentions },
    ...profileOf(draft, relayed),
  }
}

const sizeBytes = (content: Json): number => Buffer.byteLength(JSON.stringify(content))

/** The words of a draft as the contents of so many messages. Pure. Rejects a draft that shows nothing. */
export function textsOf(draft: Draft): Json[] {
  const files = (draft.content.attachments ?? []).length > 0 ? [wordsOfFiles(draft)] : []
  const label = draft.repeat ? '(may be a repeat) ' : ''
  const fits = (segments: readonly Segment[]): boolean =>
    Buffer.byteLength(plain({ segments })) <= textBytes &&
    sizeBytes(textContent({ draft, segments, label })) <= contentBytes
  const pieces = splitSegments([...draft.content.segments, ...files], textBytes, fits).filter(
    segments => plain({ segments }).trim() !== '',
  )
  return pieces.map((segments, at) => textContent({ draft, segments, label: at === 0 ? label : '' }))
}

/** Files that can't go along, as words. */
function wordsOfFiles({ content }: Draft): Segment {
  const { attachments = [], segments } = content
  const words = plain({ segments: [], attachments })
  return { kind: 'text', text: `${segments.length === 0 ? '' : '\n'}${words}` }
}

/** What binds a message to others: the thread it stands in, the message it answers. */
export function relationOf(draft: Draft, thread: string | undefined): Json | null {
  const replyTo = draft.content.replyTo?.startsWith('$') ? draft.content.replyTo : undefined
  if (thread?.startsWith('$')) {
    return {
      rel_type: 'm.thread',
      event_id: thread,
      is_falling_back: replyTo === undefined,
      'm.in_reply_to': { event_id: replyTo ?? thread },
    }
  }
  return replyTo === undefined ? null : { 'm.in_reply_to': { event_id: replyTo } }
}

export const markFor = (draft: Draft, frame: Frame, at: Pick<CopyMark, 'part' | 'parts' | 'file'>): Json => ({
  [copyMark]: {
    instance: frame.instance,
    delivery: frame.deliveryId,
    ...at,
    ...(draft.as?.relayed ? { hops: 1 } : {}),
  } satisfies CopyMark,
})

/** One message of a delivery: what it says, or the file it brings. */
export type Part = { readonly content: Json } | { readonly file: Upload; readonly content: (url: string) => Json }

/** A draft as messages in order: its words, then its files. */
export function partsOf(draft: Draft, frame: Frame): Part[] {
  const texts = textsOf(draft)
  const uploads = draft.uploads ?? []
  const parts = texts.length + uploads.length
  if (parts === 0) throw new ChanopError('send-refused', 'there is nothing in it that could be shown')
  const more = (part: number, file?: true): Json => {
    const relation =
      part === 0 || frame.thread !== undefined ? relationOf(part === 0 ? draft : bare(draft), frame.thread) : null
    const mark = markFor(draft, frame, { part, parts, ...(file ? { file } : {}) })
    return { ...mark, ...(relation ? { 'm.relates_to': relation } : {}) }
  }
  const said: Part[] = texts.map((content, part) => ({ content: { ...content, ...more(part) } }))
  const brought: Part[] = uploads.map((file, at) => ({
    file,
    content: url => ({
      ...fileContent(file, url),
      ...caption(draft, file, texts.length === 0),
      'm.mentions': {},
      ...profileOf(draft, false),
      ...more(texts.length + at, true),
    }),
  }))
  return [...said, ...brought]
}

const bare = ({ content: { replyTo: _replyTo, ...content }, ...draft }: Draft): Draft => ({ ...draft, content })

/** A file's own words (specification v1.10, "Media captions"); a relayed person's file without words says whose it is. */
function caption(draft: Draft, file: Upload, alone: boolean): Json {
  const name = nameOf(draft)
  const whose = alone && draft.as?.relayed && name !== '' ? `${name}: ` : ''
  const words = head(oneLine(file.caption ?? ''), 1000)
  return whose === '' && words === '' ? {} : { body: `${whose}${words || oneLine(file.name)}` }
}

/** Tells drafts apart that a ledger which was put back gave the same number. */
export function digestOf(draft: Draft): string {
  const { content, uploads = [] } = draft
  const said = JSON.stringify([content.segments, content.style ?? '', uploads.map(({ hash }) => hash)])
  return createHash('sha256').update(said).digest('base64url').slice(0, 8)
}
