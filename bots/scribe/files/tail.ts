import type { FileHandle } from 'node:fs/promises'
import type { LiveFormat } from '../record/format.ts'

export interface Tail {
  /** Where the last whole line ends: everything after it is a line that was cut off. */
  readonly wholeBytes: number
  /** Number of the newest fact in the file; 0 when there is none. */
  readonly seq: number
}

const chunkBytes = 65_536
/** How far back a line about a fact is looked for: no line we write is longer than this. */
const reachBytes = 4 * 1024 * 1024

/**
 * Where a log file really ends, whatever became of the process that wrote it. Null when its last lines are about no
 * fact we know of: somebody else's file, not to be touched.
 */
export async function readTail(file: FileHandle, format: LiveFormat): Promise<Tail | null> {
  const { size } = await file.stat()
  let start = size
  let text = Buffer.alloc(0)
  while (start > 0 && size - start < reachBytes) {
    const length = Math.min(chunkBytes, start)
    const chunk = Buffer.alloc(length)
    await file.read(chunk, 0, length, start - length)
    start -= length
    text = Buffer.concat([chunk, text])
    const tail = tailOf(text, start, format)
    if (tail) return tail
  }
  // Nothing but the heading and the beginning of a line, or less: the process died when the file was new.
  const begun = text.toString()
  const rest = format.head.startsWith(begun) ? '' : begun.replace(format.head, '')
  return start === 0 && !rest.includes('\n') ? { wholeBytes: 0, seq: 0 } : null
}

function tailOf(text: Buffer, start: number, format: LiveFormat): Tail | null {
  const end = text.lastIndexOf(10)
  if (end === -1) return null
  const from = text.lastIndexOf(10, end - 1)
  // The line may begin before what was read so far.
  if (end === 0 || (from === -1 && start > 0)) return null
  const seq = format.seqOf(
    text
      .subarray(from + 1, end)
      .toString()
      .replace(/\r$/, ''),
  )
  return seq === null ? null : { wholeBytes: start + end + 1, seq }
}
