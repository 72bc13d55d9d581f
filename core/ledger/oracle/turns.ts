import type { NetworkId, Place, UserId } from '../../event.ts'
import { placeId, placeOf } from '../record/events.ts'
import { type Row, sql } from '../sqlite.ts'
import type { Tx } from '../tx.ts'

/** States below 10 are open. `stopping`: somebody said stop, and the process that has it has not yet ended it. */
export const turnStates = { queued: 0, running: 1, stopping: 2, done: 10, stopped: 11, failed: 12 } as const
export type TurnState = keyof typeof turnStates

export interface NewTurn {
  /** The fact that asked. */
  readonly asked: number
  /** Where it is answered, wherever anybody speaks meanwhile. */
  readonly place: Place
  /** Turns of one lane are answered one after the other: a room, a thread, a direct conversation. */
  readonly lane: string
  readonly by: Asker
  /** What was asked, where that is not the text of the fact. */
  readonly words?: string | null
  /** The fact whose question this one asks once more: its files and what it replied to are asked with it. */
  readonly again?: number | null
}

export interface Asker {
  readonly network: NetworkId
  readonly user: UserId
  readonly person: number | null
  /** The display name of the moment. */
  readonly name: string
}

/** One answer of the oracle. */
export interface Turn extends NewTurn {
  readonly id: number
  readonly placeId: number
  readonly state: TurnState
  /** How often it was taken up. */
  readonly tries: number
  /** The process that has it, until `leaseMs`. */
  readonly holder: string | null
  readonly leaseMs: number | null
  /** The fact that answers it. */
  readonly answer: number | null
  /** The turn that answered it together with its own question. */
  readonly merged: number | null
  readonly createdMs: number
  readonly startedMs: number | null
  readonly settledMs: number | null
  readonly stoppedBy: string | null
  readonly error: string | null
}

const stateName = new Map(Object.entries(turnStates).map(([name, value]) => [value as number, name as TurnState]))

const numberOf = (value: Row[string] | undefined): number | null =>
  value === null || value === undefined ? null : Number(value)

function turnFrom(row: Row): Turn {
  return {
    id: Number(row['id']),
    asked: Number(row['asked']),
    place: placeOf(row),
    placeId: Number(row['place']),
    lane: row['lane'] as string,
    by: {
      network: row['asker_network'] as NetworkId,
      user: row['user'] as UserId,
      person: numberOf(row['person']),
      name: row['name'] as string,
    },
    words: row['words'] as string | null,
    again: numberOf(row['again']),
    state: stateName.get(Number(row['state'])) as TurnState,
    tries: Number(row['tries']),
    holder: row['holder'] as string | null,
    leaseMs: numberOf(row['lease_ms']),
    answer: numberOf(row['answer']),
    merged: numberOf(row['merged']),
    createdMs: Number(row['created_ms']),
    startedMs: numberOf(row['started_ms']),
    settledMs: numberOf(row['settled_ms']),
    stoppedBy: row['stopped_by'] as string | null,
    error: row['error'] as string | null,
  }
}

const columns = `t.id, t.asked, t.place, t.lane, t.network AS asker_network, t.user, t.person, t.name, t.words, t.again, t.state,
  t.tries, t.holder, t.lease_ms, t.answer, t.merged, t.created_ms, t.started_ms, t.settled_ms, t.stopped_by, t.error,
  p.network, p.channel, p.thread, p.private FROM turn t JOIN place p ON p.id = t.place`

/** Word for word the condition of the index turn_open. */
const isOpen = 't.state < 10'

/** Queues an answer to a fact; null when that fact has one already. */
export function queueTurn(
  tx: Tx,
  { asked, place, lane, by, words = null, again = null }: NewTurn,
  nowMs: number,
): number | null {
  const done = sql(
    tx,
    `INSERT INTO turn (asked, place, lane, network, user, person, name, words, again, state, created_ms)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ${turnStates.queued}, ?) ON CONFLICT (asked) DO NOTHING`,
  ).run(asked, placeId(tx, place), lane, by.network, by.user, by.person, by.name, words, again, nowMs)
  return done.changes === 0 ? null : Number(done.lastInsertRowid)
}

const one = (row: Row | undefined): Turn | null => (row ? turnFrom(row) : null)

export const turnById = (tx: Tx, id: number): Turn | null => one(sql(tx, `SELECT ${columns} WHERE t.id = ?`).get(id))

/** The turn that a fact asked for, or answers. */
export const turnOfFact = (tx: Tx, seq: number): Turn | null =>
  one(sql(tx, `SELECT ${columns} WHERE t.asked = ?`).get(seq)) ??
  one(sql(tx, `SELECT ${columns} WHERE t.answer = ? ORDER BY t.merged IS NOT NULL, t.id`).get(seq))

/** All that are open, oldest first. */
export const openTurns = (tx: Tx): Turn[] =>
  sql(tx, `SELECT ${columns} WHERE ${isOpen} ORDER BY +t.id`).all().map(turnFrom)

/** Those of one lane that are open, oldest first. */
export const openTurnsIn = (tx: Tx, lane: string): Turn[] =>
  sql(tx, `SELECT ${columns} WHERE t.lane = ? AND ${isOpen} ORDER BY t.id`).all(lane).map(turnFrom)

/** Somebody said stop, nothing was said of it yet and nobody works on it: there is nothing to be marked. */
const isUnsaid = `state = ${turnStates.stopping} AND answer IS NULL`

/**
 * Takes a turn up for a process: the first of its lane, when nobody has it or its lease is over; one that was stopped in the
 * middle of its words stays `stopping`. Null: it is another's, it has ended, or it is not its time.
 */
export function takeTurn(tx: Tx, id: number, holder: string, untilMs: number, nowMs: number): Turn | null {
  const done = sql(
    tx,
    `UPDATE turn SET state = max(state, ${turnStates.running}), holder = ?, lease_ms = ?, tries = tries + 1,
     started_ms = coalesce(started_ms, ?)
     WHERE id = ? AND state < 10 AND NOT (${isUnsaid}) AND coalesce(lease_ms, 0) <= ?
     AND NOT EXISTS (SELECT 1 FROM turn t WHERE t.lane = turn.lane AND ${isOpen} AND t.id < turn.id)`,
  ).run(holder, untilMs, nowMs, id, nowMs)
  return done.changes === 0 ? null : turnById(tx, id)
}

/** Keeps the leases of a process on these; which of them it still has, and which of these somebody stopped. */
export function keepTurns(
  tx: Tx,
  holder: string,
  ids: readonly number[],
  untilMs: number,
): { readonly held: readonly number[]; readonly stopping: readonly number[] } {
  const rows = sql(
    tx,
    `UPDATE turn SET lease_ms = ? WHERE holder = ? AND state < 10 AND id IN (SELECT value FROM json_each(?))
     RETURNING id, state`,
  ).all(untilMs, holder, JSON.stringify(ids))
  const stopping = rows.filter(row => Number(row['state']) === turnStates.stopping)
  return { held: rows.map(row => Number(row['id'])), stopping: stopping.map(row => Number(row['id'])) }
}

/** What was stopped, whose holder is gone and of which nothing was said is stopped. */
export function endLapsedStops(tx: Tx, nowMs: number): void {
  sql(
    tx,
    `UPDATE turn SET state = ${turnStates.stopped}, settled_ms = ? WHERE ${isUnsaid}
     AND id IN (SELECT t.id FROM turn t WHERE ${isOpen} AND coalesce(t.lease_ms, 0) <= ?)`,
  ).run(nowMs, nowMs)
  endMerged(tx, nowMs)
}

/** What was to be answered together with one that was stopped while nobody worked on it is stopped as well. */
function endMerged(tx: Tx, nowMs: number): void {
  sql(
    tx,
    `UPDATE turn SET state = ${turnStates.stopped}, settled_ms = ? WHERE id IN (SELECT t.id FROM turn t
     WHERE ${isOpen} AND (SELECT m.state FROM turn m WHERE m.id = t.merged) = ${turnStates.stopped})`,
  ).run(nowMs)
}

/** Those of a process that somebody stopped. */
export const stoppingTurns = (tx: Tx, holder: string): Turn[] =>
  sql(tx, `SELECT ${columns} WHERE ${isOpen} AND t.state = ${turnStates.stopping} AND t.holder = ?`)
    .all(holder)
    .map(turnFrom)

/** The processes that hold a turn. */
export const turnHolders = (tx: Tx): string[] =>
  sql(tx, `SELECT DISTINCT t.holder FROM turn t WHERE ${isOpen} AND t.holder IS NOT NULL`)
    .all()
    .map(row => row['holder'] as string)

/**
 * A process that is known to be gone has nothing any more: what it was told to stop before it said anything is stopped, the
 * rest may be taken up.
 */
export function freeTurns(tx: Tx, holder: string, nowMs: number): void {
  sql(
    tx,
    `UPDATE turn SET lease_ms = 0, settled_ms = iif(${isUnsaid}, ?, NULL), state = iif(${isUnsaid}, ${turnStates.stopped}, state)
     WHERE id IN (SELECT t.id FROM turn t WHERE ${isOpen} AND t.holder = ?)`,
  ).run(nowMs, holder)
  endMerged(tx, nowMs)
}

/** Ends all that are open, and says nothing: what somebody said stop to is stopped, the rest has failed. */
export function failOpenTurns(tx: Tx, error: string, nowMs: number): void {
  sql(
    tx,
    `UPDATE turn SET lease_ms = NULL, settled_ms = ?, error = iif(state = ${turnStates.stopping}, NULL, ?),
     state = iif(state = ${turnStates.stopping}, ${turnStates.stopped}, ${turnStates.failed}) WHERE state < 10`,
  ).run(nowMs, error)
}

/** Notes which fact answers a turn, and those merged into it, as soon as its first words are said. */
export function answerTurn(tx: Tx, id: number, answer: number): void {
  sql(tx, 'UPDATE turn SET answer = ? WHERE id = ?').run(answer, id)
  sql(tx, 'UPDATE turn SET answer = ? WHERE merged = ?').run(answer, id)
}

export type TurnEnd =
  | { readonly state: 'done' }
  | { readonly state: 'stopped' }
  | { readonly state: 'failed'; readonly error: string }

/**
 * Ends a turn that a process holds, and those that were merged into it. False when it is not its own any more, or was
 * stopped meanwhile: what it would say is not said.
 */
export function endTurn(tx: Tx, id: number, holder: string, end: TurnEnd, nowMs: number): boolean {
  const from = end.state === 'stopped' ? [turnStates.running, turnStates.stopping] : [turnStates.running]
  const error = end.state === 'failed' ? end.error : null
  const done = sql(
    tx,
    `UPDATE turn SET state = ?, error = ?, settled_ms = ?, lease_ms = NULL
     WHERE id = ? AND holder = ? AND state IN (SELECT value FROM json_each(?))`,
  ).run(turnStates[end.state], error, nowMs, id, holder, JSON.stringify(from))
  if (done.changes === 0) return false
  sql(tx, 'UPDATE turn SET state = ?, error = ?, settled_ms = ? WHERE merged = ? AND state < 10').run(
    turnStates[end.state],
    error,
    nowMs,
    id,
  )
  return true
}

/** Has turns that wait answered together with another: they end when it ends. */
export function mergeTurns(tx: Tx, into: number, ids: readonly number[]): void {
  sql(
    tx,
    `UPDATE turn SET merged = ? WHERE state = ${turnStates.queued} AND id IN (SELECT value FROM json_each(?))`,
  ).run(into, JSON.stringify(ids))
}

/** Which turns a stop means. */
export type StopScope =
  /** Those that one person or agent asked for in a room, or by a program that stands in none. */
  | {
      readonly of: Pick<Asker, 'network' | 'user' | 'person'> & { readonly agent?: string | null }
      readonly room: string
    }
  /** The one that a fact asked for or answers. */
  | { readonly fact: number }
  | 'all'

/** Those that are open, and the one of a fact in whatever state; of several that are answered together the one that answers. */
export function turnsIn(tx: Tx, scope: StopScope): Turn[] {
  const heads = allIn(tx, scope).map(turn =>
    turn.merged === null || turn.settledMs !== null ? turn : (turnById(tx, turn.merged) ?? turn),
  )
  return [...new Map(heads.map(turn => [turn.id, turn])).values()]
}

function allIn(tx: Tx, scope: StopScope): Turn[] {
  if (scope === 'all') return openTurns(tx)
  if ('fact' in scope) return [turnOfFact(tx, scope.fact)].filter(turn => turn !== null)
  const { network, user, person, agent } = scope.of
  return sql(
    tx,
    `SELECT ${columns} JOIN event e ON e.seq = t.asked
     WHERE ${isOpen} AND (e.room = ? OR e.body ->> 'standalone' = 1) AND (t.network = ? AND t.user = ? OR t.person = ?
       OR EXISTS (SELECT 1 FROM api_key k WHERE k.network = t.network AND k.account = t.user AND k.agent = ?)) ORDER BY +t.id`,
  )
    .all(scope.room, network, user, person, agent ?? null)
    .map(turnFrom)
}

/**
 * Stops turns: one that nobody works on is stopped with this, the others are `stopping` until the process that has them
 * ends them, or the next one marks what was said. Gives those it stopped, as they were; one that was stopping already is none
 * of them.
 */
export function stopTurns(tx: Tx, scope: StopScope, by: string, nowMs: number): Turn[] {
  const found = turnsIn(tx, scope).filter(({ state }) => state === 'queued' || state === 'running')
  for (const { id, state, leaseMs, answer } of found) {
    const worked = state === 'running' && ((leaseMs ?? 0) > nowMs || answer !== null)
    sql(tx, 'UPDATE turn SET state = ?, stopped_by = ?, settled_ms = ? WHERE id = ?').run(
      worked ? turnStates.stopping : turnStates.stopped,
      by,
      worked ? null : nowMs,
      id,
    )
  }
  endMerged(tx, nowMs)
  return found
}

/** The newest turn of a lane that one account asked for, in whatever state. */
export const lastTurnIn = (tx: Tx, lane: string, { network, user }: Pick<Asker, 'network' | 'user'>): Turn | null =>
  one(
    sql(tx, `SELECT ${columns} WHERE t.lane = ? AND t.network = ? AND t.user = ? ORDER BY t.id DESC LIMIT 1`).get(
      lane,
      network,
      user,
    ),
  )

/** How many turns one account asked for since a time. */
export const turnsOfBotSince = (tx: Tx, { network, user }: Pick<Asker, 'network' | 'user'>, sinceMs: number): number =>
  Number(
    sql(tx, 'SELECT count(*) AS n FROM turn WHERE network = ? AND user = ? AND created_ms >= ?').get(
      network,
      user,
      sinceMs,
    )?.['n'],
  )

/** How many turns of a lane were asked for after a fact. */
export const turnsSince = (tx: Tx, lane: string, seq: number): number =>
  Number(sql(tx, 'SELECT count(*) AS n FROM turn WHERE lane = ? AND asked > ?').get(lane, seq)?.['n'])

/** Those that are answered together with a turn, oldest first. */
export const turnsMergedInto = (tx: Tx, id: number): Turn[] =>
  sql(tx, `SELECT ${columns} WHERE t.merged = ? ORDER BY t.id`).all(id).map(turnFrom)

/** The newest turn that one account asked for in a room. */
export const lastTurnOf = (tx: Tx, { network, user }: Pick<Asker, 'network' | 'user'>, room: string): Turn | null =>
  one(
    sql(
      tx,
      `SELECT ${columns} JOIN event e ON e.seq = t.asked WHERE t.network = ? AND t.user = ? AND e.room = ?
       ORDER BY t.created_ms DESC, t.id DESC LIMIT 1`,
    ).get(network, user, room),
  )
