import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MemoryPlatform } from '../../../adapters/memory/platform.ts'
import type { Adapter, Trouble } from '../../../core/adapter.ts'
import { byIds, type Delivery } from '../../../core/ledger/out/deliveries.ts'
import { copies, copyOf, deliveries, hall, openHall, settled, until } from '../testing.ts'
import { Refusals } from './refusals.ts'

const notices = (server: MemoryPlatform): string[] => copies(server).filter(said => said.includes('not delivered'))

test('who speaks hears once for each cause that it does not arrive elsewhere, and again after something did', async t => {
  const { house, servers } = await openHall(t, 'abc')
  const [a, b, c] = servers as [MemoryPlatform, MemoryPlatform, MemoryPlatform]
  for (const words of ['one', 'two']) {
    b.faults.refuseSends(1, 'send-refused')
    a.user('alice').say(hall, words)
    await until(() => copyOf(c, words), 'the other copy')
    await settled(house)
  }
  assert.equal(notices(a).length, 1)
  assert.match(notices(a)[0] ?? '', /not delivered to b:\S+: .*does not take this message/)
  assert.deepEqual([notices(b), notices(c)], [[], []], 'nobody else hears of it')
  a.user('alice').say(hall, 'three')
  await until(() => copyOf(b, 'three'), 'it works again')
  await settled(house)
  b.faults.refuseSends(1, 'send-refused')
  a.user('alice').say(hall, 'four')
  await until(() => notices(a).length === 2, 'a second notice')
})

test('what waits for a channel that does not work is named too, once it has not worked for a while', async t => {
  const { house, servers } = await openHall(t, 'ab')
  const [a, b] = servers as [MemoryPlatform, MemoryPlatform]
  a.user('alice').say(hall, 'hello')
  await until(() => copyOf(b, 'hello'), 'the copy')
  await settled(house)
  const id = Number((await deliveries(house))[0]?.id)
  const refusals = new Refusals()
  const look = (...troubles: Trouble[]) =>
    house.ledger.write(db => {
      const adapter = { status: () => ({ troubles }) } as unknown as Adapter
      refusals.waits(db, byIds(db, [id])[0] as Delivery, adapter, 10_000)
    })
  const reason = 'can not join: banned (474)'
  await look()
  await look({ channel: hall, reason, sinceMs: 9_000 })
  await look({ channel: '#other', reason, sinceMs: 0 })
  await settled(house)
  assert.deepEqual(notices(a), [])
  await look({ channel: hall, reason, sinceMs: 0 })
  await look({ channel: hall, reason, sinceMs: 0 })
  await until(() => notices(a).length > 0, 'the notice')
  await settled(house)
  assert.equal(notices(a).length, 1)
  assert.match(notices(a)[0] ?? '', /not delivered to b:\S+ yet: can not join: banned \(474\); it waits/)
})
