/** One file of a data folder in use, copied so that the copy is of one moment. */
import { copyFile, link, mkdir, open, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { ChanopError } from '../../core/error.ts'
import { copyDatabase } from '../../core/ledger/snapshot.ts'
import { sleep } from '../../core/retry.ts'

const sqliteMagic = 'SQLite format 3\0'
const tries = 10
const pauseMs = 100

/** False when the file went away meanwhile: what nobody needs any more. `settled`: it is never changed, only taken away. */
export async function copyOne(from: string, to: string, settled: boolean): Promise<boolean> {
  await mkdir(dirname(to), { recursive: true, mode: 0o700 })
  try {
    if (settled) await linkOrCopy(from, to)
    else if (await isDatabase(from)) await copyDatabase(from, to)
    else await copySteady(from, to)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}

async function linkOrCopy(from: string, to: string): Promise<void> {
  try {
    await link(from, to)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw error
    // A file system without links.
    await copyFile(from, to)
  }
}

export async function isDatabase(path: string): Promise<boolean> {
  await using file = await open(path, 'r')
  const head = Buffer.alloc(sqliteMagic.length)
  const { bytesRead } = await file.read(head, 0, head.length, 0)
  return bytesRead === head.length && head.toString('latin1') === sqliteMagic
}

/** Again until nobody wrote during the copy. A file that is only ever added to is whole up to where the copy ends. */
async function copySteady(from: string, to: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const before = await stat(from)
    await copyFile(from, to)
    const after = await stat(from)
    if (before.mtimeMs === after.mtimeMs && before.size === after.size && before.ino === after.ino) return
    if (attempt >= tries && after.ino === before.ino && after.size >= before.size) return
    if (attempt >= tries * 2) throw new ChanopError('setup-failed', `${from} changes all the time: try again`)
    await sleep(pauseMs)
  }
}
