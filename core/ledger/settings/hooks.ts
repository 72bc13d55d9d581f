/** Webhooks: addresses at which others tell something, and addresses that are told what happens in rooms. */
import { type Row, sql } from '../sqlite.ts'
import type { Tx } from '../tx.ts'

/** Kinds of facts that a webhook can be told. */
export const hookEvents = ['message', 'edit', 'delete', 'reaction', 'member', 'topic', 'gap'] as const
export type HookEvent = (typeof hookEvents)[number]

interface Made {
  readonly name: string
  readonly network: string
  /** Its name, or `network:channel`. */
  readonly room: string
  readonly createdMs: number
  readonly createdBy: string
}

export interface HookIn extends Made {
  /** SHA-256 of the word in its address, hex. */
  readonly hash: string
  /** Of whose messages it understands: a word of the network's kind. */
  readonly format: string
  /** Sealed; null: nothing is signed. */
  readonly secret: Buffer | null
  readonly usedMs: number | null
}

export interface HookOut extends Made {
  readonly url: string
  /** Sealed. */
  readonly secret: Buffer
  readonly events: readonly HookEvent[]
  /** May be an address of this machine or of a private network. */
  readonly internal: boolean
  /** The last fact that is done with. */
  readonly cursor: number
  /** Since when the next one does not arrive; null: it does. */
  readonly failingMs: number | null
  readonly fault: string | null
}

export interface DeadLetter {
  readonly hook: string
  readonly seq: number
  readonly fault: string
  readonly atMs: number
}

const made = (row: Row): Made => ({
  name: row['name'] as string,
  network: row['network'] as string,
  room: row['room'] as string,
  createdMs: Number(row['created_ms']),
  createdBy: row['created_by'] as string,
})
const numberOf = (value: Row[string] | undefined): number | null => (value == null ? null : Number(value))

const inOf = (row: Row): HookIn => ({
  ...made(row),
  hash: row['hash'] as string,
  format: row['format'] as string,
  secret: row['sealed'] as Buffer | null,
  usedMs: numberOf(row['used_ms']),
})

const outOf = (row: Row): HookOut => ({
  ...made(row),
  url: row['url'] as string,
  secret: row['sealed'] as Buffer,
  events: JSON.parse(row['events'] as string) as HookEvent[],
  internal: row['internal'] === 1,
  cursor: Number(row['cursor']),
  failingMs: numberOf(row['failing_ms']),
  fault: row['fault'] as string | null,
})

export const hooksIn = (tx: Tx): HookIn[] => sql(tx, 'SELECT * FROM hook_in ORDER BY name').all().map(inOf)

export const hooksOut = (tx: Tx): HookOut[] => sql(tx, 'SELECT * FROM hook_out ORDER BY name').all().map(outOf)

export function hookByHash(tx: Tx, hash: string): HookIn | null {
  const row = sql(tx, 'SELECT * FROM hook_in WHERE hash = ?').get(hash)
  return row ? inOf(row) : null
}

export function hookOut(tx: Tx, name: string): HookOut | null {
  const row = sql(tx, 'SELECT * FROM hook_out WHERE name = ?').get(name)
  return row ? outOf(row) : null
}

/** Whether a webhook of either direction has this name. */
export const hookExists = (tx: Tx, name: string): boolean =>
  sql(tx, 'SELECT 1 FROM hook_in WHERE name = ? UNION SELECT 1 FROM hook_out WHERE name = ?').get(name, name) !==
  undefined

export function insertHookIn(tx: Tx, hook: HookIn): void {
  sql(tx, 'INSERT INTO hook_in VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL)').run(
    hook.name,
    hook.network,
    hook.hash,
    hook.room,
    hook.format,
    hook.secret,
    hook.createdMs,
    hook.createdBy,
  )
}

export function insertHookOut(tx: Tx, hook: HookOut): void {
  sql(tx, 'INSERT INTO hook_out VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL, NULL, ?, ?)').run(
    hook.name,
    hook.network,
    hook.url,
    hook.secret,
    hook.room,
    JSON.stringify(hook.events),
    hook.internal ? 1 : 0,
    hook.cursor,
    hook.createdMs,
    hook.createdBy,
  )
}

/** Ends a webhook of either direction, with its dead letters. False: there was none. */
export function dropHook(tx: Tx, name: string): boolean {
  sql(tx, 'DELETE FROM hook_dead WHERE hook = ?').run(name)
  const { changes } = sql(tx, 'DELETE FROM hook_in WHERE name = ?').run(name)
  return changes + sql(tx, 'DELETE FROM hook_out WHERE name = ?').run(name).changes > 0
}

export const noteHookUse = (tx: Tx, name: string, nowMs: number): void => {
  sql(tx, 'UPDATE hook_in SET used_ms = ? WHERE name = ?').run(nowMs, name)
}

/** Everything up to the fact `to` has arrived, or was nothing for it. False: it was sent elsewhere meanwhile, and nothing happened. */
export const advanceHook = (
  tx: Tx,
  name: string,
  { from, to }: { readonly from: number; readonly to: number },
): boolean =>
  sql(tx, 'UPDATE hook_out SET cursor = ?, failing_ms = NULL, fault = NULL WHERE name = ? AND cursor = ?').run(
    to,
    name,
    from,
  ).changes > 0

export const failHook = (tx: Tx, name: string, fault: string, nowMs: number): void => {
  sql(tx, 'UPDATE hook_out SET failing_ms = coalesce(failing_ms, ?), fault = ? WHERE name = ?').run(nowMs, fault, name)
}

/** Gives a fact up: it is kept as a dead letter, and the next one is sent. `from`: where the webhook stands. */
export function buryLetter(tx: Tx, { hook, seq, fault, atMs }: DeadLetter, from: number): void {
  if (!advanceHook(tx, hook, { from, to: seq })) return
  sql(tx, 'INSERT OR REPLACE INTO hook_dead VALUES (?, ?, ?, ?)').run(hook, seq, fault, atMs)
}

/** Newest first. */
export const deadLetters = (tx: Tx, hook: string, limit: number): DeadLetter[] =>
  sql(tx, 'SELECT * FROM hook_dead WHERE hook = ? ORDER BY seq DESC LIMIT ?')
    .all(hook, limit)
    .map(row => ({
      hook,
      seq: Number(row['seq']),
      fault: row['fault'] as string,
      atMs: Number(row['at_ms']),
    }))

export const deadCount = (tx: Tx, hook: string): number =>
  Number(sql(tx, 'SELECT count(*) AS n FROM hook_dead WHERE hook = ?').get(hook)?.['n'])

/** Sends what did not arrive once more, from the oldest. How many there are. */
export function retryDead(tx: Tx, hook: string): number {
  const row = sql(tx, 'SELECT count(*) AS n, min(seq) AS first FROM hook_dead WHERE hook = ?').get(hook)
  const waiting = Number(row?.['n'])
  if (waiting === 0) return 0
  sql(tx, 'UPDATE hook_out SET cursor = ?, failing_ms = NULL, fault = NULL WHERE name = ?').run(
    Number(row?.['first']) - 1,
    hook,
  )
  sql(tx, 'DELETE FROM hook_dead WHERE hook = ?').run(hook)
  return waiting
}
