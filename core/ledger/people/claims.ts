/** What is handed over once, to who says its code; only the code's hash is kept. */

import { sql } from '../sqlite.ts'
import type { Tx } from '../tx.ts'
import type { Account } from './people.ts'

/** A login that waits for its agent, sealed. */
export interface WaitingLogin {
  readonly agent: string
  readonly sealed: Buffer
}

export function keepLogin(tx: Tx, hash: string, { agent, sealed }: WaitingLogin, untilMs: number): void {
  sql(tx, "INSERT INTO claim VALUES (?, 'agent', ?, ?, ?)").run(hash, agent, sealed, untilMs)
}

/** The login behind a code, as long as its time is not over and its agent is engaged. */
export function waitingLogin(tx: Tx, hash: string, nowMs: number): WaitingLogin | null {
  const row = sql(
    tx,
    `SELECT c.subject, c.sealed FROM claim c JOIN agent a ON a.name = c.subject AND a.state IN ('active', 'rotating')
     WHERE c.hash = ? AND c.kind = 'agent' AND c.until_ms > ?`,
  ).get(hash, nowMs)
  return row ? { agent: row['subject'] as string, sealed: row['sealed'] as Buffer } : null
}

/** An account that is made for a person once its code is said. */
export interface Invitation extends Account {
  readonly role: string
  /** Who asked them in, and is asked about again when the code is said. */
  readonly by: Account
  /** When the role ends, Unix ms; null for good. */
  readonly roleUntilMs: number | null
}

/** Keeps an invitation, in place of one for the same account. */
export function keepInvitation(tx: Tx, hash: string, invitation: Invitation, untilMs: number): void {
  dropInvitation(tx, invitation)
  sql(tx, "INSERT INTO claim VALUES (?, 'invite', ?, NULL, ?)").run(hash, JSON.stringify(invitation), untilMs)
}

/** The invitation behind a code, as long as its time is not over. */
export function waitingInvitation(tx: Tx, hash: string, nowMs: number): Invitation | null {
  const row = sql(tx, "SELECT subject FROM claim WHERE hash = ? AND kind = 'invite' AND until_ms > ?").get(hash, nowMs)
  return row ? (JSON.parse(row['subject'] as string) as Invitation) : null
}

/** An invitation, and when its code ends, Unix ms. */
export interface OpenInvitation extends Invitation {
  readonly untilMs: number
}

/** What people are invited to at the moment, by their names. */
export const openInvitations = (tx: Tx, nowMs: number): OpenInvitation[] =>
  sql(tx, "SELECT subject, until_ms FROM claim WHERE kind = 'invite' AND until_ms > ? ORDER BY subject ->> 'user'")
    .all(nowMs)
    .map(row => ({ ...(JSON.parse(row['subject'] as string) as Invitation), untilMs: Number(row['until_ms']) }))

/** Its code counts no more; false when there is none. */
export const dropInvitation = (tx: Tx, { network, user }: Account): boolean =>
  sql(
    tx,
    "DELETE FROM claim WHERE kind = 'invite' AND subject ->> 'network' = ? AND subject ->> 'user' = ? COLLATE NOCASE",
  ).run(network, user).changes > 0

/** An agent's codes count no more: its password is another, or it is gone. */
export function dropLoginsOf(tx: Tx, agent: string): void {
  sql(tx, "DELETE FROM claim WHERE kind = 'agent' AND subject = ?").run(agent)
}

/** Whether there is anything for `dropOldLogins` to do. */
export const loginsEnd = (tx: Tx, nowMs: number): boolean =>
  sql(tx, "SELECT 1 FROM claim WHERE kind IN ('agent', 'invite') AND until_ms <= ? LIMIT 1").get(nowMs) !== undefined

export function dropOldLogins(tx: Tx, nowMs: number): void {
  sql(tx, "DELETE FROM claim WHERE kind IN ('agent', 'invite') AND until_ms <= ?").run(nowMs)
}

/** Who offers to be one person with another account. */
export interface Giver extends Account {
  /** What the person is called when they become one. */
  readonly name: string
}

/** Keeps an account's code for another account, in place of one it had; what is over goes too. */
export function keepLinkCode(tx: Tx, hash: string, giver: Giver, untilMs: number, nowMs: number): void {
  const { network, user, name } = giver
  sql(
    tx,
    "DELETE FROM claim WHERE kind = 'link' AND (until_ms <= ? OR (subject ->> 'network' = ? AND subject ->> 'user' = ?))",
  ).run(nowMs, network, user)
  sql(tx, "INSERT INTO claim VALUES (?, 'link', ?, NULL, ?)").run(
    hash,
    JSON.stringify({ network, user, name }),
    untilMs,
  )
}

/** Whose code this is, as long as its time is not over. */
export function linkCode(tx: Tx, hash: string, nowMs: number): Giver | null {
  const row = sql(tx, "SELECT subject FROM claim WHERE hash = ? AND kind = 'link' AND until_ms > ?").get(hash, nowMs)
  return row ? (JSON.parse(row['subject'] as string) as Giver) : null
}

/** Orders of one command that are told together: sealed, for it holds passwords. */
export interface SealedBatch {
  readonly id: string
  readonly sealed: Buffer
}

export function keepBatch(tx: Tx, { id, sealed }: SealedBatch, verb: string): void {
  sql(tx, "INSERT INTO claim VALUES (?, 'batch', ?, ?, 0) ON CONFLICT DO NOTHING").run(id, verb, sealed)
}

export const batches = (tx: Tx): SealedBatch[] =>
  sql(tx, "SELECT hash, sealed FROM claim WHERE kind = 'batch' ORDER BY hash")
    .all()
    .map(row => ({ id: row['hash'] as string, sealed: row['sealed'] as Buffer }))

/** Whether any code can still be used: only then it matters whether one was shown. */
export const codesWait = (tx: Tx): boolean =>
  sql(tx, "SELECT 1 FROM claim WHERE kind IN ('agent', 'invite', 'link') LIMIT 1").get() !== undefined

/** Whether a code of whatever kind waits under a hash. */
export const codeWaits = (tx: Tx, hash: string): boolean =>
  sql(tx, "SELECT 1 FROM claim WHERE hash = ? AND kind IN ('agent', 'invite', 'link')").get(hash) !== undefined

/** Uses a code or a batch up; false when it was so already. */
export const dropClaim = (tx: Tx, hash: string, kind: 'agent' | 'invite' | 'link' | 'batch'): boolean =>
  sql(tx, 'DELETE FROM claim WHERE hash = ? AND kind = ?').run(hash, kind).changes > 0
