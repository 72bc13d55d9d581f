import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { Place } from '../../../core/event.ts'
import { dayMs } from '../../../core/text/text.ts'

/** Bytes of a name that every file system takes, with room for an ending. */
const longestBytes = 180

/**
 * A channel's name as the name of a folder, on any file system: letters, digits, `#`, `_`, `-` and dots inside stay,
 * everything else is percent-encoded, so that `..`, `/` and NUL can't be in it. `decodeName` reads it back. A name too
 * long for a folder ends in `~` and a hash instead, and can't be read back.
 */
export function encodeName(name: string): string {
  const encoded = [...Buffer.from(name)].map((byte, at) => encodeByte(byte, at === 0)).join('')
  if (encoded.length === 0) return '%'
  if (encoded.length <= longestBytes) return encoded
  const hash = createHash('sha256').update(name).digest('hex').slice(0, 24)
  return `${encoded.slice(0, longestBytes - 30).replace(/%[0-9A-F]?$/, '')}~${hash}`
}

function encodeByte(byte: number, first: boolean): string {
  const char = String.fromCharCode(byte)
  const safe = first ? /[A-Za-z0-9#_]/ : /[A-Za-z0-9#_.-]/
  return safe.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
}

/** What `encodeName` was given; null for a name it shortened or did not make. */
export function decodeName(encoded: string): string | null {
  if (encoded === '%') return ''
  const bytes: number[] = []
  for (const match of encoded.matchAll(/%([0-9A-F]{2})|([A-Za-z0-9#_.-])|(.)/gsu)) {
    if (match[3] !== undefined) return null
    bytes.push(match[1] === undefined ? (match[2] as string).charCodeAt(0) : Number.parseInt(match[1], 16))
  }
  const name = Buffer.from(bytes).toString()
  return encodeName(name) === encoded ? name : null
}

/** The folder of a channel's log files below `root`; threads are in their channel's. */
export const folderOf = (root: string, place: Place): string =>
  join(root, encodeName(place.network), encodeName(place.channel))

export type Rotation = 'daily' | 'weekly' | 'monthly' | 'size'

/** The period a time belongs to, in UTC: `2026-04-01`, `2026-W14` (ISO 8601), `2026-04`. */
export function periodOf(rotation: Exclude<Rotation, 'size'>, atMs: number): string {
  const day = new Date(atMs).toISOString().slice(0, 10)
  if (rotation === 'daily') return day
  if (rotation === 'monthly') return day.slice(0, 7)
  // The week of a day is that of its Thursday.
  const thursdayMs = atMs + (3 - ((new Date(atMs).getUTCDay() + 6) % 7)) * dayMs
  const year = new Date(thursdayMs).getUTCFullYear()
  const week = 1 + Math.floor((thursdayMs - Date.UTC(year, 0, 1)) / (7 * dayMs))
  return `${year}-W${String(week).padStart(2, '0')}`
}

/** When a period is over, Unix ms; null for what is no period. */
export function periodEndMs(period: string): number | null {
  const week = /^(\d{4})-W(\d{2})$/.exec(period)
  if (week) {
    const fourth = Date.UTC(Number(week[1]), 0, 4)
    const monday = fourth - ((new Date(fourth).getUTCDay() + 6) % 7) * dayMs
    return monday + Number(week[2]) * 7 * dayMs
  }
  const day = /^(\d{4})-(\d{2})-(\d{2})$/.exec(period)
  if (day) return Date.UTC(Number(day[1]), Number(day[2]) - 1, Number(day[3]) + 1)
  const month = /^(\d{4})-(\d{2})$/.exec(period)
  return month ? Date.UTC(Number(month[1]), Number(month[2])) : null
}
