/** Who was last seen when, and how: one row an account, folded from facts and signs of life. */
import { type Row, sql } from '../sqlite.ts'
import type { Tx } from '../tx.ts'

export type PresenceState = 'online' | 'idle' | 'offline'

/** What is known of somebody's being there. Times are Unix ms. */
export interface Presence {
  readonly state: PresenceState
  /** Since when it is so. */
  readonly sinceMs: number
  readonly seenMs: number
  /** join, leave, message, typing or heartbeat: what was seen. */
  readonly what: string
}

export interface KnownPresence extends Presence {
  readonly network: string
  readonly user: string
  readonly name: string
  /** Where it was; '' when that is nobody else's business. */
  readonly channel: string
}

/** What was seen of somebody at a time. */
export interface Sighting {
  readonly network: string
  readonly user: string
  readonly name: string
  readonly channel: string
  readonly what: string
  readonly atMs: number
}

const presenceOf = (row: Row): Presence => ({
  state: row['state'] as PresenceState,
  sinceMs: Number(row['since_ms']),
  seenMs: Number(row['seen_ms']),
  what: row['what'] as string,
})

const knownOf = (row: Row): KnownPresence => ({
  ...presenceOf(row),
  network: row['network'] as string,
  user: row['user'] as string,
  name: row['name'] as string,
  channel: row['channel'] as string,
})

/** Notes what a fact showed; its state, and since when, is for those who judge it. */
export function noteSighting(tx: Tx, { network, user, name, channel, what, atMs }: Sighting): void {
  sql(
    tx,
    `INSERT INTO presence (network, user, state, since_ms, seen_ms, channel, what, name)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (network, user)
     DO UPDATE SET seen_ms = excluded.seen_ms, what = excluded.what, name = excluded.name,
     channel = CASE excluded.channel WHEN '' THEN channel ELSE excluded.channel END
     WHERE excluded.seen_ms >= seen_ms`,
  ).run(network, user, what === 'leave' ? 'offline' : 'online', atMs, atMs, channel, what, name)
}

/** Notes a sign of life that is no fact: only when they were seen, not where. */
export function noteLife(tx: Tx, { network, user, name, channel, what, atMs }: Sighting): void {
  sql(
    tx,
    `INSERT INTO presence VALUES (?, ?, 'online', ?, ?, ?, ?, ?) ON CONFLICT (network, user)
     DO UPDATE SET seen_ms = excluded.seen_ms, what = excluded.what, name = excluded.name
     WHERE excluded.seen_ms > seen_ms`,
  ).run(network, user, atMs, atMs, channel, what, name)
}

/** Writes down how somebody is now. */
export function setPresence(tx: Tx, network: string, user: string, now: Presence): void {
  sql(
    tx,
    `INSERT INTO presence (network, user, state, since_ms, seen_ms, channel, what, name) VALUES (?, ?, ?, ?, ?, '', ?, ?)
     ON CONFLICT (network, user) DO UPDATE SET state = excluded.state, since_ms = excluded.since_ms,
     seen_ms = max(seen_ms, excluded.seen_ms), what = excluded.what`,
  ).run(network, user, now.state, now.sinceMs, now.seenMs, now.what, user)
}

export function presenceAt(tx: Tx, network: string, user: string): KnownPresence | null {
  const row = sql(tx, 'SELECT * FROM presence WHERE network = ? AND user = ?').get(network, user)
  return row ? knownOf(row) : null
}

/** Somebody by account or name; of several, those of the network `near`, then whoever was seen last. */
export function presenceNamed(tx: Tx, name: string, near: string): KnownPresence | null {
  const user = name.toLowerCase()
  const row = sql(
    tx,
    `SELECT * FROM presence WHERE user = ? OR name = ? COLLATE NOCASE
     ORDER BY network = ? DESC, user = ? DESC, seen_ms DESC LIMIT 1`,
  ).get(user, name, near, user)
  return row ? knownOf(row) : null
}

export interface AgentPresence {
  readonly network: string
  readonly name: string
  readonly channel: string
  /** Null: never seen. */
  readonly presence: Presence | null
}

/** Every agent whose engagement was not ended, with how it was. */
export const agentPresences = (tx: Tx): AgentPresence[] =>
  sql(
    tx,
    `SELECT a.network, a.name, p.state, p.since_ms, p.seen_ms, p.what, p.channel FROM agent a
     LEFT JOIN presence p ON p.network = a.network AND p.user = a.name WHERE a.state IN ('active', 'rotating')`,
  )
    .all()
    .map(row => ({
      network: row['network'] as string,
      name: row['name'] as string,
      channel: (row['channel'] as string | null) ?? '',
      presence: row['state'] === null ? null : presenceOf(row),
    }))

/** Agents that are offline and were not seen since a time. */
export const agentsGoneSince = (tx: Tx, beforeMs: number): string[] =>
  sql(
    tx,
    `SELECT a.name FROM agent a JOIN presence p ON p.network = a.network AND p.user = a.name
     WHERE p.state = 'offline' AND p.seen_ms < ? ORDER BY a.name`,
  )
    .all(beforeMs)
    .map(row => row['name'] as string)

/** Forgets those who are no agents and were not seen since a time. */
export const forgetPresence = (tx: Tx, beforeMs: number): number =>
  sql(
    tx,
    `DELETE FROM presence WHERE seen_ms < ?
     AND NOT EXISTS (SELECT 1 FROM agent a WHERE a.network = presence.network AND a.name = presence.user)`,
  ).run(beforeMs).changes
