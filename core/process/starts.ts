/** Counts the starts of a process that did not become ready, in `data/run/<name>.starts`. Imports nothing that can fail. */
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const firstMs = 100
const longestMs = 15_000
/** Older ones are of another trouble. */
const oldMs = 60_000

const fileOf = (dataDir: string, name: string): string => join(dataDir, 'run', `${name}.starts`)

function unready(file: string, nowMs: number): number {
  try {
    return nowMs - statSync(file).mtimeMs > oldMs ? 0 : Number(readFileSync(file, 'utf8')) || 0
  } catch {
    // The last one was ready, or it is the first.
    return 0
  }
}

/** Notes a start. Returns for how long it waits, ms: the longer, the more of the last ones did not become ready. */
export function noteStart(dataDir: string, name: string, nowMs = Date.now()): number {
  const file = fileOf(dataDir, name)
  const before = unready(file, nowMs)
  try {
    mkdirSync(join(dataDir, 'run'), { recursive: true, mode: 0o700 })
    writeFileSync(file, String(before + 1), { mode: 0o600 })
  } catch {
    // It can not be counted: a process that fails at once must not be started again at once for ever.
    return 1000
  }
  return before === 0 ? 0 : Math.min(longestMs, firstMs * 2 ** (before - 1))
}

/** The process is ready: when it ends, the next one starts at once. */
export function noteReady(dataDir: string, name: string): void {
  rmSync(fileOf(dataDir, name), { force: true })
}
