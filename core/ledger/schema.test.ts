import assert from 'node:assert/strict'
import { once } from 'node:events'
import { copyFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { it } from 'node:test'
import { Worker } from 'node:worker_threads'
import { plain } from '../text/text.ts'
import { Ledger } from './ledger.ts'
import { messageOf, recent } from './record/events.ts'
import { migrations } from './schema.ts'
import { type Connection, connect, migrate, sql } from './sqlite.ts'
import { temporaryFolder } from './testing.ts'

const firstSchema = readFileSync(join(import.meta.dirname, 'fixtures', 'schema-1.sql'), 'utf8')

const shape = (db: Connection): unknown[] =>
  db.prepare('SELECT type, name, sql FROM sqlite_schema ORDER BY type, name').all()

it('a released migration is never edited: the first is what it was', () => {
  assert.equal(migrations[0], firstSchema, 'add a migration at the end of schema.ts instead of changing one')
})

/** A ledger as the release before schema 3 left it: a conversation with threads, copies, agents, people and settings. */
const released = join(import.meta.dirname, 'fixtures', 'release-0.1.db')

type Tables = Record<string, Record<string, unknown>[]>

function contents(db: Connection): Tables {
  const names = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").pluck().all() as string[]
  return Object.fromEntries(names.map(name => [name, db.prepare(`SELECT * FROM ${name}`).all() as Tables[string]]))
}

it('a ledger of the release before becomes one of the newest, with all that is in it', async t => {
  const file = join(temporaryFolder(t), 'ledger.db')
  copyFileSync(released, file)
  const old = connect(file)
  const before = contents(old)
  assert.equal(old.pragma('user_version', { simple: true }), 2)
  old.close()
  const ledger = Ledger.open(file)
  const fresh = Ledger.open(':memory:')
  t.after(() => (ledger.close(), fresh.close()))
  assert.deepEqual(await ledger.read(shape), await fresh.read(shape))
  const after = await ledger.read(db => contents(db as Connection))
  for (const name of ['event', 'agent', 'person', 'identity', 'role', 'setting', 'secret', 'member', 'audit', 'party'])
    assert.ok((before[name]?.length ?? 0) > 0, `the fixture has rows in ${name}`)
  const changed = new Set(['copy', 'place', 'meta'])
  for (const [name, rows] of Object.entries(before)) {
    if (changed.has(name)) continue
    const columns = Object.keys(rows[0] ?? {})
    const kept = after[name]?.map(row => Object.fromEntries(columns.map(column => [column, row[column]])))
    const asBefore = name === 'event' ? kept?.map(withoutRefs) : kept
    assert.deepEqual(asBefore, rows, `the rows of ${name}`)
  }
  assert.deepEqual(after['place']?.slice(0, before['place']?.length), before['place'])
  assert.deepEqual(
    after['copy']?.map(({ native, part, delivery, source }) => ({ native, part, delivery, source })),
    before['copy']
      ?.filter(({ source }) => source !== null)
      .map(({ native, part, delivery, source }) => ({ native, part, delivery, source })),
    'each copy of a fact',
  )
})

/** The one thing that a fact gained: its files are named by a ref. */
function withoutRefs(row: Record<string, unknown>): Record<string, unknown> {
  const body = JSON.parse(row['body'] as string) as { content?: { attachments?: { ref?: string }[] } }
  if (!body.content?.attachments) return row
  for (const file of body.content.attachments) delete file.ref
  return { ...row, body: JSON.stringify(body) }
}

it('what the release before told of threads, files and reactions is found after it', async t => {
  const file = join(temporaryFolder(t), 'ledger.db')
  copyFileSync(released, file)
  const ledger = Ledger.open(file)
  t.after(() => ledger.close())
  await ledger.read(db => {
    const messages = recent(db, 'general', 100)
    const saying = (said: string) => messages.find(({ event }) => plain(event.content) === said)
    const first = saying('hello from the release before')
    const threaded = saying('in its thread')
    assert.ok(first && threaded)
    assert.equal(threaded.event.place.thread, first.event.id)
    const channel = { network: threaded.event.place.network, channel: threaded.event.place.channel }
    assert.equal(messageOf(db, channel, threaded.event.id)?.seq, threaded.seq)
    assert.equal(messageOf(db, threaded.event.place, first.event.id)?.seq, first.seq)
    const files = messages.flatMap(({ event }) => event.content.attachments ?? [])
    assert.deepEqual(
      files.map(({ ref }) => ref),
      ['https://files.example/plan.pdf'],
    )
    const reactions = sql(db, 'SELECT seq, emoji, user FROM reaction ORDER BY seq, emoji, user').all()
    assert.deepEqual(
      reactions.map(({ seq, emoji, user }) => [seq, emoji, user]),
      [
        [first.seq, '👍', 'ann'],
        [first.seq, '👍', 'bob'],
        [first.seq, '👍', 'eve'],
        [threaded.seq, '👀', 'bob'],
      ],
    )
  })
})

it('a ledger of a newer release is refused and left alone', t => {
  const file = join(temporaryFolder(t), 'ledger.db')
  const newer = connect(file)
  newer.exec('CREATE TABLE future (x)')
  newer.pragma('user_version = 99')
  newer.close()
  assert.throws(
    () => Ledger.open(file),
    (error: Error & { code?: string }) =>
      error.code === 'ledger-newer' && /schema 99.*run the newer/.test(error.message),
  )
  const again = connect(file)
  t.after(() => again.close())
  assert.deepEqual(again.prepare('SELECT name FROM sqlite_schema').pluck().all(), ['future'])
})

const steps = ['CREATE TABLE a (x)', "INSERT INTO a VALUES ('one'); CREATE TABLE b (y)", 'ALTER TABLE b ADD COLUMN z']

it('a migration that fails, or whose process dies in it, is undone whole and done at the next start', t => {
  const file = join(temporaryFolder(t), 'x.db')
  const db = connect(file)
  assert.throws(() => migrate(db, [steps[0] as string, `${steps[1]}; nonsense`, steps[2] as string]))
  assert.equal(db.pragma('user_version', { simple: true }), 1)
  assert.deepEqual(db.prepare('SELECT * FROM a').all(), [])
  // A transaction that is never ended is what a killed process leaves behind.
  db.exec('BEGIN IMMEDIATE')
  db.exec(steps[1] as string)
  db.close()
  const again = connect(file)
  t.after(() => again.close())
  migrate(again, steps)
  assert.deepEqual(again.prepare('SELECT * FROM a').pluck().all(), ['one'])
  assert.equal(again.pragma('user_version', { simple: true }), 3)
  migrate(again, steps)
})

it('two that migrate at once do each step once', async t => {
  const file = join(temporaryFolder(t), 'x.db')
  const module = JSON.stringify(new URL('sqlite.ts', import.meta.url))
  const program = `const { workerData } = await import('node:worker_threads')
    const { connect, migrate } = await import(${module})
    const db = connect(workerData.file)
    migrate(db, workerData.steps)
    db.close()`
  const many = Array.from({ length: 20 }, (_, n) => `CREATE TABLE t${n} (x); INSERT INTO t${n} VALUES (${n})`)
  const url = new URL(`data:text/javascript,${encodeURIComponent(program)}`)
  const workers = [1, 2, 3].map(() => new Worker(url, { workerData: { file, steps: many } }))
  const codes = await Promise.all(workers.map(worker => once(worker, 'exit').then(([code]) => code as number)))
  assert.deepEqual(codes, [0, 0, 0])
  const db = connect(file)
  t.after(() => db.close())
  assert.deepEqual(db.prepare('SELECT * FROM t19').pluck().all(), [19])
})

it('many that open a new file in the same moment all get in', async t => {
  const folder = temporaryFolder(t)
  const [openers, rounds] = [4, 25]
  const module = JSON.stringify(new URL('sqlite.ts', import.meta.url))
  const program = `const { workerData } = await import('node:worker_threads')
    const { connect } = await import(${module})
    const { folder, openers, rounds, arrived } = workerData
    for (let round = 1; round <= rounds; round++) {
      Atomics.add(arrived, 0, 1)
      while (Atomics.load(arrived, 0) < round * openers);
      const db = connect(folder + '/' + round + '.db')
      db.exec('CREATE TABLE IF NOT EXISTS a (x)')
      Atomics.add(arrived, 1, 1)
      while (Atomics.load(arrived, 1) < round * openers);
      db.close()
    }`
  const url = new URL(`data:text/javascript,${encodeURIComponent(program)}`)
  const arrived = new Int32Array(new SharedArrayBuffer(8))
  const workerData = { folder, openers, rounds, arrived }
  const workers = Array.from({ length: openers }, () => new Worker(url, { workerData }))
  const refused = Promise.race(
    workers.map(worker => once(worker, 'error').then(([error]) => Promise.reject(error as Error))),
  )
  t.after(() => Promise.all(workers.map(worker => worker.terminate())))
  const done = Promise.all(workers.map(worker => new Promise(resolve => worker.once('exit', resolve))))
  await Promise.race([done, refused])
})
