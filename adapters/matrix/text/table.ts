import type { Element, Nodes } from 'hast'

/** What of a table is read as text. */
const mostRows = 200
const mostColumns = 20
const widest = 60

/** A table as lines of text with its columns below each other; `text` reads a cell. */
export function tableText(table: Element, text: (node: Nodes) => string): string {
  const rows: string[][] = []
  const waiting: Element[] = [table]
  for (let next = waiting.pop(); next && rows.length < mostRows; next = waiting.pop()) {
    const inside = next.children.filter(child => child.type === 'element')
    if (next.tagName !== 'tr') waiting.push(...inside.filter(({ tagName }) => tagName !== 'td').reverse())
    else rows.push(inside.slice(0, mostColumns).map(cell => text(cell).replace(/\s+/g, ' ').trim()))
  }
  const widths: number[] = []
  for (const row of rows) for (const [at, cell] of row.entries()) widths[at] = Math.max(widths[at] ?? 0, cell.length)
  const line = (row: readonly string[]): string =>
    row
      .map((cell, at) => (at === row.length - 1 ? cell : cell.padEnd(Math.min(widths[at] ?? 0, widest))))
      .join(' | ')
      .trimEnd()
  return rows
    .filter(row => row.length > 0)
    .map(line)
    .join('\n')
}
