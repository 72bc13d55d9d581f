/** The line being typed: pure functions from one state to the next. Newlines come from pasted text only. */
import { graphemes } from './wrap.ts'

export interface Editor {
  readonly text: string
  /** Position in `text`, always between two graphemes. */
  readonly cursor: number
  /** What was sent before, oldest first. */
  readonly sent: readonly string[]
  /** Which of `sent` is shown; `sent.length` is the line being written. */
  readonly at: number
  /** The line being written while an older one is shown. */
  readonly draft: string
  /** What was cut last. */
  readonly cut: string
}

const mostSent = 500
const longest = 20_000

export const emptyEditor: Editor = { text: '', cursor: 0, sent: [], at: 0, draft: '', cut: '' }

/** Controls but the newline: a terminal delivers them only by paste or as keys that mean something else. */
const unwanted = /[\x00-\x09\x0b-\x1f\x7f-\x9f]/g

export const setText = (editor: Editor, text: string, cursor = text.length): Editor => ({ ...editor, text, cursor })

export function insert(editor: Editor, typed: string): Editor {
  const added = typed.replace(/\r\n?/g, '\n').replaceAll('\t', ' ').replace(unwanted, '')
  const { text, cursor } = editor
  if (text.length + added.length > longest) return editor
  return { ...editor, text: text.slice(0, cursor) + added + text.slice(cursor), cursor: cursor + added.length }
}

const before = ({ text, cursor }: Editor): number => cursor - (graphemes(text.slice(0, cursor)).at(-1)?.length ?? 0)
const after = ({ text, cursor }: Editor): number =>
  cursor + (graphemes(text.slice(cursor, cursor + 64))[0]?.length ?? 0)
/** By hand, because a regular expression with `$` would look at a long word once for each of its letters. */
function wordBefore({ text, cursor }: Editor): number {
  let at = cursor
  while (at > 0 && /\s/.test(text[at - 1] ?? '')) at--
  while (at > 0 && /\S/.test(text[at - 1] ?? '')) at--
  return at
}

const wordAfter = ({ text, cursor }: Editor): number => cursor + (/^\s*\S*/.exec(text.slice(cursor))?.[0].length ?? 0)

function remove(editor: Editor, from: number, to: number, keep: boolean): Editor {
  const { text } = editor
  if (from === to) return editor
  const cut = keep ? text.slice(from, to) : editor.cut
  return { ...editor, text: text.slice(0, from) + text.slice(to), cursor: from, cut }
}

function recall(editor: Editor, step: -1 | 1): Editor {
  const { sent, at, text } = editor
  const to = at + step
  if (to < 0 || to > sent.length) return editor
  const draft = at === sent.length ? text : editor.draft
  return { ...setText(editor, sent[to] ?? draft), at: to, draft }
}

export const edits = {
  left: (editor: Editor): Editor => ({ ...editor, cursor: before(editor) }),
  right: (editor: Editor): Editor => ({ ...editor, cursor: after(editor) }),
  home: (editor: Editor): Editor => ({ ...editor, cursor: 0 }),
  end: (editor: Editor): Editor => ({ ...editor, cursor: editor.text.length }),
  wordLeft: (editor: Editor): Editor => ({ ...editor, cursor: wordBefore(editor) }),
  wordRight: (editor: Editor): Editor => ({ ...editor, cursor: wordAfter(editor) }),
  backspace: (editor: Editor): Editor => remove(editor, before(editor), editor.cursor, false),
  delete: (editor: Editor): Editor => remove(editor, editor.cursor, after(editor), false),
  cutWord: (editor: Editor): Editor => remove(editor, wordBefore(editor), editor.cursor, true),
  cutBefore: (editor: Editor): Editor => remove(editor, 0, editor.cursor, true),
  cutAfter: (editor: Editor): Editor => remove(editor, editor.cursor, editor.text.length, true),
  yank: (editor: Editor): Editor => insert(editor, editor.cut),
  older: (editor: Editor): Editor => recall(editor, -1),
  newer: (editor: Editor): Editor => recall(editor, 1),
} as const

export type Edit = keyof typeof edits

/** The state after the line was sent: empty, with the line remembered once. */
export function afterSending(editor: Editor): Editor {
  const { sent, text } = editor
  const kept = (text === '' || sent.at(-1) === text ? [...sent] : [...sent, text]).slice(-mostSent)
  return { ...emptyEditor, cut: editor.cut, sent: kept, at: kept.length }
}
