/** What a ledger keeps of what goes out: deliveries and orders. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Act, type MessageId, type NetworkId, text } from '../event.ts'
import type { Ledger } from '../ledger/ledger.ts'
import { copiesIn } from '../ledger/out/copies.ts'
import {
  amendDeliveries,
  backlog,
  byIds,
  type Delivery,
  enqueue,
  fail,
  markInterrupted,
  markRepeat,
  type NewDelivery,
  openPlaces,
  postpone,
  queuedAfter,
  queuedIn,
  requeue,
  setState,
  settle,
} from '../ledger/out/deliveries.ts'
import { openOrders, orderByKey, placeOrder, settleOrder, triedOrder } from '../ledger/out/orders.ts'
import { bySeq, messageOf } from '../ledger/record/events.ts'
import { sql } from '../ledger/sqlite.ts'
import { placeNamed } from '../ledger/testing.ts'

export const here = placeNamed('#general')
export const there = placeNamed('#general', 'other')

export const say = (words: string, more: Partial<NewDelivery> = {}): NewDelivery => ({
  place: there,
  bot: 'bridge',
  act: { do: 'send', content: text(words) },
  ...more,
})

export const stateOf = (ledger: Ledger, id: number): Promise<string | undefined> =>
  ledger.read(db => byIds(db, [id])[0]?.state)

interface Current {
  readonly ledger: Ledger
  /** Takes message `n` in; its sequence number, null when it was known. */
  add(n: number, over?: object): Promise<number | null>
}

/** `current`: the ledger of the test that runs. */
export function ledgerOutContract(current: () => Current): void {
  describe('deliveries', () => {
    const settled = (id: number, natives: readonly string[]): Promise<void> =>
      current().ledger.write(db => {
        const [delivery] = byIds(db, [id]) as [Delivery]
        settle(db, delivery, natives as MessageId[], 99)
      })

    it('go from queued over sending to sent, in order of their ids', async () => {
      const ids = await Promise.all(
        ['a', 'b', 'c'].map(words => current().ledger.write(db => enqueue(db, say(words), 5))),
      )
      const queued = await current().ledger.read(db => queuedAfter(db, 0, 10))
      assert.deepEqual(
        queued.map(({ id, state, createdMs, place }) => ({ id, state, createdMs, place })),
        ids.map(id => ({ id, state: 'queued', createdMs: 5, place: there })),
      )
      current().ledger.mark(db => setState(db, [ids[0] as number, ids[1] as number], 'sending'))
      assert.deepEqual(
        (await current().ledger.read(db => queuedAfter(db, 0, 10))).map(({ id }) => id),
        [ids[2]],
      )
      await settled(ids[0] as number, ['n1'])
      assert.equal(await stateOf(current().ledger, ids[0] as number), 'sent')
      const [waiting] = await current().ledger.read(backlog)
      assert.deepEqual(waiting, { network: 'other', queued: 2, oldestMs: 5 })
      const lane = queued[0]?.placeId ?? 0
      assert.equal((await current().ledger.read(db => queuedIn(db, lane, 0, 10))).length, 1)
      assert.equal((await current().ledger.read(db => queuedIn(db, lane, ids[2] as number, 10))).length, 0)
    })

    it('expire on start: only what was under way, after a reboot also what stands as queued', async () => {
      const ids = await Promise.all(
        ['queued', 'sending', 'sent', 'held'].map(words =>
          current().ledger.write(db =>
            enqueue(db, say(words, words === 'held' ? { waits: { order: 1, result: 'done' } } : {}), 1),
          ),
        ),
      )
      const [queued, sending, sent, held] = ids as [number, number, number, number]
      await settled(sent, ['n'])
      current().ledger.mark(db => setState(db, [sending], 'sending'))
      const states = () => Promise.all([queued, sending, sent, held].map(id => stateOf(current().ledger, id)))
      assert.equal(await current().ledger.write(db => markInterrupted(db, false)), 1)
      assert.deepEqual(await states(), ['queued', 'unknown', 'sent', 'held'])
      assert.equal(await current().ledger.write(db => markInterrupted(db, true)), 1)
      assert.deepEqual(await states(), ['unknown', 'unknown', 'sent', 'held'])
      assert.deepEqual(
        await current().ledger.read(db =>
          openPlaces(db).flatMap(place => queuedIn(db, place, 0, 10).map(({ id }) => id)),
        ),
        [queued, sending],
      )
    })

    it('keep every native id of a split copy, and lead back from each to the fact', async () => {
      const source = (await current().add(1)) as number
      const id = await current().ledger.write(db => enqueue(db, say('long', { source }), 1))
      await settled(id, ['p1', 'p2', 'p3'])
      const [delivery] = (await current().ledger.read(db => byIds(db, [id]))) as [Delivery]
      assert.deepEqual(await current().ledger.read(db => copiesIn(db, source, delivery.placeId)), ['p1', 'p2', 'p3'])
      const fact = await current().ledger.read(db => bySeq(db, source))
      for (const part of ['p1', 'p2', 'p3']) {
        assert.deepEqual(await current().ledger.read(db => messageOf(db, there, part as MessageId)), fact)
      }
      assert.deepEqual(await current().ledger.read(db => messageOf(db, here, 'm1' as MessageId)), fact)
      assert.equal(await current().ledger.read(db => messageOf(db, here, 'p1' as MessageId)), null)
      // Where the fact itself stands, its own id is the copy.
      assert.deepEqual(await current().ledger.read(db => copiesIn(db, source, fact?.placeId ?? 0)), ['m1'])
      assert.deepEqual(await current().ledger.read(db => copiesIn(db, 999, delivery.placeId)), [])
    })

    it('are settled twice without harm', async () => {
      const id = await current().ledger.write(db => enqueue(db, say('twice'), 1))
      await settled(id, ['n'])
      await settled(id, ['n'])
      assert.equal(await stateOf(current().ledger, id), 'sent')
    })

    it('do not make a place by being asked for one', async () => {
      assert.equal(await current().ledger.read(db => messageOf(db, placeNamed('#nowhere'), 'm' as MessageId)), null)
      assert.equal(await current().ledger.read(db => sql(db, 'SELECT count(*) AS n FROM place').get()?.['n']), 0)
    })

    it('go back into the queue with a time, or end as failed with a reason', async () => {
      const id = await current().ledger.write(db => enqueue(db, say('later'), 1))
      const [first] = (await current().ledger.read(db => byIds(db, [id]))) as [Delivery]
      current().ledger.mark(db => postpone(db, first, { notBeforeMs: 5000, state: 'queued' }, 'slow down'))
      const [delivery] = (await current().ledger.read(db => byIds(db, [id]))) as [Delivery]
      assert.deepEqual([delivery.state, delivery.attempts, delivery.notBeforeMs], ['queued', 1, 5000])
      const repeat = current().ledger.mark(db => markRepeat(db, delivery))
      assert.equal((repeat.act as Act & { repeat?: boolean }).repeat, true)
      assert.deepEqual((await current().ledger.read(db => byIds(db, [id])))[0]?.act, repeat.act)
      current().ledger.mark(db => fail(db, delivery, 'refused', 9))
      assert.equal(await stateOf(current().ledger, id), 'failed')
      assert.deepEqual(await current().ledger.read(openPlaces), [])
    })

    it('stay possible repeats when they take over the newer text that waits behind them', async () => {
      const seq = (await current().add(1)) as number
      const act: Act = { do: 'send', content: text('Some …'), growing: true }
      const id = await current().ledger.write(db => enqueue(db, say('', { act, source: seq }), 1))
      const [send] = (await current().ledger.read(db => byIds(db, [id]))) as [Delivery]
      await current().ledger.write(db => {
        setState(db, [id], 'unknown')
        amendDeliveries(db, seq, text('Some words'), false, 2)
        markRepeat(db, send)
        requeue(db, send)
      })
      const [now] = await current().ledger.read(db => byIds(db, [id]))
      assert.deepEqual(now?.act, { do: 'send', content: text('Some words'), repeat: true })
      assert.equal((await current().ledger.read(db => queuedAfter(db, 0, 10))).length, 1)
    })

    it('forget a secret once they are settled, whichever way', async () => {
      const act: Act = { do: 'send', content: text(''), secret: true, sealed: 'c2VjcmV0' }
      const [sent, failed] = (await Promise.all(
        [1, 2].map(() => current().ledger.write(db => enqueue(db, say('', { act }), 1))),
      )) as [number, number]
      await settled(sent, ['n'])
      const [refused] = (await current().ledger.read(db => byIds(db, [failed]))) as [Delivery]
      current().ledger.mark(db => fail(db, refused, 'refused', 9))
      const rows = await current().ledger.read(db => sql(db, 'SELECT act FROM delivery').all())
      assert.deepEqual(
        rows.map(row => row['act']),
        ['{}', '{}'],
      )
    })
  })

  describe('orders', () => {
    const order = {
      key: 'o1',
      network: 'irc' as NetworkId,
      kind: 'account.create' as const,
      args: { account: 'bob' },
    }

    it('are one for each key, for ever, and forget their secret at the end', async () => {
      const sealed = Buffer.from('box')
      const id = await current().ledger.write(db => placeOrder(db, { ...order, sealed }, 1))
      assert.equal(await current().ledger.write(db => placeOrder(db, { ...order, args: { account: 'eve' } }, 2)), id)
      const [open] = await current().ledger.read(openOrders)
      assert.deepEqual([open?.args, open?.state, open?.sealed], [{ account: 'bob' }, 'queued', sealed])
      await current().ledger.write(db => triedOrder(db, id, 'busy'))
      assert.equal((await current().ledger.read(openOrders))[0]?.attempts, 1)
      await current().ledger.write(db => settleOrder(db, id, { done: true, result: 'created' }, 3))
      assert.deepEqual(await current().ledger.read(openOrders), [])
      const done = await current().ledger.read(db => orderByKey(db, 'o1'))
      assert.deepEqual([done?.state, done?.result, done?.sealed], ['done', 'created', null])
      assert.equal(await current().ledger.write(db => placeOrder(db, order, 4)), id)
      assert.deepEqual(await current().ledger.read(openOrders), [])
    })

    for (const done of [true, false]) {
      it(`release the answers that waited for ${done ? 'done' : 'failed'} and cancel the others`, async () => {
        const nasty = 'it said "no"\\ \n$& {reason}'
        const [id, onDone, onFailed] = await current().ledger.write(db => {
          const id = placeOrder(db, order, 1)
          const held = (result: 'done' | 'failed'): number =>
            enqueue(db, say(`${result}: {reason}.`, { waits: { order: id, result } }), 1)
          return [id, held('done'), held('failed')] as const
        })
        assert.deepEqual(await current().ledger.read(db => queuedAfter(db, 0, 10)), [])
        const released = await current().ledger.write(db =>
          settleOrder(db, id, done ? { done, result: nasty } : { done, error: nasty }, 2),
        )
        assert.deepEqual(released, [done ? onDone : onFailed])
        assert.equal(await stateOf(current().ledger, done ? onFailed : onDone), 'cancelled')
        const [delivery] = await current().ledger.read(db => queuedAfter(db, 0, 10))
        const words = `${done ? 'done' : 'failed'}: ${nasty}.`
        assert.deepEqual(delivery?.act, { do: 'send', content: text(words) })
        assert.deepEqual(
          await current().ledger.write(db => settleOrder(db, id, { done: true, result: 'again' }, 3)),
          [],
        )
      })
    }
  })
}
