/** What a person sees of a script: a line for each step with its time, and one line when something is in the way. */
import { stdout } from 'node:process'
import { asChanopError, ChanopError, firstFault } from '../core/error.ts'

const [green, red, dim, plain] =
  stdout.isTTY && !process.env['NO_COLOR'] ? ['\x1b[32m', '\x1b[31m', '\x1b[2m', '\x1b[0m'] : ['', '', '', '']

export const seconds = (sinceMs: number): string => `${((performance.now() - sinceMs) / 1000).toFixed(1)} s`

/** One line: a mark, a name, a time and what came of it. `columns`: how wide the longest name is. */
export function line(ok: boolean, name: string, time: string, detail: string, columns = 12): void {
  const mark = ok ? `${green}✓${plain}` : `${red}✗${plain}`
  const start = stdout.isTTY ? '\r\x1b[K' : ''
  stdout.write(`${start}  ${mark} ${name.padEnd(columns)} ${dim}${time.padStart(7)}${plain}  ${detail}\n`)
}

/** Runs a step and shows its line with what `work` resolves with. */
export async function step(name: string, work: () => Promise<string>): Promise<void> {
  const sinceMs = performance.now()
  if (stdout.isTTY) stdout.write(`  … ${name}`)
  try {
    const detail = await work()
    line(true, name, seconds(sinceMs), detail)
  } catch (error) {
    line(false, name, seconds(sinceMs), '')
    throw error
  }
}

/** Aborts on every way out that others can ask of a program. */
export function stopSignal(): AbortSignal {
  const stop = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, () => stop.abort())
  return stop.signal
}

/** Codes of the system that are a person's to mend, in words. */
const system: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full: make room',
  EDQUOT: "the disk's quota is used up: make room",
  EROFS: 'the disk is read-only: name another folder with CHANOP_DATA',
  ENOTDIR: 'lies below a file: name another place',
  EEXIST: 'is a file, not a folder: name another place',
  EISDIR: 'is a folder, not a file: name a file',
  EACCES: 'may not be written or read: give it to the user who runs this, or name another folder with CHANOP_DATA',
}

function explain(caught: unknown): ChanopError {
  const thrown = firstFault(caught)
  const { code, path } = thrown as NodeJS.ErrnoException
  const known = code === undefined ? undefined : system[code]
  if (thrown instanceof ChanopError || known === undefined) return asChanopError(thrown)
  // The system names no path where a file that was open already fails.
  const where = path ?? (known.startsWith('the disk') ? null : 'the path that was given')
  return new ChanopError('setup-failed', where === null ? known : `${where}: ${known}`, { cause: thrown })
}

/** Runs a script's `main` with its exit code; a failure is one line on standard error, a fault of ours its trace as well. */
export async function script(main: () => Promise<number>): Promise<void> {
  process.umask(0o077)
  // Who read what we print has gone (`| head`): what was begun is done all the same.
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
  try {
    process.exitCode = await main()
  } catch (thrown) {
    const error = explain(thrown)
    process.stderr.write(`chanop: ${error.message}\n`)
    if (error.code === 'internal') process.stderr.write(`${String((thrown as Error).stack)}\n`)
    process.exitCode = 1
  }
}
