/** Starts of an installed instance: how long `npm start` takes, and when each process began, was ready, and what that cost. */
import { readFileSync } from 'node:fs'
import { bots, type Instance } from '../test/instance.ts'
import { median, say } from './figures.ts'
import { usage } from './processes.ts'

interface Trace {
  readonly name: string
  /** After `npm start` began. */
  readonly beganMs: number
  /** Null: it leaves no word of it. */
  readonly readyMs: number | null
  readonly cpuMs: number
}

const ticksPerSecond = 100

/** When a process began, by the clock, to 10 ms: `/proc/PID/stat` counts from the boot, `/proc/stat` says when that was. */
function beganAtMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const ticks = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19])
  const boot = Number(/^btime (\d+)$/m.exec(readFileSync('/proc/stat', 'utf8'))?.[1])
  return boot * 1000 + (ticks * 1000) / ticksPerSecond
}

async function traceOf(instance: Instance, sinceMs: number): Promise<Trace[]> {
  const found = usage(instance.data).map(async ({ name, pid, cpuMs }): Promise<Trace> => {
    const bot = bots.find(bot => bot === name)
    const word = bot ? await instance.bot(bot) : null
    return {
      name,
      beganMs: beganAtMs(pid) - sinceMs,
      readyMs: word?.state === 'ready' ? word.atMs - sinceMs : null,
      cpuMs,
    }
  })
  return Promise.all(found)
}

/** CPU time of all children that have ended, theirs included: of `npm start` itself, and of PM2's command. */
function childrenMs(): number {
  const stat = readFileSync('/proc/self/stat', 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return ((Number(fields[13]) + Number(fields[14])) * 1000) / ticksPerSecond
}

/** Ends and starts the instance; the first time is not counted, it fills the caches of compiled code. */
export async function benchStart(instance: Instance, runs: number): Promise<void> {
  const took: number[] = []
  const worked: number[] = []
  const traces = new Map<string, Trace[]>()
  for (let run = 0; run <= runs; run++) {
    await instance.run('stop')
    const [sinceMs, commandMs] = [Date.now(), childrenMs()]
    await instance.run('start')
    const tookMs = Date.now() - sinceMs
    if (run === 0) continue
    const found = await traceOf(instance, sinceMs)
    const command = { name: 'npm start', beganMs: 0, readyMs: tookMs, cpuMs: childrenMs() - commandMs }
    for (const trace of [command, ...found]) traces.set(trace.name, [...(traces.get(trace.name) ?? []), trace])
    took.push(tookMs)
    worked.push([command, ...found].reduce((sum, { cpuMs }) => sum + cpuMs, 0))
  }
  for (const [name, all] of traces) say(`  ${name}`, lineOf(all))
  say(`npm start, median of ${runs}`, `${seconds(median(took))}, ${seconds(median(worked))} of CPU time in all`)
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`

function lineOf(all: readonly Trace[]): string {
  const ready = all.map(({ readyMs }) => readyMs).filter(ms => ms !== null)
  const began = `began ${seconds(median(all.map(({ beganMs }) => beganMs)))}`
  const cpu = `CPU time ${seconds(median(all.map(({ cpuMs }) => cpuMs)))}`
  return [began, ...(ready.length > 0 ? [`ready ${seconds(median(ready))}`] : []), cpu].join(', ')
}
