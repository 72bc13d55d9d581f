import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { MemoryPlatform } from '../../../adapters/memory/platform.ts'
import type { Adapter } from '../../../core/adapter.ts'
import { ChanopError } from '../../../core/error.ts'
import { type ChannelId, type NetworkId, type Place, text } from '../../../core/event.ts'
import { enqueue, setState } from '../../../core/ledger/out/deliveries.ts'
import { type NewOrder, type OrderKind, orderByKey, placeOrder } from '../../../core/ledger/out/orders.ts'
import { sql } from '../../../core/ledger/sqlite.ts'
import { temporaryFolder, temporaryLedger } from '../../../core/ledger/testing.ts'
import { silentLog } from '../../../core/log.ts'
import { Vault } from '../../../core/vault/secrets.ts'
import { House } from '../../../test/house.ts'
import { copies, hall, hallConfig, openHall, settled, until } from '../testing.ts'
import { Orderly, orderBox } from './orders.ts'

const network = 'a' as NetworkId

/** Gives an order, and what is said at either end of it. */
async function give(house: House, order: Omit<NewOrder, 'network' | 'sealed'>, password?: string): Promise<void> {
  const { vault } = await house.context('giver')
  const sealed = password === undefined ? {} : { sealed: vault.seal(orderBox(order.key), password) }
  await house.ledger.write(db => {
    const id = placeOrder(db, { ...order, network, ...sealed }, Date.now())
    for (const result of ['done', 'failed'] as const) {
      const act = { do: 'send' as const, content: text(`${result}: {reason}`), as: { name: 'admin' } }
      enqueue(db, { place: { network, channel: hall as never }, bot: 'admin', act, waits: { order: id, result } }, 0)
    }
  })
  house.bus.ring(0)
}

const answer = async (house: House, server: MemoryPlatform): Promise<string | undefined> => {
  await settled(house)
  return copies(server).at(-1)
}

test('an account is made with its password, its role comes with it, and only one of the two ends is said', async t => {
  const { house, servers } = await openHall(t, 'a')
  const [a] = servers as [MemoryPlatform]
  await give(
    house,
    { key: 'k1', kind: 'account.create', args: { account: 'Carl', role: 'operator', by: 'olga' } },
    'pw1',
  )
  assert.equal(await answer(house, a), 'admin: done: created')
  a.login('Carl', 'pw1')
  const roles = await house.ledger.read(db => sql(db, 'SELECT role, granted_by FROM role').all())
  assert.deepEqual(
    roles.map(row => ({ ...row })),
    [{ role: 'operator', granted_by: 'olga' }],
  )
  const left = await house.ledger.read(db => orderByKey(db, 'k1'))
  assert.equal(left?.sealed, null)
  assert.deepEqual(copies(a), ['admin: done: created'])
})

test('an account of somebody else is never taken over, not after faults either', async t => {
  const { house, servers } = await openHall(t, 'a')
  const [a] = servers as [MemoryPlatform]
  await a.accounts.create('mallory', 'her own')
  a.faults.refuseAccounts(2)
  await give(
    house,
    { key: 'k2', kind: 'account.create', args: { account: 'mallory', role: 'owner', by: 'olga' } },
    'ours',
  )
  assert.match((await answer(house, a)) ?? '', /^admin: failed: The account mallory exists/)
  a.login('mallory', 'her own')
  assert.equal((await house.ledger.read(db => sql(db, 'SELECT 1 FROM role').all())).length, 0)
})

test('an order that a crash interrupted is finished by the next process: the account opens with its password', async t => {
  const house = new House(t, { config: hallConfig('a') })
  const a = house.server('a')
  await give(house, { key: 'k3', kind: 'account.create', args: { account: 'dora' } }, 'pw3')
  // The process that had it died behind the network's yes.
  await house.ledger.write(db => sql(db, 'UPDATE orders SET state = 2').run())
  await a.accounts.create('dora', 'pw3')
  await house.bridge()
  assert.equal(await answer(house, a), 'admin: done: created')
  a.login('dora', 'pw3')
})

test('other orders repeated after a crash end as if done once', async t => {
  const house = new House(t, { config: hallConfig('a') })
  const a = house.server('a')
  await a.accounts.create('carl', 'pw')
  const person = a.login('carl', 'pw')
  await give(house, { key: 's', kind: 'account.suspend', args: { account: 'carl', reason: 'enough' } })
  await give(house, { key: 'd', kind: 'account.drop', args: { account: 'gone' } })
  await house.ledger.write(db => sql(db, 'UPDATE orders SET state = 2').run())
  await a.accounts.suspend('carl', 'enough')
  await house.bridge()
  await settled(house)
  assert.deepEqual(copies(a).sort(), ['admin: done: deleted', 'admin: done: suspended'])
  assert.equal(person.online, false)
})

test('what the system itself uses is nobody else\u2019s: every order about it is refused', async t => {
  const { house, servers } = await openHall(t, 'a')
  const [a] = servers as [MemoryPlatform]
  await a.accounts.create('system', 'its own')
  a.accounts.reserved.add('system')
  const kinds = [
    'create',
    'password',
    'suspend',
    'restore',
    'drop',
    'certificate',
    'certificate-del',
    'end-sessions',
    'check',
  ]
  for (const kind of kinds) {
    await give(house, { key: `r.${kind}`, kind: `account.${kind}` as OrderKind, args: { account: 'System' } }, 'pw')
    assert.match((await answer(house, a)) ?? '', /^admin: failed: System is an account of Chanop's own/, kind)
  }
  a.login('system', 'its own')
})

test('a new password takes away the certificates that no order gave', async t => {
  const { house, servers } = await openHall(t, 'a')
  const [a] = servers as [MemoryPlatform]
  await a.accounts.create('carl', 'pw')
  const fingerprint = 'ab'.repeat(32)
  await give(house, { key: 'c', kind: 'account.certificate', args: { account: 'carl', fingerprint } })
  await answer(house, a)
  await a.accounts.addCertificate('carl', 'cd'.repeat(32))
  await give(house, { key: 'p', kind: 'account.password', args: { account: 'Carl' } }, 'pw2')
  assert.equal(await answer(house, a), 'admin: done: it was gone: made anew', 'another name is another account')
  await give(house, { key: 'p2', kind: 'account.password', args: { account: 'carl' } }, 'pw2')
  assert.equal(await answer(house, a), 'admin: done: 0 sessions ended; 1 certificate not on record taken away')
  assert.deepEqual(await a.accounts.certificates('carl'), [fingerprint])
  await give(house, { key: 'd', kind: 'account.certificate-del', args: { account: 'carl', fingerprint } })
  await answer(house, a)
  await a.accounts.addCertificate('carl', fingerprint)
  await give(house, { key: 'p3', kind: 'account.password', args: { account: 'carl' } }, 'pw3')
  await answer(house, a)
  assert.deepEqual(await a.accounts.certificates('carl'), [])
})

test('an order that comes after another does not hold that up, whichever was written first', async t => {
  const { house, servers } = await openHall(t, 'a')
  const [a] = servers as [MemoryPlatform]
  await a.accounts.create('carl', 'pw')
  const person = a.login('carl', 'pw')
  const { vault } = await house.context('giver')
  const args = { account: 'carl', sessions: 'keep' }
  const sealed = vault.seal(orderBox('p'), 'pw2')
  const nowMs = Date.now()
  await house.ledger.write(db => {
    placeOrder(db, { key: 'e', network, kind: 'account.end-sessions', args: { account: 'carl', after: 'p' } }, nowMs)
    placeOrder(db, { key: 'p', network, kind: 'account.password', args, notBeforeMs: nowMs + 800, sealed }, nowMs)
  })
  await until(async () => !person.online, 'the session to end')
  a.login('carl', 'pw2')
})

test('sessions end after what must be said first, and not at all when that is void', async t => {
  const { house, servers } = await openHall(t, 'a')
  const [a] = servers as [MemoryPlatform]
  await a.accounts.create('carl', 'pw')
  const person = a.login('carl', 'pw')
  const end = (key: string, after: string): Promise<void> =>
    give(house, { key, kind: 'account.end-sessions', args: { account: 'carl', after } })
  const args = { account: 'carl', sessions: 'keep' }
  await give(house, { key: 'void', kind: 'account.suspend', args: { account: 'nobody' } })
  await end('e1', 'void')
  await settled(house)
  assert.ok(person.online)
  await give(house, { key: 'first', kind: 'account.password', args }, 'pw2')
  await end('e2', 'first')
  await until(async () => !person.online, 'the session to end')
  const said = copies(a)
  assert.ok(said.indexOf('admin: done: changed') >= 0, said.join())
})

test('an order waits while its network is away, and what can not be done says why', async t => {
  const { house, servers } = await openHall(t, 'a')
  const [a] = servers as [MemoryPlatform]
  a.down()
  await give(house, { key: 'w', kind: 'account.drop', args: { account: 'x' } })
  await until(async () => (await house.ledger.read(db => orderByKey(db, 'w')))?.state === 'queued', 'it waits')
  a.up()
  assert.equal(await answer(house, a), 'admin: done: deleted')
  await give(house, { key: 'm', kind: 'account.suspend', args: { account: 'nobody' } })
  assert.match((await answer(house, a)) ?? '', /^admin: failed: There is no account nobody/)
})

/** Without anybody who rings. `enter`: what the network does of a `place.join`. */
async function alone(t: TestContext, enter: (channel: string) => Promise<void>) {
  const ledger = temporaryLedger(t)
  const stop = new AbortController()
  t.after(() => stop.abort())
  const adapter = {
    network,
    status: () => ({ state: 'up' }),
    channels: { join: ({ channel }: Place) => enter(channel) },
  } as unknown as Adapter
  const orderly = new Orderly({
    ledger,
    adapters: new Map([[network, adapter]]),
    vault: await Vault.open(join(temporaryFolder(t), 'vault.key'), ledger),
    log: silentLog(),
    signal: stop.signal,
    isConfigured: () => true,
    admitted: async () => null,
    released: async ids => ledger.mark(db => setState(db, ids, 'sent')),
  })
  return { ledger, orderly }
}

test('an order that waits for words goes on when they are said, also when nobody rings', async t => {
  const joined: string[] = []
  const { ledger, orderly } = await alone(t, async channel => void joined.push(channel))
  await ledger.write(db => {
    const kind = 'place.join' as const
    const first = placeOrder(db, { key: 'k1', network, kind, args: { channel: '#one' } }, 0)
    const act = { do: 'send' as const, content: text('words') }
    const waits = { order: first, result: 'done' as const }
    enqueue(db, { place: { network, channel: hall as ChannelId }, bot: 'admin', act, waits }, 0)
    placeOrder(db, { key: 'k2', network, kind, args: { channel: '#two', after: 'k1' } }, 0)
    sql(db, "UPDATE orders SET not_before_ms = ? WHERE key = 'k1'").run(Date.now() + 50)
  })
  await orderly.look()
  await until(() => joined.length === 2, 'both')
  assert.deepEqual(joined, ['#one', '#two'])
})

test('a clock that is set back keeps no order waiting', async t => {
  let tries = 0
  const now = Date.now.bind(Date)
  const { ledger, orderly } = await alone(t, async () => {
    if (++tries > 1) return
    throw new ChanopError('network-down', 'not now')
  })
  await ledger.write(db => placeOrder(db, { key: 'k', network, kind: 'place.join', args: { channel: '#one' } }, 0))
  await orderly.look()
  await until(() => tries === 1, 'the first try')
  t.mock.method(Date, 'now', () => now() - 3_600_000)
  await until(async () => (await ledger.read(db => orderByKey(db, 'k')))?.state === 'done', 'the second')
})
