import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Ledger } from '../../core/ledger/ledger.ts'
import { storeSetting } from '../../core/ledger/settings/settings.ts'
import { temporaryFolder } from '../../core/ledger/testing.ts'
import { instanceOf } from '../instance.ts'
import { readPlan, wantedPorts } from './plan.ts'

test('a start goes by what chat set, and by the file alone when that is asked', async t => {
  const folder = temporaryFolder(t)
  const env = { CHANOP_DATA: join(folder, 'data'), CHANOP_CONFIG: join(folder, 'c.yaml') }
  const instance = instanceOf(env)
  mkdirSync(instance.paths.run, { recursive: true })
  writeFileSync(instance.config, 'networks: { irc: { kind: irc, managed: true } }\n')
  const ledger = Ledger.open(instance.paths.ledger)
  await ledger.write(tx => {
    storeSetting(tx, 'networks.irc.listen.tls', '192.0.2.7:6697', 'olga', 1)
    storeSetting(tx, 'irc.server', 'inspircd', 'olga', 2)
  })
  ledger.close()
  const key = 'networks.irc.listen'
  const plain = { key: `${key}.plain`, address: '127.0.0.1:6667' }
  const set = await readPlan(instance)
  const tls = { key: `${key}.tls`, address: '192.0.2.7:6697', chatKey: `${key}.tls` }
  assert.deepEqual(wantedPorts(set), [plain, tls])
  assert.equal(set.config.irc.server, 'inspircd')
  const alone = await readPlan(instanceOf({ ...env, CHANOP_FILE_ONLY: '1' }))
  assert.deepEqual(wantedPorts(alone), [plain, { key: `${key}.tls`, address: '127.0.0.1:6697' }])
  assert.notEqual(alone.config.irc.server, 'inspircd')
})
