import { copyFile, readdir, rename, stat, truncate } from 'node:fs/promises'
import { join } from 'node:path'

const kept = 3

/**
 * Keeps the processes' own logs (`data/logs/*.log`) small: one that has grown past `mostBytes` is copied to `.1`, older
 * copies move on to `.3`, and it is emptied where it stands, because PM2 goes on appending to it. A line that is written in
 * between is lost. Resolves with the names of those that were rotated.
 */
export async function rotateLogs(folder: string, mostBytes: number): Promise<string[]> {
  const rotated: string[] = []
  for (const name of await readdir(folder)) {
    const file = join(folder, name)
    if (!name.endsWith('.log') || (await stat(file)).size <= mostBytes) continue
    for (let number = kept - 1; number >= 1; number--) await move(`${file}.${number}`, `${file}.${number + 1}`)
    await copyFile(file, `${file}.1`)
    await truncate(file)
    rotated.push(name)
  }
  return rotated
}

async function move(from: string, to: string): Promise<void> {
  try {
    await rename(from, to)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}
