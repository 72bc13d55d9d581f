import assert from 'node:assert/strict'
import { it } from 'node:test'
import { reservedAs } from './reserved.ts'

const meanings = { commands: ['status', 'role grant', 'yes', 'y', 'help'], types: ['proxy'], groups: ['crew'] }

for (const name of [
  'here',
  'HERE',
  'all',
  'everyone',
  'worker',
  'workers',
  'proxy',
  'proxies',
  'crew',
  'yes',
  'help',
  'grant',
  'status',
  'admin',
  'Adm1n',
  'Admln',
  'admin_',
  'orac1e',
  '0racle',
  'scr1be',
  'br-idge',
  'NickServ',
  'chanop-control',
  'ｒoot',
]) {
  it(`${name} is reserved`, () => assert.notEqual(reservedAs(name, meanings), null))
}
for (const name of ['bob', 'worker-1', 'claude', 'alladin', 'adminka', 'helper', 'heresy', 'x']) {
  it(`${name} is free`, () => assert.equal(reservedAs(name, meanings), null))
}
