/** One start or stop at a time for an instance: a file that says who is at work. */
import { link, readFile, rm, writeFile } from 'node:fs/promises'
import { ChanopError } from '../core/error.ts'
import { sleep } from '../core/retry.ts'
import { readJson } from './files.ts'

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
      const holder = (await readJson(path)) as Holder | null
      if (holder && (await lives(holder))) throw held(holder)
      await rm(path, { force: true })
      // Two that saw the same dead holder: let both removals pass before either claims.
      await sleep(20)
    }
  } finally {
    await rm(draft, { force: true })
  }
  return () => rm(path, { force: true })
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
