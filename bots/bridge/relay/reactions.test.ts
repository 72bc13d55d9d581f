import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MemoryPlatform } from '../../../adapters/memory/platform.ts'
import { House } from '../../../test/house.ts'
import { runBridge } from '../run.ts'
import { copyOf, hall, hallConfig, openHall, settled, until } from '../testing.ts'

test('a reaction is the same one however a platform writes its emoji: taken back by one, it stays for the other', async t => {
  const { house, servers } = await openHall(t)
  const [a, b, c] = servers as [MemoryPlatform, MemoryPlatform, MemoryPlatform]
  const said = a.user('alice').say(hall, 'hello')
  const [inB, inC] = await Promise.all([b, c].map(server => until(() => copyOf(server, 'hello'), 'the copies')))
  assert.ok(inB && inC)
  await settled(house)
  const ours = (): string[] => inC.reactions.filter(({ by }) => by === 'chanop').map(({ emoji }) => emoji)
  a.user('bob').react(said.id, '❤')
  b.user('carol').react(inB.id, '❤\ufe0f')
  await until(() => said.reactions.length === 2 && inB.reactions.length === 2, 'both everywhere')
  await settled(house)
  assert.deepEqual(ours(), ['❤\ufe0f'])
  a.user('bob').unreact(said.id, '❤')
  await until(() => inB.reactions.length === 1, "bob's is gone")
  await settled(house)
  assert.deepEqual(ours(), ['❤\ufe0f'])
  b.user('carol').unreact(inB.id, '❤\ufe0f')
  await until(() => inC.reactions.length === 0, 'the last one is taken back')
})

test('who is ignored, or in a place of which nothing goes out, keeps no reaction of ours anywhere', async t => {
  const config = hallConfig('abc', "ignore: { 'a:spam': null }")
  const house = new House(t, { config: config.replace('joins: true', `joins: true, direction: { 'c:${hall}': out }`) })
  await house.run('bridge', runBridge)
  const [a, b, c] = ['a', 'b', 'c'].map(letter => house.server(letter)) as [
    MemoryPlatform,
    MemoryPlatform,
    MemoryPlatform,
  ]
  await Promise.all([a, b, c].map(server => server.ready()))
  const said = a.user('alice').say(hall, 'hello')
  const [inB, inC] = await Promise.all([b, c].map(server => until(() => copyOf(server, 'hello'), 'the copies')))
  assert.ok(inB && inC)
  await settled(house)
  a.user('spam').react(said.id, '👍')
  c.user('carol').react(inC.id, '👍')
  a.user('bob').react(said.id, '👍')
  await until(() => inB.reactions.length === 1 && inC.reactions.length === 2, "bob's")
  a.user('bob').unreact(said.id, '👍')
  await until(() => inB.reactions.length === 0, 'it is taken back')
  await settled(house)
  assert.deepEqual(inC.reactions, [{ emoji: '👍', by: 'carol' }])
})
