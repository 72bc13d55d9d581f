/** Processes of this instance that no PM2 holds any more, e.g. after its daemon was killed with -9 (Linux). */
import { readdir, readFile } from 'node:fs/promises'
import { ChanopError } from '../../core/error.ts'
import { sleep } from '../../core/retry.ts'
import { type Instance, quoted } from '../instance.ts'
import { daemonLives, type Pm2App } from './pm2.ts'

const termWithinMs = 10_000

/** Ends them, TERM first; resolves with how many there were. `held`: what PM2 knows of. */
export async function endStrays(instance: Instance, held: readonly Pm2App[]): Promise<number> {
  const known = new Set(held.map(app => app.pid))
  const strays = (await processesOf(instance)).filter(pid => !known.has(pid))
  for (const pid of strays) signal(pid, 'SIGTERM')
  const untilMs = Date.now() + termWithinMs
  let left = strays
  while (left.length > 0 && Date.now() < untilMs) {
    await sleep(50)
    left = await living(left)
  }
  for (const pid of left) signal(pid, 'SIGKILL')
  return strays.length
}

/** Throws `conflict` while another PM2 than `PM2_HOME` names holds this instance: it would bring back what we end (Linux). */
export async function refuseOtherPm2(instance: Instance): Promise<void> {
  const homes = new Set((await ours(instance)).map(({ pm2Home }) => pm2Home))
  for (const pm2Home of homes)
    if (pm2Home !== instance.pm2Home && (await daemonLives({ pm2Home })))
      throw new ChanopError(
        'conflict',
        `the PM2 of another folder runs this instance: export PM2_HOME=${quoted(pm2Home)} and try again`,
      )
}

export const processesOf = async (instance: Instance): Promise<number[]> => (await ours(instance)).map(({ pid }) => pid)

interface Process {
  readonly pid: number
  /** Of the PM2 that started it. */
  readonly pm2Home: string
}

/** PM2 gives its apps `pm_id`, and we give them the data folder: together they are nobody else's. */
async function ours({ paths }: Instance): Promise<Process[]> {
  const found: Process[] = []
  for (const name of await readdir('/proc').catch(() => [])) {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) continue
    const environment = (await readFile(`/proc/${name}/environ`, 'utf8').catch(() => '')).split('\0')
    const app = environment.includes(`CHANOP_DATA=${paths.data}`) && environment.some(text => text.startsWith('pm_id='))
    const home = environment.find(text => text.startsWith('PM2_HOME='))?.slice('PM2_HOME='.length) ?? ''
    if (app) found.push({ pid: Number(name), pm2Home: home })
  }
  return found
}

async function living(pids: readonly number[]): Promise<number[]> {
  const states = await Promise.all(pids.map(pid => readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')))
  // A zombie (state Z) has ended: only its parent has not looked yet.
  return pids.filter((_, index) => /\) [^ZX] /.test(states[index] ?? ''))
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
