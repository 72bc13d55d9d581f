import { includes, type Role, roles } from '../../access/role.ts'
import { type Row, sql } from '../sqlite.ts'
import type { Tx } from '../tx.ts'
import { type Account, accountOf, type Person, personOf } from './people.ts'

/** A role, and when it ends, Unix ms; null is never. */
export interface Held {
  readonly role: Role
  readonly untilMs: number | null
}

export interface Grant extends Held {
  readonly person: Person
  /** '' is everywhere. */
  readonly room: string
  readonly by: string
}

/** A person's highest role that holds in a room now. */
export function roleIn(tx: Tx, person: Person, room: string, nowMs: number): Role {
  const rows = sql(
    tx,
    "SELECT role FROM role WHERE person = ? AND room IN ('', ?) AND (until_ms IS NULL OR until_ms > ?)",
  ).all(person.id, room, nowMs)
  const held = new Set(rows.map(row => row['role'] as string))
  return roles.find(role => held.has(role)) ?? 'guest'
}

/** The roles written down for exactly this room, for good and for a time, whether that is over or not. */
export const rolesWritten = (tx: Tx, person: Person, room: string): Held[] =>
  sql(tx, 'SELECT role, until_ms FROM role WHERE person = ? AND room = ? ORDER BY timed')
    .all(person.id, room)
    .map(heldOf)

/**
 * Until when somebody holds `needed` or more in a room, Unix ms: null for good, 0 when they do not. Who acts by a role
 * gives nothing that outlasts it.
 */
export function holdsUntil(tx: Tx, person: Person, needed: Role, room: string, nowMs: number): number | null {
  const held = sql(tx, "SELECT role, until_ms FROM role WHERE person = ? AND room IN ('', ?)")
    .all(person.id, room)
    .map(heldOf)
    .filter(each => includes(each.role, needed) && holds(each, nowMs))
  if (held.some(({ untilMs }) => untilMs === null)) return null
  return Math.max(0, ...held.map(({ untilMs }) => untilMs ?? 0))
}

/**
 * Gives a role. One for good takes the place of all that was held there; one for a time stands beside that one and leaves it
 * as it is.
 */
export function grant(tx: Tx, to: Omit<Grant, 'by'>, by: string, nowMs: number): void {
  if (to.untilMs === null) revoke(tx, to.person, to.room)
  sql(
    tx,
    `INSERT INTO role (person, room, timed, role, until_ms, granted_by, granted_ms) VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET role = excluded.role, until_ms = excluded.until_ms, granted_by = excluded.granted_by,
     granted_ms = excluded.granted_ms`,
  ).run(to.person.id, to.room, to.untilMs === null ? 0 : 1, to.role, to.untilMs, by, nowMs)
}

/** Takes the roles held in a room away; false when there was none. The caller makes sure that an owner stays. */
export const revoke = (tx: Tx, person: Person, room: string): boolean =>
  sql(tx, 'DELETE FROM role WHERE person = ? AND room = ?').run(person.id, room).changes > 0

/** Takes every role of somebody away. */
export function revokeAll(tx: Tx, person: Person): void {
  const rooms = sql(tx, 'SELECT room FROM role WHERE person = ?').all(person.id)
  for (const { room } of rooms) revoke(tx, person, room as string)
}

/** Takes away what somebody gave by a role for a time that would have lasted until then, and what was given by it in turn. Who had it. */
export function revokeGiven(tx: Tx, giver: Person, untilMs: number): Person[] {
  const rows = sql(
    tx,
    `SELECT p.id, p.name, r.room FROM role r JOIN person p ON p.id = r.person
     WHERE r.timed = 1 AND r.until_ms <= @untilMs AND r.person <> @id AND (r.granted_by = @name
       OR r.granted_by IN (SELECT network || ':' || user FROM identity WHERE person = @id)) ORDER BY p.name`,
  ).all({ untilMs, id: giver.id, name: giver.name })
  return rows.flatMap(row => {
    const person = personOf(row)
    sql(tx, 'DELETE FROM role WHERE person = ? AND room = ? AND timed = 1').run(person.id, row['room'] as string)
    return [person, ...revokeGiven(tx, person, untilMs)]
  })
}

export interface Ended extends Grant {
  readonly untilMs: number
  /** What is held there for good, and counts from now on. */
  readonly stays: Role | null
}

/** Whether there is anything for `endRoles` to do. */
export const rolesEnd = (tx: Tx, nowMs: number): boolean =>
  sql(tx, 'SELECT 1 FROM role WHERE until_ms <= ? LIMIT 1').get(nowMs) !== undefined

/** Ends the roles whose time is over. Each is told once: its row is gone with the same transaction. */
export function endRoles(tx: Tx, nowMs: number): Ended[] {
  const rows = sql(
    tx,
    `SELECT p.id, p.name, r.room, r.role, r.until_ms, r.granted_by FROM role r JOIN person p ON p.id = r.person
     WHERE r.until_ms <= ? ORDER BY p.name, r.room`,
  ).all(nowMs)
  sql(tx, 'DELETE FROM role WHERE until_ms <= ?').run(nowMs)
  return rows.map(row => {
    const ended = { ...grantOf(row), untilMs: Number(row['until_ms']) }
    return { ...ended, stays: rolesWritten(tx, ended.person, ended.room)[0]?.role ?? null }
  })
}

const heldOf = (row: Row): Held => ({
  role: row['role'] as Role,
  untilMs: row['until_ms'] === null ? null : Number(row['until_ms']),
})

const grantOf = (row: Row): Grant => ({
  ...heldOf(row),
  person: personOf(row),
  room: row['room'] as string,
  by: row['granted_by'] as string,
})

export const grants = (tx: Tx, nowMs: number): Grant[] =>
  sql(
    tx,
    `SELECT p.id, p.name, r.room, r.role, r.until_ms, r.granted_by FROM role r JOIN person p ON p.id = r.person
     WHERE r.until_ms IS NULL OR r.until_ms > ? ORDER BY p.name, r.room, r.timed`,
  )
    .all(nowMs)
    .map(grantOf)

/** What is written down for one person, ended or not, by room. */
export const grantsOf = (tx: Tx, person: Person): Grant[] =>
  sql(
    tx,
    `SELECT p.id, p.name, r.room, r.role, r.until_ms, r.granted_by FROM role r JOIN person p ON p.id = r.person
     WHERE r.person = ? ORDER BY r.room, r.timed`,
  )
    .all(person.id)
    .map(grantOf)

/** Whether a grant holds at a time. */
export const holds = ({ untilMs }: Held, nowMs: number): boolean => untilMs === null || untilMs > nowMs

/** How many hold the global role of owner without an end. */
export const owners = (tx: Tx): number =>
  Number(sql(tx, "SELECT count(*) AS n FROM role WHERE role = 'owner' AND room = '' AND until_ms IS NULL").get()?.['n'])

/**
 * Every account of those who hold the global role of owner without an end, keys left out. Commands that could leave none of them able to
 * speak are refused.
 */
export const ownerAccounts = (tx: Tx): Account[] =>
  sql(
    tx,
    `SELECT i.network, i.user FROM role r JOIN identity i ON i.person = r.person
     WHERE r.role = 'owner' AND r.room = '' AND r.until_ms IS NULL
     AND NOT EXISTS (SELECT 1 FROM api_key k WHERE k.network = i.network AND k.account = i.user) ORDER BY i.network, i.user`,
  )
    .all()
    .map(accountOf)
