/** What programs ask models for, and the answers as they come in. Rows go when they are old: the record has what was said. */
import type { NetworkId, UserId } from '../../event.ts'
import { type Row, sql } from '../sqlite.ts'
import type { Tx } from '../tx.ts'
import { turnStates } from './turns.ts'

export interface NewCompletion {
  /** Of the fact that asks, or one of its own. */
  readonly key: string
  readonly network: NetworkId
  readonly account: UserId
  /** Whose budget it is on. */
  readonly person: string
  /** As the books have it. */
  readonly room: string
  /** Which kind of model is meant: `oracle`, or the name of a configured one. */
  readonly model: string
  /** JSON. */
  readonly body: string
  /** A turn of the oracle answers it. */
  readonly turn: boolean
}

export interface Ending {
  readonly finish: 'stop' | 'length' | 'refusal' | 'aborted' | 'failed'
  readonly inputTokens: number
  readonly cachedTokens: number
  readonly outputTokens: number
  /** A code of `core/error.ts` and its line, when it failed. */
  readonly error?: { readonly code: string; readonly message: string; readonly afterMs?: number }
  /** What was used as the service wrote it: of what is passed on. */
  readonly reported?: unknown
}

export interface Completion extends NewCompletion {
  readonly id: number
  readonly state: keyof typeof turnStates
  readonly ending: Ending | null
  readonly createdMs: number
}

/** `restart`: what came before is void. `chunks`: as the service sent them. */
export type CompletionPart =
  | { readonly text: string }
  | { readonly restart: true }
  | { readonly chunks: readonly unknown[]; readonly model: string }

const stateName = new Map(
  Object.entries(turnStates).map(([name, value]) => [value as number, name as Completion['state']]),
)

const completionOf = (row: Row): Completion => ({
  id: Number(row['id']),
  key: row['key'] as string,
  network: row['network'] as NetworkId,
  account: row['account'] as UserId,
  person: row['person'] as string,
  room: row['room'] as string,
  model: row['model'] as string,
  body: row['body'] as string,
  turn: row['turn'] === 1,
  state: stateName.get(Number(row['state'])) as Completion['state'],
  ending: row['ending'] === null ? null : (JSON.parse(row['ending'] as string) as Ending),
  createdMs: Number(row['created_ms']),
})

/** Asks for one; nothing happens the second time, but that one which failed is asked for anew. */
export function openCompletion(tx: Tx, asked: NewCompletion, nowMs: number): void {
  const { key, network, account, person, room, model, body, turn } = asked
  sql(
    tx,
    `INSERT INTO completion (key, network, account, person, room, model, body, turn, state, created_ms)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ${turnStates.queued}, ?) ON CONFLICT (key) DO UPDATE SET body = excluded.body,
     state = excluded.state, holder = NULL, ending = NULL, settled_ms = NULL, created_ms = excluded.created_ms
     WHERE turn = 0 AND state = ${turnStates.failed}`,
  ).run(key, network, account, person, room, model, body, turn ? 1 : 0, nowMs)
}

export function completionAt(tx: Tx, key: string): Completion | null {
  const row = sql(tx, 'SELECT * FROM completion WHERE key = ?').get(key)
  return row ? completionOf(row) : null
}

/** Those that no turn answers and nobody has taken up, oldest first. */
export const queuedCompletions = (tx: Tx, limit: number): Completion[] =>
  sql(tx, `SELECT * FROM completion WHERE state < 10 AND state = ${turnStates.queued} AND turn = 0 ORDER BY id LIMIT ?`)
    .all(limit)
    .map(completionOf)

/** Takes one up; false when another process has. */
export const takeCompletion = (tx: Tx, id: number, holder: string): boolean =>
  sql(
    tx,
    `UPDATE completion SET state = ${turnStates.running}, holder = ? WHERE id = ? AND state = ${turnStates.queued}`,
  ).run(holder, id).changes > 0

/** Those that somebody asked to stop, of one process. */
export const stoppingCompletions = (tx: Tx, holder: string): number[] =>
  sql(tx, `SELECT id FROM completion WHERE state < 10 AND state = ${turnStates.stopping} AND holder = ?`)
    .all(holder)
    .map(row => Number(row['id']))

/** Somebody stops it: the same request again is stopped too. */
export function stopCompletion(tx: Tx, key: string, nowMs: number): void {
  sql(
    tx,
    `UPDATE completion SET settled_ms = iif(state = ${turnStates.queued}, ?, NULL),
     state = iif(state = ${turnStates.queued}, ${turnStates.stopped}, ${turnStates.stopping}) WHERE key = ? AND state < 2`,
  ).run(nowMs, key)
}

/** Nobody waits for one that has not ended: it ends, and the same request again is asked anew. Nothing for those of turns. */
export function abandonCompletion(tx: Tx, key: string, nowMs: number): void {
  const left = sql(
    tx,
    "UPDATE completion SET key = key || ' left ' || id WHERE key = ? AND turn = 0 AND state < 2 RETURNING key",
  ).get(key)
  if (left) stopCompletion(tx, left['key'] as string, nowMs)
}

/** Processes that have one. */
export const completionHolders = (tx: Tx): string[] =>
  sql(tx, 'SELECT DISTINCT holder FROM completion WHERE state < 10 AND holder IS NOT NULL')
    .all()
    .map(row => row['holder'] as string)

/** What a process that is gone had is not taken up again: who asked may ask again. */
export const failCompletionsOf = (tx: Tx, holder: string, nowMs: number): void =>
  failOpen(tx, holder, 'it was interrupted by a restart: ask again', nowMs)

/** The same for all that are open, whoever has them. */
export const failAllCompletions = (tx: Tx, message: string, nowMs: number): void => failOpen(tx, null, message, nowMs)

function failOpen(tx: Tx, holder: string | null, message: string, nowMs: number): void {
  const error = { code: 'model-failed', message }
  const ending: Ending = { finish: 'failed', inputTokens: 0, cachedTokens: 0, outputTokens: 0, error }
  sql(
    tx,
    `UPDATE completion SET state = ${turnStates.failed}, ending = ?, settled_ms = ?, body = ''
     WHERE state < 10 AND (? IS NULL OR holder = ?)`,
  ).run(JSON.stringify(ending), nowMs, holder, holder)
}

/** The next piece of an answer. */
export function addPart(tx: Tx, id: number, part: CompletionPart): void {
  sql(
    tx,
    `INSERT INTO completion_part (completion, n, body)
     SELECT ?, 1 + coalesce((SELECT max(n) FROM completion_part WHERE completion = ?), 0), ?`,
  ).run(id, id, JSON.stringify(part))
}

/** Pieces after one of them, in order. */
export const partsAfter = (tx: Tx, id: number, n: number): { readonly n: number; readonly part: CompletionPart }[] =>
  sql(tx, 'SELECT n, body FROM completion_part WHERE completion = ? AND n > ? ORDER BY n LIMIT 500')
    .all(id, n)
    .map(row => ({ n: Number(row['n']), part: JSON.parse(row['body'] as string) as CompletionPart }))

/** It has ended: the conversation that was brought is needed no more. */
export function endCompletion(tx: Tx, id: number, ending: Ending, nowMs: number): void {
  const state = ending.finish === 'failed' ? 'failed' : ending.finish === 'aborted' ? 'stopped' : 'done'
  sql(
    tx,
    `UPDATE completion SET state = ${turnStates[state]}, ending = ?, settled_ms = ?, body = '' WHERE id = ? AND state < 10`,
  ).run(JSON.stringify(ending), nowMs, id)
}

/** It was read: nothing of it is kept. */
export const dropCompletion = (tx: Tx, key: string): void => {
  sql(tx, 'DELETE FROM completion WHERE key = ? AND state >= 10').run(key)
}

/** Nobody waits any more for what programs asked of a network that was away: their connections are gone. */
export function abandonCompletionsOf(tx: Tx, network: string, nowMs: number): void {
  for (const { key, ...asked } of openCompletions(tx, 'all'))
    if (asked.network === network) abandonCompletion(tx, key, nowMs)
}

/** Whose requests are meant by a stop. */
export type AskedBy = { readonly spenders: readonly string[] } | 'all'

/** Those that no turn answers and that have not ended. */
export function openCompletions(tx: Tx, of: AskedBy): Completion[] {
  const all = sql(tx, 'SELECT * FROM completion WHERE state < 10 AND turn = 0 ORDER BY id').all().map(completionOf)
  return of === 'all' ? all : all.filter(({ person }) => of.spenders.includes(person))
}

export const dropOldCompletions = (tx: Tx, beforeMs: number): void => {
  sql(tx, 'DELETE FROM completion WHERE created_ms < ?').run(beforeMs)
}
