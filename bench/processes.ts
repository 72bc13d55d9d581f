/** What the processes of one instance use, from Linux' /proc. */
import { readdirSync, readFileSync } from 'node:fs'

export interface Usage {
  readonly name: string
  readonly pid: number
  /** User and system time since its start. */
  readonly cpuMs: number
  readonly rssBytes: number
  /** Its share of memory: pages that several processes map count once in the sum. */
  readonly pssBytes: number
  readonly peakBytes: number
}

const ticksPerSecond = 100
const read = (path: string): string => {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    // It ended while we looked, or it is somebody else's.
    if (['ENOENT', 'ESRCH', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) return ''
    throw error
  }
}

const kilobytes = (text: string, key: string): number =>
  Number(new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0) * 1024

function usageOf(pid: number, environment: readonly string[]): Usage {
  const stat = read(`/proc/${pid}/stat`)
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const status = read(`/proc/${pid}/status`)
  const program = /^Name:\s+(.*)$/m.exec(status)?.[1] ?? ''
  const app = environment.find(text => text.startsWith('name='))?.slice('name='.length) ?? 'PM2'
  return {
    pid,
    name: /^(ergo|inspircd|services)$/.test(program) ? program : app,
    cpuMs: ((Number(fields[11]) + Number(fields[12])) * 1000) / ticksPerSecond,
    rssBytes: kilobytes(status, 'VmRSS'),
    peakBytes: kilobytes(status, 'VmHWM'),
    pssBytes: kilobytes(read(`/proc/${pid}/smaps_rollup`), 'Pss'),
  }
}

/** Every process that was started for the instance on this data folder, PM2 itself with them. */
export function usage(dataDir: string): Usage[] {
  const found: Usage[] = []
  for (const entry of readdirSync('/proc').filter(name => /^\d+$/.test(name))) {
    if (Number(entry) === process.pid) continue
    const environment = read(`/proc/${entry}/environ`).split('\0')
    const ours =
      environment.includes(`CHANOP_DATA=${dataDir}`) || read(`/proc/${entry}/cmdline`).includes(`${dataDir}/`)
    if (ours) found.push(usageOf(Number(entry), environment))
  }
  return found.sort((one, other) => one.name.localeCompare(other.name))
}

export const megabytes = (bytes: number): string => `${(bytes / 1_048_576).toFixed(0)} MiB`
