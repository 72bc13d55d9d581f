import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { ChanopError } from '../error.ts'
import { type Act, type MessageId, type NetworkId, text } from '../event.ts'
import { advanceTo, cursorOf, getCursor, setCursor } from '../ledger/consumers.ts'
import {
  backlog,
  byIds,
  copiesIn,
  type Delivery,
  enqueue,
  expireLeases,
  fail,
  markRepeat,
  type NewDelivery,
  open as openDeliveries,
  postpone,
  queuedAfter,
  queuedIn,
  setState,
  settle,
} from '../ledger/deliveries.ts'
import { advance, after, append, bySeq, currentOf, messageOf, newest, recent, revise } from '../ledger/events.ts'
import { instanceId, type Ledger, rebooted } from '../ledger/ledger.ts'
import { openOrders, orderByKey, place as placeOrder, postponeOrder, settleOrder } from '../ledger/orders.ts'
import { sql } from '../ledger/sqlite.ts'
import { messageNumber, placeNamed } from '../ledger/testing.ts'

const here = placeNamed('#general')
const there = placeNamed('#general', 'other')

const say = (words: string, more: Partial<NewDelivery> = {}): NewDelivery => ({
  place: there,
  bot: 'bridge',
  act: { do: 'send', content: text(words) },
  ...more,
})

const stateOf = (ledger: Ledger, id: number): Promise<string | undefined> =>
  ledger.read(db => byIds(db, [id])[0]?.state)

/** What every ledger must do. `open` makes an empty one. */
export function ledgerContract(name: string, open: () => Promise<{ ledger: Ledger; close(): Promise<void> }>): void {
  describe(`ledger contract: ${name}`, () => {
    let opened: Awaited<ReturnType<typeof open>>
    let ledger: Ledger
    beforeEach(async () => {
      opened = await open()
      ledger = opened.ledger
    })
    afterEach(() => opened.close())

    const add = (n: number, over = {}) =>
      ledger.write(db => append(db, messageNumber(n, over), 'general', 1_000 + n)).then(stored => stored?.seq ?? null)

    describe('writes', () => {
      it('numbers facts in the order of their calls', async () => {
        const seqs = await Promise.all(Array.from({ length: 100 }, (_, n) => add(n)))
        assert.deepEqual(
          seqs,
          seqs.map((_, i) => (seqs[0] as number) + i),
        )
        const kept = await ledger.read(db => after(db, 0, 1000))
        assert.deepEqual(
          kept.map(({ event }) => event.key),
          seqs.map((_, n) => `irc:m${n}`),
        )
      })

      it('undoes a write that throws alone, while the others of its turn stand', async () => {
        const results = await Promise.allSettled([
          add(1),
          ledger.write(db => {
            append(db, messageNumber(2), 'general', 0)
            throw new ChanopError('usage', 'not this one')
          }),
          add(3),
          ledger.write(db => db.prepare('INSERT INTO place (id, network) VALUES (NULL, NULL)').run()),
          add(4),
        ])
        assert.deepEqual(
          results.map(result => result.status),
          ['fulfilled', 'rejected', 'fulfilled', 'rejected', 'fulfilled'],
        )
        const [, thrown] = results
        assert.equal(thrown?.status === 'rejected' && (thrown.reason as ChanopError).message, 'not this one')
        const kept = await ledger.read(db => after(db, 0, 10))
        assert.deepEqual(
          kept.map(({ event }) => event.key),
          ['irc:m1', 'irc:m3', 'irc:m4'],
        )
        assert.deepEqual(
          kept.map(({ seq }) => seq),
          [results[0], results[2], results[4]].map(result => result?.status === 'fulfilled' && result.value),
        )
      })

      it('takes a write from inside the answer of another', async () => {
        const second = add(1).then(() => add(2))
        assert.equal(await second, (await add(3).then(() => ledger.newestSeq())) - 1)
      })

      it('tells the newest number after a commit, with the promises already settled, and not when nothing stood', async () => {
        const told: number[] = []
        const off = ledger.onCommit(seq => told.push(seq))
        const seq = await add(1)
        assert.deepEqual(told, [seq])
        off()
        await add(2)
        assert.equal(told.length, 1)
      })

      it('keeps each fact once: the same key again is null, whatever else it says', async () => {
        const first = await add(1)
        assert.equal(await add(1, { content: text('something else') }), null)
        const [again, other] = await Promise.all([add(1), add(2)])
        assert.equal(again, null)
        assert.ok((other as number) > (first as number))
        const kept = await ledger.read(db => after(db, 0, 10))
        assert.deepEqual(kept[0]?.event, messageNumber(1))
      })

      it('gives back what it took: every kind of fact, any text', async () => {
        const base = { place: { ...here, thread: 'm1' as MessageId }, sender: messageNumber(1).sender, atMs: 5 }
        const facts = [
          messageNumber(1, { content: { segments: [{ kind: 'code', text: '\0\u{1F600}\r\n\ud800', block: true }] } }),
          { ...base, kind: 'edit', key: 'irc:e', origin: 'backfill', target: 'm1', content: text('b') },
          { ...base, kind: 'delete', key: 'irc:d', origin: 'live', target: 'm1', reason: 'spam' },
          { ...base, kind: 'reaction', key: 'irc:r', origin: 'live', target: 'm1', emoji: '👍', removed: true },
          { ...base, kind: 'member', key: 'irc:j', origin: 'live', change: 'leave', detail: 'bye', split: true },
          { ...base, kind: 'topic', key: 'irc:t', origin: 'live', topic: 'Hello' },
          { ...base, kind: 'gap', key: 'irc:g', origin: 'live', fromMs: 1, reason: 'history is gone' },
          messageNumber(2, {
            hops: 1,
            place: { ...here, private: true, channel: '@bob' as never },
            sender: { id: 'x' as never, name: 'X', kind: 'bot', verified: false },
          }),
          messageNumber(3, { sender: { id: 'y' as never, name: 'Y', kind: 'self', verified: true } }),
        ] as Parameters<typeof append>[1][]
        for (const fact of facts) await ledger.write(db => append(db, fact, undefined, 7))
        const kept = await ledger.read(db => after(db, 0, 100))
        assert.deepEqual(
          kept.map(({ event }) => event),
          facts,
        )
        assert.equal(kept[0]?.room, 'irc:#general')
        assert.equal(kept[0]?.receivedMs, 7)
        assert.deepEqual(await ledger.read(db => bySeq(db, kept[3]?.seq ?? 0)), kept[3])
        assert.equal(await ledger.read(db => bySeq(db, 999)), null)
      })
    })

    describe('marks', () => {
      it('commit at once, and are undone when they throw', async () => {
        const id = await ledger.write(db => enqueue(db, say('hello'), 1))
        ledger.mark(db => setState(db, [id], 'sending'))
        assert.equal(await stateOf(ledger, id), 'sending')
        const failing = (): void =>
          ledger.mark(db => {
            setState(db, [id], 'sent')
            throw new Error('no')
          })
        assert.throws(failing, /^Error: no$/)
        assert.equal(await stateOf(ledger, id), 'sending')
      })

      it('leave the commits after them fsynced (synchronous=FULL), also when they throw', async () => {
        const full = (): Promise<unknown> => ledger.read(db => db.pragma('synchronous', { simple: true }))
        assert.equal(await full(), 2)
        ledger.mark(db => sql(db, 'SELECT 1').get())
        assert.equal(await full(), 2)
        assert.throws(() => ledger.mark(db => db.exec('nonsense')))
        assert.equal(await full(), 2)
      })
    })

    describe('current texts', () => {
      it('shows edits and deletes over the fact, which stays', async () => {
        const [one, two, three] = (await Promise.all([add(1), add(2), add(3)])) as [number, number, number]
        await ledger.write(db => {
          revise(db, one, text('edited'), 10)
          revise(db, one, text('edited twice'), 20)
          revise(db, two, null, 10)
          revise(db, two, text('back from the dead'), 30)
        })
        const now = await ledger.read(db => recent(db, 'general', 10))
        assert.deepEqual(
          now.map(({ seq, content, edits }) => ({ seq, content, edits })),
          [
            { seq: one, content: text('edited twice'), edits: 2 },
            { seq: two, content: null, edits: 1 },
            { seq: three, content: text('message 3'), edits: 0 },
          ],
        )
        assert.deepEqual((await ledger.read(db => bySeq(db, one)))?.event, messageNumber(1))
        assert.deepEqual((await ledger.read(db => currentOf(db, one)))?.content, text('edited twice'))
        assert.equal((await ledger.read(db => currentOf(db, two)))?.content, null)
        assert.equal(await ledger.read(db => currentOf(db, 999)), null)
      })

      it('does not let an old edit that arrives late replace a newer one; a delete always holds', async () => {
        const seq = (await add(1)) as number
        await ledger.write(db => revise(db, seq, text('newer'), 20))
        await ledger.write(db => revise(db, seq, text('older'), 10))
        assert.deepEqual((await ledger.read(db => currentOf(db, seq)))?.content, text('newer'))
        await ledger.write(db => revise(db, seq, null, 5))
        assert.equal((await ledger.read(db => currentOf(db, seq)))?.content, null)
      })

      it('pages through a room, oldest first, and through no other', async () => {
        for (let n = 0; n < 10; n++) await add(n)
        await ledger.write(db => append(db, messageNumber(100), 'elsewhere', 0))
        const page = (limit: number, before?: number) =>
          ledger.read(db => recent(db, 'general', limit, before).map(({ event }) => event.id))
        assert.deepEqual(await page(3), ['m7', 'm8', 'm9'])
        const first = (await ledger.read(db => recent(db, 'general', 3)))[0]?.seq
        assert.deepEqual(await page(3, first), ['m4', 'm5', 'm6'])
        assert.deepEqual(await page(3, 1), [])
      })

      it('knows the newest message of a place', async () => {
        assert.equal(await ledger.read(db => newest(db, here)), null)
        await ledger.write(db => {
          const stored = append(db, messageNumber(1), 'general', 0)
          if (stored) advance(db, stored.placeId, 'm1' as MessageId, 77)
        })
        assert.deepEqual(await ledger.read(db => newest(db, here)), { id: 'm1', atMs: 77 })
      })
    })

    describe('deliveries', () => {
      const settled = (id: number, natives: readonly string[]): Promise<void> =>
        ledger.write(db => {
          const [delivery] = byIds(db, [id]) as [Delivery]
          settle(db, delivery, natives as MessageId[], 99)
        })

      it('go from queued over sending to sent, in order of their ids', async () => {
        const ids = await Promise.all(['a', 'b', 'c'].map(words => ledger.write(db => enqueue(db, say(words), 5))))
        const queued = await ledger.read(db => queuedAfter(db, 0, 10))
        assert.deepEqual(
          queued.map(({ id, state, createdMs, place }) => ({ id, state, createdMs, place })),
          ids.map(id => ({ id, state: 'queued', createdMs: 5, place: there })),
        )
        ledger.mark(db => setState(db, [ids[0] as number, ids[1] as number], 'sending'))
        assert.deepEqual(
          (await ledger.read(db => queuedAfter(db, 0, 10))).map(({ id }) => id),
          [ids[2]],
        )
        await settled(ids[0] as number, ['n1'])
        assert.equal(await stateOf(ledger, ids[0] as number), 'sent')
        const [waiting] = await ledger.read(backlog)
        assert.deepEqual(waiting, { network: 'other', queued: 2, oldestMs: 5 })
        const lane = queued[0]?.placeId ?? 0
        assert.equal((await ledger.read(db => queuedIn(db, lane, 0, 10))).length, 1)
        assert.equal((await ledger.read(db => queuedIn(db, lane, ids[2] as number, 10))).length, 0)
      })

      it('expire on start: only what was under way, after a reboot also what stands as queued', async () => {
        const ids = await Promise.all(
          ['queued', 'sending', 'sent', 'held'].map(words =>
            ledger.write(db =>
              enqueue(db, say(words, words === 'held' ? { waits: { order: 1, result: 'done' } } : {}), 1),
            ),
          ),
        )
        const [queued, sending, sent, held] = ids as [number, number, number, number]
        await settled(sent, ['n'])
        ledger.mark(db => setState(db, [sending], 'sending'))
        const states = () => Promise.all([queued, sending, sent, held].map(id => stateOf(ledger, id)))
        assert.equal(await ledger.write(db => expireLeases(db, false)), 1)
        assert.deepEqual(await states(), ['queued', 'unknown', 'sent', 'held'])
        assert.equal(await ledger.write(db => expireLeases(db, true)), 1)
        assert.deepEqual(await states(), ['unknown', 'unknown', 'sent', 'held'])
        assert.deepEqual(
          (await ledger.read(openDeliveries)).map(({ id }) => id),
          [queued, sending],
        )
      })

      it('keep every native id of a split copy, and lead back from each to the fact', async () => {
        const source = (await add(1)) as number
        const id = await ledger.write(db => enqueue(db, say('long', { source }), 1))
        await settled(id, ['p1', 'p2', 'p3'])
        const [delivery] = (await ledger.read(db => byIds(db, [id]))) as [Delivery]
        assert.deepEqual(await ledger.read(db => copiesIn(db, source, delivery.placeId)), ['p1', 'p2', 'p3'])
        const fact = await ledger.read(db => bySeq(db, source))
        for (const part of ['p1', 'p2', 'p3']) {
          assert.deepEqual(await ledger.read(db => messageOf(db, there, part as MessageId)), fact)
        }
        assert.deepEqual(await ledger.read(db => messageOf(db, here, 'm1' as MessageId)), fact)
        assert.equal(await ledger.read(db => messageOf(db, here, 'p1' as MessageId)), null)
        // Where the fact itself stands, its own id is the copy.
        assert.deepEqual(await ledger.read(db => copiesIn(db, source, fact?.placeId ?? 0)), ['m1'])
        assert.deepEqual(await ledger.read(db => copiesIn(db, 999, delivery.placeId)), [])
      })

      it('are settled twice without harm', async () => {
        const id = await ledger.write(db => enqueue(db, say('twice'), 1))
        await settled(id, ['n'])
        await settled(id, ['n'])
        assert.equal(await stateOf(ledger, id), 'sent')
      })

      it('do not make a place by being asked for one', async () => {
        assert.equal(await ledger.read(db => messageOf(db, placeNamed('#nowhere'), 'm' as MessageId)), null)
        assert.equal(await ledger.read(db => sql(db, 'SELECT count(*) AS n FROM place').get()?.['n']), 0)
      })

      it('go back into the queue with a time, or end as failed with a reason', async () => {
        const id = await ledger.write(db => enqueue(db, say('later'), 1))
        ledger.mark(db => postpone(db, id, 5000, 'slow down'))
        const [delivery] = (await ledger.read(db => byIds(db, [id]))) as [Delivery]
        assert.deepEqual([delivery.state, delivery.attempts, delivery.notBeforeMs], ['queued', 1, 5000])
        const repeat = ledger.mark(db => markRepeat(db, delivery))
        assert.equal((repeat.act as Act & { repeat?: boolean }).repeat, true)
        assert.deepEqual((await ledger.read(db => byIds(db, [id])))[0]?.act, repeat.act)
        ledger.mark(db => fail(db, id, 'refused', 9))
        assert.equal(await stateOf(ledger, id), 'failed')
        assert.deepEqual(await ledger.read(openDeliveries), [])
      })

      it('forget a secret once they are settled, whichever way', async () => {
        const act: Act = { do: 'send', content: text(''), secret: true, sealed: 'c2VjcmV0' }
        const [sent, failed] = (await Promise.all(
          [1, 2].map(() => ledger.write(db => enqueue(db, say('', { act }), 1))),
        )) as [number, number]
        await settled(sent, ['n'])
        ledger.mark(db => fail(db, failed, 'refused', 9))
        const rows = await ledger.read(db => sql(db, 'SELECT act FROM delivery').all())
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
        const id = await ledger.write(db => placeOrder(db, { ...order, sealed }, 1))
        assert.equal(await ledger.write(db => placeOrder(db, { ...order, args: { account: 'eve' } }, 2)), id)
        const [open] = await ledger.read(openOrders)
        assert.deepEqual([open?.args, open?.state, open?.sealed], [{ account: 'bob' }, 'queued', sealed])
        await ledger.write(db => postponeOrder(db, id, 500, 'busy'))
        assert.equal((await ledger.read(openOrders))[0]?.attempts, 1)
        await ledger.write(db => settleOrder(db, id, { done: true, result: 'created' }, 3))
        assert.deepEqual(await ledger.read(openOrders), [])
        const done = await ledger.read(db => orderByKey(db, 'o1'))
        assert.deepEqual([done?.state, done?.result, done?.sealed], ['done', 'created', null])
        assert.equal(await ledger.write(db => placeOrder(db, order, 4)), id)
        assert.deepEqual(await ledger.read(openOrders), [])
      })

      for (const done of [true, false]) {
        it(`release the answers that waited for ${done ? 'done' : 'failed'} and cancel the others`, async () => {
          const nasty = 'it said "no"\\ \n$& {reason}'
          const [id, onDone, onFailed] = await ledger.write(db => {
            const id = placeOrder(db, order, 1)
            const held = (result: 'done' | 'failed'): number =>
              enqueue(db, say(`${result}: {reason}.`, { waits: { order: id, result } }), 1)
            return [id, held('done'), held('failed')] as const
          })
          assert.deepEqual(await ledger.read(db => queuedAfter(db, 0, 10)), [])
          const released = await ledger.write(db =>
            settleOrder(db, id, done ? { done, result: nasty } : { done, error: nasty }, 2),
          )
          assert.deepEqual(released, [done ? onDone : onFailed])
          assert.equal(await stateOf(ledger, done ? onFailed : onDone), 'cancelled')
          const [delivery] = await ledger.read(db => queuedAfter(db, 0, 10))
          const words = `${done ? 'done' : 'failed'}: ${nasty}.`
          assert.deepEqual(delivery?.act, { do: 'send', content: text(words) })
          assert.deepEqual(await ledger.write(db => settleOrder(db, id, { done: true, result: 'again' }, 3)), [])
        })
      }
    })

    describe('what is remembered', () => {
      it('consumers move forward only; cursors hold the last value', async () => {
        assert.equal(await ledger.write(db => cursorOf(db, 'scribe', 7)), 7)
        await ledger.write(db => advanceTo(db, 'scribe', 20))
        await ledger.write(db => advanceTo(db, 'scribe', 10))
        assert.equal(await ledger.write(db => cursorOf(db, 'scribe', 0)), 20)
        assert.equal(await ledger.read(db => getCursor(db, 'irc', 'msgid')), null)
        for (const value of ['a', 'b']) await ledger.write(db => setCursor(db, 'irc', 'msgid', value))
        assert.equal(await ledger.read(db => getCursor(db, 'irc', 'msgid')), 'b')
      })

      it('an effect and its cursor stand or fall together', async () => {
        await ledger.write(db => cursorOf(db, 'oracle', 0))
        const broken = ledger.write(db => {
          enqueue(db, say('answer'), 1)
          advanceTo(db, 'oracle', 5)
          throw new Error('crash')
        })
        await assert.rejects(broken, /crash/)
        assert.equal(await ledger.write(db => cursorOf(db, 'oracle', 0)), 0)
        assert.deepEqual(await ledger.read(openDeliveries), [])
      })

      it('an instance has one id; the first start is no reboot', async () => {
        const id = await ledger.write(instanceId)
        assert.match(id, /^[0-9a-f]{12}$/)
        assert.equal(await ledger.write(instanceId), id)
        assert.equal(await ledger.write(rebooted), false)
        await ledger.write(db => sql(db, "UPDATE meta SET value = 'another' WHERE key = 'boot'").run())
        assert.equal(await ledger.write(rebooted), true)
      })
    })
  })
}
