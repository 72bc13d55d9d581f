import type { MessageEvent, Place } from '../../../core/event.ts'
import { text } from '../../../core/event.ts'
import { bySeq, placeId, type Stored } from '../../../core/ledger/events.ts'
import { type Db, sql } from '../../../core/ledger/sqlite.ts'
import type { Rooms } from '../../../core/rooms.ts'
import { say } from '../../../core/say.ts'
import { duration, safeName } from '../../../core/text.ts'
import { naming, shortWords, some } from './naming.ts'
import { accountsOf, byPlace, type Here, nameOf } from './targets.ts'

/** A group was addressed, or told to stop, pause or go on. */
export type CallKind = 'mention' | 'stop' | 'pause' | 'resume'

export interface NewCall {
  readonly stored: Stored<MessageEvent>
  readonly kind: CallKind
  readonly selector: string
  readonly words: string
  readonly here: readonly Here[]
  readonly untilMs: number
}

/** A call that waits for answers. */
export interface OpenCall {
  readonly seq: number
  readonly kind: CallKind
  readonly stored: Stored<MessageEvent>
  readonly asked: readonly string[]
  /** `network\nuser` → label. */
  readonly labels: ReadonlyMap<string, string>
  readonly answered: Set<string>
  readonly untilMs: number
}

const wakeKey = (seq: number, index: number): string => `fleet.wake.${seq}.${index}`
const wakeId = /^say:fleet\.wake\.(\d+)\.\d+$/

/** The call that one of our own lines woke somebody for; null when it is another line. */
export const callOfLine = (event: MessageEvent): number | null => {
  const found = event.sender.kind === 'self' ? wakeId.exec(event.id) : null
  return found ? Number(found[1]) : null
}

/** Names those who can't know by themselves that they are meant, where they are, and begins to count. */
export function openCall(db: Db, bot: string, rooms: Rooms, call: NewCall, nowMs: number): void {
  const { stored, kind, here } = call
  const deaf = kind === 'mention' ? here.filter(({ agent }) => agent?.native !== true) : here
  const words = kind === 'mention' ? `${safeName(stored.event.sender.name)}: ${shortWords(call.words)}` : kind
  for (const [index, { place, here: named }] of byPlace(deaf).entries()) {
    const lines = naming(
      named.map(({ nick }) => nick),
      words.replace(/:\s*$/, ''),
    )
    const content = text(lines.join('\n'))
    const room = rooms.of(place)?.name
    const control = kind === 'mention' ? {} : { control: kind }
    say(db, { bot, content, places: [place], room, key: wakeKey(stored.seq, index), ...control }, nowMs)
  }
  sql(
    db,
    `INSERT INTO call (seq, place, selector, kind, asked, answered, until_ms) VALUES (?, ?, ?, ?, ?, '[]', ?)
     ON CONFLICT DO NOTHING`,
  ).run(
    stored.seq,
    placeId(db, stored.event.place),
    call.selector,
    kind,
    JSON.stringify(here.map(({ label }) => label)),
    call.untilMs,
  )
}

/** A call whose answers are still counted; null when it is closed or its fact is gone. */
export function openedCall(db: Db, seq: number): OpenCall | null {
  const row = sql(db, 'SELECT * FROM call WHERE seq = ? AND closed = 0').get(seq)
  const stored = row ? (bySeq(db, seq) as Stored<MessageEvent> | null) : null
  if (!row || !stored) return null
  const asked = JSON.parse(row['asked'] as string) as string[]
  const labels = new Map(asked.flatMap(label => accountsOf(db, label).map(account => [account, label] as const)))
  const answered = new Set(JSON.parse(row['answered'] as string) as string[])
  return { seq, kind: row['kind'] as CallKind, stored, asked, labels, answered, untilMs: Number(row['until_ms']) }
}

/** All of them, by number. */
export const openSeqs = (db: Db): number[] =>
  sql(db, 'SELECT seq FROM call WHERE closed = 0 ORDER BY seq')
    .all()
    .map(row => Number(row['seq']))

export const keepAnswers = (db: Db, { seq, answered }: OpenCall): void => {
  sql(db, 'UPDATE call SET answered = ? WHERE seq = ? AND closed = 0').run(JSON.stringify([...answered]), seq)
}

const verbs = { mention: 'answered', stop: 'obeyed', pause: 'obeyed', resume: 'obeyed' } as const

/** `7 of 8 answered; silent: worker-003` */
export function resultLine({ kind, asked, answered, stored }: OpenCall, nowMs: number): string {
  const silent = asked.filter(label => !answered.has(label)).map(nameOf)
  const count = `${answered.size} of ${asked.length} ${verbs[kind]}`
  const took = silent.length === 0 && kind !== 'mention' ? ` in ${duration(nowMs - stored.receivedMs)}` : ''
  const begin = kind === 'mention' ? '' : `${kind}: `
  return `${begin}${count}${took}${silent.length === 0 ? '' : `; silent: ${some(silent)}`}`
}

/** Says how many answered, where they were called from. */
export function closeCall(db: Db, bot: string, rooms: Rooms, call: OpenCall, nowMs: number): void {
  const done = sql(db, 'UPDATE call SET answered = ?, closed = 1 WHERE seq = ? AND closed = 0').run(
    JSON.stringify([...call.answered]),
    call.seq,
  )
  if (done.changes === 0) return
  const { event } = call.stored
  const places: Place[] = event.place.private ? [event.place] : rooms.with(event.place)
  const room = event.place.private ? undefined : rooms.of(event.place)?.name
  const line = resultLine(call, nowMs)
  say(db, { bot, content: text(line), places, room, key: `fleet.count.${call.seq}`, replySeq: call.seq }, nowMs)
}

/** Where a call is heard: all places of the room it was made in. */
export const placesOf = (rooms: Rooms, { event }: Stored<MessageEvent>): Place[] =>
  event.place.private ? [] : rooms.with(event.place)

/** Whom somebody called last in this place, and when; null when it is too long ago. */
export function lastCalled(
  db: Db,
  { event, placeId: place }: Stored,
  sinceMs: number,
): { readonly seq: number; readonly asked: readonly string[] } | null {
  const row = sql(
    db,
    `SELECT c.seq, c.asked FROM call c JOIN event e ON e.seq = c.seq
     WHERE c.place = ? AND e.sender = ? AND e.at_ms > ? AND c.kind = 'mention' ORDER BY c.seq DESC LIMIT 1`,
  ).get(place, event.sender.id, sinceMs)
  return row ? { seq: Number(row['seq']), asked: JSON.parse(row['asked'] as string) as string[] } : null
}
