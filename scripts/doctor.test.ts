import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '../core/ledger/testing.ts'

test('before the first start there is one thing to say, and nothing is made; a lost ledger is another matter', t => {
  const folder = temporaryFolder(t)
  const data = join(folder, 'data')
  const env = { CHANOP_DATA: data, CHANOP_CONFIG: join(folder, 'c.yaml'), PM2_HOME: join(folder, 'p') }
  const doctor = () =>
    spawnSync(process.execPath, [join(import.meta.dirname, 'doctor.ts')], {
      env: { ...process.env, ...env },
      encoding: 'utf8',
    })
  const first = doctor()
  assert.equal(first.status, 1)
  assert.match(first.stdout, /\nNothing was started here yet: npm start sets up what is missing and starts it\.\n$/)
  assert.ok(!existsSync(data))
  mkdirSync(join(data, 'keys'), { recursive: true, mode: 0o700 })
  writeFileSync(join(data, 'keys', 'vault.key'), 'x', { mode: 0o600 })
  const lost = doctor()
  assert.equal(lost.status, 1)
  assert.doesNotMatch(lost.stdout, /Nothing was started/)
  assert.match(lost.stdout, /✗ ledger +there is none yet/)
})
