import { randomUUID } from 'node:crypto'
import type { Dirent } from 'node:fs'
import { link, lstat, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { ChanopError } from './error.ts'

/** Makes a folder that only we can enter, and its parents. */
export const makeFolder = (path: string): Promise<unknown> => mkdir(path, { recursive: true, mode: 0o700 })

/**
 * Writes a file that only we can read: whole or not at all, and on the disk when this resolves. `alone`: nobody else writes it
 * meanwhile, so that its draft has one name, and what a kill left of one is written over by the next.
 */
export async function writeWhole(path: string, text: string, { alone = false } = {}): Promise<void> {
  const temporary = join(dirname(path), `.${alone ? basename(path) : randomUUID()}.tmp`)
  try {
    await using file = await open(temporary, alone ? 'w' : 'wx', 0o600)
    await file.writeFile(text)
    await file.sync()
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}

/** `<data>/exports`, which is ours: when a link stands in its place nothing is written through it. */
export async function exportsFolder(dataDir: string): Promise<string> {
  const folder = join(dataDir, 'exports')
  await makeFolder(folder)
  if ((await lstat(folder)).isDirectory()) return folder
  throw new ChanopError('conflict', `${folder} is not a folder: remove what stands there`)
}

/** Gives a finished file its name; false when something has it: that is never written over. */
export async function nameFile(finished: string, path: string): Promise<boolean> {
  try {
    await link(finished, path)
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') return false
    // Some file systems have no links (a memory stick): there two at once could still meet.
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP'].includes(code)) throw error
    await rename(finished, path)
  }
  return true
}

/** Brings a file, or what a folder says of its files, onto the disk. */
export async function onDisk(path: string): Promise<void> {
  await using handle = await open(path, 'r')
  await handle.sync()
}

export async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

/** True when the file did not hold exactly this before. */
export async function writeIfChanged(path: string, text: string): Promise<boolean> {
  if ((await readIfThere(path)) === text) return false
  await writeWhole(path, text)
  return true
}

/** What lies at a path goes away with the scope: `await using _gone = removedAfter(path)`. */
export const removedAfter = (path: string): AsyncDisposable => ({
  [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
})

/** Null when the file is not there or holds no JSON. */
export async function readJson(path: string): Promise<unknown> {
  const text = await readIfThere(path)
  try {
    return text === null ? null : (JSON.parse(text) as unknown)
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}

/** What lies in a folder; nothing in one that is not there. */
export async function entriesOf(folder: string): Promise<Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}
