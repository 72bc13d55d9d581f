/** One start or stop at a time for an instance: a file that says who is at work. */
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { readIfThere } from '../../adapters/irc/server/files.ts'
import { ChanopError } from '../../core/error.ts'

interface Holder {
  readonly what: string
  readonly pid: number
  readonly since: string
  /** Tells a process from a later one of the same number (Linux: start time in ticks since boot). */
  readonly born: string
}

/** Resolves with the release. Throws `setup-failed` that names the holder. */
export async function hold(path: string, what: string): Promise<() => Promise<void>> {
  const mine: Holder = { what, pid: process.pid, since: new Date().toISOString(), born: await bornOf(process.pid) }
  const draft = `${path}.${process.pid}`
  await writeFile(draft, JSON.stringify(mine), { mode: 0o600 })
  try {
    while (!(await claim(draft, path))) {
      const text = await readIfThere(path)
      const holder = parse(text)
      if (holder && (await lives(holder))) throw held(holder)
      if (text !== null) await clear(path, text)
    }
  } finally {
    await rm(draft, { force: true })
  }
  return () => rm(path, { force: true })
}

/** Removes the file of a dead holder: moved away first, because another may have put its own in place meanwhile. */
async function clear(path: string, dead: string): Promise<void> {
  const moved = `${path}.${process.pid}.dead`
  try {
    await rename(path, moved)
    if ((await readIfThere(moved)) !== dead) await claim(moved, path)
    await rm(moved, { force: true })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}

function parse(text: string | null): Holder | null {
  try {
    return text === null ? null : (JSON.parse(text) as Holder)
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}

const held = ({ what, pid, since }: Holder): ChanopError =>
  new ChanopError('setup-failed', `${what} is at work already (process ${pid}, since ${since}): wait for it to end`)

/** link(2) fails when the name exists, and the file is complete the moment it has the name. */
async function claim(draft: string, path: string): Promise<boolean> {
  try {
    await link(draft, path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

async function lives({ pid, born }: Holder): Promise<boolean> {
  try {
    process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
  return (await bornOf(pid)) === born
}

async function bornOf(pid: number): Promise<string> {
  // The program's name stands in parentheses and may hold spaces: count from its end (proc(5)).
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
}
