import { strict as assert } from 'node:assert'
import { test } from 'node:test'
import { states } from '../../../core/ledger/out/deliveries.ts'
import { sql } from '../../../core/ledger/sqlite.ts'
import { copies, copyOf, hall, openHall, settled, until } from '../testing.ts'

const lateMs = 1500

test('what waited for a network says when it was said, there alone and once, however often it is tried', async t => {
  const { servers } = await openHall(t, 'abc', { lateMs })
  const [a, b, c] = servers
  assert.ok(a && b && c)
  b.down()
  const alice = a.user('alice')
  alice.say(hall, 'waits')
  await until(() => copyOf(c, 'waits'), 'the copy where nothing is down')
  const saidMs = Date.now()
  await until(() => Date.now() - saidMs > lateMs, 'some time')
  b.faults.refuseSends(1)
  b.up()
  await until(() => copies(b).length === 1, 'the copy')
  alice.say(hall, 'at once')
  await until(() => [b, c].every(each => copyOf(each, 'at once')), 'the next')
  const time = new Date(saidMs).toISOString().slice(11, 15)
  const [first, second] = copies(b)
  assert.match(first ?? '', /^alice: \[\d\d:\d\d UTC\] waits$/)
  assert.ok(first?.includes(time), first)
  assert.equal(second, 'alice: at once')
  assert.deepEqual(copies(c), ['alice: waits', 'alice: at once'])
})

test('what may be out already keeps its words', async t => {
  const { house, servers } = await openHall(t, 'ab', { lateMs })
  const [a, b] = servers
  assert.ok(a && b)
  const release = b.faults.hold()
  a.user('alice').say(hall, 'perhaps')
  const state = (): Promise<unknown> =>
    house.ledger.read(db => sql(db, 'SELECT state FROM delivery ORDER BY id DESC').get()?.['state'])
  await until(async () => (await state()) === states.sending, 'it to be under way')
  b.down()
  release()
  await until(async () => (await state()) === states.unknown, 'nobody to know')
  const saidMs = Date.now()
  await until(() => Date.now() - saidMs > lateMs, 'some time')
  b.up()
  await settled(house)
  assert.deepEqual(copies(b), ['alice: perhaps'])
})
