import assert from 'node:assert/strict'
import { join } from 'node:path'
import { it, type TestContext } from 'node:test'
import { MemoryBus } from '../bus/memory.ts'
import { stopwatch } from '../contract/stopwatch.ts'
import { Ledger } from '../ledger/ledger.ts'
import { append, type Stored } from '../ledger/record/events.ts'
import { advanceTo, cursorOf } from '../ledger/settings/consumers.ts'
import { messageNumber, temporaryFolder } from '../ledger/testing.ts'
import { silentLog } from '../log.ts'
import { sleep } from '../retry.ts'
import { type Consuming, consume, type Following, follow } from './consumer.ts'

/** A follower, the process it lives in, and another process that writes to the same ledger. */
async function world(t: TestContext, over: Partial<Following> = {}) {
  const file = join(temporaryFolder(t), 'ledger.db')
  const [own, other] = [Ledger.open(file), Ledger.open(file)]
  const bus = new MemoryBus()
  const stop = new AbortController()
  const taken: Stored[] = []
  const take = async (batch: readonly Stored[]): Promise<void> => void taken.push(...batch)
  const log = silentLog()
  const options: Following = { ledger: own, bus, log, from: 0, take, ...over }
  const ended = follow(options, stop.signal)
  t.after(async () => {
    stop.abort()
    await ended
    own.close()
    other.close()
  })
  const numbers = (): number[] => taken.map(({ event }) => Number(event.key.slice('irc:m'.length)))
  const has = async (count: number): Promise<void> => {
    for (const endMs = Date.now() + 15_000; taken.length < count; await sleep(2)) {
      assert.ok(Date.now() < endMs, `${taken.length} of ${count} came`)
    }
  }
  const add = (ledger: Ledger, n: number): Promise<unknown> =>
    ledger.write(db => append(db, messageNumber(n), 'general', 0))
  return { own, other, bus, stop, ended, taken, take, numbers, has, add }
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n)

it('sees every fact once and in order, from both processes, whatever wakes it', async t => {
  const { own, other, bus, taken, has, add } = await world(t, { limit: 7 })
  other.onCommit(seq => {
    if (seq % 3 === 0) bus.ring(seq)
  })
  for (let n = 0; n < 300; n += 5) {
    const writes = [n, n + 1, n + 2, n + 3, n + 4].map(m => add(m % 2 ? own : other, m))
    if (n % 20 === 0) await Promise.all(writes)
    else await Promise.race(writes)
  }
  await has(300)
  const seqs = taken.map(({ seq }) => seq)
  assert.deepEqual(
    seqs,
    [...new Set(seqs)].toSorted((a, b) => a - b),
  )
  assert.equal(taken.length, 300)
})

it('wakes for the own commits at once, without any bell', async t => {
  const { own, has, numbers, add } = await world(t)
  await sleep(5)
  const tookMs = stopwatch()
  await add(own, 0)
  await has(1)
  assert.ok(tookMs() < 500)
  assert.deepEqual(numbers(), [0])
})

it('wakes for the bell at once', async t => {
  const { other, bus, has, add } = await world(t)
  await sleep(5)
  const tookMs = stopwatch()
  await add(other, 0)
  bus.ring(other.newestSeq())
  await has(1)
  assert.ok(tookMs() < 500)
})

it('looks by itself when no bell rings, and oftener while the bus is down', async t => {
  const { other, bus, has, add } = await world(t)
  await add(other, 0)
  await has(1)
  await bus.close()
  await add(other, 1)
  await has(2)
  const tookMs = stopwatch()
  await add(other, 2)
  await has(3)
  assert.ok(tookMs() < 500)
})

it('a bell that comes late and out of order hides nothing', async t => {
  const { other, bus, has, add } = await world(t)
  await sleep(5)
  await add(other, 0)
  await add(other, 1)
  const tookMs = stopwatch()
  bus.ring(other.newestSeq())
  bus.ring(0)
  await has(2)
  assert.ok(tookMs() < 500)
})

it('what is committed while a batch is taken is taken next, without waiting', async t => {
  const gate = Promise.withResolvers<void>()
  const begun = Promise.withResolvers<void>()
  const seen: number[] = []
  const { own, add } = await world(t, {
    take: async batch => {
      begun.resolve()
      await gate.promise
      seen.push(...batch.map(({ seq }) => seq))
    },
  })
  await add(own, 0)
  await begun.promise
  await add(own, 1)
  const tookMs = stopwatch()
  gate.resolve()
  while (seen.length < 2) await sleep(1)
  assert.ok(tookMs() < 500)
})

it('a batch that is refused is offered again, the same, until it is taken', async t => {
  const offered: number[][] = []
  const { own, add } = await world(t, {
    limit: 2,
    take: async batch => {
      offered.push(batch.map(({ seq }) => seq))
      if (offered.length < 3) throw new Error('not now')
    },
  })
  await Promise.all([add(own, 0), add(own, 1), add(own, 2)])
  while (offered.length < 4) await sleep(5)
  assert.deepEqual(offered, [[1, 2], [1, 2], [1, 2], [3]])
})

it('begins where it is told', async t => {
  const file = join(temporaryFolder(t), 'ledger.db')
  const ledger = Ledger.open(file)
  const stop = new AbortController()
  for (const n of upTo(5)) await ledger.write(db => append(db, messageNumber(n), 'general', 0))
  const seen: number[] = []
  const ended = follow(
    {
      ledger,
      bus: new MemoryBus(),
      log: silentLog(),
      from: 3,
      take: async batch => {
        seen.push(...batch.map(({ seq }) => seq))
        stop.abort()
      },
    },
    stop.signal,
  )
  await ended
  ledger.close()
  assert.deepEqual(seen, [4, 5])
})

it('followers of one process that read together see the same facts, also those that another process adds meanwhile', async t => {
  const { own, other, bus, stop, has, add } = await world(t)
  const seen: number[] = []
  const second = follow(
    {
      ledger: own,
      bus,
      log: silentLog(),
      from: 0,
      take: async batch => void seen.push(...batch.map(({ seq }) => seq)),
    },
    stop.signal,
  )
  for (let n = 0; n < 50; n++) {
    await add(n % 2 ? own : other, n)
    if (n % 7 === 0) bus.ring(other.newestSeq())
  }
  bus.ring(other.newestSeq())
  await has(50)
  while (seen.length < 50) await sleep(2)
  assert.deepEqual(
    seen,
    upTo(50).map(n => n + 1),
  )
  stop.abort()
  await second
})

it('ends at once when asked: while it waits, between two tries, and before it begins', async t => {
  const waiting = await world(t)
  await sleep(20)
  waiting.stop.abort()
  await waiting.ended
  const tried = Promise.withResolvers<void>()
  const failing = await world(t, {
    take: async () => {
      tried.resolve()
      throw new Error('never')
    },
  })
  await failing.add(failing.own, 0)
  await tried.promise
  failing.stop.abort()
  await failing.ended
  await follow(
    { ledger: waiting.own, bus: new MemoryBus(), log: silentLog(), from: 0, take: waiting.take },
    AbortSignal.abort(),
  )
})

/** Starts a consumer, and stops it. */
function consumer(ledger: Ledger, over: Partial<Consuming> = {}) {
  const stop = new AbortController()
  const taken: number[] = []
  const begun: number[] = []
  const reader = { ledger, bus: new MemoryBus(), log: silentLog(), signal: stop.signal }
  const ended = consume(reader, {
    name: 'one',
    begin: from => void begun.push(from),
    take: async batch => void taken.push(...batch.map(({ seq }) => seq)),
    ...over,
  })
  const end = async (): Promise<void> => (stop.abort(), await ended)
  const takes = async (count: number): Promise<void> => {
    for (const endMs = Date.now() + 15_000; taken.length < count; await sleep(2)) assert.ok(Date.now() < endMs)
  }
  return { taken, begun, end, takes }
}

const cursorIn = (ledger: Ledger): Promise<number> => ledger.write(tx => cursorOf(tx, 'one', -1))

it('a consumer begins with what comes after its first start, and goes on where it ended', async t => {
  const ledger = Ledger.open(join(temporaryFolder(t), 'ledger.db'))
  t.after(() => ledger.close())
  const add = (n: number) => ledger.write(tx => append(tx, messageNumber(n), 'general', 0))
  await add(1)
  const first = consumer(ledger)
  await add(2)
  await first.takes(1)
  await first.end()
  await add(3)
  const second = consumer(ledger)
  await second.takes(1)
  await second.end()
  assert.deepEqual([first.begun, first.taken, second.begun, second.taken], [[1], [2], [2], [3]])
  assert.equal(await cursorIn(ledger), 3)
})

it('a consumer keeps no more than is done with, and nothing that was refused', async t => {
  const ledger = Ledger.open(join(temporaryFolder(t), 'ledger.db'))
  t.after(() => ledger.close())
  const add = (n: number) => ledger.write(tx => append(tx, messageNumber(n), 'general', 0))
  const flying = consumer(ledger, { passed: () => 1 })
  for (const n of [1, 2, 3]) await add(n)
  await flying.takes(3)
  await flying.end()
  assert.equal(await cursorIn(ledger), 1)
  const offered = Promise.withResolvers<void>()
  const refusing = consumer(ledger, {
    take: async batch => {
      await ledger.write(tx => advanceTo(tx, 'one', batch[0]?.seq ?? 0))
      offered.resolve()
      throw new Error('not now')
    },
  })
  await offered.promise
  await refusing.end()
  assert.equal(await cursorIn(ledger), 2, 'what an effect moved on stays')
})

it('a consumer that keeps its cursor itself is asked to at the end, and a fault of that ends nothing', async t => {
  const ledger = Ledger.open(join(temporaryFolder(t), 'ledger.db'))
  t.after(() => ledger.close())
  let asked = 0
  const own = consumer(ledger, {
    keep: () => {
      asked++
      throw new Error('full')
    },
  })
  await ledger.write(tx => append(tx, messageNumber(1), 'general', 0))
  await own.takes(1)
  await own.end()
  assert.ok(asked >= 1)
  assert.equal(await cursorIn(ledger), 0)
})
