/** Where facts stand on other networks: their copies, and how acts find them. */
import type { Act, MessageId, Place } from '../../event.ts'
import { channelId, coined } from '../record/events.ts'
import { type Row, sql } from '../sqlite.ts'
import type { Tx } from '../tx.ts'

/** A fact as it stands in a channel. */
export interface Copy {
  /** All its native ids, in order of their parts. */
  readonly ids: readonly MessageId[]
  /** The thread it stands in there. */
  readonly thread?: MessageId
}

/** Where a fact stands in the channel of a place: its copy, or itself. No ids when it doesn't. */
export function copyIn(db: Tx, source: number, place: number): Copy {
  const channel = channelId(db, place)
  const rows = sql(db, 'SELECT native, thread FROM copy WHERE source = ? AND place = ? ORDER BY delivery, part').all(
    source,
    channel,
  )
  const found = rows.length > 0 ? rows : ownIn(db, source, channel)
  const thread = found[0]?.['thread'] as MessageId | '' | null | undefined
  const ids = found.flatMap(row => (row['native'] as MessageId | null) ?? [])
  return { ids, ...(thread ? { thread } : {}) }
}

/** What a bot of ours said has no id there before it is out. */
const ownIn = (db: Tx, seq: number, channel: number): Row[] =>
  sql(
    db,
    `SELECT iif(e.native GLOB '${coined}*', NULL, e.native) AS native, p.thread FROM event e JOIN place p ON p.id = e.place
     WHERE e.seq = ? AND ifnull(e.channel, e.place) = ? AND e.kind = 'message'`,
  ).all(seq, channel)

/** All native ids under which a fact stands in a place, in order of their parts: of copies, or its own. */
export const copiesIn = (db: Tx, source: number, place: number): readonly MessageId[] => copyIn(db, source, place).ids

/** What an act speaks of, as native ids in its channel. */
export interface Way {
  /** The thread it goes to: that of its place, else of what it answers or is about, else the one that its root opens. */
  readonly thread?: MessageId
  /** What it answers. */
  readonly replyTo?: MessageId
  /** The messages it is about; none when it stands for itself. */
  readonly target: readonly MessageId[]
}

const nothing: Copy = { ids: [] }

interface Departing {
  readonly act: Act
  readonly place: Place
  readonly placeId: number
}

/** How an act finds what it speaks of, as things stand now. */
export function wayOf(db: Tx, { act, place, placeId: at }: Departing): Way {
  const send = act.do === 'send'
  const about = send ? nothing : copyIn(db, act.seq, at)
  const answered = send && act.replySeq !== undefined ? copyIn(db, act.replySeq, at) : nothing
  const root = send && act.threadSeq !== undefined ? copyIn(db, act.threadSeq, at) : nothing
  const thread = place.thread ?? about.thread ?? root.thread ?? root.ids[0] ?? answered.thread
  const replyTo = answered.ids[0]
  return {
    target: about.ids,
    ...(thread === undefined ? {} : { thread }),
    ...(replyTo === undefined ? {} : { replyTo }),
  }
}
