import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { it, type TestContext } from 'node:test'
import { Ledger } from './ledger.ts'
import { byIds, enqueue, setState, settle } from './out/deliveries.ts'
import { after, append } from './record/events.ts'
import { commitsIn, messageNumber, placeNamed, runChild, temporaryFolder } from './testing.ts'

const writer = join(import.meta.dirname, 'testing-writer.ts')

/** A seeded source of numbers in 0…1 (mulberry32), so that a failing run can be repeated. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

const child = (t: TestContext, file: string, first: number, many: number, batch = 10) =>
  runChild(t, [process.execPath, writer, file, String(first), String(many), String(batch)])

const acknowledged = (lines: readonly string[]): number[] =>
  lines.filter(line => line.startsWith('ok ')).map(line => Number(line.slice(3)))

const keptNumbers = (ledger: Ledger): Promise<number[]> =>
  ledger.read(db => after(db, 0, 1_000_000).map(({ event }) => Number(event.key.slice('irc:m'.length))))

it('all writes of one turn are one transaction', async t => {
  const file = join(temporaryFolder(t), 'ledger.db')
  const ledger = Ledger.open(file)
  t.after(() => ledger.close())
  await ledger.write(db => append(db, messageNumber(0), 'general', 0))
  const before = commitsIn(file)
  const add = (n: number): Promise<unknown> => ledger.write(db => append(db, messageNumber(n), 'general', n))
  await Promise.all(Array.from({ length: 500 }, (_, n) => add(n + 1)))
  assert.equal(commitsIn(file) - before, 1)
  await add(1000)
  await add(1001)
  assert.equal(commitsIn(file) - before, 3)
})

it('a turn with writes that throw is one transaction still', async t => {
  const file = join(temporaryFolder(t), 'ledger.db')
  const ledger = Ledger.open(file)
  t.after(() => ledger.close())
  await ledger.write(db => append(db, messageNumber(0), 'general', 0))
  const before = commitsIn(file)
  const results = await Promise.allSettled(
    Array.from({ length: 50 }, (_, n) =>
      ledger.write(db => {
        append(db, messageNumber(n + 1), 'general', n)
        if (n % 10 === 3) throw new Error('no')
      }),
    ),
  )
  assert.equal(results.filter(result => result.status === 'rejected').length, 5)
  assert.equal((await keptNumbers(ledger)).length, 46)
  assert.equal(commitsIn(file) - before, 1)
})

it('a promise resolves only once another process can see what it promised', async t => {
  const file = join(temporaryFolder(t), 'ledger.db')
  const [ledger, other] = [Ledger.open(file), Ledger.open(file)]
  t.after(() => (ledger.close(), other.close()))
  let resolved = false
  const written = ledger
    .write(db => append(db, messageNumber(1), 'general', 0))
    .then(() => {
      resolved = true
    })
  await Promise.resolve()
  assert.equal(resolved, false)
  assert.deepEqual(await keptNumbers(other), [])
  await written
  assert.deepEqual(await keptNumbers(other), [1])
})

it('close() commits what was asked for before it', async t => {
  const file = join(temporaryFolder(t), 'ledger.db')
  const ledger = Ledger.open(file)
  const written = ledger.write(db => append(db, messageNumber(1), 'general', 0))
  ledger.close()
  await written
  await assert.rejects(ledger.write(db => append(db, messageNumber(2), 'general', 0)))
  const again = Ledger.open(file)
  t.after(() => again.close())
  assert.deepEqual(await keptNumbers(again), [1])
})

it('kill -9 in mid-stream: every message that was acknowledged is there, once, in order', async t => {
  const seed = Number(process.env['SEED'] ?? 20_261_121)
  t.diagnostic(`SEED=${seed}`)
  const random = seeded(seed)
  const file = join(temporaryFolder(t), 'ledger.db')
  let next = 0
  const promised: number[] = []
  for (let round = 0; round < 6; round++) {
    const run = child(t, file, next, 100_000, 1 + Math.floor(random() * 20))
    await run.line(new RegExp(`^ok ${next + Math.floor(random() * 400)}$`))
    run.process.kill('SIGKILL')
    await run.ended
    const said = acknowledged(run.lines)
    promised.push(...said)
    next = (said.at(-1) as number) + 1
    const ledger = Ledger.open(file, { check: true })
    const kept = await keptNumbers(ledger)
    ledger.close()
    assert.deepEqual(
      promised.filter(n => !kept.includes(n)),
      [],
      'acknowledged and gone',
    )
    assert.deepEqual(
      kept,
      [...new Set(kept)].toSorted((a, b) => a - b),
      'doubled or out of order',
    )
  }
})

it('a mark survives kill -9 of its process', async t => {
  const file = join(temporaryFolder(t), 'ledger.db')
  const ledgerModule = JSON.stringify(join(import.meta.dirname, 'ledger.ts'))
  const program = `const { Ledger } = await import(${ledgerModule})
    const ledger = Ledger.open(${JSON.stringify(file)})
    ledger.mark(db => db.prepare("INSERT INTO meta VALUES ('mark', 'set')").run())
    console.log('marked')
    setInterval(() => {}, 1000)`
  const run = runChild(t, [process.execPath, '--input-type=module', '-e', program])
  await run.line(/^marked$/)
  run.process.kill('SIGKILL')
  await run.ended
  const ledger = Ledger.open(file)
  t.after(() => ledger.close())
  const mark = await ledger.read(db => db.prepare("SELECT value FROM meta WHERE key = 'mark'").pluck().get())
  assert.equal(mark, 'set')
})

it('several processes open one new file at once and write it: nothing lost, nobody turned away, order is by number', async t => {
  const file = join(temporaryFolder(t), 'ledger.db')
  const each = 400
  const runs = [0, 1, 2].map(n => child(t, file, n * 10_000, each, 5))
  const ends = await Promise.all(runs.map(run => run.ended))
  assert.deepEqual(ends, [0, 0, 0])
  for (const run of runs) {
    assert.equal(
      run.lines.find(line => line.startsWith('err')),
      undefined,
    )
    assert.equal(acknowledged(run.lines).length, each)
  }
  const ledger = Ledger.open(file)
  t.after(() => ledger.close())
  const kept = await keptNumbers(ledger)
  assert.equal(kept.length, 3 * each)
  for (const n of [0, 1, 2]) {
    const own = kept.filter(number => Math.floor(number / 10_000) === n)
    assert.deepEqual(
      own,
      Array.from({ length: each }, (_, i) => n * 10_000 + i),
    )
  }
})

it('the write-ahead log stays small under load, with automatic checkpoints and with asked ones', async t => {
  const file = join(temporaryFolder(t), 'ledger.db')
  const ledger = Ledger.open(file)
  const reader = Ledger.open(file)
  t.after(() => (reader.close(), ledger.close()))
  const rounds = async (from: number, each: () => void): Promise<number> => {
    let largestBytes = 0
    for (let round = 0; round < 60; round++) {
      const numbers = Array.from({ length: 100 }, (_, i) => from + round * 100 + i)
      await Promise.all(numbers.map(n => ledger.write(db => append(db, messageNumber(n), 'general', n))))
      await reader.read(db => after(db, from, 10))
      each()
      largestBytes = Math.max(largestBytes, statSync(`${file}-wal`).size)
    }
    return largestBytes
  }
  ledger.autoCheckpoint(100)
  const automatic = await rounds(0, () => {})
  assert.ok(automatic < 1_500_000, `${automatic} bytes with automatic checkpoints`)
  ledger.autoCheckpoint(0)
  const asked = await rounds(100_000, () => reader.checkpoint())
  assert.ok(asked < 1_500_000, `${asked} bytes with asked checkpoints`)
  const never = await rounds(200_000, () => {})
  assert.ok(never > 1_500_000, `${never} bytes without: the test can tell`)
})

it('the whole way of a delivery survives a new opening', async t => {
  const file = join(temporaryFolder(t), 'ledger.db')
  const first = Ledger.open(file)
  const act = { do: 'send' as const, content: messageNumber(1).content }
  const id = await first.write(db => enqueue(db, { place: placeNamed('#x'), bot: 'oracle', act }, 5))
  first.mark(db => setState(db, [id], 'sending'))
  first.close()
  const second = Ledger.open(file)
  t.after(() => second.close())
  const [delivery] = await second.read(db => byIds(db, [id]))
  assert.equal(delivery?.state, 'sending')
  assert.deepEqual(delivery?.act, act)
  second.mark(db => delivery && settle(db, delivery, [], 6))
  assert.equal((await second.read(db => byIds(db, [id])))[0]?.state, 'sent')
})
