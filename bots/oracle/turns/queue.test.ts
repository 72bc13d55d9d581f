import assert from 'node:assert/strict'
import { test } from 'node:test'
import { noRedis, RedisServer } from '../../../core/bus/testing.ts'
import type { UserId } from '../../../core/event.ts'
import { endTurn, queueTurn } from '../../../core/ledger/oracle/turns.ts'
import { append } from '../../../core/ledger/record/events.ts'
import { messageNumber, placeNamed, temporaryLedger } from '../../../core/ledger/testing.ts'
import { silentLog } from '../../../core/log.ts'
import { until } from '../../bridge/testing.ts'
import { openTurnQueue } from './queue.ts'
import { Runner } from './runner.ts'

test('a knock wakes an oracle that has room, and only one answers', { skip: noRedis }, async t => {
  const redis = await RedisServer.start(t)
  const ledger = temporaryLedger(t)
  const stop = new AbortController()
  t.after(() => stop.abort())
  const answered: string[] = []
  const open = (name: string, together: () => number, atOnce: boolean) => {
    const runner = new Runner({
      ledger,
      log: silentLog(),
      signal: stop.signal,
      together,
      taken: () => undefined,
      answer: async ({ id }, holder) => {
        await ledger.write(tx => endTurn(tx, id, holder, { state: 'done' }, Date.now()))
        answered.push(`${name} ${id}`)
      },
    })
    const queue = openTurnQueue({ address: redis.address, instance: 'test', log: silentLog() }, ledger, runner, {
      atOnce,
    })
    t.after(() => queue.close())
    return { runner, queue }
  }
  // Opened by its first knock.
  const full = open('full', () => 0, false)
  open('free', () => 10, true)
  const ask = (n: number): Promise<number | null> =>
    ledger.write(tx => {
      const fact = append(tx, messageNumber(n), 'general', 0)
      const by = { network: placeNamed('#x').network, user: 'u' as UserId, person: null, name: 'U' }
      return fact && queueTurn(tx, { asked: fact.seq, place: placeNamed('#x'), lane: `lane ${n}`, by }, 0)
    })
  for (let n = 1; n <= 5; n++) full.queue.offer((await ask(n)) ?? 0)
  await until(() => answered.length === 5, 'all of them')
  assert.deepEqual(
    answered.toSorted(),
    [1, 2, 3, 4, 5].map(n => `free ${n}`),
  )
})
