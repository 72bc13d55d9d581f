/** `npm run uninstall`: says what it would remove of this instance, asks, and removes it. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { ChanopError } from '../core/error.ts'
import { readArguments } from './arguments.ts'
import { type Belonging, belongings, refuseStrange, remove } from './boot/belongings.ts'
import { hold } from './boot/hold.ts'
import { ownApps } from './boot/pm2.ts'
import { processesOf } from './boot/strays.ts'
import { type Instance, instanceOf, quoted } from './instance.ts'
import { sharedCache } from './programs/places.ts'
import { run } from './programs/run.ts'
import { script } from './steps.ts'

const usage = `usage: npm run uninstall -- [--yes] [--cache]
Says what of this instance would be removed, and removes it after a yes, or with --yes at once. --cache: with the programs
that all instances of yours share, unless one runs.`

async function main(): Promise<number> {
  const wish = readArguments(usage, { yes: { type: 'boolean' }, cache: { type: 'boolean' } })?.values
  if (!wish) return 0
  const instance = instanceOf()
  refuseStrange(instance)
  const running = await runningOf(instance)
  const there = await belongings(instance, wish.cache === true)
  if (running.length + there.length === 0) {
    console.log(`There is nothing of this instance; ${restOf(instance)}`)
    return 0
  }
  console.log('This would be ended and removed, for good:')
  if (running.length > 0) console.log(`  processes  ${running.join(', ')}`)
  for (const { what, path, about } of there) console.log(`  ${what.padEnd(9)}  ${path}${about ? `  (${about})` : ''}`)
  if (!(wish.yes || (await agreed()))) {
    console.log('Nothing was removed.')
    return 1
  }
  await stop(instance)
  await removeAll(instance, there)
  console.log(`Removed. ${restOf(instance)}`)
  return 0
}

const runningOf = async (instance: Instance): Promise<string[]> => {
  const listed = (await ownApps(instance)).filter(app => app.pid > 0)
  const known = new Set(listed.map(app => app.pid))
  const others = (await processesOf(instance)).filter(pid => !known.has(pid))
  return [...listed.map(app => app.name), ...others.map(String)]
}

async function agreed(): Promise<boolean> {
  if (!process.stdin.isTTY) {
    console.log('Say --yes to remove it: nobody is there to be asked.')
    return false
  }
  using lines = createInterface({ input: process.stdin, output: process.stdout })
  return (await lines.question('Remove it? Write yes: ')).trim().toLowerCase() === 'yes'
}

/** With the same program that people stop it with. */
async function stop(instance: Instance): Promise<void> {
  const { stdout } = await run(instance.node, [join(instance.root, 'scripts', 'stop.ts')], {
    cwd: instance.root,
  }).catch((cause: unknown) => {
    const said = (cause as { stderr?: string }).stderr?.trim() ?? String(cause)
    throw new ChanopError('setup-failed', `it could not be stopped, so nothing was removed (${said})`, { cause })
  })
  process.stdout.write(stdout)
}

/** The lock keeps a start out that comes meanwhile. */
async function removeAll(instance: Instance, there: readonly Belonging[]): Promise<void> {
  await using _lock = existsSync(instance.paths.run) ? await hold(instance.paths.startLock, 'npm run uninstall') : null
  const running = await runningOf(instance)
  if (running.length > 0)
    throw new ChanopError('conflict', `${running.join(', ')} runs again: nothing was removed, npm stop and try again`)
  for (const belonging of there) console.log(`  ${await remove(belonging)}`)
}

const restOf = ({ root, pm2Home, env }: Instance): string => {
  const cache = sharedCache(env)
  const shared = existsSync(cache)
    ? ` The programs in ${cache} stay for other instances of yours; --cache removes them too.`
    : ''
  return `The checkout with its packages goes with: rm -r ${quoted(root)}. PM2's own folder ${pm2Home} stays: others may use it.${shared}`
}

await script(main)
