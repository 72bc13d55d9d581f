import assert from 'node:assert/strict'
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { it, type TestContext } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { Ledger } from './ledger.ts'
import { after, append } from './record/events.ts'
import { openToRead } from './record/reading.ts'
import { sql } from './sqlite.ts'
import { messageNumber, runChild, slowDisk, temporaryFolder } from './testing.ts'

const open = (t: TestContext): Ledger => {
  const ledger = Ledger.open(join(temporaryFolder(t), 'ledger.db'), { aside: true })
  t.after(() => ledger.close())
  return ledger
}

const add = (ledger: Ledger, n: number): Promise<unknown> => ledger.write(db => append(db, messageNumber(n), 'r', n))
const kept = (ledger: Ledger): Promise<number> => ledger.read(db => after(db, 0, 100).length)

it('says that something is kept once it is on the disk, and prepares meanwhile what comes next', async t => {
  const { waiting } = slowDisk(t)
  const ledger = open(t)
  const told: string[] = []
  ledger.onWritten(() => {
    told.push('written')
    ledger.whenKept(() => told.push('may leave'))
  })
  ledger.onCommit(() => told.push('committed'))
  const first = add(ledger, 1).then(() => told.push('resolved'))
  await turn()
  assert.equal(await kept(ledger), 1)
  assert.deepEqual(told, ['written'])
  assert.equal(waiting.length, 1)
  waiting.shift()?.()
  await first
  assert.deepEqual(told, ['written', 'may leave', 'committed', 'resolved'])
  const now: string[] = []
  ledger.whenKept(() => now.push('at once'))
  assert.deepEqual(now, ['at once'], 'nothing is under way')
})

it('what is committed while the disk works goes with the next round, and waits for that one', async t => {
  const { waiting } = slowDisk(t)
  const ledger = open(t)
  const told: number[] = []
  const first = add(ledger, 1).then(() => told.push(1))
  await turn()
  const rest = [2, 3].map(n => add(ledger, n).then(() => told.push(n)))
  await turn()
  await turn()
  assert.equal(await kept(ledger), 3)
  assert.equal(waiting.length, 1, 'one round at a time')
  waiting.shift()?.()
  await first
  assert.deepEqual(told, [1])
  assert.equal(waiting.length, 1)
  waiting.shift()?.()
  await Promise.all(rest)
  assert.deepEqual(told, [1, 2, 3])
})

it('says up to which fact all is on the disk, whoever else has written meanwhile', async t => {
  const { waiting } = slowDisk(t)
  const file = join(temporaryFolder(t), 'ledger.db')
  const [ledger, other] = [Ledger.open(file, { aside: true }), Ledger.open(file)]
  t.after(() => [ledger, other].forEach(each => each.close()))
  await add(other, 1)
  assert.equal(ledger.keptSeq(), 1)
  const told: [number, number][] = []
  ledger.onCommit(seq => told.push([seq, ledger.keptSeq()]))
  const first = add(ledger, 2)
  await turn()
  await add(other, 3)
  assert.equal(ledger.keptSeq(), 1)
  const second = add(ledger, 4)
  await turn()
  await ledger.write(() => undefined, { durable: false })
  assert.equal(ledger.keptSeq(), 1)
  for (const [write, kept] of [
    [first, 3],
    [second, 4],
  ] as const) {
    waiting.shift()?.()
    await write
    assert.equal(ledger.keptSeq(), kept)
  }
  assert.deepEqual(told, [
    [4, 1],
    [2, 3],
    [4, 4],
  ])
})

it('marks and writes that need not be durable wait for no disk', async t => {
  const { waiting } = slowDisk(t)
  const ledger = open(t)
  await ledger.write(db => append(db, messageNumber(1), 'r', 1), { durable: false })
  ledger.mark(db => append(db, messageNumber(2), 'r', 2))
  assert.equal(waiting.length, 0)
  assert.equal(await kept(ledger), 2)
})

it('close() waits for the disk and keeps every promise', async t => {
  const { waiting } = slowDisk(t)
  const file = join(temporaryFolder(t), 'ledger.db')
  const ledger = Ledger.open(file, { aside: true })
  const writes = [add(ledger, 1), add(ledger, 2)]
  await turn()
  writes.push(add(ledger, 3))
  ledger.close()
  await Promise.all(writes)
  await assert.rejects(add(ledger, 4), 'nothing is begun any more')
  ledger.close()
  waiting.shift()?.()
  await turn()
  const again = Ledger.open(file)
  t.after(() => again.close())
  assert.equal(await kept(again), 3)
})

it('a disk that fails ends the process: nothing that it did not keep is said to be kept', async t => {
  const file = join(temporaryFolder(t), 'ledger.db')
  const program = `
    import fs from 'node:fs'
    import { syncBuiltinESMExports } from 'node:module'
    const { Ledger } = await import(${JSON.stringify(join(import.meta.dirname, 'ledger.ts'))})
    const ledger = Ledger.open(${JSON.stringify(file)}, { aside: true })
    fs.fdatasync = (fd, done) => setImmediate(done, Object.assign(new Error('EIO: i/o error, fdatasync'), { code: 'EIO' }))
    syncBuiltinESMExports()
    process.on('uncaughtException', error => (console.log('ended by ' + error.code), process.exit(1)))
    ledger.write(db => db.prepare("INSERT INTO meta VALUES ('a', 'b')").run()).then(() => console.log('kept'), () => console.log('refused'))`
  const run = runChild(t, [process.execPath, '--input-type=module', '-e', program])
  assert.equal(await run.ended, 1)
  assert.deepEqual(run.lines, ['ended by ledger-full'])
})

it('what the disk may not have of an earlier process is written anew at the next start', async t => {
  const file = join(temporaryFolder(t), 'ledger.db')
  const inFile = (): number => {
    const copy = join(temporaryFolder(t), 'ledger.db')
    copyFileSync(file, copy)
    using alone = Ledger.open(copy)
    return alone.newestSeq()
  }
  const before = Ledger.open(file, { aside: true })
  t.after(() => before.close())
  before.mark(db => append(db, messageNumber(1), 'r', 1))
  assert.equal(inFile(), 0)
  const next = Ledger.open(file, { aside: true })
  t.after(() => next.close())
  assert.equal(inFile(), 1)
})

it('a start while somebody reads for long keeps no writer of another process waiting', async t => {
  const file = join(temporaryFolder(t), 'ledger.db')
  const ledger = Ledger.open(file)
  t.after(() => ledger.close())
  await add(ledger, 0)
  using reading = openToRead(file)
  const { tx } = reading
  sql(tx, 'BEGIN').run()
  sql(tx, 'SELECT count(*) FROM event').get()
  await add(ledger, 1)
  const program = `
    const { Ledger } = await import(${JSON.stringify(join(import.meta.dirname, 'ledger.ts'))})
    Ledger.open(${JSON.stringify(file)}, { aside: true }).close()`
  const run = runChild(t, [process.execPath, '--input-type=module', '-e', program])
  let ended = false
  const end = run.ended.finally(() => (ended = true))
  let longestMs = 0
  for (let n = 2; !ended; n++) {
    const beganMs = performance.now()
    await add(ledger, n)
    longestMs = Math.max(longestMs, performance.now() - beganMs)
    await turn()
  }
  assert.equal(await end, 0)
  assert.ok(longestMs < 2000, `${longestMs} ms`)
})
