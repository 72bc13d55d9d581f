import { safeName, visible } from '../../../core/text/text.ts'
import { escaped } from './controls.ts'
import { html } from './html.ts'
import { type Format, iso, type Line } from './line.ts'

export const formatNames = ['jsonl', 'csv', 'text', 'html'] as const
export type FormatName = (typeof formatNames)[number]
/** Formats to which lines can be added for ever, each fact on exactly one line. */
export type LiveFormatName = Exclude<FormatName, 'html'>

export interface LiveFormat extends Format {
  /** The number of the fact a written line is about; null when it is about none. */
  seqOf(written: string): number | null
}

/** A format writes one file: make one for each. `title` heads formats that have a heading. */
export function formatOf(name: FormatName, title: string): Format {
  if (name === 'csv') return csv(false)
  return name === 'jsonl' ? jsonl : name === 'text' ? textLines : html(title)
}

export const liveFormat = (name: LiveFormatName): LiveFormat =>
  name === 'jsonl' ? jsonl : name === 'csv' ? csv(true) : textLines

const number =
  (pattern: RegExp) =>
  (written: string): number | null => {
    const found = pattern.exec(written)
    return found ? Number(found[1]) : null
  }

/** JSON Lines: `at` is ISO 8601 in UTC, everything else as in `Line`; a reader gets every character back. */
const jsonl: LiveFormat = {
  extension: 'jsonl',
  head: '',
  line: ({ seq, atMs, ...rest }) => `${escaped(JSON.stringify({ seq, at: iso(atMs), ...rest }))}\n`,
  foot: '',
  seqOf: number(/^\{"seq":(\d+),.*\}$/),
}

const csvColumns = [
  'seq',
  'at',
  'room',
  'place',
  'thread',
  'kind',
  'user',
  'name',
  'verified',
  'text',
  'target',
  'edits',
  'deleted',
  'files',
] as const

/** What a spreadsheet would run as a formula begins with an apostrophe instead. */
const harmless = (cell: string): string => (/^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell)

type Cell = string | number | boolean | null | undefined

const csvCell = (value: Cell): string => {
  const cell =
    value === undefined || value === null ? '' : typeof value === 'string' ? harmless(escaped(value)) : String(value)
  return /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell
}

/** RFC 4180. With `oneLine` a line break in a text is shown as ⏎, so that each record is one line. */
function csv(oneLine: boolean): LiveFormat {
  return {
    extension: 'csv',
    head: `${csvColumns.join(',')}\r\n`,
    line: line => {
      const { attachments, ...plainCells } = line
      const text = oneLine ? joined(line.text) : line.text
      const files = attachments?.map(file => [file.name, file.url].filter(Boolean).join(' ')).join(oneLine ? ' ' : '\n')
      const cells: Record<string, Cell> = { ...plainCells, at: iso(line.atMs), text, files }
      const record = csvColumns.map(column => csvCell(cells[column])).join(',')
      return `${oneLine ? record.replace(/[\r\n]+/g, ' ') : record}\r\n`
    },
    foot: '',
    seqOf: number(/^(\d+),/),
  }
}

/** Text on one line: line breaks show as ⏎. */
export const joined = (text: string): string => text.replace(/\r\n|[\r\n\v\f\u0085\u2028\u2029]/g, ' ⏎ ')

/** `2026-04-01 13:05:09 #123 <alice> hello`, UTC. Names and texts can't begin a line of their own. */
const textLines: LiveFormat = {
  extension: 'log',
  head: '',
  line: line =>
    `${iso(line.atMs).slice(0, 19).replace('T', ' ')} #${line.seq} ${spoken({ ...line, text: escaped(joined(line.text)) })}\n`,
  foot: '',
  seqOf: number(/^\S+ \S+ #(\d+) /),
}

/** What happened, as IRC clients show it: one line, nothing invisible in it. */
export function spoken(line: Line): string {
  const name = safeName(line.name)
  const files =
    line.attachments
      ?.map(file => ` [${[file.name, file.url ?? ''].map(visible).filter(Boolean).join(' ')}]`)
      .join('') ?? ''
  const text = line.deleted ? '(deleted)' : visible(joined(line.text)) + files
  const about = line.target ? ` #${line.target}` : ''
  switch (line.kind) {
    case 'message':
      return `${said(line, name)} ${text}${line.edits ? ' (edited)' : ''}`
    case 'edit':
      return `-- ${name} edited${about}: ${text}`
    case 'delete':
      return `-- ${name} deleted${about}${text ? `: ${text}` : ''}`
    case 'reaction':
      return `-- ${name} reacted${about}: ${text}`
    case 'member':
      return `-- ${name} ${text}`
    case 'topic':
      return `-- ${name} set the topic: ${text}`
    case 'gap':
      return `-- not recorded: ${text}`
  }
}

const said = ({ style }: Line, name: string): string =>
  style === 'action' ? `* ${name}` : style === 'notice' ? `-${name}-` : `<${name}>`
