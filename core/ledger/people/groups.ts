import { sql } from '../sqlite.ts'
import type { Tx } from '../tx.ts'

/** How a person stands among the members of a group; an agent stands there by its name. */
export const personMember = (name: string): string => `person:${name.toLowerCase()}`

/** The row that is the group itself. */
const itself = ''

export const groupExists = (tx: Tx, group: string): boolean =>
  sql(tx, 'SELECT 1 FROM party WHERE name = ? LIMIT 1').get(group) !== undefined

export const groupMembers = (tx: Tx, group: string): string[] =>
  sql(tx, "SELECT member FROM party WHERE name = ? AND member <> '' ORDER BY member")
    .all(group)
    .map(row => row['member'] as string)

/** All groups by name, with their members: an empty one has none. */
export function groups(tx: Tx): Map<string, string[]> {
  const found = new Map<string, string[]>()
  for (const { name, member } of sql(tx, 'SELECT name, member FROM party ORDER BY name, member').all()) {
    const group = (name as string).toLowerCase()
    const members = found.get(group) ?? []
    found.set(group, members)
    if (member !== itself) members.push((member as string).toLowerCase())
  }
  return found
}

/** The groups somebody is in. */
export const groupsOf = (tx: Tx, member: string): string[] =>
  sql(tx, 'SELECT name FROM party WHERE member = ? ORDER BY name')
    .all(member)
    .map(row => row['name'] as string)

const add = (tx: Tx, group: string, member: string, by: string, nowMs: number): boolean =>
  sql(tx, 'INSERT INTO party VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING').run(group, member, by, nowMs).changes > 0

/** Makes a group; false when there is one already. */
export const makeGroup = (tx: Tx, group: string, by: string, nowMs: number): boolean =>
  add(tx, group, itself, by, nowMs)

/** Puts somebody into a group; false when they are in it already. */
export const joinGroup = add

/** Takes somebody out of a group; false when they are not in it. */
export const leaveGroup = (tx: Tx, group: string, member: string): boolean =>
  sql(tx, 'DELETE FROM party WHERE name = ? AND member = ?').run(group, member).changes > 0

/** Deletes a group with all who are in it. */
export function dropGroup(tx: Tx, group: string): void {
  sql(tx, 'DELETE FROM party WHERE name = ?').run(group)
}

export function leaveAllGroups(tx: Tx, member: string): void {
  sql(tx, 'DELETE FROM party WHERE member = ?').run(member)
}
