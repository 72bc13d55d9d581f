import { readJson, writeWhole } from '../../../core/files.ts'
import { keyOf } from '../../../core/ledger/record/history.ts'
import type { Tx } from '../../../core/ledger/tx.ts'

/** How far the log files have come, and in which history: `key` is that of the fact of `seq`. */
export interface Mark {
  readonly seq: number
  readonly key: string
}

export interface FileCursor extends Mark {
  /** Raised when the ledger is another one than before (a restored backup): files of the old one are not added to. */
  readonly generation: number
  /** Earlier marks, oldest first: where two histories part is looked for here. */
  readonly marks: readonly Mark[]
}

export const startOfFiles: FileCursor = { seq: 0, key: '', generation: 0, marks: [] }

const marksKept = 64
const marksApart = 1000

/** The cursor moved on to a fact. */
export function movedTo(cursor: FileCursor, mark: Mark): FileCursor {
  const last = cursor.marks.at(-1)
  const marks = !last || mark.seq - last.seq >= marksApart ? [...cursor.marks, mark].slice(-marksKept) : cursor.marks
  return { ...mark, generation: cursor.generation, marks }
}

/** The cursor for this ledger: itself, or, when the ledger holds another history, the last mark both have. */
export function fitted(cursor: FileCursor, ledger: Tx): FileCursor {
  const holds = ({ seq, key }: Mark): boolean => seq === 0 || keyOf(ledger, seq) === key
  if (holds(cursor)) return cursor
  const kept = cursor.marks.findLastIndex(holds)
  const mark = cursor.marks[kept] ?? startOfFiles
  return { seq: mark.seq, key: mark.key, generation: cursor.generation + 1, marks: cursor.marks.slice(0, kept + 1) }
}

/** Null when there is none, or it can not be read as one. */
export async function loadCursor(path: string): Promise<FileCursor | null> {
  const { seq, key, generation = 0, marks = [] } = ((await readJson(path)) ?? {}) as Partial<FileCursor>
  return typeof seq === 'number' && typeof key === 'string' ? { seq, key, generation, marks } : null
}

export const saveCursor = (path: string, cursor: FileCursor): Promise<void> =>
  writeWhole(path, JSON.stringify(cursor), { alone: true })
