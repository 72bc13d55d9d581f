import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Log } from '../../../core/log.ts'
import { Keeper } from './keeper.ts'

test('what a server printed long before its end is not why it ended', { timeout: 30_000 }, async t => {
  const dir = await mkdtemp(join(tmpdir(), 'chanop-keeper-'))
  t.after(() => rm(dir, { recursive: true, force: true }))
  const said = Promise.withResolvers<string>()
  const log = { error: said.resolve, debug: () => undefined } as unknown as Log
  const pid = Promise.withResolvers<number>()
  const script = 'echo "open ircd.db: permission denied"; echo "pid $$"; exec sleep 60'
  const stop = new AbortController()
  const launch = {
    ...{ name: 'ergo', command: '/bin/sh', args: ['-c', script], cwd: dir, env: {}, listens: true } as const,
    lock: join(dir, 'lock'),
  } // biome-ignore format: one value
  const printed = (line: string): void => {
    if (line.startsWith('pid')) pid.resolve(Number(line.slice(3)))
  }
  const run = new Keeper(launch, log, { printed }).run(stop.signal)
  const running = await pid.promise
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 60_001 })
  process.kill(running, 'SIGHUP')
  assert.equal(await said.promise, 'ergo ended (SIGHUP); starting it again')
  stop.abort()
  await run
})
