import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '../../core/ledger/testing.ts'
import { instanceOf } from '../instance.ts'
import { cleanEnv } from './pm2.ts'

test('neither a question to PM2 nor a stop makes a data folder, which a restore would find in its way', t => {
  const folder = temporaryFolder(t)
  const [data, pm2Home] = [join(folder, 'data'), join(folder, 'pm2')]
  const instance = instanceOf({ CHANOP_DATA: data, PM2_HOME: pm2Home })
  assert.equal(cleanEnv(instance)['NODE_COMPILE_CACHE'], undefined)
  const env = { ...process.env, CHANOP_DATA: data, PM2_HOME: pm2Home }
  const { stdout } = spawnSync(process.execPath, [join(instance.root, 'scripts', 'stop.ts')], { env, encoding: 'utf8' })
  assert.equal(stdout, 'Nothing of Chanop was running.\n')
  assert.ok(!existsSync(data))
  mkdirSync(instance.paths.run, { recursive: true })
  assert.ok(cleanEnv(instance)['NODE_COMPILE_CACHE']?.startsWith(instance.paths.run))
})
