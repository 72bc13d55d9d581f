import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { channel, Stage } from '../../../core/command/testing.ts'
import { exampleTests } from '../../../core/contract/commands.ts'
import { type MessageId, type NetworkId, text } from '../../../core/event.ts'
import { insertAgent } from '../../../core/ledger/agents/agents.ts'
import { audit } from '../../../core/ledger/audit/audit.ts'
import { Ledger } from '../../../core/ledger/ledger.ts'
import { enqueue, fail, queuedAfter, settle } from '../../../core/ledger/out/deliveries.ts'
import { after } from '../../../core/ledger/record/events.ts'
import { Rooms } from '../../../core/rooms.ts'
import { Exports } from '../export/exports.ts'
import { SearchIndex } from '../index/index.ts'
import type { ScribeServices } from '../services.ts'
import { about, ear, folder, joined, person, placeAt, record, said } from '../testing.ts'
import { scribeCommands } from './all.ts'
import { typed } from './testing-typed.ts'

const rooms = {
  general: { places: ['irc:#general', 'memory:hall'], open: true, joins: true },
  ops: { places: ['irc:#ops'], open: false, joins: true },
}

const servicesOf = (data: string, index: SearchIndex, copy: Ledger, reports: string[]): ScribeServices => ({
  index,
  rooms: new Rooms(rooms),
  exports: new Exports(copy.path, new AbortController().signal),
  dataDir: data,
  report: async (_, lines) => void reports.push(...lines),
  fault: error => assert.fail(String(error)),
})

async function setUp(t: TestContext) {
  const data = folder(t)
  const stage = await Stage.open()
  t.after(() => stage.close())
  const copy = Ledger.open(join(data, 'copy.db'))
  t.after(() => copy.close())
  const index = SearchIndex.open(join(data, 'search.db'), ear())
  t.after(() => index.close())
  const reports: string[] = []
  const services = servicesOf(data, index, copy, reports)
  stage.settings = { ...stage.settings, lines: 20 }
  await stage.bot('scribe', scribeCommands as never, services)
  const take = () => stage.read(db => index.take(db, after(db, index.cursor, 1000)))
  const tell = async (...events: Parameters<typeof record>[1]) => {
    const stored = await record(stage.ledger, events, rooms)
    await record(copy, events, rooms)
    await take()
    return stored
  }
  return { data, stage, index, tell, take }
}

const ops = channel('#ops')

exampleTests<ScribeServices>('scribe', async stage => {
  const data = folder(null)
  const copy = Ledger.open(join(data, 'copy.db'))
  const index = SearchIndex.open(join(data, 'search.db'), ear())
  for (const event of await talk()) {
    const recent = { ...event, atMs: stage.nowMs - 60_000 }
    await record(stage.ledger, [recent], rooms)
    await record(copy, [recent], rooms)
  }
  return {
    commands: scribeCommands as never,
    services: servicesOf(data, index, copy, []),
    close: async () => {
      index.close()
      copy.close()
      rmSync(data, { recursive: true, force: true })
    },
  }
})

const talk = async () => [
  said('irc:#general', 'alice', 'the build failed again'),
  said('memory:hall', 'bob', 'build failed? restarting'),
  said('irc:#ops', 'olga', 'root password rotated'),
  said('irc:#general', 'alice', 'green *now*, see [this](https://example.org)'),
]

test('last shows this room, oldest first, one line a message, and nothing that is written is markup', async t => {
  const { stage, tell } = await setUp(t)
  for (const said of await talk()) await tell(said)
  const lines = (await stage.ask('!last')).split('\n')
  assert.deepEqual(
    lines.map(line => line.replace(/^.*?#/, '#')),
    [
      '#1 <alice> the build failed again',
      '#2 <bob> build failed? restarting',
      '#4 <alice> green *now*, see [this](https://example.org)',
    ],
  )
  assert.match(await stage.ask('!last 1'), /^\S+ \S+ #4 <alice> green/)
  assert.match(await stage.ask('!last 51'), /from 1 to 50/)
  assert.match(await stage.ask('!last', { in: channel('#quiet') }), /nothing was said in irc:#quiet yet/)
})

test('a closed room is answered there, to its people alone elsewhere, and to others like a room that is not', async t => {
  const { stage, tell } = await setUp(t)
  for (const said of await talk()) await tell(said)
  await stage.ledger.write(db => joined(db, 'irc:#ops', person('mia')))
  const places = async (words: string, by: string, where = channel('#general')) => {
    const { seen } = await stage.say(words, { by, in: where })
    return seen.map(one => [one.place, one.text.includes('root password')])
  }
  assert.deepEqual(await places('!last 3 ops', 'mia', ops), [['irc:#ops', true]])
  assert.deepEqual(await places('!last 3 ops', 'mia'), [['irc:#general for mia alone', true]])
  assert.deepEqual(await places('!search password in=ops', 'mia'), [['irc:#general for mia alone', true]])
  assert.deepEqual(await places('!log show 3', 'mia'), [['irc:#general for mia alone', true]])
  assert.deepEqual(await places('!search password', 'mia'), [['irc:#general', false]])
  assert.deepEqual(await places('search password', 'mia', stage.direct('mia')), [['irc:@mia', true]])
  for (const words of ['!last 3 ops', '!search password in=ops', '!log show 3', '!stats ops', '!search password']) {
    assert.deepEqual(await places(words, 'eve'), [['irc:#general', false]], words)
  }
  assert.equal(
    (await stage.ask('!last 1 ops', { by: 'eve' })).replace('ops', '…'),
    (await stage.ask('!last 1 nowhere', { by: 'eve' })).replace('nowhere', '…'),
  )
  await stage.role('max', 'member')
  assert.match(
    await stage.ask('last 1 ops', { by: 'max', in: stage.direct('max') }),
    /^you are not in ops: enter it, and ask/,
  )
  assert.match(await stage.ask('!last 1 ops', { by: 'max' }), /^no room 'ops' that you can see/)
  assert.match(await stage.ask('last 1 ops', { by: 'eve', in: stage.direct('eve') }), /^no room 'ops' that you can see/)
  assert.equal(
    (await stage.ask('!log show 3', { by: 'eve' })).replace('3', '…'),
    (await stage.ask('!log show 9999', { by: 'eve' })).replace('9999', '…'),
  )
})

test('a direct conversation is shown in itself and nowhere else, not even to the owner', async t => {
  const { stage, tell } = await setUp(t)
  await tell(said('irc:@alice', 'alice', 'between us'))
  await stage.role('olga', 'owner')
  const mine = { in: stage.direct('alice') }
  assert.match(await stage.ask('last', mine), /<alice> between us/)
  assert.match(await stage.ask('search between', mine), /^1 hit · .*between us/)
  assert.match(await stage.ask('log show 1', mine), /between us/)
  for (const words of [
    '!last',
    '!last irc:@alice',
    '!search between',
    '!search between in=irc:@alice',
    '!log show 1',
    '!search from=alice',
    '!stats irc:@alice',
    '!export irc:@alice',
  ]) {
    for (const by of ['alice', 'olga']) {
      for (const place of [channel('#general'), ...(by === 'olga' ? [stage.direct('olga')] : [])]) {
        assert.doesNotMatch(
          await stage.ask(words, { by, in: place }),
          /between us|[1-9] hit|[1-9] line/,
          `${by}: ${words}`,
        )
      }
    }
  }
})

test('search takes its filters before, among and after the words', async t => {
  const { stage, tell, index } = await setUp(t)
  for (const said of await talk()) await tell(said)
  for (const words of [
    'build from=alice',
    'from=alice build',
    'from="alice" build',
    'build from=@ALICE',
    'build from=irc:alice',
    'build from=alice in=general since=400d',
  ]) {
    assert.match(await stage.ask(`!search ${words}`), /^1 hit · \S+ \S+ #1 <alice> the build failed again$/, words)
  }
  assert.match(await stage.ask('!search "from=alice build"'), /^no hits/)
  assert.match(await stage.ask('!search build'), /^2 hits · .*#2 <bob>.*\n.*#1 <alice>/)
  assert.match(await stage.ask('!search build since=1h'), /^no hits for build since=1h$/)
  assert.match(await stage.ask('!search build since=soon'), /since=soon is no time/)
  assert.match(await stage.ask('!search'), /say what to look for/)
  assert.match(await stage.ask('!search -build'), /say what to look for/)
  assert.match(await stage.ask(`!search ${'x '.repeat(17)}`), /at most 16 words/)
  assert.match(await stage.ask('!search "a" AND NEAR( ^ {text} : *'), /hit/)
  index.rebuild()
  assert.match(await stage.ask('!search build'), /^2 hits/)
})

test('log show tells what became of a message', async t => {
  const { stage, tell } = await setUp(t)
  const first = said('irc:#general', 'alice', 'helo [x]')
  const [stored] = await tell(first)
  await stage.ledger.write(db => {
    for (const place of ['memory:hall', 'memory:gone', 'irc:@zoe']) {
      enqueue(
        db,
        { place: placeAt(place), bot: 'bridge', source: 1, act: { do: 'send', content: text('helo') } },
        stage.nowMs,
      )
    }
    enqueue(
      db,
      { place: placeAt('irc:@zoe'), bot: 'admin', source: 1, act: { do: 'send', content: text('hush'), secret: true } },
      stage.nowMs,
    )
    const [hall, gone] = queuedAfter(db, 0, 9)
    if (hall) settle(db, hall, ['n1', 'n2'] as never, stage.nowMs)
    if (gone) fail(db, gone, 'no such channel', stage.nowMs)
  })
  const lines = (await stage.ask('!log show #1')).split('\n')
  assert.match(
    lines[0] ?? '',
    /^#1 message of alice \(irc:alice\) in general \(irc:#general\) · 2026-04-01 \d\d:\d\d:\d\d UTC$/,
  )
  assert.equal(lines[1], '<alice> helo [x]')
  assert.match(lines[2] ?? '', /^→ memory:hall: sent in 2 messages 2026-/)
  assert.match(lines[3] ?? '', /^→ a closed room: failed 2026-.* UTC: no such channel$/)
  assert.equal(lines[4], '→ a direct conversation: queued')
  assert.equal(lines.length, 5)
  const [edit] = await tell(about(first, { kind: 'edit', content: text('hello') }))
  assert.match(await stage.ask(`!log show ${edit?.seq}`), /alice edited #1: hello/)
  assert.match(
    await stage.ask(`!log show ${stored?.seq}`),
    /<alice> hello \(edited\)\nedited once, last .*; first it was: <alice> helo \[x\]/,
  )
  await tell(about(first, { kind: 'delete' }))
  const gone = await stage.ask('!log show 1')
  assert.match(gone, /\ndeleted 2026-/)
  assert.doesNotMatch(gone, /hel+o/)
  assert.match(await stage.ask(`!log show ${edit?.seq}`), /alice edited #1: \(deleted\)/)
  assert.match(await stage.ask('!log show 999999'), /no record #999999/)
  assert.match(await stage.ask('!log show abc'), /write the number after #/)
})

test('log show finds what failed under its id, for operators and for who asked', async t => {
  const { stage } = await setUp(t)
  await stage.role('olga', 'owner')
  const entry = {
    atMs: stage.nowMs,
    bot: 'admin',
    event: 7,
    network: 'irc',
    channel: '#ops',
    account: 'alice',
    name: 'alice',
    role: 'guest',
    command: 'status',
    args: '',
    decision: 'failed',
    ms: 3,
  } as const
  await stage.ledger.write(db => audit(db, { ...entry, result: 'status failed (i0a1b2c): nothing was changed' }))
  for (const by of ['olga', 'alice'])
    assert.match(await stage.ask('!log show i0a1b2c', { by }), /^i0a1b2c · admin: status .*failed/)
  assert.match(await stage.ask('!log show i0a1b2c', { by: 'eve' }), /no record i0a1b2c that you can see/)
})

test('stats count what is said, by room', async t => {
  const { stage, tell } = await setUp(t)
  for (const said of await talk()) await tell(said)
  await tell(said('irc:@alice', 'alice', 'private'))
  assert.match(
    await stage.ask('!stats general'),
    /^general: 3 messages by 2 people since 2026-04-01, \d+ B of text .*\ntop: alice 2, bob 1\n14 days/,
  )
  assert.match(await stage.ask('!stats'), /^all rooms here: 3 messages/)
  await stage.role('olga', 'owner')
  const all = await stage.ask('stats', { by: 'olga', in: stage.direct('olga') })
  assert.match(all, /^all rooms: 4 messages by 3 people/)
  assert.match(all, /rooms: general 3, ops 1\n/)
  assert.match(all, /\nledger \S+ \S+, index \S+ [kM]B\n\[stats\.png\]$/)
})

test('export of a room is for its own operators too, and for no other room', async t => {
  const { stage, tell } = await setUp(t)
  for (const said of await talk()) await tell(said)
  // The stage knows no names of rooms, scribe does.
  for (const room of ['ops', 'irc:#ops']) await stage.role('mia', 'operator', room)
  await stage.ledger.write(db => joined(db, 'irc:#ops', person('mia')))
  assert.match(await stage.ask('!export ops', { by: 'mia', in: ops }), /exports\/ops-.* 1 line,/)
  assert.match(
    await stage.ask('!export general', { by: 'mia', in: ops }),
    /^that needs operator in general; you are guest there$/,
  )
  assert.match(await stage.ask('!export ops', { by: 'mia' }), /^export needs operator; you are guest/)
})

test('export writes what it says, for operators', async t => {
  const { stage, tell, data } = await setUp(t)
  for (const said of await talk()) await tell(said)
  assert.match(await stage.ask('!export general', { by: 'mia' }), /operator/)
  await stage.role('olga', 'operator')
  for (const room of ['general', '#general', 'irc:#general']) {
    const answer = await stage.ask(`!export ${room} format=csv`, { by: 'olga' })
    const [, path = '', sum] = /^(\S+) · 3 lines, .*\nSHA-256 ([0-9a-f]{64})$/.exec(answer) ?? []
    assert.ok(path.startsWith(join(data, 'exports', 'general-')), answer)
    assert.equal(createHash('sha256').update(readFileSync(path)).digest('hex'), sum)
  }
  assert.match(await stage.ask('!export ops', { by: 'olga' }), /exports\/ops-.* 1 line,/)
  assert.match(await stage.ask('!export ../../etc', { by: 'olga' }), /no room '..\/..\/etc' that you can see/)
  assert.match(await stage.ask('!export general since=1h', { by: 'olga' }), /nothing to export/)
  assert.match(await stage.ask('!export general format=xml', { by: 'olga' }), /jsonl, csv, text, html/)
})

test('last shows the newest in full, and what bots answered only when it is asked for', async t => {
  const { stage, tell } = await setUp(t)
  stage.settings = { ...stage.settings, lines: 4 }
  const long = 'word '.repeat(120).trim()
  await tell(...Array.from({ length: 6 }, (_, n) => said('irc:#general', 'alice', `${n} ${long}`)))
  const bot = (name: string) => ({ ...person(name), kind: 'self' as const })
  await tell(
    said('irc:#general', 'alice', '!agents'),
    said('irc:#general', bot('admin'), '2 agents: build one, build two', { id: 'say:admin.7' as MessageId }),
    said('irc:#general', 'alice', 'oracle: and what do you say?'),
    said('irc:#general', bot('oracle'), 'I say build', { id: 'say:oracle.9' as MessageId }),
    said('irc:#general', bot('admin'), 'alice: → in your DM', {
      id: 'say:aside.["alice","general"].00000000001a' as MessageId,
    }),
    said('irc:#general', bot('admin'), 'the rest of it', { id: 'say:admin.7.later' as MessageId }),
  )
  const shown = (await stage.ask('!last 5')).split('\n')
  assert.equal(shown.length, 5)
  assert.equal(shown.filter(line => line.includes(long)).length, 2)
  assert.doesNotMatch(shown.join(), /<admin>/)
  assert.match(shown.at(-1) ?? '', /<oracle> I say build/)
  const whole = await stage.ask('!last 5 bots=yes')
  for (const words of [/<admin> 2 agents/, /<admin> alice: → in your DM/, /<admin> the rest of it/])
    assert.match(whole, words)
  assert.match(await stage.ask('!search build'), /^1 hit · .*<oracle>/)
  assert.match(await stage.ask('!search build bots=yes'), /^2 hits/)
  const wide = await stage.ask('\uff01last\u00a0\uff12')
  assert.equal(wide.split('\n').length, 2)
})

test('search names what it can not look for, and dates that are none', async t => {
  const { stage, tell } = await setUp(t)
  for (const said of await talk()) await tell(said)
  assert.equal(await stage.ask('!search %'), "% can't be searched for: say words or numbers")
  assert.equal(await stage.ask('!search 🎉 _'), "🎉 _ can't be searched for: say words or numbers")
  assert.match(await stage.ask('!search build 🎉'), /^\d hits · looked for without 🎉 · /)
  assert.match(await stage.ask('!search “build failed” since＝2d'), /^(no|\d) hits?/)
  assert.match(await stage.ask('!search “build failed”'), /^2 hits/)
  assert.match(await stage.ask('!search build –again'), /^1 hit /)
  assert.match(await stage.ask('!search build since=2026-02-31'), /2026-02-31 is no time/)
  assert.match(await stage.ask('!search build since=2026-03-02 until=2026-03-01'), /is not before/)
})

test('stats count people, bots and agents apart', async t => {
  const { stage, tell } = await setUp(t)
  await stage.ledger.write(db =>
    insertAgent(db, {
      name: 'worker-1',
      network: 'irc' as NetworkId,
      type: 'worker',
      owner: 'irc:olga',
      state: 'active',
      channels: ['*'],
      permissions: [],
      skills: [],
      rate: { count: 5, perMs: 1000 },
      native: false,
      engagement: null,
      reason: null,
      paused: false,
      createdMs: stage.nowMs,
      changedMs: stage.nowMs,
      expiresMs: null,
      createdBy: 'olga',
    }),
  )
  await tell(
    ...(await talk()),
    said('irc:#general', { ...person('oracle'), kind: 'self' }, 'I say so'),
    said('irc:#general', { ...person('worker-1'), kind: 'bot' }, 'built'),
  )
  assert.match(await stage.ask('!stats general'), /^general: 5 messages by 2 people, 1 bot, 1 agent since/)
})

test('what is typed on phones and by hand is understood, or said to be odd', async t => {
  const { stage, tell } = await setUp(t)
  for (const said of await talk()) await tell(said)
  await tell(said('irc:#general', 'alice', 'C++ and C# are languages'))
  for (const [words, answer] of typed) assert.match(await stage.ask(words), answer, words)
})
