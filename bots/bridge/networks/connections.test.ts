import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { MemoryAdapter } from '../../../adapters/memory/adapter.ts'
import type { MemoryPlatform } from '../../../adapters/memory/platform.ts'
import type { NetworkId } from '../../../core/event.ts'
import { enqueue } from '../../../core/ledger/out/deliveries.ts'
import { placeOrder as order, orderByKey } from '../../../core/ledger/out/orders.ts'
import { getCursor, setCursor } from '../../../core/ledger/settings/consumers.ts'
import { saveStatus } from '../../../core/ledger/settings/networks.ts'
import { sql } from '../../../core/ledger/sqlite.ts'
import { House } from '../../../test/house.ts'
import { copies, copyOf, hall, hallConfig, openHall, settled, until } from '../testing.ts'

/** Writes the file anew and has everybody read it, as `config reload` does. */
function rewrite(house: House, servers: readonly MemoryPlatform[], config: string): void {
  let text = config
  for (const server of servers) text = text.replaceAll(`{server}-${server.name.slice(-1)}`, server.name)
  writeFileSync(house.configFile, text)
  house.bus.signal('settings', { by: 'test' })
}

const status = (house: House, network: string) =>
  house.ledger.read(db => {
    const row = sql(db, 'SELECT standing FROM standing WHERE network = ?').get(network)
    return row ? (JSON.parse(row['standing'] as string) as { state: string; reason?: string }) : null
  })

test('a network added at run time is connected, one taken out is left, the others notice nothing', async t => {
  const { house, servers, bridge } = await openHall(t, 'ab')
  const [a, b] = servers as [MemoryPlatform, MemoryPlatform]
  const c = house.server('c')
  const all = [a, b, c]
  const seen = a.connections
  rewrite(house, all, hallConfig('abc'))
  await c.ready()
  c.user('carol').say(hall, 'hello from c')
  await until(() => copyOf(a, 'hello from c') && copyOf(b, 'hello from c'), 'copies')

  rewrite(house, all, hallConfig('ac'))
  await until(() => b.connections === 0, 'b is left')
  a.user('alice').say(hall, 'only to c')
  await until(() => copyOf(c, 'only to c'), 'the copy in c')
  await settled(house)
  assert.equal(copyOf(b, 'only to c'), undefined)
  assert.equal(bridge.connections.adapters.has('b' as NetworkId), false)
  assert.equal(await status(house, 'b'), null)
  assert.equal(a.connections, seen)
})

test('a network that is configured anew is connected anew; only its channels change without that', async t => {
  const { house, servers, bridge } = await openHall(t, 'ab')
  const [a, b] = servers as [MemoryPlatform, MemoryPlatform]
  const adapter = bridge.connections.adapters.get('b' as NetworkId)
  const other = `networks:\n  a: { kind: memory, server: '{server}-a', channels: ['${hall}', '#more'] }`
  rewrite(house, [a, b], hallConfig('ab').replace(/networks:\n {2}a: .*/, other))
  await until(() => a.channel('#more').members.has('chanop'), 'the new channel')
  rewrite(house, [a, b], hallConfig('ab'))
  await until(() => !a.channel('#more').members.has('chanop'), 'the old channels')
  assert.ok(a.channel(hall).members.has('chanop'), 'a place of a room is not left')

  rewrite(house, [a, b], hallConfig('ab').replace("server: '{server}-b'", "account: other, server: '{server}-b'"))
  await b.ready('other')
  assert.notEqual(bridge.connections.adapters.get('b' as NetworkId), adapter)
  a.user('alice').say(hall, 'still there?')
  await until(() => b.channel(hall).messages.find(({ by }) => by === 'other'), 'the copy by the new account')
})

test('what waits for a network goes out when that is there again, once', async t => {
  const { house, servers, bridge } = await openHall(t, 'ab')
  const [a, b] = servers as [MemoryPlatform, MemoryPlatform]
  const before = bridge.connections.adapters.get('b' as NetworkId)
  const release = b.faults.hold()
  for (let n = 0; n < 40; n++) a.user('alice').say(hall, `n${n}`)
  await a.quiet()
  rewrite(house, [a, b], hallConfig('ab').replace("server: '{server}-b'", "textBytes: 3999, server: '{server}-b'"))
  await until(
    () => ![before, undefined].includes(bridge.connections.adapters.get('b' as NetworkId)),
    'a new connection',
  )
  release()
  await until(() => copies(b).length >= 40, 'all of them')
  await settled(house)
  assert.deepEqual(
    copies(b),
    Array.from({ length: 40 }, (_, n) => `alice: n${n}`),
  )
})

test('one network with a bad login leaves the others alone, says why, and is tried again at a reload', async t => {
  const house = new House(t, { config: hallConfig('abc') })
  const [a, b, c] = [house.server('a'), house.server('b'), house.server('c')]
  b.faults.loginRefused = 'wrong password'
  const bridge = await house.bridge()
  await Promise.all([a.ready(), c.ready()])
  a.user('alice').say(hall, 'hello')
  await until(() => copyOf(c, 'hello'), 'the copy in c')
  await until(async () => (await status(house, 'b'))?.state === 'down', 'b is down')
  assert.match((await status(house, 'b'))?.reason ?? '', /refuses chanop: wrong password/)
  assert.equal(copies(b).length, 0)

  b.faults.loginRefused = null
  const before = bridge.connections.adapters.get('a' as NetworkId)
  house.bus.signal('settings', { by: 'test' })
  await until(() => copyOf(b, 'hello'), 'what waited for b')
  assert.equal(bridge.connections.adapters.get('a' as NetworkId), before)
  await settled(house)
})

test('a network whose secret is missing is off and says so; its orders wait', async t => {
  const external =
    '  x: { kind: irc, host: 127.0.0.1, port: 1, tls: false, nick: me, sasl: { account: me, password: env:NOT_SET } }'
  const house = new House(t, { config: hallConfig('ab').replace('networks:\n', `networks:\n${external}\n`) })
  await house.bridge()
  await Promise.all([house.server('a').ready(), house.server('b').ready()])
  const found = await until(async () => (await status(house, 'x'))?.reason, 'a reason')
  assert.match(found, /NOT_SET is not set: export NOT_SET=… and run npm start again/)
  const give = (key: string, network: string) =>
    house.ledger.write(db =>
      order(db, { key, network: network as NetworkId, kind: 'account.drop', args: { account: 'z' } }, 0),
    )
  await give('waits', 'x')
  await give('fails', 'nowhere')
  house.bus.ring(0)
  const failed = await until(async () => {
    const one = await house.ledger.read(db => orderByKey(db, 'fails'))
    return one?.state === 'failed' ? one : null
  }, 'an end')
  assert.equal(failed.error, "there is no network 'nowhere'")
  assert.equal((await house.ledger.read(db => orderByKey(db, 'waits')))?.state, 'queued')
})

test('a file that does not fit leaves everything as it was', async t => {
  const { house, servers } = await openHall(t, 'ab')
  const [a, b] = servers as [MemoryPlatform, MemoryPlatform]
  rewrite(house, [a, b], hallConfig('ab').replace('networks:', 'netwroks:'))
  rewrite(house, [a, b], hallConfig('ab').replace(`'b:${hall}'`, `'a:${hall}'`))
  a.user('alice').say(hall, 'still here')
  await until(() => copyOf(b, 'still here'), 'the copy')
})

const dead = (house: House) =>
  house.ledger.read(db => sql(db, 'SELECT error, count(*) AS n FROM delivery WHERE state = 11 GROUP BY error').all())
const open = (house: House, network: string) =>
  house.ledger.read(db =>
    Number(
      sql(
        db,
        'SELECT count(*) AS n FROM delivery d JOIN place p ON p.id = d.place WHERE d.state < 10 AND p.network = ?',
      ).get(network)?.['n'],
    ),
  )

test('a network that is removed takes its queue with it, which the operators hear; what is under way too', async t => {
  const ops = "  ops: { places: ['a:#ops'] }\n"
  const { house, servers } = await openHall(t, 'ab', { more: ops })
  const [a, b] = servers as [MemoryPlatform, MemoryPlatform]
  const release = b.faults.hold()
  for (let n = 0; n < 30; n++) a.user('alice').say(hall, `n${n}`)
  await until(async () => (await open(house, 'b')) === 30, 'what waits for b')
  rewrite(house, [a, b], hallConfig('a', ops))
  const told = await until(() => copies(a, '#ops').at(-1), 'a line in ops')
  assert.match(told, /^bridge: the network b was removed: 30 deliveries that waited for it are given up$/)
  release()
  await settled(house)
  assert.deepEqual(await dead(house), [{ error: 'the network b was removed', n: 30 }])
  a.user('alice').say(hall, 'after')
  await a.quiet()
  assert.equal(await open(house, 'b'), 0)
  rewrite(house, [a, b], hallConfig('ab', ops))
  a.user('alice').say(hall, 'anew')
  await until(() => copyOf(b, 'anew'), 'what is said from now on')
  assert.deepEqual(copies(b), ['alice: anew'], 'and nothing of what was given up')
})

test('a network that is taken out while nobody runs is forgotten at the start, its queue given up', async t => {
  const house = new House(t, { config: hallConfig('a', "  ops: { places: ['a:#ops'] }\n") })
  const place = { network: 'gone' as NetworkId, channel: '#x' as never }
  await house.ledger.write(db => {
    saveStatus(db, 'gone', { state: 'up', sinceMs: 1, lacks: [] }, 1)
    setCursor(db, 'gone', 'offset', '17')
    enqueue(db, { place, bot: 'bridge', act: { do: 'send', content: { segments: [] } } }, 1)
  })
  await house.bridge()
  const a = house.server('a')
  await until(() => copies(a, '#ops').at(-1), 'a line in ops')
  assert.deepEqual(copies(a, '#ops'), [
    'bridge: the network gone was removed: one delivery that waited for it is given up',
  ])
  assert.equal(await status(house, 'gone'), null)
  assert.equal(await house.ledger.read(db => getCursor(db, 'gone', 'offset')), null)
})

test('a network that is off is not connected and says so; what is said waits and goes out when it is on', async t => {
  const { house, servers, bridge } = await openHall(t, 'ab')
  const [a, b] = servers as [MemoryPlatform, MemoryPlatform]
  const off = hallConfig('ab').replace("server: '{server}-b'", "on: false, server: '{server}-b'")
  rewrite(house, [a, b], off)
  await until(() => b.connections === 0, 'b is left')
  await until(async () => (await status(house, 'b'))?.state === 'off', 'it says so')
  a.user('alice').say(hall, 'wait for it')
  await until(async () => (await open(house, 'b')) === 1, 'what waits')
  house.bus.signal('settings', { by: 'test' })
  assert.equal((await bridge.connections.settled('b', AbortSignal.timeout(5000)))?.state, 'off')
  rewrite(house, [a, b], hallConfig('ab'))
  await until(() => copyOf(b, 'wait for it'), 'the copy')
  assert.equal((await bridge.connections.settled('b', AbortSignal.timeout(5000)))?.state, 'up')
})

test('a network that hangs while it is made, or ends without a reason, keeps up none of the others', async t => {
  const house = new House(t, { config: hallConfig('a') })
  const bridge = await house.bridge()
  const a = house.server('a')
  await a.ready()
  const c = house.server('c')
  let hanging = true
  const context = bridge.context as { secret: (reference: string) => Promise<string> }
  context.secret = () => (hanging ? new Promise(() => undefined) : Promise.resolve('x'))
  const config = hallConfig('abc').replace("server: '{server}-b'", "token: secret:T, server: '{server}-b'")
  rewrite(house, [a, house.server('b'), c], config)
  await c.ready()
  a.user('alice').say(hall, 'hello')
  await until(() => copyOf(c, 'hello'), 'the copy in c')
  rewrite(house, [a, house.server('b'), c], config.replace(`, 'c:${hall}'`, '').replace(/ {2}c: .*\n/, ''))
  await until(() => c.connections === 0, 'c is left')
  hanging = false

  const run = t.mock.method(MemoryAdapter.prototype, 'run', async () => undefined)
  await bridge.connections.restart('a')
  const ended = await bridge.connections.settled('a', AbortSignal.timeout(5000))
  assert.deepEqual(ended, { state: 'down', reason: 'the connection ended without a reason' })
  run.mock.restore()
  await bridge.connections.restart('a')
  assert.equal((await bridge.connections.settled('a', AbortSignal.timeout(5000)))?.state, 'up')
})
