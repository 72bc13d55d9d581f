import type { Attachment } from '../../core/event.ts'
import type { RecentMessage } from '../../core/ledger/record/events.ts'
import { plain } from '../../core/text/text.ts'

/** A message as programs read it. `id` is its number in the record: what comes later has a higher one. */
export interface ShownMessage {
  readonly id: number
  readonly at: string
  readonly channel: string
  readonly place?: string
  readonly nick: string
  readonly account?: string
  readonly kind?: 'person' | 'bot' | 'self'
  readonly verified?: boolean
  readonly text: string
  readonly edited: boolean
  readonly deleted?: true
  readonly files?: readonly { readonly name: string; readonly url?: string }[]
  readonly answers?: string
}

export const messageSchema = {
  type: 'object',
  required: ['id', 'at', 'channel', 'nick', 'text', 'edited'],
  properties: {
    id: { type: 'integer' },
    at: { type: 'string', format: 'date-time' },
    channel: { type: 'string' },
    place: { type: 'string' },
    nick: { type: 'string' },
    account: { type: 'string' },
    kind: { type: 'string', enum: ['person', 'bot', 'self'] },
    verified: { type: 'boolean' },
    text: { type: 'string' },
    edited: { type: 'boolean' },
    deleted: { type: 'boolean' },
    files: {
      type: 'array',
      items: { type: 'object', required: ['name'], properties: { name: { type: 'string' }, url: { type: 'string' } } },
    },
    answers: { type: 'string' },
  },
} as const

const fileOf = ({ name, url }: Attachment) => ({ name, ...(url === undefined ? {} : { url }) })

export function shownMessage({ seq, event, room, content, edits }: RecentMessage): ShownMessage {
  const { sender, place } = event
  const files = (content?.attachments ?? []).map(fileOf)
  return {
    id: seq,
    at: new Date(event.atMs).toISOString(),
    channel: room,
    place: `${place.network}:${place.channel}`,
    nick: sender.name,
    account: `${place.network}:${sender.id}`,
    kind: sender.kind,
    verified: sender.verified,
    text: content ? plain(content) : '',
    edited: edits > 0,
    ...(content === null ? { deleted: true as const } : {}),
    ...(files.length === 0 ? {} : { files }),
  }
}
