import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MemoryPlatform } from '../../../adapters/memory/platform.ts'
import { sql } from '../../../core/ledger/sqlite.ts'
import { House } from '../../../test/house.ts'
import { runBridge } from '../run.ts'
import { copies, copyOf, hall, hallConfig, openHall, settled, until } from '../testing.ts'

const told = (server: MemoryPlatform): string[] => copies(server).map(said => said.replace('bridge: ', ''))

test('joins, parts and new names are told where the room wants it, one line each', async t => {
  const { house, servers } = await openHall(t)
  const [a, b, c] = servers as [MemoryPlatform, MemoryPlatform, MemoryPlatform]
  const alice = a.user('alice')
  alice.join(hall)
  alice.rename('alice2')
  alice.leave(hall, 'gone\nfishing')
  await until(() => told(b).length === 3 && told(c).length === 3, 'three lines in each')
  await settled(house)
  assert.deepEqual(told(b), ['alice joined', 'alice is now alice2', 'alice2 left (gone fishing)'])
  assert.equal(copies(a).length, 0)
  assert.equal(copyOf(b, 'alice joined')?.content.style, 'notice')
})

test('joins are not told where nobody asked for it', async t => {
  const { house, servers } = await openHall(t, 'ab')
  const [a, b] = servers as [MemoryPlatform, MemoryPlatform]
  await house.ledger.write(db => {
    db.prepare("INSERT INTO setting VALUES ('rooms.hall.joins', 'false', 'test', 1)").run()
  })
  house.bus.signal('settings', { by: 'test' })
  await until(async () => (await house.context('x')).settings.current.rooms['hall']?.joins === false, 'the setting')
  a.user('alice').join(hall)
  a.user('alice').say(hall, 'mark')
  await until(() => copyOf(b, 'mark'), 'the mark')
  await settled(house)
  assert.deepEqual(copies(b), ['alice: mark'])
})

test('a netsplit of 200 is one line; who comes back is not told, who was not there before is', async t => {
  const { house, servers } = await openHall(t, 'ab', { splitMs: 150 })
  const [a, b] = servers as [MemoryPlatform, MemoryPlatform]
  const people = Array.from({ length: 200 }, (_, n) => a.user(`p${n}`))
  for (const person of people) person.say(hall, 'here')
  await until(() => copies(b).length === 200, 'all of them')
  for (const person of people) person.leave(hall, 'hub.net leaf.net', { split: true })
  a.user('stayed').say(hall, 'where is everybody?')
  for (const person of people.slice(0, 150)) person.join(hall)
  a.user('new').join(hall)
  await until(() => told(b).some(line => line.startsWith('netsplit')), 'the netsplit')
  for (const person of people.slice(150)) person.join(hall)
  a.user('p7').leave(hall, 'bye')
  a.user('p7').join(hall)
  await until(() => told(b).at(-1) === 'p7 joined', 'an ordinary join')
  await settled(house)
  assert.deepEqual(told(b).slice(200), [
    'stayed: where is everybody?',
    'new joined',
    'netsplit: 200 people left',
    'p7 left (bye)',
    'p7 joined',
  ])
})

test('who does not come back within ten minutes is news when they do; the line of a netsplit is told after a restart', async t => {
  const house = new House(t, { config: hallConfig('ab') })
  const [a, b] = [house.server('a'), house.server('b')]
  const stop = await house.run('bridge', runBridge)
  await Promise.all([a.ready(), b.ready()])
  for (const name of ['late', 'soon']) a.user(name).join(hall)
  await until(() => told(b).length === 2, 'both')
  for (const name of ['late', 'soon']) a.user(name).leave(hall, 'hub leaf', { split: true })
  await a.quiet()
  await stop()
  assert.deepEqual(told(b), ['late joined', 'soon joined'])
  await house.ledger.write(db => {
    sql(db, 'UPDATE netsplit SET tell_ms = 1').run()
    sql(db, "UPDATE split_member SET until_ms = 1 WHERE user = 'late'").run()
  })
  await house.run('bridge', runBridge)
  await Promise.all([a.ready(), b.ready()])
  await until(() => told(b).includes('netsplit: 2 people left'), 'the netsplit')
  a.user('soon').join(hall)
  a.user('late').join(hall)
  await until(() => told(b).at(-1) === 'late joined', 'who was away')
  assert.deepEqual(told(b), ['late joined', 'soon joined', 'netsplit: 2 people left', 'late joined'])
})
