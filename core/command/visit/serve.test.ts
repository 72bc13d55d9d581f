import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { MemoryBus } from '../../bus/memory.ts'
import { ChanopError } from '../../error.ts'
import { readAudit } from '../../ledger/audit/audit.ts'
import { sql } from '../../ledger/sqlite.ts'
import { silentLog } from '../../log.ts'
import type { Router } from '../router.ts'
import { Stage } from '../testing.ts'
import { adminCommands, newToy, type Toy } from '../testing-toy.ts'
import { serveCommands } from './serve.ts'

describe('serveCommands', () => {
  let stage: Stage
  let toy: Toy
  let bus: MemoryBus
  let stop: AbortController
  let served: Promise<void>

  const cursor = () =>
    stage.read(db => Number(sql(db, "SELECT seq FROM consumer WHERE name = 'admin.commands'").get()?.['seq']))
  const answers = async () => (await stage.seen(0)).map(one => one.text)

  /** Waits until the ledger is as wanted: woken by each commit. */
  async function until(wanted: () => Promise<boolean>): Promise<void> {
    const late = AbortSignal.timeout(5000)
    while (!(await wanted())) {
      late.throwIfAborted()
      await new Promise(resolve => setImmediate(resolve))
    }
  }

  async function start(change: (router: Router<Toy>) => Router<Toy> = router => router): Promise<void> {
    stop = new AbortController()
    const router = change(await stage.bot('admin', adminCommands, toy, { front: true, signal: stop.signal }))
    const context = { name: 'admin', ledger: stage.ledger, bus, log: silentLog(), signal: stop.signal }
    served = serveCommands(context, router)
    // The cursor is there once it serves.
    await until(async () => !Number.isNaN(await cursor()))
  }

  async function end(): Promise<void> {
    stop.abort()
    await served
  }

  beforeEach(async () => {
    stage = await Stage.open()
    toy = newToy()
    bus = new MemoryBus()
    await stage.role('otto', 'operator')
  })
  afterEach(async () => {
    toy.gate.resolve()
    await end()
    await stage.close()
  })

  it('answers what is said from now on', async () => {
    await stage.record('!version')
    await start()
    await stage.record('!note first', { by: 'otto' })
    await until(async () => (await answers()).length > 0)
    assert.deepEqual(await answers(), ['noted'])
  })

  it('answers others while one waits, and after a crash runs what was left and nothing twice', async () => {
    await start()
    const slow = await stage.record('!slow')
    await stage.record('!note ahead', { by: 'otto' })
    await until(async () => (await answers()).length === 1)
    assert.ok((await cursor()) < slow.seq, 'the cursor does not pass what is not done')
    await end()
    toy.gate.resolve()
    await start()
    await until(async () => (await answers()).length === 2)
    await until(async () => (await cursor()) >= slow.seq + 1)
    assert.deepEqual(await answers(), ['noted', 'awake'])
    assert.deepEqual(toy.done, ['ahead'])
    const lines = await stage.read(db => readAudit(db, {}, 10))
    assert.deepEqual(lines.map(line => line.command).sort(), ['note', 'slow'], 'each was handled once')
  })

  it('keeps the order of one account', async () => {
    await start()
    for (const word of ['a', 'b', 'c', 'd']) await stage.record(`!note ${word}`, { by: 'otto' })
    await until(async () => toy.done.length === 4)
    assert.deepEqual(toy.done, ['a', 'b', 'c', 'd'])
  })

  it('offers again what the ledger could not take', async () => {
    let failures = 1
    await start(router => {
      const handle = router.handle.bind(router)
      router.handle = (asked, finish) =>
        handle(asked, db => {
          if (failures-- > 0) throw new ChanopError('ledger-full', 'the disk is full')
          finish(db)
        })
      return router
    })
    await stage.record('!note again', { by: 'otto' })
    await until(async () => (await answers()).length > 0)
    assert.deepEqual(await answers(), ['noted'])
  })

  it('passes over what fails for ever for another reason than the ledger', async () => {
    await start(router => {
      const handle = router.handle.bind(router)
      router.handle = (asked, finish) =>
        asked.heard.line === 'version' ? Promise.reject(new TypeError('unheard of')) : handle(asked, finish)
      return router
    })
    const poison = await stage.record('!version')
    await stage.record('!note behind it', { by: 'otto' })
    await until(async () => (await cursor()) > poison.seq)
    assert.deepEqual(await answers(), ['noted'])
  })
})
