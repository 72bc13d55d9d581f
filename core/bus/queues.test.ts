import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { stopwatch } from '../contract/stopwatch.ts'
import { type Ledger } from '../ledger/ledger.ts'
import { temporaryLedger } from '../ledger/testing.ts'
import { silentLog } from '../log.ts'
import { sleep } from '../retry.ts'
import { type JobWorker, openQueue, openWorker, type QueueConnection, queueNames } from './queues.ts'
import { noRedis, RedisServer } from './testing.ts'

const deadlineMs = 60_000

async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (const endMs = Date.now() + deadlineMs; !(await holds()); await sleep(10)) {
    assert.ok(Date.now() < endMs, `not in time: ${what}`)
  }
}

/** Rows to be carried out, as a bot keeps them: the ledger knows which are open, a job only names one. */
class Rows {
  readonly ledger: Ledger
  readonly done: number[] = []
  readonly started: number[] = []
  /** While set, rows wait here before they are done. */
  gate: Promise<void> = Promise.resolve()

  constructor(t: TestContext) {
    this.ledger = temporaryLedger(t)
    void this.ledger.write(db => db.exec('CREATE TABLE job (id INTEGER PRIMARY KEY, open INTEGER)'))
  }

  add(count: number): Promise<number[]> {
    return this.ledger.write(db => {
      const insert = db.prepare('INSERT INTO job (open) VALUES (1)')
      return Array.from({ length: count }, () => Number(insert.run().lastInsertRowid))
    })
  }

  open = (): Promise<number[]> =>
    this.ledger.read(db => db.prepare('SELECT id FROM job WHERE open = 1').pluck().all() as number[])

  /** Claims a row by ending it in the ledger: a second call for it does nothing. */
  process = async (id: number, signal: AbortSignal): Promise<void> => {
    this.started.push(id)
    await Promise.race([this.gate, new Promise(resolve => signal.addEventListener('abort', resolve))])
    if (signal.aborted) return
    const own = await this.ledger.write(
      db => db.prepare('UPDATE job SET open = 0 WHERE id = ? AND open = 1').run(id).changes,
    )
    if (own) this.done.push(id)
  }
}

const sorted = (ids: readonly number[]): number[] => ids.toSorted((a, b) => a - b)

describe('queues', { skip: noRedis }, () => {
  const connect = (server: RedisServer, instance = 'test'): QueueConnection => ({
    address: server.address,
    instance,
    log: silentLog(),
  })
  const work = (t: TestContext, server: RedisServer, rows: Rows, rebuildMs = 200, concurrency = 5): JobWorker => {
    const worker = openWorker('turns', {
      ...connect(server),
      concurrency,
      process: rows.process,
      open: rows.open,
      rebuildMs,
    })
    t.after(() => worker.close(0))
    return worker
  }

  it('have names without colons', () => {
    for (const name of queueNames) assert.match(name, /^[a-z-]+$/)
  })

  it('carry rows from one process to another; a job holds its row id and nothing else', async t => {
    const server = await RedisServer.start(t)
    const rows = new Rows(t)
    const queue = openQueue('turns', connect(server))
    t.after(() => queue.close())
    const ids = await rows.add(3)
    for (const id of ids) await queue.add(id)
    assert.match(await server.command('EXISTS chanop-test:turns:wait'), /1/)
    assert.match(await server.command(`HSTRLEN chanop-test:turns:row-${ids[0]} data`), /^:11$/)
    assert.match(await server.command('LLEN chanop-test:turns:wait'), /^:3$/)
    work(t, server, rows, 60_000)
    await until('all are done', () => rows.done.length === 3)
    assert.deepEqual(sorted(rows.done), ids)
    // At least once: a look for lost jobs may hand out a row again that is just being done; who does it claims it.
    assert.deepEqual(sorted([...new Set(rows.started)]), ids)
  })

  it('two instances on one Redis do not meet', async t => {
    const server = await RedisServer.start(t)
    const rows = new Rows(t)
    const strangers = openQueue('turns', connect(server, 'other'))
    t.after(() => strangers.close())
    await strangers.add(99)
    const worker = work(t, server, rows)
    const [own] = await rows.add(1)
    await worker.rebuild()
    await until('our own is done', () => rows.done.length === 1)
    assert.deepEqual(rows.started, [own])
  })

  it('adding fails at once while Redis is away, and the ledger brings the job back', async t => {
    const server = await RedisServer.start(t)
    const rows = new Rows(t)
    work(t, server, rows)
    const queue = openQueue('turns', connect(server))
    t.after(() => queue.close())
    await server.kill()
    const ids = await rows.add(5)
    const tookMs = stopwatch()
    await assert.rejects(queue.add(ids[0] as number))
    assert.ok(tookMs() < 1000)
    await server.start()
    await until('all are done', () => rows.done.length === 5)
    assert.deepEqual(sorted(rows.done), ids)
  })

  for (const [name, harm] of [
    ['FLUSHALL', (server: RedisServer) => server.flushAll()],
    ['kill -9', async (server: RedisServer) => (await server.kill(), server.start())],
    ['deleted files', (server: RedisServer) => server.lose()],
  ] as const) {
    it(`${name} in mid-stream loses nothing, and nothing is done twice`, async t => {
      const server = await RedisServer.start(t)
      const rows = new Rows(t)
      const gate = Promise.withResolvers<void>()
      work(t, server, rows, 200, name === 'FLUSHALL' ? 100 : 5)
      const first = await rows.add(20)
      await until('some are done', () => rows.done.length === 20)
      rows.gate = gate.promise
      const second = await rows.add(50)
      await until(
        'some are under way',
        () => rows.started.filter(id => id > 20).length >= (name === 'FLUSHALL' ? 50 : 5),
      )
      await harm(server)
      if (name === 'FLUSHALL') {
        // The jobs of rows that are under way come back: they must not begin again here.
        const queue = openQueue('turns', connect(server))
        for (const id of second) await queue.add(id)
        await queue.close()
        const begun = (): number => rows.started.filter(id => second.includes(id)).length
        const last = `EXISTS chanop-test:turns:row-${second.at(-1)}`
        await until('they came and went', async () => begun() > 50 || (await server.command(last)) === ':0')
        assert.equal(begun(), 50)
      }
      gate.resolve()
      await until('all are done', () => rows.done.length >= 70)
      assert.deepEqual(sorted(rows.done), [...first, ...second])
    })
  }

  it('a row whose work rejects is logged and comes again while it is open', async t => {
    const server = await RedisServer.start(t)
    const rows = new Rows(t)
    let tries = 0
    const worker = openWorker('exports', {
      ...connect(server),
      open: rows.open,
      rebuildMs: 100,
      process: async (id, signal) => {
        if (++tries < 3) throw new Error('not yet')
        await rows.process(id, signal)
      },
    })
    t.after(() => worker.close(0))
    await rows.add(1)
    await until('done at the third try', () => rows.done.length === 1)
    assert.equal(tries, 3)
  })

  it('closes while Redis is away', async t => {
    const server = await RedisServer.start(t)
    const rows = new Rows(t)
    const worker = work(t, server, rows)
    const queue = openQueue('turns', connect(server))
    await queue.add((await rows.add(1))[0] as number)
    await until('it is done', () => rows.done.length === 1)
    await server.kill()
    await Promise.all([worker.close(1000), queue.close()])
    const late = openQueue('turns', connect(server))
    await assert.rejects(late.add(1))
    await late.close()
  })

  it('closing lets what is under way end, gives up after its time, and leaves the rest in the ledger', async t => {
    const server = await RedisServer.start(t)
    const rows = new Rows(t)
    const gate = Promise.withResolvers<void>()
    rows.gate = gate.promise
    const worker = work(t, server, rows)
    await rows.add(10)
    await until('five are under way', () => rows.started.length === 5)
    const closed = worker.close(10_000)
    gate.resolve()
    await closed
    assert.equal(rows.done.length, 5)
    assert.equal((await rows.open()).length, 5)
    rows.gate = new Promise(() => undefined)
    const second = work(t, server, rows)
    await until('the others are under way', () => rows.started.length === 10)
    await second.close(50)
    assert.equal((await rows.open()).length, 5)
  })
})
