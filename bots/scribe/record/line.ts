import { type Content, formatPlace } from '../../../core/event.ts'
import { messageOf, type RecentMessage, type Stored } from '../../../core/ledger/record/events.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import { plain } from '../../../core/text/text.ts'

/** One fact as it stands in a log file or an export. Absent means that it does not apply. */
export interface Line {
  /** Number of the fact in the ledger: `log show <seq>`. */
  readonly seq: number
  readonly atMs: number
  readonly room: string
  /** `network:channel`. */
  readonly place: string
  readonly thread?: string
  readonly kind: Stored['event']['kind']
  /** `network:id` of who did it, as their platform knows them. */
  readonly user: string
  readonly name: string
  readonly verified: boolean
  readonly text: string
  readonly style?: 'action' | 'notice'
  /** The fact this one answers, edits, deletes or reacts to; null when the ledger does not hold it. */
  readonly target?: number | null
  readonly edits?: number
  readonly deleted?: true
  readonly backfill?: true
  readonly attachments?: Content['attachments']
}

/** How facts become a file. */
export interface Format {
  readonly extension: string
  readonly head: string
  /** One fact, with its line end. */
  line(line: Line): string
  readonly foot: string
}

/** ISO 8601 in UTC; the beginning of time for what is no time. */
export const iso = (atMs: number): string => {
  const at = new Date(atMs)
  return Number.isNaN(at.getTime()) ? new Date(0).toISOString() : at.toISOString()
}

/** The fact as it was when it happened: for log files, which are only ever added to. */
export function lineOf(tx: Tx, stored: Stored): Line {
  return { ...commonOf(stored), ...detailOf(tx, stored) }
}

/** A fact as it reads now; null for an edit or a delete, which are worked into their message already. */
export function currentLine(tx: Tx, stored: Stored | RecentMessage): Line | null {
  if (stored.event.kind === 'edit' || stored.event.kind === 'delete') return null
  if (!('edits' in stored) || stored.edits === 0) return lineOf(tx, stored)
  const line = { ...commonOf(stored), ...contentOf(tx, stored, stored.content ?? { segments: [] }) }
  return stored.content === null ? { ...line, deleted: true } : { ...line, edits: stored.edits }
}

const commonOf = ({ seq, room, event }: Stored): Omit<Line, 'text'> => ({
  seq,
  atMs: event.atMs,
  room,
  place: formatPlace(event.place),
  ...(event.place.thread ? { thread: event.place.thread } : {}),
  kind: event.kind,
  user: `${event.place.network}:${event.sender.id}`,
  name: event.sender.name,
  verified: event.sender.verified,
  ...(event.origin === 'backfill' ? { backfill: true as const } : {}),
})

type Detail = Pick<Line, 'text' | 'style' | 'target' | 'attachments'>

function detailOf(tx: Tx, stored: Stored): Detail {
  const { event } = stored
  switch (event.kind) {
    case 'message':
      return contentOf(tx, stored, event.content)
    case 'edit':
      return { ...contentOf(tx, stored, event.content), target: targetOf(tx, stored, event.target) }
    case 'delete':
      return { text: event.reason ?? '', target: targetOf(tx, stored, event.target) }
    case 'reaction':
      return { text: event.removed ? `-${event.emoji}` : event.emoji, target: targetOf(tx, stored, event.target) }
    case 'member':
      return { text: event.detail ? `${event.change}: ${event.detail}` : event.change }
    case 'topic':
      return { text: event.topic }
    case 'gap':
      return { text: `${event.reason} (since ${new Date(event.fromMs).toISOString()})` }
  }
}

const targetOf = (tx: Tx, { event }: Stored, id: Content['replyTo']): number | null =>
  id === undefined ? null : (messageOf(tx, event.place, id)?.seq ?? null)

function contentOf(tx: Tx, stored: Stored, content: Content): Detail {
  return {
    text: plain({ segments: content.segments }),
    ...(content.style ? { style: content.style } : {}),
    ...(content.replyTo ? { target: targetOf(tx, stored, content.replyTo) } : {}),
    ...(content.attachments?.length ? { attachments: content.attachments } : {}),
  }
}
