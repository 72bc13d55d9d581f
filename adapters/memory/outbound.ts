import type { Attachment, Draft, Segment } from '../../core/event.ts'
import { takeBytes } from '../../core/text/cut.ts'
import { clean, plain, plainSegment } from '../../core/text/text.ts'
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
  const pieces = splitSegments([...label, ...segments.map(inert)], textBytes)
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

const bytesOf = (segments: readonly Segment[]): number => Buffer.byteLength(plain({ segments }))

function splitSegments(segments: readonly Segment[], textBytes: number): Segment[][] {
  const pieces: Segment[][] = []
  let piece: Segment[] = []
  const queue = [...segments].reverse()
  for (let segment = queue.pop(); segment; segment = queue.pop()) {
    if (bytesOf([...piece, segment]) <= textBytes) {
      piece.push(segment)
      continue
    }
    const [head, rest] = cut(segment, textBytes - bytesOf(piece) - 1, piece.length > 0)
    if (head) piece.push(head)
    pieces.push(piece)
    piece = []
    queue.push(rest)
  }
  if (piece.length > 0) pieces.push(piece)
  return pieces
}

/** What of a segment still fits into `roomBytes`, and the rest. Only plain text shares a message with what was before. */
function cut(segment: Segment, roomBytes: number, shared: boolean): [Segment | null, Segment] {
  if (shared && (segment.kind !== 'text' || roomBytes < 16)) return [null, segment]
  const whole: Extract<Segment, { text: string }> =
    segment.kind === 'text' || segment.kind === 'code' ? segment : { kind: 'text', text: plainSegment(segment) }
  const [head, rest] = takeBytes(whole.text, roomBytes)
  return [
    { ...whole, text: head },
    { ...whole, text: rest },
  ]
}
