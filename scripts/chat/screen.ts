/** The whole screen as rows: topic, conversation, windows, line being typed. Pure but for the cache. */
import type { Editor } from './editor.ts'
import { formatRuns } from './format.ts'
import type { RowCache } from './render.ts'
import type { Row, Run, Style } from './style.ts'
import type { Window, Windows } from './windows.ts'
import { clip, columns, graphemeColumns, graphemes } from './wrap.ts'

export interface View {
  readonly windows: Windows
  readonly editor: Editor
  readonly width: number
  readonly height: number
  /** Connection and the like, shown at the end of the bar. */
  readonly state: string
  /** Choices of a completion, shown in place of the windows. */
  readonly hint: string
  readonly nowMs: number
}

export interface Frame {
  readonly rows: readonly Row[]
  /** Column of the cursor in the last row, from 0. */
  readonly cursor: number
}

const bar: Style = { reverse: true }
const loud: Style = { reverse: true, bold: true }

export const title = (window: Window): string => (window.name === '' ? 'server' : window.name)

/** Rows for the conversation when the screen has `height`. */
export const bodyHeight = (height: number): number => Math.max(0, height - 3)

function fill(row: Row, width: number, style: Style): Row {
  const clipped = clip(row, width)
  const used = clipped.reduce((sum, run) => sum + columns(run.text), 0)
  return [...clipped, { text: ' '.repeat(Math.max(0, width - used)), style }]
}

function header(window: Window, width: number): Row {
  const topic = formatRuns(window.topic.replaceAll('\n', ' '), bar)
  return fill([{ text: ` ${title(window)}  `, style: loud }, ...topic], width, bar)
}

function tabs({ windows, hint, state, width }: View): Row {
  if (hint !== '') return fill([{ text: ` ${hint}`, style: bar }], width, bar)
  const runs = windows.all.map((window, index): Run => {
    const unread = window.unread > 0 ? `(${window.unread}${window.mention ? '!' : ''})` : ''
    const style = index === windows.activeIndex || window.mention ? loud : bar
    return { text: ` ${index}:${index === windows.activeIndex ? `[${title(window)}]` : title(window)}${unread}`, style }
  })
  const below = windows.active.scroll > 0 ? `  ↓ ${windows.active.scroll} more rows` : ''
  return fill([{ text: ` ${state}`, style: bar }, ...runs, { text: below, style: loud }], width, bar)
}

/** The rows that the window shows, and how far it is really scrolled. */
export function bodyRows(view: View, cache: RowCache): { rows: Row[]; scroll: number; atTop: boolean } {
  const { windows, width, height, nowMs } = view
  const { entries, scroll } = windows.active
  const room = bodyHeight(height)
  const found: Row[] = []
  for (let at = entries.length - 1; at >= 0 && found.length < room + scroll; at--) {
    const entry = entries[at]
    if (entry) found.push(...[...cache.rows(entry, width, nowMs)].reverse())
  }
  const most = Math.max(0, found.length - room)
  const real = Math.min(scroll, most)
  return { rows: found.slice(real, real + room).reverse(), scroll: real, atTop: found.length < room + scroll }
}

/** The typed line, shifted so that the cursor is in sight. */
export function inputRow(editor: Editor, prompt: string, width: number): { row: Row; cursor: number } {
  const shown = columns(prompt) < width / 2 ? prompt : ''
  const room = Math.max(1, width - columns(shown) - 1)
  const text = (part: string): string => part.replaceAll('\n', '⏎')
  const head = graphemes(text(editor.text.slice(0, editor.cursor)))
  let used = 0
  let from = head.length
  while (from > 0 && used + graphemeColumns(head[from - 1] as string) <= room)
    used += graphemeColumns(head[--from] as string)
  const visible = head.slice(from).join('') + text(editor.text.slice(editor.cursor, editor.cursor + width))
  const row = clip(
    [
      { text: shown, style: { bold: true } },
      { text: visible, style: {} },
    ],
    width,
  )
  return { row, cursor: Math.min(columns(shown) + used, width - 1) }
}

export function frame(view: View, cache: RowCache): Frame {
  const { windows, width, height } = view
  const { row, cursor } = inputRow(view.editor, `[${title(windows.active)}] `, width)
  if (height < 4) return { rows: [...Array.from({ length: Math.max(0, height - 1) }, () => []), row], cursor }
  const { rows } = bodyRows(view, cache)
  const gap = Array.from({ length: bodyHeight(height) - rows.length }, (): Row => [])
  return { rows: [header(windows.active, width), ...gap, ...rows, tabs(view), row], cursor }
}
