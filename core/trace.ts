/**
 * When what happens on a message's way, for `npm run bench -- --only trace`. It is off unless the folder `data/run/trace` is there
 * when a process starts; then each process writes `<name>.jsonl` in it, `[hop, nanoseconds]` a line, by the machine's monotonic
 * clock, which all processes share.
 */
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export type Hop = 'read' | 'committed' | 'woken' | 'facts' | 'written'

export const traceFolder = (dataDir: string): string => join(dataDir, 'run', 'trace')

const writtenEveryMs = 200
let note: ((hop: Hop) => void) | null = null

export const hop = (name: Hop): void => note?.(name)

/** Called once by each process that has a part in it. */
export function traceHops(dataDir: string, name: string): void {
  const folder = traceFolder(dataDir)
  if (!existsSync(folder)) return
  let lines = ''
  note = hop => {
    lines += `["${hop}",${process.hrtime.bigint()}]\n`
  }
  setInterval(() => {
    if (lines === '') return
    writeFileSync(join(folder, `${name}.jsonl`), lines, { flag: 'a' })
    lines = ''
  }, writtenEveryMs).unref()
}
