/** The apps under PM2: which to start, and whether they have come up. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { writeIfChanged } from '../adapters/irc/server/files.ts'
import { capabilities } from '../adapters/irc/server/ready.ts'
import { readControl } from '../adapters/irc/control.ts'
import { ChanopError } from '../core/error.ts'
import { redisSocketPath } from '../core/paths.ts'
import { sleep } from '../core/retry.ts'
import { readJson } from './files.ts'
import type { App, Instance } from './instance.ts'
import { beginPm2, listApps, ownApps, pm2, type Pm2App } from './pm2.ts'
import { pingRedis } from './redis.ts'
import { line, seconds } from './steps.ts'

const reportSchema = z.object({ pid: z.int(), state: z.string(), message: z.string(), atMs: z.number() })
const readyWithinMs = 60_000
const lookEveryMs = 50
/** A look at PM2's list is a process of its own, so rarely. */
const listEveryMs = 3000
const restartsOfLoop = 3

type Fingerprints = Readonly<Record<App, string>>

const appliedPath = ({ paths }: Instance): string => join(paths.run, 'applied.json')

/** Apps of our names that belong to another instance, or to somebody else. */
export function foreignApps(
  listed: readonly Pm2App[],
  wanted: readonly string[],
  { paths }: Instance,
): readonly Pm2App[] {
  return listed.filter(app => wanted.includes(app.name) && !(app.namespace === 'chanop' && app.dataDir === paths.data))
}

/** Throws `setup-failed` when PM2 runs apps of our names for somebody else. Resolves with our own. */
export async function claimNames(instance: Instance, wanted: readonly App[]): Promise<readonly Pm2App[]> {
  const listed = await listApps(instance)
  const [foreign] = foreignApps(listed, wanted, instance)
  if (foreign) {
    const whose = foreign.dataDir ? `Chanop's data folder ${foreign.dataDir}` : foreign.cwd
    const message = `PM2 (${instance.pm2Home}) already runs an app '${foreign.name}' of ${whose}: set PM2_HOME to a folder for this instance`
    throw new ChanopError('setup-failed', message)
  }
  return listed.filter(app => app.namespace === 'chanop' && app.dataDir === instance.paths.data)
}

export interface Started {
  readonly kept: readonly App[]
  readonly begun: readonly App[]
}

/** Starts what does not run, restarts what runs on something older, and ends what is wanted no more. */
export async function startApps(instance: Instance, wanted: readonly App[], now: Fingerprints): Promise<Started> {
  const running = await ownApps(instance)
  const applied = ((await readJson(appliedPath(instance))) ?? {}) as Partial<Fingerprints>
  const stays = (app: Pm2App): boolean => {
    const name = app.name as App
    return wanted.includes(name) && app.status === 'online' && applied[name] === now[name]
  }
  const ending = running.filter(app => !stays(app))
  // Bots before what they need.
  if (ending.length > 0) await pm2(instance, ['delete', ...ending.map(app => String(app.id)).reverse()])
  const kept = wanted.filter(name => running.some(app => app.name === name && stays(app)))
  const begun = wanted.filter(name => !kept.includes(name))
  const sinceMs = performance.now()
  for (const name of kept) line(true, name, seconds(sinceMs), 'already running')
  if (begun.length > 0) await bringUp(instance, begun)
  await writeIfChanged(appliedPath(instance), `${JSON.stringify(now)}\n`)
  return { kept, begun }
}

async function bringUp(instance: Instance, names: readonly App[]): Promise<void> {
  const [sinceMs, startMs] = [performance.now(), Date.now()]
  const command = beginPm2(instance, ['start', join(instance.root, 'ecosystem.config.cjs'), '--only', names.join(',')])
  let said = ''
  command.stderr?.setEncoding('utf8').on('data', (text: string) => (said += text))
  const ended = new Promise<number | null>(resolve => command.once('close', resolve))
  const abort = new AbortController()
  const refused = ended.then(code => {
    if (code === 0) return new Promise<never>(() => undefined)
    throw new ChanopError(
      'setup-failed',
      `PM2 could not start (${said.trim().split('\n').at(-1)}): look at 'npx pm2 ls'`,
    )
  })
  try {
    const rising = names.map(name =>
      comeUp(instance, name, startMs, abort.signal).then(up => up && line(true, name, seconds(sinceMs), 'ready')),
    )
    await Promise.race([Promise.all([...rising, watchLoops(instance, names, abort, Promise.all(rising))]), refused])
    await ended
  } finally {
    abort.abort()
    command.kill()
  }
}

/** True when the app says that it is ready, false when `signal` aborts first. Throws `setup-failed` with its reason. */
async function comeUp(instance: Instance, name: App, startMs: number, signal: AbortSignal): Promise<boolean> {
  const untilMs = startMs + readyWithinMs
  while (!signal.aborted) {
    const state = await stateOf(instance, name, startMs)
    if (state === 'ready') return true
    if (state.startsWith('failed')) throw new ChanopError('setup-failed', `${name}${state.slice('failed'.length)}`)
    if (Date.now() > untilMs) {
      const log = `npx pm2 logs ${name}`
      throw new ChanopError('setup-failed', `${name} is not ready after ${readyWithinMs / 1000} s (${state}): ${log}`)
    }
    await sleep(lookEveryMs, signal)
  }
  return false
}

/** `ready`, `failed: <reason>`, or what is still missing. `sinceMs`: older reports are of an earlier run. */
export async function stateOf({ paths }: Instance, name: App, sinceMs: number): Promise<string> {
  if (name === 'redis') {
    const answer = await pingRedis(redisSocketPath(paths.data))
    return answer === 'PONG' ? 'ready' : `Redis: ${answer}`
  }
  if (name === 'ircd') {
    const { plain } = await readControl(paths.data)
    return (await capabilities(plain))?.has('sasl') ? 'ready' : 'no logins yet'
  }
  const report = reportSchema.safeParse(await readJson(join(paths.run, `${name}.json`)))
  if (!report.success || report.data.atMs < sinceMs) return 'no word from it'
  const { state, message } = report.data
  return state === 'failed' ? `failed: ${message}` : state
}

/** An app that dies before it can say why: PM2 counts its restarts, its error log has the reason. */
async function watchLoops(
  instance: Instance,
  names: readonly App[],
  abort: AbortController,
  all: Promise<unknown>,
): Promise<void> {
  const done = new AbortController()
  const settle = (): void => done.abort()
  all.then(settle, settle)
  const signal = AbortSignal.any([abort.signal, done.signal])
  for (;;) {
    await sleep(listEveryMs, signal)
    if (signal.aborted) return
    const looping = (await ownApps(instance)).find(
      app => names.includes(app.name as App) && app.restarts >= restartsOfLoop,
    )
    if (looping)
      throw new ChanopError(
        'setup-failed',
        `${looping.name} ends as soon as it starts (${await lastWords(instance, looping.name)}): npx pm2 logs ${looping.name}`,
      )
  }
}

async function lastWords({ paths }: Instance, name: string): Promise<string> {
  const file = join(paths.logs, `${name}.error.log`)
  const lines = (await readFile(file, 'utf8').catch(() => '')).trim().split('\n').slice(-40)
  return (lines.findLast(text => /error|cannot|fail/i.test(text)) ?? lines.at(-1) ?? 'without a word')
    .trim()
    .slice(0, 300)
}
