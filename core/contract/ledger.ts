import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { ChanopError } from '../error.ts'
import { type MessageId, text } from '../event.ts'
import type { Ledger } from '../ledger/ledger.ts'
import { instanceId, rebooted } from '../ledger/meta.ts'
import { enqueue, openPlaces, setState } from '../ledger/out/deliveries.ts'
import { advance, after, append, bySeq, currentOf, newest, recent, revise } from '../ledger/record/events.ts'
import { advanceTo, cursorOf, getCursor, setCursor } from '../ledger/settings/consumers.ts'
import { type Connection, sql } from '../ledger/sqlite.ts'
import { messageNumber } from '../ledger/testing.ts'
import { here, ledgerOutContract, say, stateOf } from './ledger-out.ts'

/** What every ledger must do. `open` makes an empty one; `aside`: its commits are put on the disk beside it. */
export function ledgerContract(
  name: string,
  open: () => Promise<{ ledger: Ledger; close(): Promise<void> }>,
  aside = false,
): void {
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
        let told = 0
        const off = ledger.onMark(() => told++)
        ledger.mark(db => setState(db, [id], 'sending'))
        off()
        assert.equal(told, 1)
        assert.equal(await stateOf(ledger, id), 'sending')
        const failing = (): void =>
          ledger.mark(db => {
            setState(db, [id], 'sent')
            throw new Error('no')
          })
        assert.throws(failing, /^Error: no$/)
        assert.equal(await stateOf(ledger, id), 'sending')
      })

      it('leave the commits after them fsynced (synchronous=FULL), also when they throw', { skip: aside }, async () => {
        const full = (): Promise<unknown> => ledger.read(db => db.pragma('synchronous', { simple: true }))
        assert.equal(await full(), 2)
        ledger.mark(db => sql(db, 'SELECT 1').get())
        assert.equal(await full(), 2)
        assert.throws(() => ledger.mark(db => db.exec('nonsense')))
        assert.equal(await full(), 2)
      })

      it('a write that need not be durable is not fsynced alone, and is with one that must be', {
        skip: aside,
      }, async () => {
        const level = (db: Connection): unknown => db.pragma('synchronous', { simple: true })
        assert.equal(await ledger.write(level, { durable: false }), 1)
        assert.deepEqual(await Promise.all([ledger.write(level, { durable: false }), ledger.write(level)]), [2, 2])
        assert.equal(await ledger.read(level), 2)
      })

      it('the version is another one after each commit, and only then', async () => {
        const before = ledger.version()
        assert.equal(ledger.version(), before)
        await ledger.write(db => enqueue(db, say('hello'), 1))
        const after = ledger.version()
        assert.notEqual(after, before)
        ledger.mark(db => setState(db, [1], 'sending'))
        assert.notEqual(ledger.version(), after)
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

    ledgerOutContract(() => ({ ledger, add }))

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
        assert.deepEqual(await ledger.read(openPlaces), [])
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
