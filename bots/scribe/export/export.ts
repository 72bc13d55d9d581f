import { createHash, randomUUID } from 'node:crypto'
import { type FileHandle, mkdir, open } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { ChanopError } from '../../../core/error.ts'
import { nameFile, removedAfter } from '../../../core/files.ts'
import { asLedgerError } from '../../../core/ledger/fault.ts'
import { currentBetween, newestSeq, type Span } from '../../../core/ledger/record/history.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import { type FormatName, formatOf } from '../record/format.ts'
import { currentLine, type Format } from '../record/line.ts'

export interface ExportRequest {
  readonly selection: Span
  readonly format: FormatName
  readonly title: string
  /** Where the file is to be; must not exist yet. */
  readonly path: string
  /** Told now and then how much of the ledger has been looked through, 0 to 1. */
  readonly progress?: (share: number, lines: number) => void
}

export interface Exported {
  readonly path: string
  /** Facts written: a heading is none. */
  readonly lines: number
  readonly sizeBytes: number
  /** Of the whole file as it was written, hexadecimal. */
  readonly sha256: string
}

/** So many numbers of the ledger are read at once: memory stays flat and others get their turn. */
const windowSize = 2000

/**
 * Writes an export: whole under its name, or not at all. Messages read as they do now; facts that come in meanwhile are
 * left out. `tx` is only read. Rejects `not-found` when nothing fits, `conflict` when the file exists.
 */
export async function exportTo(tx: Tx, request: ExportRequest, signal: AbortSignal): Promise<Exported> {
  const temporary = join(dirname(request.path), `.${randomUUID()}.tmp`)
  await using _gone = removedAfter(temporary)
  try {
    await mkdir(dirname(request.path), { recursive: true, mode: 0o700 })
    const written = await writeFile(tx, request, temporary, signal)
    if (written.lines === 0) throw new ChanopError('not-found', 'nothing to export: look at the room and the times')
    if (!(await nameFile(temporary, request.path)))
      throw new ChanopError('conflict', `${request.path} exists already: choose another name, or remove it first`)
    return { path: request.path, ...written }
  } catch (error) {
    throw explained(error, request.path)
  }
}

async function writeFile(tx: Tx, request: ExportRequest, path: string, signal: AbortSignal) {
  await using file = await open(path, 'wx', 0o600)
  return await writeAll(tx, request, file, signal)
}

async function writeAll(tx: Tx, request: ExportRequest, file: FileHandle, signal: AbortSignal) {
  const format = formatOf(request.format, request.title)
  const hash = createHash('sha256')
  let sizeBytes = 0
  let lines = 0
  const write = async (text: string): Promise<void> => {
    const bytes = Buffer.from(text)
    hash.update(bytes)
    sizeBytes += bytes.length
    await file.appendFile(bytes)
  }
  await write(format.head)
  const newest = newestSeq(tx)
  for (let low = 1; low <= newest; low += windowSize) {
    if (signal.aborted) throw new ChanopError('internal', 'the export was stopped before its end')
    const high = Math.min(newest, low + windowSize - 1)
    const page = linesBetween(tx, request.selection, low, high, format)
    lines += page.length
    if (page.length > 0) await write(page.join(''))
    else await turn()
    request.progress?.(high / newest, lines)
  }
  await write(format.foot)
  await file.datasync()
  return { lines, sizeBytes, sha256: hash.digest('hex') }
}

function linesBetween(tx: Tx, selection: Span, low: number, high: number, format: Format): string[] {
  const lines = currentBetween(tx, low, high, selection).map(fact => currentLine(tx, fact))
  return lines.filter(line => line !== null).map(line => format.line(line))
}

const reasons: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full: make room',
  EDQUOT: 'the quota of the disk is used up: make room',
  EACCES: 'may not be written: check its owner and mode',
  EROFS: 'is on a disk that can only be read',
}

/** A fault of the file system, in words; others as they are. */
function explained(thrown: unknown, path: string): unknown {
  const { code } = thrown as NodeJS.ErrnoException
  const reason = code === undefined || thrown instanceof ChanopError ? undefined : reasons[code]
  return reason
    ? new ChanopError('setup-failed', `${dirname(path)}: ${reason}`, { cause: thrown })
    : asLedgerError(thrown)
}
