import assert from 'node:assert/strict'
import { once } from 'node:events'
import { copyFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { it } from 'node:test'
import { Worker } from 'node:worker_threads'
import type { MessageId, ReactionEvent, UserId } from '../event.ts'
import { plain } from '../text.ts'
import { decisionOf, keepDecision } from './decisions.ts'
import {
  amendDeliveries,
  amendedAfter,
  backlog,
  byIds,
  copiesIn,
  type Delivery,
  enqueue,
  markInterrupted,
  open,
  queuedAfter,
  queuedIn,
  setState,
  settle,
} from './deliveries.ts'
import { after, append, bySeq, currentOf, messageOf, newest, recent, revise } from './events.ts'
import { firstReceivedSince, keyOf, newestSeq, revisionsBetween } from './history.ts'
import { Ledger } from './ledger.ts'
import { copiedAs, dropMedia, mediaByHash, noteCopied, unusedMedia } from './media.ts'
import { channelsWith } from './members.ts'
import { openOrders, orderByKey, placeOrder, settleOrder } from './orders.ts'
import { directPlaceId, placeIdsOf } from './places.ts'
import { countedTokens, keepCount, keepSummary, linesFrom, moveStart, promptStart } from './prompts.ts'
import { isReactedElsewhere, noteReaction } from './reactions.ts'
import { migrations } from './schema.ts'
import { passMark, spendBy } from './spend.ts'
import { type Connection, connect, migrate, sql } from './sqlite.ts'
import { messageNumber, placeNamed, temporaryFolder, temporaryLedger } from './testing.ts'
import { bookTry, noteOutput, openTries, reserveTry, triesOfTurn } from './tries.ts'
import {
  answerTurn,
  endLapsedStops,
  endTurn,
  freeTurns,
  keepTurns,
  lastTurnIn,
  mergeTurns,
  openTurns,
  openTurnsIn,
  queueTurn,
  stoppingTurns,
  stopTurns,
  takeTurn,
  turnHolders,
  turnOfFact,
  turnsOfBotSince,
  turnsSince,
} from './turns.ts'
import type { Tx } from './tx.ts'

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

/** A connection whose statements say how they would be carried out. */
function planned(db: Connection, work: (tx: Tx) => unknown): string[] {
  const seen = new Set<string>()
  const spy = new Proxy(db, {
    get(target, key) {
      if (key === 'prepare') {
        return (text: string) => {
          seen.add(text)
          return target.prepare(text)
        }
      }
      const value: unknown = Reflect.get(target, key)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  work(spy)
  return [...seen].flatMap(text => {
    const blanks = Array.from({ length: text.match(/\?/g)?.length ?? 0 }, () => null)
    const rows = db.prepare(`EXPLAIN QUERY PLAN ${text}`).all(...blanks) as { detail: string }[]
    return rows.map(({ detail }) => detail)
  })
}

const source = 1
const here = placeNamed('#general')
const asker = { network: here.network, user: 'u' as UserId, person: null, name: 'U' }
const order = { key: 'o', network: here.network, kind: 'place.join' as const, args: {} }
const act = { do: 'send' as const, content: messageNumber(1).content }
const used = { inputTokens: 1, cachedTokens: 0, outputTokens: 1 }
const words = { task: 'answer', room: 'general', person: null, model: 'm', service: 's', owner: 'o' }
const price = { input: 1, cached: 1, output: 1 }
const aTry = { ...words, ...used, turn: 1, day: 'd', month: 'm', price, mostMicroUsd: 1 }

/** What runs for every message, or on every start, and may not read a whole table. */
const hot: Record<string, (tx: Tx) => unknown> = {
  append: db => append(db, messageNumber(99), 'general', 0),
  enqueue: db => enqueue(db, { place: here, bot: 'bridge', act, source }, 0),
  'setState, settle': db => {
    setState(db, [1], 'sending')
    settle(db, byIds(db, [1])[0] as Delivery, ['n' as MessageId], 0)
  },
  'queued deliveries': db => [queuedAfter(db, 0, 10), queuedIn(db, 1, 0, 10)],
  'open deliveries on start': db => [markInterrupted(db, true), open(db), backlog(db)],
  'native ids': db => [
    copiesIn(db, source, 1),
    messageOf(db, here, 'n' as MessageId),
    messageOf(db, { ...here, thread: 't' as MessageId }, 'n' as MessageId),
    bySeq(db, source),
  ],
  prompts: db => [
    moveStart(db, 'general', 1),
    promptStart(db, 'general'),
    keepSummary(db, 'general', 's', 1),
    linesFrom(db, ['general'], 0, 10),
    keepCount(db, source, 0, 5),
    countedTokens(db, source, 0),
  ],
  'a growing message': db => [amendDeliveries(db, source, act.content, true, 0), amendedAfter(db, 0, 10)],
  turns: db => [
    queueTurn(db, { asked: source, place: here, lane: 'general', by: asker }, 0),
    takeTurn(db, 1, 'me', 9, 0),
    keepTurns(db, 'me', [1], 10),
    answerTurn(db, 1, source),
    endLapsedStops(db, 0),
    [lastTurnIn(db, 'general'), turnsOfBotSince(db, asker, 0), turnsSince(db, 'general', 0)],
    [keepDecision(db, source, { answers: true, reason: 'named' }, 0), decisionOf(db, source)],
    [openTurns(db), openTurnsIn(db, 'general'), stoppingTurns(db, 'me'), turnHolders(db), turnOfFact(db, source)],
    stopTurns(db, { of: asker, room: 'general' }, 'bob', 0),
    mergeTurns(db, 1, [2]),
    endTurn(db, 1, 'me', { state: 'stopped' }, 0),
    freeTurns(db, 'me', 0),
  ],
  media: db => [
    noteCopied(db, here.network, 'r', { hash: 'h', sizeBytes: 1 }, 0),
    copiedAs(db, here.network, 'r'),
    mediaByHash(db, 'h'),
    unusedMedia(db, 1, 10),
    dropMedia(db, 'h'),
  ],
  reactions: db => [
    noteReaction(
      db,
      source,
      { ...messageNumber(2), kind: 'reaction', emoji: '👍', target: 'n' as MessageId } as ReactionEvent,
      1,
    ),
    isReactedElsewhere(db, source, '👍', 1),
  ],
  texts: db => [recent(db, 'general', 50), currentOf(db, source), revise(db, source, null, 0)],
  'facts after a number': db => after(db, 0, 10),
  'newest of a place': db => newest(db, here),
  'what somebody may see': db => [
    channelsWith(db, [{ network: here.network, user: 'u' as UserId }]),
    placeIdsOf(db, here),
    directPlaceId(db, here),
  ],
  'where to read on': db => [newestSeq(db), keyOf(db, source), firstReceivedSince(db, 0), revisionsBetween(db, 1, 9)],
  orders: db => [
    placeOrder(db, order, 0),
    openOrders(db),
    orderByKey(db, 'o'),
    settleOrder(db, 1, { done: true, result: '' }, 0),
  ],
  'tries and what was spent': db => [
    reserveTry(db, aTry, [{ period: 'd', scope: 'all', microUsd: 1, hard: true }], 0),
    noteOutput(db, 1, 1),
    bookTry(db, 1, { ...used, outcome: 'stop', error: null, estimated: false }, 0),
    openTries(db),
    triesOfTurn(db, 1),
    spendBy(db, 'd', 'room'),
    passMark(db, 'd', 'all', 50),
  ],
}

for (const [name, work] of Object.entries(hot)) {
  it(`uses its indexes: ${name}`, async t => {
    const ledger = temporaryLedger(t)
    await ledger.write(db => {
      append(db, messageNumber(1), 'general', 0)
      enqueue(db, { place: here, bot: 'bridge', act, source }, 0)
    })
    const plan = await ledger.write(db => planned(db, work))
    assert.ok(plan.length > 0 || name === 'append' || name === 'enqueue')
    // The partial indexes of what is open, and lists given as JSON, are small: they may be read whole.
    const scans = plan.filter(
      detail => detail.startsWith('SCAN') && !/USING INDEX (delivery|orders|turn|try)_open|VIRTUAL TABLE/.test(detail),
    )
    assert.deepEqual(scans, [])
  })
}
