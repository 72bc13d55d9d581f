/** Entries as rows of the screen. */
import type { Entry } from './entry.ts'
import { formatRuns } from './format.ts'
import type { Row, Run, Style } from './style.ts'
import { clip, wrap } from './wrap.ts'

/** Readable on dark and on light grounds. */
const inks = [31, 33, 37, 65, 67, 71, 97, 103, 130, 132, 136, 161, 166, 168]

/** A nick has the same colour every time. */
export function nickInk(nick: string): number {
  let hash = 0
  for (const char of nick.toLowerCase()) hash = (hash * 31 + (char.codePointAt(0) ?? 0)) >>> 0
  return inks[hash % inks.length] as number
}

const two = (value: number): string => String(value).padStart(2, '0')
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** `13:05`, with the day before it when that is not today. */
export function clock(atMs: number, nowMs: number): string {
  const at = new Date(atMs)
  const time = `${two(at.getHours())}:${two(at.getMinutes())}`
  return at.toDateString() === new Date(nowMs).toDateString()
    ? time
    : `${months[at.getMonth()]} ${at.getDate()} ${time}`
}

const dim: Style = { dim: true }
const alarm: Style = { ink: 1, bold: true }

function speaker({ kind, from, own }: Entry): Run[] {
  const style: Style = own ? { bold: true } : { ink: nickInk(from), bold: true }
  const around = (left: string, right: string): Run[] => [
    { text: left, style: dim },
    { text: from, style },
    { text: right, style: dim },
  ]
  switch (kind) {
    case 'message':
      return around('<', '> ')
    case 'action':
      return around('* ', ' ')
    case 'notice':
      return around('-', '- ')
    case 'info':
      return [{ text: '· ', style: dim }]
    case 'error':
      return [{ text: '! ', style: alarm }]
  }
}

/** One entry, wrapped to `width` columns; the lines of a text of several are indented alike. */
export function entryRows(entry: Entry, width: number, nowMs: number): Row[] {
  const head: Row = [{ text: `${clock(entry.atMs, nowMs)} `, style: dim }, ...speaker(entry)]
  const base: Style = entry.kind === 'info' ? dim : entry.kind === 'error' ? alarm : {}
  const [first = '', ...more] = entry.text.split('\n')
  const rows = wrap(head, formatRuns(first, base), width)
  const margin: Row = [{ text: '    ', style: dim }]
  return [...rows, ...more.flatMap(line => wrap(margin, formatRuns(line, base), width))]
}

interface Cached {
  readonly width: number
  readonly day: string
  readonly rows: readonly Row[]
}

/** Rows of entries, made once for each width and day. */
export class RowCache {
  readonly #rows = new WeakMap<Entry, Cached>()

  rows(entry: Entry, width: number, nowMs: number): readonly Row[] {
    const day = new Date(nowMs).toDateString()
    const cached = this.#rows.get(entry)
    if (cached?.width === width && cached.day === day) return cached.rows
    const rows = entryRows(entry, width, nowMs).map(row => clip(row, width))
    this.#rows.set(entry, { width, day, rows })
    return rows
  }
}
