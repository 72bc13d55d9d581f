import { existsSync } from 'node:fs'
import { ChanopError } from '../core/error.ts'
import { readArguments } from './arguments.ts'
import { hold } from './boot/hold.ts'
import { daemonLives, isOwn, listApps, pm2 } from './boot/pm2.ts'
import { endStrays, refuseOtherPm2 } from './boot/strays.ts'
import { apps, type Instance, instanceOf } from './instance.ts'
import { line, script, seconds } from './steps.ts'

const usage = `usage: npm stop
Ends the bots, the IRC server, Redis, and PM2 when it holds nothing else. npm start goes on where it was.`

async function main(): Promise<number> {
  if (!readArguments(usage, {})) return 0
  const instance = instanceOf()
  await using _lock = existsSync(instance.paths.run) ? await heldIfPossible(instance) : null
  await stop(instance)
  return 0
}

const heldIfPossible = ({ paths }: Instance): Promise<AsyncDisposable | null> =>
  hold(paths.startLock, 'npm stop').catch((error: unknown) => {
    if (error instanceof ChanopError) throw error
    // A full or read-only disk must not keep anything running.
    return null
  })

async function stop(instance: Instance): Promise<void> {
  const sinceMs = performance.now()
  await refuseOtherPm2(instance)
  const listed = await listApps(instance)
  const own = listed.filter(app => isOwn(app, instance)).sort((one, other) => order(one.name) - order(other.name))
  if (own.length > 0) {
    // One after the other: what was said before the server ended is heard and written down before the bots end.
    for (const app of own.filter(({ name }) => name === 'ircd')) await pm2(instance, ['delete', String(app.id)])
    const others = own.filter(({ name }) => name !== 'ircd').map(app => String(app.id))
    if (others.length > 0) await pm2(instance, ['delete', ...others])
    line(true, 'stopped', seconds(sinceMs), own.map(app => app.name).join(', '))
  }
  if (listed.length === own.length && (await daemonLives(instance))) {
    await pm2(instance, ['kill'])
    line(true, 'PM2', seconds(sinceMs), 'held nothing else and has ended')
  }
  // Last: PM2 may bring back an app that was still coming up when it was told to end it.
  const strays = await endStrays(instance, [])
  if (strays > 0) line(true, 'stopped', seconds(sinceMs), `${strays} left over`)
  console.log(own.length + strays > 0 ? `Chanop has stopped (${seconds(sinceMs)}).` : 'Nothing of Chanop was running.')
}

/**
 * The IRC server first: nobody can say anything more that the bots, who are still there, do not hear. Then the bots, and
 * Redis last.
 */
const order = (name: string): number => ['ircd', ...apps.filter(app => app !== 'ircd').reverse()].indexOf(name)

await script(main)
