import { type Role, roles } from '../role.ts'
import { getMeta, setMeta } from './ledger.ts'
import { type Account, accountOf, type Person, personOf } from './people.ts'
import { type Row, sql } from './sqlite.ts'
import type { Tx } from './tx.ts'

export interface Grant {
  readonly person: Person
  /** '' is everywhere. */
  readonly room: string
  readonly role: Role
  readonly untilMs: number | null
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

/** The role written down for exactly this room, whether its time is over or not. */
export const roleWritten = (tx: Tx, person: Person, room: string): Role | null =>
  (sql(tx, 'SELECT role FROM role WHERE person = ? AND room = ?').get(person.id, room)?.['role'] as Role | undefined) ??
  null

/** Gives a role, in place of the one held there. One for a time gives back what was held for good when it ends. */
export function grant(tx: Tx, to: Omit<Grant, 'by'>, by: string, nowMs: number): void {
  const key = beforeKey(to.person.id, to.room)
  const held = sql(tx, 'SELECT role, until_ms, granted_by FROM role WHERE person = ? AND room = ?').get(
    to.person.id,
    to.room,
  )
  if (to.untilMs === null || !held) sql(tx, 'DELETE FROM meta WHERE key = ?').run(key)
  else if (held['until_ms'] === null) setMeta(tx, key, JSON.stringify([held['role'], held['granted_by']]))
  sql(
    tx,
    `INSERT INTO role VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (person, room) DO UPDATE SET role = excluded.role,
     until_ms = excluded.until_ms, granted_by = excluded.granted_by, granted_ms = excluded.granted_ms`,
  ).run(to.person.id, to.room, to.role, to.untilMs, by, nowMs)
}

const beforeKey = (person: number, room: string): string => `role.before ${person} ${room}`

/** Takes a role away; false when there was none. The caller makes sure that an owner stays. */
export function revoke(tx: Tx, person: Person, room: string): boolean {
  sql(tx, 'DELETE FROM meta WHERE key = ?').run(beforeKey(person.id, room))
  return sql(tx, 'DELETE FROM role WHERE person = ? AND room = ?').run(person.id, room).changes > 0
}

/** Takes every role of somebody away. */
export function revokeAll(tx: Tx, person: Person): void {
  const rooms = sql(tx, 'SELECT room FROM role WHERE person = ?').all(person.id)
  for (const { room } of rooms) revoke(tx, person, room as string)
}

export interface Ended extends Grant {
  readonly untilMs: number
  /** What is held again from now on. */
  readonly again: Role | null
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
  return rows.map(row => {
    const ended = { ...grantOf(row), untilMs: Number(row['until_ms']) }
    const before = getMeta(tx, beforeKey(ended.person.id, ended.room))
    revoke(tx, ended.person, ended.room)
    if (before === null) return { ...ended, again: null }
    const [role, by] = JSON.parse(before) as [Role, string]
    grant(tx, { person: ended.person, room: ended.room, role, untilMs: null }, by, nowMs)
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

export const grants = (tx: Tx, nowMs: number): Grant[] =>
  sql(
    tx,
    `SELECT p.id, p.name, r.room, r.role, r.until_ms, r.granted_by FROM role r JOIN person p ON p.id = r.person
     WHERE r.until_ms IS NULL OR r.until_ms > ? ORDER BY p.name, r.room`,
  )
    .all(nowMs)
    .map(grantOf)

/** What is written down for one person, ended or not, by room. */
export const grantsOf = (tx: Tx, person: Person): Grant[] =>
  sql(
    tx,
    `SELECT p.id, p.name, r.room, r.role, r.until_ms, r.granted_by FROM role r JOIN person p ON p.id = r.person
     WHERE r.person = ? ORDER BY r.room`,
  )
    .all(person.id)
    .map(grantOf)

/** Whether a grant holds at a time. */
export const holds = ({ untilMs }: Grant, nowMs: number): boolean => untilMs === null || untilMs > nowMs

/** How many hold the global role of owner without an end. */
export const owners = (tx: Tx): number =>
  Number(sql(tx, "SELECT count(*) AS n FROM role WHERE role = 'owner' AND room = '' AND until_ms IS NULL").get()?.['n'])

/**
 * Every account of those who hold the global role of owner without an end. Commands that could leave none of them able to
 * speak are refused.
 */
export const ownerAccounts = (tx: Tx): Account[] =>
  sql(
    tx,
    `SELECT i.network, i.user FROM role r JOIN identity i ON i.person = r.person
     WHERE r.role = 'owner' AND r.room = '' AND r.until_ms IS NULL ORDER BY i.network, i.user`,
  )
    .all()
    .map(accountOf)
