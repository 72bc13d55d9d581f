/** The apps under PM2: which to start, and whether they have come up. */
import { join } from 'node:path'
import { ChanopError } from '../../core/error.ts'
import { readJson, writeIfChanged } from '../../core/files.ts'
import type { App, Instance } from '../instance.ts'
import { line, seconds } from '../steps.ts'
import { isOwn, listApps, ownApps, type Pm2App, pm2 } from './pm2.ts'
import { bringUp, stateOf } from './rise.ts'

/** PM2 notes the start of a process a little after the process has noted its own. */
const clockSlackMs = 1000

type Fingerprints = Readonly<Record<App, string>>

const appliedPath = ({ paths }: Instance): string => join(paths.run, 'applied.json')

/** Apps of our names that belong to another instance, or to somebody else. */
export const foreignApps = (
  listed: readonly Pm2App[],
  wanted: readonly string[],
  instance: Instance,
): readonly Pm2App[] => listed.filter(app => wanted.includes(app.name) && !isOwn(app, instance))

/** Throws `setup-failed` when PM2 runs apps of our names for somebody else. Resolves with our own. */
export async function claimNames(instance: Instance, wanted: readonly App[]): Promise<readonly Pm2App[]> {
  const listed = await listApps(instance)
  const [foreign] = foreignApps(listed, wanted, instance)
  if (foreign) {
    const whose = foreign.dataDir ? `Chanop's data folder ${foreign.dataDir}` : foreign.cwd
    const message = `PM2 (${instance.pm2Home}) already runs an app '${foreign.name}' of ${whose}: set PM2_HOME to a folder for this instance`
    throw new ChanopError('setup-failed', message)
  }
  return listed.filter(app => isOwn(app, instance))
}

export interface Started {
  readonly kept: readonly App[]
  readonly begun: readonly App[]
}

/** Starts what does not run, restarts what runs on something older, and ends what is wanted no more. */
export async function startApps(instance: Instance, wanted: readonly App[], now: Fingerprints): Promise<Started> {
  const running = await ownApps(instance)
  const applied = ((await readJson(appliedPath(instance))) ?? {}) as Partial<Fingerprints>
  const stays = async (app: Pm2App): Promise<boolean> => {
    const name = app.name as App
    const same = wanted.includes(name) && app.status === 'online' && applied[name] === now[name]
    return same && (await stateOf(instance, name, app.startedAtMs - clockSlackMs)) === 'ready'
  }
  const sound = new Set<Pm2App>()
  for (const app of running) if (await stays(app)) sound.add(app)
  const ending = running.filter(app => !sound.has(app))
  // Bots before what they need.
  if (ending.length > 0) await pm2(instance, ['delete', ...ending.map(app => String(app.id)).reverse()])
  const kept = wanted.filter(name => [...sound].some(app => app.name === name))
  const begun = wanted.filter(name => !kept.includes(name))
  const sinceMs = performance.now()
  for (const name of kept) line(true, name, seconds(sinceMs), 'already running')
  await writeIfChanged(appliedPath(instance), `${JSON.stringify(now)}\n`)
  if (begun.length > 0) await bringUp(instance, begun)
  return { kept, begun }
}
