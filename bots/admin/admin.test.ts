import assert from 'node:assert/strict'
import { test } from 'node:test'
import { House } from '../../test/house.ts'
import { runAdmin } from './admin.ts'
import { runBridge } from '../bridge/run.ts'

test('hello', async t => {
  const house = new House(t)
  await house.run('bridge', runBridge)
  await house.run('admin', runAdmin)
  const olga = house.server('a').user('olga')
  const bob = house.server('a').user('bob')
  olga.join('#general')
  bob.join('#general')
  for (const s of [
    '!version',
    '!status',
    '!help',
    '!help role',
    '!whoami',
    '!rooms',
    '!networks',
    '!network show chat',
    '!role grant bob member',
    '!restart oracle now',
    '!room link ops other:#ops',
    '!statsu',
    '!config set commands.lines 6',
    '!config get commands',
    '!person add carl',
    '!room del general',
    '!audit',
  ]) {
    olga.say('#general', s)
    await new Promise(r => setTimeout(r, 150))
  }
  bob.say('#general', '!restart oracle')
  bob.say('#general', '!person add x')
  olga.dm('admin', 'secret set FOO bar')
  await new Promise(r => setTimeout(r, 500))
  console.log(house.server('a').transcript())
  assert.ok(true)
})
