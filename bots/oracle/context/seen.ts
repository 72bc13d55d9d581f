import type { Config } from '../../../config/schema.ts'
import { identify } from '../../../core/access/identity.ts'
import { spenderOf } from '../../../core/access/spender.ts'
import { maySee, type Visible, visibleTo } from '../../../core/access/visibility.ts'
import { isIgnored } from '../../../core/command/visit/desk.ts'
import { formatPlace, type MessageEvent, type Place } from '../../../core/event.ts'
import { agentOf } from '../../../core/ledger/agents/agents.ts'
import { latestRooms, linesFrom, type PromptStart, promptStart } from '../../../core/ledger/oracle/prompts.ts'
import type { Turn } from '../../../core/ledger/oracle/turns.ts'
import { currentOf, messageOf, type RecentMessage, type Stored } from '../../../core/ledger/record/events.ts'
import { networkStatuses } from '../../../core/ledger/settings/networks.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import { namesOf, Rooms } from '../../../core/rooms.ts'
import { plain, safeName, truncate } from '../../../core/text/text.ts'
import { type Picture, picturesIn } from './images.ts'
import { type ContextLine, contextLine, indented } from './lines.ts'

/** Of a room more is never looked at. */
const mostLines = 400
/** Of the rooms where something was said last, so many, and so many lines of each: one that is loud leaves room for others. */
const roomsElsewhere = 8
const linesElsewhere = 6
const elsewhereMs = 24 * 3_600_000

/** What may be read for an answer. */
export interface Seen {
  readonly start: PromptStart | null
  readonly lines: readonly ContextLine[]
  /** Of other rooms, oldest first. */
  readonly elsewhere: readonly ContextLine[]
  readonly questions: readonly string[]
  /** Of the questions, and of what they reply to. */
  readonly pictures: readonly Picture[]
  readonly person: string
  readonly place: string
  readonly limit: string
  /** Somewhere where it is answered links may be previewed. */
  readonly previews: boolean
}

/** What may be read for an answer in this place: see `visibleTo`. */
export function visibleFor(tx: Tx, asked: Stored<MessageEvent>, rooms: Rooms, nowMs: number): Visible {
  const { place, sender } = asked.event
  const { person } = identify(tx, place.network, sender, asked.room, nowMs)
  return visibleTo(tx, { sender, person, place, audience: place.private ? 'asker' : 'place' }, rooms, nowMs)
}

/** Everything that the ledger has for an answer, at one moment. */
export function seenFor(
  tx: Tx,
  asked: Stored<MessageEvent>,
  turns: readonly Turn[],
  config: Config,
  nowMs: number,
): Seen {
  const rooms = new Rooms(config.rooms)
  const { place, sender } = asked.event
  const visible = visibleFor(tx, asked, rooms, nowMs)
  const names = place.private ? [formatPlace(place)] : namesOf(rooms.from(place))
  const start = promptStart(tx, keyOf(asked))
  const mayRead = (message: RecentMessage): boolean =>
    maySee(visible, message) && !isIgnored(config.ignore, message.event) && !asks.has(message.seq)
  const asks = new Set([asked.seq, ...turns.map(turn => turn.asked)])
  const inThread = ({ event }: RecentMessage): boolean =>
    place.thread === undefined || event.place.thread === place.thread || event.id === place.thread
  const lines = linesFrom(tx, names, start?.fromSeq ?? 0, mostLines)
    .filter(message => mayRead(message) && inThread(message))
    .flatMap(message => contextLine(message) ?? [])
  const each: readonly Question[] = turns.length === 0 ? [{ asked: asked.seq, words: null }] : turns
  const standing = each.flatMap(turn => questionOf(tx, turn, mayRead) ?? [])
  const all = networkStatuses(tx)
  const can = all.find(({ network }) => network === place.network)?.can
  const hears = place.private ? [place] : rooms.with(place)
  const unpreviewed = (at: Place): boolean =>
    all.find(({ network }) => network === at.network)?.can?.limits.previews === false
  const { person } = identify(tx, place.network, sender, asked.room, nowMs)
  return {
    start,
    lines,
    elsewhere: elsewhere(tx, visible, names, nowMs)
      .filter(mayRead)
      .flatMap(message => contextLine(message) ?? []),
    questions: standing.length === 0 ? ['(deleted)'] : standing,
    pictures: picturesOf(
      tx,
      each.map(({ asked: seq, again }) => again ?? seq),
    ),
    person: spenderOf(place.network, sender, {
      person,
      agent: sender.verified ? agentOf(tx, place.network, sender.id) : null,
    }),
    previews: !hears.every(unpreviewed),
    place: place.private
      ? `a private talk with ${safeName(sender.name)} on ${place.network}`
      : `${asked.room} (${formatPlace(place)})`,
    limit: can?.edits
      ? 'Markdown is shown.'
      : 'Only short lines are shown: the first four at once, the rest on demand. No tables.',
  }
}

type Question = Pick<Turn, 'asked' | 'words' | 'again'>

function picturesOf(tx: Tx, seqs: readonly number[]): Picture[] {
  return seqs.flatMap(seq => {
    const message = currentOf(tx, seq)
    if (!message?.content) return []
    const { place, content } = message.event
    const answered = content.replyTo === undefined ? null : messageOf(tx, place, content.replyTo)
    const above = answered ? currentOf(tx, answered.seq) : null
    const own = picturesIn(tx, place.network, message.content)
    return above?.content ? [...picturesIn(tx, above.event.place.network, above.content), ...own] : own
  })
}

/** Whether a question was deleted: nobody asks it any more. */
export const isWithdrawn = (tx: Tx, { asked, again }: Omit<Question, 'words'>): boolean =>
  [asked, again ?? asked].some(seq => currentOf(tx, seq)?.content === null)

/** What is asked, below the words that it answers: they may have been said long ago. Null: it was deleted. */
function questionOf(tx: Tx, turn: Question, mayRead: (message: RecentMessage) => boolean): string | null {
  const { asked, words, again } = turn
  if (isWithdrawn(tx, turn)) return null
  const { content, event } = currentOf(tx, again ?? asked) ?? {}
  if (!content || !event) return words ?? null
  const files = plain({ segments: [], ...(content.attachments ? { attachments: content.attachments } : {}) })
  const question =
    (words ?? null) === null ? plain(content).trim() : [words, files].filter(part => part !== '').join('\n')
  const answered = content.replyTo === undefined ? null : messageOf(tx, event.place, content.replyTo)
  const above = answered && currentOf(tx, answered.seq)
  if (!above?.content || !mayRead(above)) return question
  const said = truncate(plain(above.content).trim(), mostQuoted)
  return `(about what ${safeName(above.event.sender.name)} said: “${indented(said)}”)\n${question}`
}

const mostQuoted = 2000

/** What was said lately in other rooms that may be read here. */
function elsewhere(tx: Tx, visible: Visible, here: readonly string[], nowMs: number): RecentMessage[] {
  const rooms = [...visible.rooms].filter(name => !here.includes(name))
  return latestRooms(tx, rooms, roomsElsewhere)
    .flatMap(room => linesFrom(tx, [room], 0, linesElsewhere))
    .filter(({ event }) => nowMs - event.atMs < elsewhereMs)
    .sort((one, other) => one.seq - other.seq)
}

/** Lines of a thread begin where the thread does. */
export const keyOf = ({ room, event }: Stored): string =>
  event.place.thread === undefined ? room : `${room}\n${event.place.thread}`
