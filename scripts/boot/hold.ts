/** One start or stop at a time for an instance: a lock of the kernel's, which ends with its holder however that dies. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import type { Socket } from 'node:net'
import { dirname } from 'node:path'
import { ChanopError } from '../../core/error.ts'
import { readJson, writeWhole } from '../../core/files.ts'
import { deadline, sleep } from '../../core/retry.ts'
import { onPath } from '../programs/path.ts'

interface Holder {
  readonly what: string
  readonly pid: number
  readonly since: string
}

/** The lock of a holder that was killed goes some milliseconds after it; and a new holder needs as long to sign. */
const patienceMs = 2000

/** Held until the scope ends. Throws `setup-failed` that names the holder, whose name stands in the file `path`. */
export async function hold(path: string, what: string): Promise<AsyncDisposable> {
  const until = deadline(patienceMs)
  for (;;) {
    const unlock = await lock(path)
    if (unlock) return sign(path, what, unlock)
    const holder = (await readJson(path)) as Holder | null
    if (holder && lives(holder.pid))
      throw held(`${holder.what} is at work already (process ${holder.pid}, since ${holder.since})`)
    if (until.aborted) throw held('another start or stop is at work already')
    await sleep(20, until)
  }
}

async function sign(path: string, what: string, unlock: () => Promise<void>): Promise<AsyncDisposable> {
  const mine: Holder = { what, pid: process.pid, since: new Date().toISOString() }
  try {
    await writeWhole(path, JSON.stringify(mine))
  } catch (error) {
    await unlock()
    throw error
  }
  const release = async (): Promise<void> => {
    await rm(path, { force: true })
    await unlock()
  }
  return { [Symbol.asyncDispose]: release }
}

/**
 * flock(2) on the file's folder, so that no lock file is left that one could still hold while another makes it anew. A
 * child holds the lock: it ends when its input closes, which is when we let go or die. Null: another has it.
 */
async function lock(path: string): Promise<(() => Promise<void>) | null> {
  const [command, ...args] = await locker(path)
  // A group of its own: a Ctrl-C is ours to answer, and the lock stays until we have.
  const child = spawn(command, [...args, 'cat'], { stdio: ['pipe', 'pipe', 'ignore'], detached: true })
  const gone = once(child, 'close')
  // Refused, it is gone before it reads: the exit code says the same as EPIPE.
  child.stdin.once('error', () => child.stdin.destroy())
  child.stdin.write('held\n')
  // `cat` runs, and says it back, once the lock is had.
  const got = await Promise.race([once(child.stdout, 'data').then(() => true), gone.then(() => false)])
  if (!got && lockedExitCodes.has(child.exitCode)) return null
  if (!got)
    throw new ChanopError('setup-failed', `${dirname(path)} can not be locked: ${command} ends with ${child.exitCode}`)
  // Nothing of it keeps a process up that has nothing left to do.
  child.unref()
  child.stdout.destroy()
  ;(child.stdin as Socket).unref()
  return async () => {
    child.ref()
    child.stdin.end()
    await gone
  }
}

/** util-linux and busybox say 1 when another holds the lock, lockf of macOS and BSD says 75. */
const lockedExitCodes: ReadonlySet<number | null> = new Set([1, 75])

async function locker(path: string): Promise<readonly [string, ...string[]]> {
  const flock = await onPath('flock', process.env['PATH'])
  if (flock) return [flock, '-n', dirname(path)]
  const lockf = await onPath('lockf', process.env['PATH'])
  if (lockf) return [lockf, '-s', '-t', '0', `${path}.flock`]
  throw new ChanopError('setup-failed', 'flock is missing: install it (package util-linux)')
}

const held = (who: string): ChanopError => new ChanopError('setup-failed', `${who}: wait for it to end`)

export function lives(pid: number): boolean {
  try {
    return pid > 0 && process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
