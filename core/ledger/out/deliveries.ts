import { type Act, type Content, isNowhere, type MessageId, type NetworkId, type Place } from '../../event.ts'
import { getMeta, setMeta } from '../meta.ts'
import { channelId, knownPlaceId, placeId, placeOf } from '../record/events.ts'
import { type Row, sql } from '../sqlite.ts'
import type { Tx } from '../tx.ts'
import { copiesIn, copyIn, wayOf } from './copies.ts'

/** States below 10 are open. */
export const states = { held: 0, queued: 1, sending: 2, unknown: 3, sent: 10, failed: 11, cancelled: 12 } as const
export type State = keyof typeof states

export interface NewDelivery {
  readonly place: Place
  /** Who says it: the bot's name. Relayed copies belong to `bridge`. */
  readonly bot: string
  readonly act: Act
  /** The fact this is a copy of: links the native ids of all copies. */
  readonly source?: number
  /** Released when the order of this id ends this way, cancelled when it ends the other way. */
  readonly waits?: { readonly order: number; readonly result: 'done' | 'failed' }
}

export interface Delivery {
  readonly id: number
  readonly place: Place
  readonly placeId: number
  readonly bot: string
  readonly act: Act
  readonly source: number | null
  readonly state: State
  readonly attempts: number
  readonly notBeforeMs: number
  readonly createdMs: number
  /** Which rewriting this text is; null when it was never rewritten. */
  readonly amended: number | null
  /** Some of it may be out already: its words stay as they are. */
  readonly retried?: true
}

const stateName = new Map(Object.entries(states).map(([name, value]) => [value as number, name as State]))

/** Queues one act. It exists, and will happen, once this transaction is committed. */
export function enqueue(db: Tx, delivery: NewDelivery, nowMs: number): number {
  const secret = 'secret' in delivery.act && delivery.act.secret ? 1 : 0
  const done = sql(
    db,
    `INSERT INTO delivery (place, bot, source, act, state, secret, created_ms, waits_on, waits_for)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  ).run(
    placeId(db, delivery.place),
    delivery.bot,
    delivery.source ?? null,
    JSON.stringify(delivery.act),
    delivery.waits ? states.held : states.queued,
    secret,
    nowMs,
    delivery.waits?.order ?? null,
    delivery.waits?.result ?? null,
  )
  return Number(done.lastInsertRowid)
}

function deliveryOf(row: Row): Delivery {
  return {
    id: Number(row['id']),
    place: placeOf(row),
    placeId: Number(row['place']),
    bot: row['bot'] as string,
    act: JSON.parse(row['act'] as string) as Act,
    source: row['source'] === null ? null : Number(row['source']),
    state: stateName.get(Number(row['state'])) as State,
    attempts: Number(row['attempts']),
    notBeforeMs: Number(row['not_before_ms']),
    createdMs: Number(row['created_ms']),
    amended: row['amended'] === null ? null : Number(row['amended']),
  }
}

const columns = `d.id, d.place, d.bot, d.act, d.source, d.state, d.attempts, d.not_before_ms, d.created_ms,
  d.amended, p.network, p.channel, p.thread, p.private FROM delivery d JOIN place p ON p.id = d.place`

/** Word for word the condition of the index delivery_open: SQLite does not infer it from `state = 1`. */
const isOpen = 'd.state < 10'

/** Queued deliveries with an id above `afterId`, in order: what came since the last look. */
export const queuedAfter = (db: Tx, afterId: number, limit: number): Delivery[] =>
  sql(db, `SELECT ${columns} WHERE d.id > ? AND d.state = ${states.queued} ORDER BY d.id LIMIT ?`)
    .all(afterId, limit)
    .map(deliveryOf)

/** Deliveries of one place after an id, queued or unknown: how a place that had too many for the memory goes on. */
export const queuedIn = (db: Tx, place: number, afterId: number, limit: number): Delivery[] =>
  sql(
    db,
    `SELECT ${columns} WHERE d.place = ? AND d.id > ? AND ${isOpen} AND d.state IN (${states.queued}, ${states.unknown})
   ORDER BY d.id LIMIT ?`,
  )
    .all(place, afterId, limit)
    .map(deliveryOf)

/** The id of the newest, whatever became of it. */
export const newestDelivery = (db: Tx): number =>
  Number(sql(db, 'SELECT coalesce(max(id), 0) AS id FROM delivery').get()?.['id'])

/** Row ids of the places where something is open and not held: what a start finds. */
export const openPlaces = (db: Tx): number[] =>
  sql(db, `SELECT DISTINCT d.place FROM delivery d WHERE ${isOpen} AND d.state > ${states.held}`)
    .all()
    .map(row => Number(row['place']))

/** Deliveries released by an order may have older ids than the newest seen: those queued, by id. */
export function byIds(db: Tx, ids: readonly number[]): Delivery[] {
  return sql(db, `SELECT ${columns} WHERE d.id IN (SELECT value FROM json_each(?)) ORDER BY d.id`)
    .all(JSON.stringify(ids))
    .map(deliveryOf)
}

export const setState = (db: Tx, ids: readonly number[], state: State): void => {
  sql(db, 'UPDATE delivery SET state = ? WHERE id IN (SELECT value FROM json_each(?))').run(
    states[state],
    JSON.stringify(ids),
  )
}

/**
 * Marks as under way what is still to go out. By id, the number of the rewriting that goes: who is not among them was taken
 * back meanwhile.
 */
export const depart = (db: Tx, ids: readonly number[]): ReadonlyMap<number, number | null> =>
  new Map(
    sql(
      db,
      `UPDATE delivery SET state = ${states.sending} WHERE id IN (SELECT value FROM json_each(?)) AND +state < 10
       RETURNING id, amended`,
    )
      .all(JSON.stringify(ids))
      .map(({ id, amended = null }) => [Number(id), amended === null ? null : Number(amended)]),
  )

/** On start: what was being sent when we died may or may not be out. After a reboot that holds for queued ones too. */
export function markInterrupted(db: Tx, rebooted: boolean): number {
  const from = rebooted ? `${states.queued}, ${states.sending}` : `${states.sending}`
  return sql(db, `UPDATE delivery SET state = ${states.unknown} WHERE state < 10 AND state IN (${from})`).run().changes
}

/** Nothing that is open waits beyond a time: one that was noted by a clock since set back may be years ahead. */
export const boundWaits = (db: Tx, latestMs: number): void =>
  void sql(db, 'UPDATE delivery SET not_before_ms = ? WHERE state < 10 AND not_before_ms > ?').run(latestMs, latestMs)

/**
 * It is out: keeps the native ids of all parts so that edits, deletes, replies and reactions find them. False: it was
 * rewritten while it was under way, and the newer text is queued.
 */
export function settle(db: Tx, delivery: Delivery, ids: readonly MessageId[], nowMs: number): boolean {
  const { act, place, placeId, source } = delivery
  const newest = end(db, delivery, 'sent', null, nowMs)
  const channel = place.thread === undefined ? placeId : channelId(db, placeId)
  if (act.do === 'edit' && source !== null) dropGone(db, channel, source, ids)
  else if (act.do !== 'send' || source === null) return newest
  const insert = sql(
    db,
    `INSERT INTO copy (place, native, part, delivery, source, thread) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
  )
  const thread = wayOf(db, delivery).thread ?? null
  for (const [part, id] of ids.entries()) insert.run(channel, id, part, delivery.id, source, thread)
  return newest
}

/** Ends a delivery, and empties a secret; queues it again, and says false, when its text is not the newest any more. */
function end(db: Tx, { id, amended }: Delivery, as: 'sent' | 'failed', error: string | null, nowMs: number): boolean {
  const row = sql(
    db,
    `UPDATE delivery SET state = iif(amended IS ?, ${states[as]}, ${states.queued}), error = ?,
     settled_ms = iif(amended IS ?, ?, NULL), act = CASE secret WHEN 1 THEN '{}' ELSE act END
     WHERE id = ? RETURNING state`,
  ).get(amended, error, amended, nowMs, id)
  return Number(row?.['state']) !== states.queued
}

/** An edit that made a message shorter took parts away; one that was said as a new message took none. */
function dropGone(db: Tx, place: number, source: number, ids: readonly MessageId[]): void {
  const kept = copiesIn(db, source, place)
  if (!kept.some(id => ids.includes(id))) return
  const drop = sql(db, 'DELETE FROM copy WHERE place = ? AND native = ?')
  for (const id of kept) if (!ids.includes(id)) drop.run(place, id)
}

/**
 * It will never be out: says why, and empties a secret. False: it was rewritten meanwhile, and the newer text is queued. What a
 * growing message said first may be refused where its whole is not: that is tried once, when it is known.
 */
export function fail(db: Tx, delivery: Delivery, error: string, nowMs: number): boolean {
  return end(db, delivery, 'failed', error, nowMs) && !catchUp(db, delivery)
}

/**
 * What one person alone may see goes to another place: their direct conversation, once it is known, where it needs no
 * further word for whom it is. The delivery as it waits there.
 */
export function readdress(db: Tx, { id }: Delivery, place: Place): Delivery {
  const arrived = isNowhere(place) ? 'act' : "json_remove(act, '$.only')"
  sql(db, `UPDATE delivery SET place = ?, state = ${states.queued}, act = ${arrived} WHERE id = ?`).run(
    placeId(db, place),
    id,
  )
  return byIds(db, [id])[0] as Delivery
}

/** Back into the queue, not before a time; as `unknown` when the platform has to be asked first whether it is out. */
export function postpone(
  db: Tx,
  delivery: Delivery,
  { notBeforeMs, state }: Pick<Delivery, 'notBeforeMs'> & { readonly state: 'queued' | 'unknown' },
  error: string,
): void {
  sql(db, 'UPDATE delivery SET state = ?, attempts = attempts + 1, not_before_ms = ?, error = ? WHERE id = ?').run(
    states[state],
    notBeforeMs,
    error,
    delivery.id,
  )
  if (state === 'queued') catchUp(db, delivery)
}

/** Nobody said it: it is to be said. */
export function requeue(db: Tx, delivery: Delivery): void {
  setState(db, [delivery.id], 'queued')
  catchUp(db, delivery)
}

const amendments = 'amendments'

/** The number of the newest rewriting. */
export const newestAmendment = (db: Tx): number => Number(getMeta(db, amendments) ?? 0)

/** What is open and was rewritten since: in order of that. */
export const amendedAfter = (db: Tx, after: number, limit: number): Delivery[] =>
  sql(db, `SELECT ${columns} WHERE d.amended > ? AND ${isOpen} ORDER BY d.amended LIMIT ?`)
    .all(after, limit)
    .map(deliveryOf)

/** Everything that says one fact, or says it anew. */
export const saying = (db: Tx, source: number): Delivery[] =>
  sql(db, `SELECT ${columns} WHERE d.source = ? ORDER BY d.id`).all(source).map(deliveryOf)

/**
 * Where in the channel of a place a fact stands, or is about to: it was said there, or a copy was queued and not taken back. What is
 * done to it waits behind that copy, which may be one in a thread.
 */
export function saidAt(db: Tx, source: number, place: Place): Place | null {
  const queued = sql(
    db,
    `SELECT p.network, p.channel, p.thread, p.private FROM delivery d JOIN place p ON p.id = d.place
     WHERE d.source = ? AND d.state <> ${states.cancelled} AND p.network = ? AND p.channel = ? ORDER BY d.id LIMIT 1`,
  ).get(source, place.network, place.channel)
  if (queued) return placeOf(queued)
  const at = knownPlaceId(db, place)
  return at !== null && copyIn(db, source, at).ids.length > 0 ? place : null
}

/**
 * Gives a growing message its next text, the last one when `growing` is false. What was not said yet is rewritten where
 * it waits; elsewhere there is one edit for each place, rewritten while it waits. Nothing for what reads so already.
 */
export function amendDeliveries(db: Tx, source: number, content: Content, growing: boolean, nowMs: number): void {
  const rows = saying(db, source)
  for (const send of rows) {
    if (send.act.do !== 'send' || !send.act.growing) continue
    const { growing: _growing, replySeq: _reply, threadSeq: _thread, asideSeq: _aside, do: _do, ...draft } = send.act
    const next = { ...draft, content, ...(growing ? { growing: true as const } : {}) }
    const edit = rows.find(row => row.placeId === send.placeId && row.act.do === 'edit' && row.amended !== null)
    if (send.state === 'cancelled' || (send.state === 'failed' && growing)) continue
    if (send.state === 'held' || send.state === 'queued' || send.state === 'failed')
      rewrite(db, send, { do: 'send', ...replyOf(send.act), ...next })
    else amendBy(db, send, edit, { do: 'edit', seq: source, draft: next }, nowMs)
  }
}

/** What is not out takes over the newer text that waits behind it. True: what had failed is to be said, now that it is whole. */
function catchUp(db: Tx, { id, source, placeId }: Delivery): boolean {
  if (source === null) return false
  const rows = saying(db, source).filter(row => row.placeId === placeId)
  const send = rows.find(row => row.id === id)
  const edit = rows.find(row => row.act.do === 'edit' && row.amended !== null && row.state === 'queued')
  if (edit?.act.do !== 'edit' || send?.act.do !== 'send' || !send.act.growing) return false
  setState(db, [edit.id], 'cancelled')
  if (send.state === 'failed' && edit.act.draft.growing) return false
  const repeat = send.act.repeat ? { repeat: true as const } : {}
  rewrite(db, send, { do: 'send', ...replyOf(send.act), ...edit.act.draft, ...repeat })
  return send.state === 'failed'
}

type Edit = Act & { readonly do: 'edit' }

/** What a send answers and which thread it belongs to. */
export const replyOf = ({
  replySeq,
  threadSeq,
}: Act & { readonly do: 'send' }): Pick<Act & { readonly do: 'send' }, 'replySeq' | 'threadSeq'> => ({
  ...(replySeq === undefined ? {} : { replySeq }),
  ...(threadSeq === undefined ? {} : { threadSeq }),
})

function amendBy(db: Tx, send: Delivery, edit: Delivery | undefined, act: Edit, nowMs: number): void {
  const shown = edit ? (edit.act as Edit).draft.content : (send.act as Act & { do: 'send' }).content
  const same = JSON.stringify(shown) === JSON.stringify(act.draft.content)
  if (same && (!edit || edit.state === 'sent')) return
  const { place, bot, source } = send
  if (edit) rewrite(db, edit, act)
  else amendedNow(db, enqueue(db, { place, bot, act, ...(source === null ? {} : { source }) }, nowMs))
}

/** Gives one another act. What is under way stays so: its end finds the newer text. */
export function rewrite(db: Tx, { id, state }: Delivery, act: Act): void {
  const next = states[state] > states.unknown ? 'queued' : state
  sql(
    db,
    `UPDATE delivery SET act = ?, state = ?, settled_ms = NULL, not_before_ms = iif(state < 10, not_before_ms, 0)
     WHERE id = ?`,
  ).run(JSON.stringify(act), states[next], id)
  amendedNow(db, id)
}

function amendedNow(db: Tx, id: number): void {
  const number = newestAmendment(db) + 1
  setMeta(db, amendments, `${number}`)
  sql(db, 'UPDATE delivery SET amended = ? WHERE id = ?').run(number, id)
}

/** Marks a delivery as a possible repeat before it is sent again. */
export const markRepeat = (db: Tx, delivery: Delivery): Delivery =>
  delivery.act.do === 'send' ? reworded(db, delivery, { ...delivery.act, repeat: true }) : delivery

/** A delivery that was not sent yet says when it was said. */
export const markDated = (db: Tx, delivery: Delivery, act: Act): Delivery => reworded(db, delivery, act)

function reworded(db: Tx, delivery: Delivery, act: Act): Delivery {
  sql(db, 'UPDATE delivery SET act = ? WHERE id = ?').run(JSON.stringify(act), delivery.id)
  return { ...delivery, act }
}

export interface Backlog {
  readonly network: NetworkId
  readonly queued: number
  readonly oldestMs: number
}

/** How much is not out yet on each network, of what was queued until then. What still grows waits for nobody. */
export const backlog = (db: Tx, untilMs = Number.MAX_SAFE_INTEGER): Backlog[] =>
  sql(
    db,
    `SELECT p.network, count(*) AS queued, min(d.created_ms) AS oldest FROM delivery d JOIN place p ON p.id = d.place
     WHERE d.state < 10 AND d.state > 0 AND d.created_ms <= ? AND d.act ->> '$.growing' IS NULL GROUP BY p.network`,
  )
    .all(untilMs)
    .map(row => ({
      network: row['network'] as NetworkId,
      queued: Number(row['queued']),
      oldestMs: Number(row['oldest']),
    }))

/** What became of one act that a fact brought about. */
export interface Fate {
  readonly place: Place
  readonly state: State
  /** How many native messages it became. */
  readonly parts: number
  readonly attempts: number
  readonly settledMs: number | null
  readonly error: string | null
}

/** In the order in which they were queued; secret ones are left out. */
export const fatesOf = (db: Tx, source: number, limit: number): Fate[] =>
  sql(
    db,
    `SELECT d.state, d.attempts, d.settled_ms, d.error, p.network, p.channel, p.thread, p.private,
     (SELECT count(*) FROM copy c WHERE c.source = d.source AND c.delivery = d.id) AS parts
     FROM delivery d JOIN place p ON p.id = d.place WHERE d.source = ? AND d.secret = 0 ORDER BY d.id LIMIT ?`,
  )
    .all(source, limit)
    .map(row => ({
      place: placeOf(row),
      state: stateName.get(Number(row['state'])) ?? 'unknown',
      parts: Number(row['parts']),
      attempts: Number(row['attempts']),
      settledMs: row['settled_ms'] === null ? null : Number(row['settled_ms']),
      error: row['error'] as string | null,
    }))
