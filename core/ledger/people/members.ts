/** Who is in which channel now, as the platforms say: folded from joins, leaves and rosters, never stored one by one. */
import type { NetworkId, Place, Sender, UserId } from '../../event.ts'
import { skeleton } from '../../text/lookalikes.ts'
import { knownPlaceId } from '../record/events.ts'
import { type Row, sql } from '../sqlite.ts'
import type { Tx } from '../tx.ts'
import type { Account } from './people.ts'

type Channel = Pick<Place, 'network' | 'channel'>

export interface Member {
  readonly user: UserId
  readonly name: string
}

const channelOf = (row: Row): Channel => ({
  network: row['network'] as Place['network'],
  channel: row['channel'] as Place['channel'],
})
const memberOf = (row: Row): Member => ({ user: row['user'] as UserId, name: row['name'] as string })

/** Somebody is in a place, under this name; since when is the first time that was said. */
export function enterPlace(tx: Tx, place: number, { id, name, verified }: Omit<Sender, 'kind'>, atMs: number): void {
  sql(
    tx,
    `INSERT INTO member (place, user, name, verified, since_ms, skeleton) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT (place, user)
     DO UPDATE SET name = excluded.name, verified = excluded.verified, skeleton = excluded.skeleton
     WHERE name != excluded.name OR verified != excluded.verified OR skeleton IS NULL`,
  ).run(place, id, name, verified ? 1 : 0, atMs, skeleton(name))
}

export interface Namesake extends Account {
  readonly channel: Place['channel']
  readonly name: string
}

/** Everybody in one of these channels whose name the eye takes for `name`. */
export function namesakes(tx: Tx, name: string, channels: readonly Channel[]): Namesake[] {
  const seen = skeleton(name)
  // Joined with `place` it is prepared anew whenever it is run: fourteen times as long.
  const there = sql(tx, 'SELECT user, name FROM member INDEXED BY member_skeleton WHERE skeleton = ? AND place = ?')
  return channels.flatMap(({ network, channel }) => {
    const place = knownPlaceId(tx, { network, channel })
    return place === null ? [] : there.all(seen, place).map(row => ({ network, channel, ...memberOf(row) }))
  })
}

/** Somebody is not in a place any more; false when they were not. */
export const leavePlace = (tx: Tx, place: number, user: string): boolean =>
  sql(tx, 'DELETE FROM member WHERE place = ? AND user = ?').run(place, user).changes > 0

export const isMember = (tx: Tx, place: number, user: string): boolean =>
  sql(tx, 'SELECT 1 FROM member WHERE place = ? AND user = ?').get(place, user) !== undefined

/** Everybody in a place, by account. */
export const membersAt = (tx: Tx, place: number): Member[] =>
  sql(tx, 'SELECT user, name FROM member WHERE place = ?').all(place).map(memberOf)

/** Those in a place for whom the network vouches. */
export const verifiedMembersAt = (tx: Tx, place: number): Member[] =>
  sql(tx, 'SELECT user, name FROM member WHERE place = ? AND verified = 1').all(place).map(memberOf)

/** Everybody in a channel, by name. */
export const membersOf = (tx: Tx, { network, channel }: Channel): Member[] =>
  sql(
    tx,
    `SELECT m.user, m.name FROM member m JOIN place p ON p.id = m.place
     WHERE p.network = ? AND p.channel = ? AND p.thread = '' ORDER BY m.name`,
  )
    .all(network, channel)
    .map(memberOf)

export const isIn = (tx: Tx, { network, channel }: Channel, user: string): boolean =>
  sql(
    tx,
    `SELECT 1 FROM member m JOIN place p ON p.id = m.place
     WHERE p.network = ? AND p.channel = ? AND p.thread = '' AND m.user = ?`,
  ).get(network, channel, user) !== undefined

/** Whether somebody is in any channel of a network. */
export const isAnywhere = (tx: Tx, network: string, user: string): boolean =>
  sql(
    tx,
    `SELECT 1 FROM member m JOIN place p ON p.id = m.place
     WHERE p.network = ? AND m.user = ? AND p.private = 0 LIMIT 1`,
  ).get(network, user) !== undefined

/** Since when somebody has been on a network without a break, as far as lists of members tell. */
export function memberSince(tx: Tx, network: string, user: string): number | null {
  const since = sql(
    tx,
    'SELECT min(m.since_ms) AS since FROM member m JOIN place p ON p.id = m.place WHERE p.network = ? AND m.user = ?',
  ).get(network, user)?.['since']
  return since == null ? null : Number(since)
}

/** Channels that one of these accounts is in now, where the platform vouches for it. No direct conversations. */
export const channelsWith = (tx: Tx, accounts: readonly Account[]): Channel[] =>
  sql(
    tx,
    `SELECT DISTINCT p.network, p.channel FROM json_each(?) j
     JOIN place p ON p.network = j.value ->> 'network' AND p.private = 0
     JOIN member m ON m.place = p.id AND m.user = j.value ->> 'user' AND m.verified = 1`,
  )
    .all(JSON.stringify(accounts))
    .map(channelOf)

/** Everybody for whom a network vouches and whom it lists in some channel. */
export const everyMember = (tx: Tx): Account[] =>
  sql(
    tx,
    `SELECT DISTINCT p.network, m.user FROM member m JOIN place p ON p.id = m.place
     WHERE m.verified = 1 AND p.private = 0`,
  )
    .all()
    .map(row => ({ network: row['network'] as NetworkId, user: row['user'] as UserId }))

/** Whether a network vouches for this account in some place now, direct conversations too. */
export const isVouched = (tx: Tx, { network, user }: Account): boolean =>
  sql(
    tx,
    `SELECT 1 FROM member m JOIN place p ON p.id = m.place WHERE p.network = ? AND m.user = ? AND m.verified = 1 LIMIT 1`,
  ).get(network, user) !== undefined

/** Accounts that a network vouches for and shows under this name now. */
export const accountsShownAs = (tx: Tx, network: string, name: string): Account[] =>
  sql(
    tx,
    `SELECT DISTINCT p.network, m.user FROM member m JOIN place p ON p.id = m.place
     WHERE p.network = ? AND m.name = ? COLLATE NOCASE AND m.verified = 1 ORDER BY m.user`,
  )
    .all(network, name)
    .map(row => ({ network: row['network'] as NetworkId, user: row['user'] as UserId }))
