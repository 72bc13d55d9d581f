import type { NetworkId, Sender, UserId } from './event.ts'
import { getMeta, setMeta } from './ledger/ledger.ts'
import { type Db, type Row, sql } from './ledger/sqlite.ts'

/** From most to least. A role includes all that stand after it. */
export const roles = ['owner', 'operator', 'member', 'guest'] as const
export type Role = (typeof roles)[number]

export const isRole = (word: string): word is Role => (roles as readonly string[]).includes(word)

/** Whether holding `held` allows what needs `needed`. */
export const includes = (held: Role, needed: Role): boolean => roles.indexOf(held) <= roles.indexOf(needed)

export interface Person {
  readonly id: number
  readonly name: string
}

/** Who somebody is to us. Everything hangs on the platform's verified id; names grant nothing. */
export interface Known {
  readonly person: Person | null
  readonly role: Role
}

export interface Grant {
  readonly person: Person
  /** '' is everywhere. */
  readonly room: string
  readonly role: Role
  readonly untilMs: number | null
  readonly by: string
}

const personOf = (row: Row): Person => ({ id: Number(row['id']), name: row['name'] as string })

/** The person behind a verified sender and their highest valid role in `room`. Unverified senders are nobody. */
export function identify(db: Db, network: NetworkId, sender: Sender, room: string, nowMs: number): Known {
  if (!sender.verified) return { person: null, role: 'guest' }
  const row = sql(
    db,
    'SELECT p.id, p.name FROM identity i JOIN person p ON p.id = i.person WHERE i.network = ? AND i.user = ?',
  ).get(network, sender.id)
  if (!row) return { person: null, role: 'guest' }
  const person = personOf(row)
  return { person, role: roleIn(db, person, room, nowMs) }
}

/** A person's highest role that holds in a room now. */
export function roleIn(db: Db, person: Person, room: string, nowMs: number): Role {
  const rows = sql(
    db,
    "SELECT role FROM role WHERE person = ? AND room IN ('', ?) AND (until_ms IS NULL OR until_ms > ?)",
  ).all(person.id, room, nowMs)
  const held = new Set(rows.map(row => row['role'] as string))
  return roles.find(role => held.has(role)) ?? 'guest'
}

export function personByName(db: Db, name: string): Person | null {
  const row = sql(db, 'SELECT id, name FROM person WHERE name = ?').get(name)
  return row ? personOf(row) : null
}

/** The person who owns an identity; made, named after `name`, when there is none. */
export function personFor(db: Db, network: NetworkId, user: UserId, name: string, nowMs: number): Person {
  const row = sql(
    db,
    'SELECT p.id, p.name FROM identity i JOIN person p ON p.id = i.person WHERE i.network = ? AND i.user = ?',
  ).get(network, user)
  if (row) return personOf(row)
  let free = name
  for (let n = 2; personByName(db, free); n++) free = `${name}-${n}`
  const id = Number(sql(db, 'INSERT INTO person (name, created_ms) VALUES (?, ?)').run(free, nowMs).lastInsertRowid)
  sql(db, 'INSERT INTO identity VALUES (?, ?, ?)').run(network, user, id)
  return { id, name: free }
}

export const identitiesOf = (db: Db, person: Person): { network: NetworkId; user: UserId }[] =>
  sql(db, 'SELECT network, user FROM identity WHERE person = ? ORDER BY network').all(person.id) as never

export function dropIdentity(db: Db, network: NetworkId, user: UserId): void {
  sql(db, 'DELETE FROM identity WHERE network = ? AND user = ?').run(network, user)
}

/** Gives a role, in place of the one held there. One for a time gives back what was held for good when it ends. */
export function grant(db: Db, to: Omit<Grant, 'by'>, by: string, nowMs: number): void {
  const key = beforeKey(to.person.id, to.room)
  const held = sql(db, 'SELECT role, until_ms, granted_by FROM role WHERE person = ? AND room = ?').get(
    to.person.id,
    to.room,
  )
  if (to.untilMs === null || !held) sql(db, 'DELETE FROM meta WHERE key = ?').run(key)
  else if (held['until_ms'] === null) setMeta(db, key, JSON.stringify([held['role'], held['granted_by']]))
  sql(
    db,
    `INSERT INTO role VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (person, room) DO UPDATE SET role = excluded.role,
     until_ms = excluded.until_ms, granted_by = excluded.granted_by, granted_ms = excluded.granted_ms`,
  ).run(to.person.id, to.room, to.role, to.untilMs, by, nowMs)
}

const beforeKey = (person: number, room: string): string => `role.before ${person} ${room}`

/** Takes a role away; false when there was none. The caller makes sure that an owner stays. */
export function revoke(db: Db, person: Person, room: string): boolean {
  sql(db, 'DELETE FROM meta WHERE key = ?').run(beforeKey(person.id, room))
  return sql(db, 'DELETE FROM role WHERE person = ? AND room = ?').run(person.id, room).changes > 0
}

export interface Ended extends Grant {
  readonly untilMs: number
  /** What is held again from now on. */
  readonly again: Role | null
}

/** Ends the roles whose time is over. Each is told once: its row is gone with the same transaction. */
export function endRoles(db: Db, nowMs: number): Ended[] {
  const rows = sql(
    db,
    `SELECT p.id, p.name, r.room, r.role, r.until_ms, r.granted_by FROM role r JOIN person p ON p.id = r.person
     WHERE r.until_ms <= ? ORDER BY p.name, r.room`,
  ).all(nowMs)
  return rows.map(row => {
    const ended = { ...grantOf(row), untilMs: Number(row['until_ms']) }
    const before = getMeta(db, beforeKey(ended.person.id, ended.room))
    revoke(db, ended.person, ended.room)
    if (before === null) return { ...ended, again: null }
    const [role, by] = JSON.parse(before) as [Role, string]
    grant(db, { person: ended.person, room: ended.room, role, untilMs: null }, by, nowMs)
    return { ...ended, again: role }
  })
}

const grantOf = (row: Row): Grant => ({
  person: personOf(row),
  room: row['room'] as string,
  role: row['role'] as Role,
  untilMs: row['until_ms'] === null ? null : Number(row['until_ms']),
  by: row['granted_by'] as string,
})

export const grants = (db: Db, nowMs: number): Grant[] =>
  sql(
    db,
    `SELECT p.id, p.name, r.room, r.role, r.until_ms, r.granted_by FROM role r JOIN person p ON p.id = r.person
     WHERE r.until_ms IS NULL OR r.until_ms > ? ORDER BY p.name, r.room`,
  )
    .all(nowMs)
    .map(grantOf)

/** How many hold the global role of owner without an end. */
export const owners = (db: Db): number =>
  Number(sql(db, "SELECT count(*) AS n FROM role WHERE role = 'owner' AND room = '' AND until_ms IS NULL").get()?.['n'])

/**
 * Every account of those who hold the global role of owner without an end. Commands that could leave none of them able to
 * speak are refused.
 */
export const ownerAccounts = (db: Db): { network: NetworkId; user: UserId }[] =>
  sql(
    db,
    `SELECT i.network, i.user FROM role r JOIN identity i ON i.person = r.person
     WHERE r.role = 'owner' AND r.room = '' AND r.until_ms IS NULL ORDER BY i.network, i.user`,
  ).all() as never
