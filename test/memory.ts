/** How much memory an instance takes: everything that PM2 runs, and PM2 itself. Linux. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

export interface Memory {
  readonly rssBytes: number
  /** What is shared is counted once. */
  readonly pssBytes: number
  readonly parts: readonly { readonly name: string; readonly rssBytes: number; readonly pssBytes: number }[]
}

interface Process {
  readonly pid: number
  readonly parent: number
}

async function processes(): Promise<Process[]> {
  const pids = (await readdir('/proc')).filter(name => /^\d+$/.test(name)).map(Number)
  const found = pids.map(async pid => {
    // `pid (name) state parent …`: the name may hold anything, so that what follows its end counts.
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null)
    if (stat === null) return []
    const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
    return [{ pid, parent }]
  })
  return (await Promise.all(found)).flat()
}

function below(root: number, all: readonly Process[]): number[] {
  const children = all.filter(({ parent }) => parent === root).map(({ pid }) => pid)
  return [root, ...children.flatMap(pid => below(pid, all))]
}

const kilobytes = (rollup: string, field: string): number =>
  Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(rollup)?.[1] ?? 0) * 1024

async function partOf(pid: number): Promise<Memory['parts']> {
  const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '')
  const line = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0').join(' ')
  const bot = /(?:bots|irc)\/(\w+)\/main/.exec(line)?.[1]
  const name =
    bot ?? (/PM2|God Daemon/.test(line) ? 'pm2' : (line.split(' ')[0] ?? '').split('/').at(-1)) ?? String(pid)
  if (rollup === '') return []
  return [{ name, rssBytes: kilobytes(rollup, 'Rss'), pssBytes: kilobytes(rollup, 'Pss') }]
}

/** Of the instance whose PM2 home is `p` in this folder. */
export async function memoryOf(folder: string): Promise<Memory> {
  const daemon = Number(await readFile(join(folder, 'p', 'pm2.pid'), 'utf8'))
  const parts = (await Promise.all(below(daemon, await processes()).map(partOf))).flat()
  const sum = (of: (part: Memory['parts'][number]) => number): number =>
    parts.reduce((total, part) => total + of(part), 0)
  return { parts, rssBytes: sum(({ rssBytes }) => rssBytes), pssBytes: sum(({ pssBytes }) => pssBytes) }
}
