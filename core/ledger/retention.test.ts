import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { MessageId, NetworkId } from '../event.ts'
import type { Ledger } from './ledger.ts'
import { copiesIn } from './out/copies.ts'
import { byIds, type Delivery, enqueue, fail, fatesOf, settle } from './out/deliveries.ts'
import { type NewOrder, orderByKey, placeOrder, settleOrder } from './out/orders.ts'
import { append, messageOf } from './record/events.ts'
import { type Aging, dropSettled } from './retention.ts'
import { saveStatus } from './settings/networks.ts'
import { sql } from './sqlite.ts'
import { messageNumber, placeNamed, temporaryLedger } from './testing.ts'

const there = placeNamed('#there', 'other')
const irc = 'irc' as NetworkId

const drop = async (ledger: Ledger, table: Aging, beforeMs: number, limit = 100): Promise<number> => {
  let dropped = 0
  for (let afterId: number | null = 0; afterId !== null; ) {
    const from: number = afterId
    const page = await ledger.write(tx => dropSettled(tx, table, { afterId: from, beforeMs, limit }))
    dropped += page.dropped
    afterId = page.next
  }
  return dropped
}

/** A fact with a copy in two parts, queued and sent at `atMs`. */
const copied = (ledger: Ledger, n: number, atMs: number): Promise<number> =>
  ledger.write(tx => {
    const fact = append(tx, messageNumber(n), 'general', atMs)
    const source = fact?.seq as number
    const act = { do: 'send' as const, content: messageNumber(n).content }
    const id = enqueue(tx, { place: there, bot: 'bridge', act, source }, atMs)
    settle(tx, byIds(tx, [id])[0] as Delivery, [`${n}.1`, `${n}.2`] as MessageId[], atMs)
    return source
  })

it('a settled delivery goes when it is old, and its copies are found from both sides as before', async t => {
  const ledger = temporaryLedger(t)
  const [old, young] = [await copied(ledger, 1, 1000), await copied(ledger, 2, 2000)]
  assert.equal(await drop(ledger, 'delivery', 2000), 1)
  await ledger.read(tx => {
    const place = Number(sql(tx, "SELECT id FROM place WHERE channel = '#there'").get()?.['id'])
    assert.deepEqual(copiesIn(tx, old, place), ['1.1', '1.2'])
    assert.equal(messageOf(tx, there, '1.2' as MessageId)?.seq, old)
    assert.deepEqual(fatesOf(tx, old, 9), [])
    assert.deepEqual(
      fatesOf(tx, young, 9).map(({ state, parts }) => [state, parts]),
      [['sent', 2]],
    )
  })
})

it('what is open stays however old it is, and what was settled lately too', async t => {
  const ledger = temporaryLedger(t)
  const act = { do: 'send' as const, content: messageNumber(1).content }
  const add = (): Promise<number> => ledger.write(tx => enqueue(tx, { place: there, bot: 'bridge', act }, 1))
  const [waiting, late, gone] = [await add(), await add(), await add()]
  const end = (id: number, atMs: number) =>
    ledger.write(tx => fail(tx, byIds(tx, [id])[0] as Delivery, 'no such channel', atMs))
  await end(late, 5000)
  await end(gone, 10)
  assert.equal(await drop(ledger, 'delivery', 5000, 1), 1)
  const left = await ledger.read(tx => byIds(tx, [waiting, late, gone]).map(({ id }) => id))
  assert.deepEqual(left, [waiting, late])
})

it('looks no further than at what is old', async t => {
  const ledger = temporaryLedger(t)
  for (let n = 1; n <= 3; n++) await copied(ledger, n, 1000 * n)
  const page = await ledger.write(tx => dropSettled(tx, 'delivery', { afterId: 0, beforeMs: 500, limit: 1 }))
  assert.deepEqual(page, { dropped: 0, next: null })
})

const order = (key: string, kind: NewOrder['kind'] = 'place.join'): NewOrder => ({ key, network: irc, kind, args: {} })

const ended = (ledger: Ledger, asked: NewOrder, atMs: number): Promise<number> =>
  ledger.write(tx => {
    const id = placeOrder(tx, asked, atMs)
    settleOrder(tx, id, { done: true, result: '' }, atMs)
    return id
  })

const keys = (ledger: Ledger, ...wanted: string[]): Promise<string[]> =>
  ledger.read(tx => wanted.filter(key => orderByKey(tx, key) !== null))

it('an order that may be asked for again under its key stays until its network has come up anew', async t => {
  const ledger = temporaryLedger(t)
  const up = (sinceMs: number) => ledger.write(tx => saveStatus(tx, irc, { state: 'up', sinceMs, lacks: [] }, sinceMs))
  await up(100)
  await ended(ledger, order('keep.up100', 'place.keep'), 150)
  await ended(ledger, order('bring.up100', 'place.bring'), 150)
  await ended(ledger, order('join.7'), 150)
  await ledger.write(tx => placeOrder(tx, order('open'), 150))
  const all = ['keep.up100', 'bring.up100', 'join.7', 'open']
  assert.equal(await drop(ledger, 'orders', 1000), 1)
  assert.deepEqual(await keys(ledger, ...all), ['keep.up100', 'bring.up100', 'open'])
  await up(500)
  assert.equal(await drop(ledger, 'orders', 1000), 2)
  assert.deepEqual(await keys(ledger, ...all), ['open'])
})

it('no order goes while a batch that was not told yet may look for it', async t => {
  const ledger = temporaryLedger(t)
  await ended(ledger, order('join.7'), 150)
  await ledger.write(tx => sql(tx, "INSERT INTO claim VALUES ('b', 'batch', 'register', NULL, 0)").run())
  assert.equal(await drop(ledger, 'orders', 1000), 0)
  await ledger.write(tx => sql(tx, "DELETE FROM claim WHERE hash = 'b'").run())
  assert.equal(await drop(ledger, 'orders', 1000), 1)
})
