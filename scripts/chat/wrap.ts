import { graphemesOf } from '../../core/text/graphemes.ts'
/** Columns of text on a terminal, and rows that fit. */
import { clean, type Row, type Run, type Style } from './style.ts'

const ascii = /^[\x20-\x7e]*$/
const nothing = /^[\p{Mn}\p{Me}\p{Cf}]+$/u
/** Unicode's East Asian Wide and Fullwidth (UAX 11), in blocks. */
const wide =
  /[\u1100-\u115f\u2329\u232a\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{16fe0}-\u{18dff}\u{1b000}-\u{1b2fb}\u{1f200}-\u{1f265}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}|\ufe0f/u

/** What a person sees as single characters. */
export const graphemes = (text: string): string[] =>
  ascii.test(text) ? text.split('') : Array.from(graphemesOf(text), part => part.segment)

export function graphemeColumns(grapheme: string): number {
  if (ascii.test(grapheme)) return grapheme.length
  if (nothing.test(grapheme)) return 0
  return wide.test(grapheme) ? 2 : 1
}

export const columns = (text: string): number =>
  ascii.test(text) ? text.length : graphemes(text).reduce((sum, grapheme) => sum + graphemeColumns(grapheme), 0)

interface Cell {
  readonly text: string
  readonly columns: number
  readonly style: Style
}

const cellsOf = (row: Row): Cell[] =>
  row.flatMap(({ text, style }) =>
    graphemes(clean(text)).map(each => ({ text: each, columns: graphemeColumns(each), style })),
  )

function rowOf(cells: readonly Cell[]): Row {
  const runs: { text: string; style: Style }[] = []
  for (const { text, style } of cells) {
    const last = runs.at(-1)
    if (last?.style === style) last.text += text
    else runs.push({ text, style })
  }
  return runs
}

/** As much of the row as fits into `width` columns. */
export function clip(row: Row, width: number): Row {
  let used = 0
  const cells = cellsOf(row)
  const end = cells.findIndex(cell => (used += cell.columns) > width)
  return rowOf(end === -1 ? cells : cells.slice(0, end))
}

/** Where the row that begins at `from` ends: `[end, next]`. Breaks at a space, or inside a word that is too long. */
function breakAt(cells: readonly Cell[], from: number, room: number): readonly [number, number] {
  let used = 0
  let space = -1
  for (let at = from; at < cells.length; at++) {
    const cell = cells[at] as Cell
    if (cell.text === ' ') space = at
    used += cell.columns
    if (used <= room) continue
    if (cell.text === ' ') return [at, at + 1]
    return space > from ? [space, space + 1] : [Math.max(at, from + 1), Math.max(at, from + 1)]
  }
  return [cells.length, cells.length]
}

/** `body` after `head` in rows of at most `width` columns; rows after the first are indented to stand below `body`. */
export function wrap(head: Row, body: Row, width: number): Row[] {
  const headColumns = columns(head.map(run => clean(run.text)).join(''))
  // A head that leaves no room is wrapped with the text.
  const indent = headColumns <= width / 2 ? headColumns : 0
  const cells = cellsOf(indent === headColumns ? body : [...head, ...body])
  const room = Math.max(1, width - indent)
  const margin: Run = { text: ' '.repeat(indent), style: {} }
  const rows: Row[] = []
  for (let at = 0; at < cells.length || rows.length === 0; ) {
    const [end, next] = breakAt(cells, at, room)
    const before = indent === headColumns && rows.length === 0 ? head : [margin]
    rows.push([...before, ...rowOf(cells.slice(at, end))])
    at = next
  }
  return rows
}
