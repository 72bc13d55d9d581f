import type { Attachment, Draft, Segment } from '../../core/event.ts'
import { splitSegments } from '../../core/text/cut.ts'
import { clean, plain } from '../../core/text/text.ts'
import type { Post } from './native.ts'

function inert(segment: Segment): Segment {
  switch (segment.kind) {
    case 'link':
      return {
        ...segment,
        url: clean(segment.url),
        ...(segment.text === undefined ? {} : { text: clean(segment.text) }),
      }
    case 'mention':
      return { ...segment, name: clean(segment.name) }
    case 'emoji':
      return { ...segment, name: clean(segment.name), text: clean(segment.text) }
    default:
      return { ...segment, text: clean(segment.text) }
  }
}

/**
 * A draft as the posts it takes, none longer than `textBytes`. The first is the reply, the last has what can't be uploaded
 * and the `files` that were.
 */
export function postsOf(draft: Draft, textBytes: number, files: readonly Attachment[] = []): Post[] {
  const { segments, replyTo, style } = draft.content
  const attachments = [...(draft.content.attachments ?? []), ...files]
  const label: Segment[] = draft.repeat ? [{ kind: 'text', text: '(perhaps said before) ' }] : []
  const fits = (piece: readonly Segment[]): boolean => Buffer.byteLength(plain({ segments: piece })) <= textBytes
  const pieces = splitSegments([...label, ...segments.map(inert)], textBytes, fits)
  if (pieces.length === 0) pieces.push([])
  const { as, secret, repeat } = draft
  return pieces.map((piece, part) => ({
    content: {
      segments: piece,
      ...(attachments.length > 0 && part === pieces.length - 1 ? { attachments } : {}),
      ...(replyTo !== undefined && part === 0 ? { replyTo } : {}),
      ...(style ? { style } : {}),
    },
    ...(as ? { name: clean(as.name).replaceAll('\n', ' ') } : {}),
    ...(as?.avatar === undefined ? {} : { avatar: as.avatar }),
    ...(as?.relayed ? { relayed: true as const, hops: 1 } : {}),
    ...(secret ? { secret } : {}),
    ...(repeat ? { repeat } : {}),
  }))
}
