import assert from 'node:assert/strict'
import { it } from 'node:test'
import { reservedAs, typeReservedAs } from './reserved.ts'

const meanings = { commands: ['status', 'role grant', 'yes', 'y', 'help'], types: ['proxy'], groups: ['crew'] }

for (const name of [
  'here',
  'none',
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

const taken = { types: ['scout'], groups: ['crew'], others: ['worker-1', 'bob'] }

for (const type of [
  'all',
  'here',
  'none',
  'scouts',
  'workers',
  'operator',
  'crew',
  'bob',
  'oracle',
  'adm1n',
  'nickserv',
]) {
  it(`a type ${type} would mean something else too`, () => assert.notEqual(typeReservedAs(type, taken), null))
}
for (const type of ['worker', 'scout', 'proxy', 'bobby']) {
  it(`a type ${type} can be`, () => assert.equal(typeReservedAs(type, taken), null))
}
