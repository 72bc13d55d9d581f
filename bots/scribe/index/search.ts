import { setImmediate as turn } from 'node:timers/promises'
import type { Visible } from '../../../core/access/visibility.ts'
import { ChanopError } from '../../../core/error.ts'
import { firstReceivedSince } from '../../../core/ledger/record/history.ts'
import { type Connection, sql } from '../../../core/ledger/sqlite.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import { docFlags } from './take.ts'
import { expression, type Term } from './words.ts'

export interface Query {
  readonly terms: readonly Term[]
  /** Who wrote: rows of `who`; undefined is everybody. */
  readonly from?: readonly number[]
  /** Rooms by the names that facts carry, and places by their row id: what either holds. Undefined is everywhere. */
  readonly rooms?: readonly string[]
  readonly places?: readonly number[]
  readonly sinceMs?: number
  /** Exclusive. */
  readonly untilMs?: number
  /** Older than this message only: how the next page goes on. */
  readonly before?: number
}

export interface Hits {
  /** Newest first. */
  readonly seqs: readonly number[]
  /** There may be more, older than the last hit. */
  readonly more: boolean
}

/** How many sequence numbers are looked through at once, before others get their turn. */
const windowSize = 250_000
/** A clock that is this far ahead still counts: `since` cuts by when a message came in, then exactly by its own time. */
const skewMs = 3_600_000

/** The newest messages that fit and may be seen. Rejects `usage` when there are only words to leave out. */
export async function search(
  index: Connection,
  ledger: Tx,
  query: Query,
  visible: Visible,
  limit: number,
): Promise<Hits> {
  const sight = sightOf(index, visible)
  const groups = tagGroups(index, query, sight)
  if (groups === null) return { seqs: [], more: false }
  const match = expression(query.terms, groups)
  if (match === null && query.terms.length > 0) {
    throw new ChanopError('usage', 'say at least one word that is looked for, besides those left out')
  }
  const newest = Number(sql(index, 'SELECT coalesce(max(seq), 0) AS seq FROM doc').get()?.['seq'])
  const oldest = query.sinceMs === undefined ? 1 : firstReceivedSince(ledger, query.sinceMs - skewMs)
  const seqs: number[] = []
  let high = Math.min(newest, (query.before ?? Number.MAX_SAFE_INTEGER) - 1)
  while (high >= oldest && seqs.length <= limit) {
    const low = Math.max(oldest, high - windowSize + 1)
    seqs.push(...inWindow(index, match, query, sight, [low, high], limit + 1 - seqs.length))
    high = low - 1
    if (seqs.length <= limit) await turn()
  }
  return { seqs: seqs.slice(0, limit), more: seqs.length > limit }
}

/** Both ways to cut by what may be seen: by tags when there is nothing else to find by, else message by message. */
interface Sight {
  readonly tags: readonly string[] | null
  readonly rooms: string
  readonly places: string
  readonly direct: number
}

function inWindow(
  index: Connection,
  match: string | null,
  query: Query,
  sight: Sight,
  [low, high]: readonly [number, number],
  limit: number,
): number[] {
  const found = match === null ? 'doc d WHERE ? IS NULL AND d.seq' : wordsFirst
  const rows = sql(
    index,
    `SELECT d.seq FROM ${found} BETWEEN ? AND ?
     AND d.at_ms >= ? AND d.at_ms < ?
     AND CASE WHEN d.flags & ${docFlags.direct} THEN d.place = ?
         ELSE ? OR d.room IN (SELECT value FROM json_each(?)) OR d.place IN (SELECT value FROM json_each(?)) END
     ORDER BY ${match === null ? 'd.seq' : 'f.rowid'} DESC LIMIT ?`,
  ).all(
    match,
    low,
    high,
    query.sinceMs ?? Number.MIN_SAFE_INTEGER,
    query.untilMs ?? Number.MAX_SAFE_INTEGER,
    sight.direct,
    sight.tags === null ? 1 : 0,
    sight.rooms,
    sight.places,
    limit,
  )
  return rows.map(row => Number(row['seq']))
}

const wordsFirst = 'fts f CROSS JOIN doc d ON d.seq = f.rowid WHERE fts MATCH ? AND f.rowid'

function sightOf(index: Connection, visible: Visible): Sight {
  const rooms = roomIds(index, [...visible.rooms])
  const places = [...visible.places]
  const direct = visible.direct ?? -1
  const tags = visible.all ? null : [...rooms.map(id => `r${id}`), ...[...places, direct].map(id => `p${id}`)]
  return { tags, rooms: JSON.stringify(rooms), places: JSON.stringify(places), direct }
}

/** Tags of which a message must have one of each group; null: nothing can fit. */
function tagGroups(index: Connection, query: Query, sight: Sight): (readonly string[])[] | null {
  const groups: (readonly string[])[] = []
  if (query.rooms || query.places) {
    const rooms = roomIds(index, query.rooms ?? [])
    groups.push([...rooms.map(id => `r${id}`), ...(query.places ?? []).map(id => `p${id}`)])
  }
  if (query.from) groups.push(query.from.map(id => `w${id}`))
  if (groups.length === 0 && !query.terms.some(term => !term.exclude) && sight.tags) groups.push(sight.tags)
  return groups.some(group => group.length === 0) ? null : groups
}

const roomIds = (index: Connection, names: readonly string[]): number[] =>
  sql(index, 'SELECT id FROM room WHERE name IN (SELECT value FROM json_each(?))')
    .all(JSON.stringify(names))
    .map(row => Number(row['id']))

/** Rows of `who` that a name, a user id, `network:user` or the identities of a person stand for. */
export function whoIs(
  index: Connection,
  name: string,
  identities: readonly { network: string; user: string }[],
): number[] {
  const bare = name.replace(/^@/, '')
  const colon = bare.indexOf(':')
  const exact = colon > 0 ? [{ network: bare.slice(0, colon), user: bare.slice(colon + 1) }, ...identities] : identities
  const rows = sql(
    index,
    `SELECT id FROM who WHERE name = @name COLLATE NOCASE OR user = @name COLLATE NOCASE
     OR (network, user) IN (SELECT value ->> 'network', value ->> 'user' FROM json_each(@exact)) LIMIT 500`,
  ).all({ name: bare, exact: JSON.stringify(exact) })
  return rows.map(row => Number(row['id']))
}
