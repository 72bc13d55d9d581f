/** The coming up of apps: PM2 starts them, each says itself when it is ready, and one that can't is not waited for. */

import { join } from 'node:path'
import { z } from 'zod'
import { readControl } from '../../adapters/irc/control.ts'
import { capabilities } from '../../adapters/irc/server/ready.ts'
import { ChanopError } from '../../core/error.ts'
import { readJson } from '../../core/files.ts'
import { redisSocketPath } from '../../core/paths.ts'
import { sleep } from '../../core/retry.ts'
import type { App, Instance } from '../instance.ts'
import { line, seconds } from '../steps.ts'
import { complaint, lastWords } from './logs.ts'
import { beginPm2, ownApps } from './pm2.ts'
import { pingRedis } from './redis.ts'

const reportSchema = z.object({ pid: z.int(), state: z.string(), message: z.string(), atMs: z.number() })
const readyWithinMs = 60_000
const lookEveryMs = 50
/** A look at PM2's list is a process of its own, so rarely, and ever more so where a start takes long. */
const firstListMs = 3000
const restartsOfLoop = 3
/** An error that was logged may still mend itself within this time. */
const graceMs = 8000

/** Throws `setup-failed` with the reason of the first that does not come up. */
export async function bringUp(instance: Instance, names: readonly App[]): Promise<void> {
  const [sinceMs, startMs] = [performance.now(), Date.now()]
  const command = beginPm2(instance, ['start', join(instance.root, 'ecosystem.config.cjs'), '--only', names.join(',')])
  const rising = new Set<App>(names)
  const over = new AbortController()
  const up = names.map(async name => {
    if (!(await comeUp(instance, name, startMs, over.signal))) return
    // It serves logins before its accounts are made: until PM2's command ends it has not said that it is ready.
    if (name !== 'ircd') rising.delete(name)
    line(true, name, seconds(sinceMs), name === 'ircd' ? 'serves logins' : 'ready')
  })
  try {
    const watched = watch(instance, rising, startMs, over.signal)
    await Promise.race([Promise.all([...up, command.done]), watched, command.failure])
  } finally {
    over.abort()
    command.end()
  }
}

/** True when the app says that it is ready, false when `signal` aborts first. Throws `setup-failed` with its reason. */
async function comeUp(instance: Instance, name: App, startMs: number, signal: AbortSignal): Promise<boolean> {
  while (!signal.aborted) {
    const state = await stateOf(instance, name, startMs)
    if (state === 'ready') return true
    if (state.startsWith('failed: ')) throw failed(name, state.slice('failed: '.length))
    if (Date.now() > startMs + readyWithinMs) throw failed(name, `not ready after ${readyWithinMs / 1000} s (${state})`)
    await sleep(lookEveryMs, signal)
  }
  return false
}

const failed = (name: string, reason: string): ChanopError =>
  new ChanopError('setup-failed', `${name}: ${reason} (npx pm2 logs ${name})`)

/** Looks after those that die before they can say why, and those that only log why they wait. */
async function watch(instance: Instance, rising: ReadonlySet<App>, startMs: number, over: AbortSignal): Promise<void> {
  for (let everyMs = firstListMs; ; everyMs *= 1.5) {
    await sleep(everyMs, over)
    if (over.aborted) return
    const waiting = (await ownApps(instance)).filter(app => rising.has(app.name as App))
    const looping = waiting.find(app => app.restarts >= restartsOfLoop)
    if (looping) throw failed(looping.name, `it ends as soon as it starts: ${await lastWords(instance, looping.name)}`)
    for (const { name } of Date.now() > startMs + graceMs ? waiting : []) {
      const reason = await complaint(instance, name, startMs)
      if (reason !== null) throw failed(name, reason)
    }
  }
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
