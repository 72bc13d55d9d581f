import { constants } from 'node:fs'
import { type FileHandle, mkdir, open } from 'node:fs/promises'
import { join } from 'node:path'
import { entriesOf } from '../../../core/files.ts'
import type { LiveFormat } from '../record/format.ts'
import { readTail } from './tail.ts'

/** One log file that is being written. */
export interface Open {
  readonly path: string
  readonly handle: FileHandle
  sizeBytes: number
  /** Number of the newest fact in it: what is older, or this one, is in it already. */
  seq: number
}

// Reading as well: the end of the file is read before the first line is added.
const flags = constants.O_RDWR | constants.O_CREAT | constants.O_APPEND | constants.O_NOFOLLOW

/**
 * Opens `<folder>/<stem>.<extension>` to be added to. What a process that died left of a line is cut off. A file of
 * that name which is not ours is left alone: the next free name is taken, `<stem>.2.<extension>`.
 */
export async function openLog(folder: string, stem: string, format: LiveFormat): Promise<Open> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  for (let n = 1; ; n++) {
    const path = join(folder, `${stem}${n === 1 ? '' : `.${n}`}.${format.extension}`)
    const handle = await open(path, flags, 0o600)
    try {
      const tail = await readTail(handle, format)
      if (tail) return await begin(path, handle, tail.wholeBytes, tail.seq, format)
      await handle.close()
    } catch (error) {
      await handle.close()
      throw error
    }
  }
}

async function begin(path: string, handle: FileHandle, sizeBytes: number, seq: number, format: LiveFormat) {
  await handle.truncate(sizeBytes)
  if (sizeBytes > 0 || format.head === '') return { path, handle, sizeBytes, seq }
  await handle.write(format.head)
  return { path, handle, sizeBytes: Buffer.byteLength(format.head), seq }
}

/** Numbers of the files `000001<suffix>.<extension>` and on of a series, newest first. */
export async function numbers(folder: string, suffix: string, extension: string): Promise<number[]> {
  const names = (await entriesOf(folder)).map(({ name }) => name)
  const end = `${suffix}.${extension}`
  const found = names.filter(name => name.endsWith(end)).map(name => name.slice(0, -end.length))
  return found
    .filter(name => /^\d{6}$/.test(name))
    .map(Number)
    .sort((a, b) => b - a)
}

export const numberedStem = (n: number): string => String(n).padStart(6, '0')
