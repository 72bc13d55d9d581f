import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { commandsOf } from '../../../core/command/command.ts'
import { publish } from '../../../core/command/help/published.ts'
import { Ledger } from '../../../core/ledger/ledger.ts'
import { after, type Stored } from '../../../core/ledger/record/events.ts'
import { formatNames, formatOf, type LiveFormatName, liveFormat } from '../record/format.ts'
import { lineOf } from '../record/line.ts'
import { about, ear, folder, ledgerIn, person, record, said, startMs } from '../testing.ts'
import { type FilesConfig, LogFiles } from './files.ts'
import { sweep } from './sweep.ts'

const daily: FilesConfig = { format: 'jsonl', rotate: 'daily', maxMegabytes: 100, keepDays: 365 }
const nowMs = () => startMs
const keepable = (_: unknown, stored: Stored): Stored => ear().keepable(_ as never, stored)

async function setUp(t: TestContext, config: () => FilesConfig | null = () => daily) {
  const data = folder(t)
  const ledger = ledgerIn(t, data)
  const root = join(data, 'logs')
  const open = () => LogFiles.open({ root, ledger, config, nowMs, keepable })
  const files = await open()
  t.after(() => files.close())
  return { data, ledger, root, open, files }
}

const all = (ledger: Ledger, from = 0): Promise<Stored[]> => ledger.read(db => after(db, from, 100_000))

/** Numbers of the facts in every file of a channel, in the order of the files' names. */
function seqsIn(channel: string, format: LiveFormatName = 'jsonl'): number[] {
  const written = liveFormat(format)
  return readdirSync(channel)
    .filter(name => name.endsWith(`.${written.extension}`))
    .sort()
    .flatMap(name => readFileSync(join(channel, name), 'utf8').split(/\r?\n/))
    .map(line => written.seqOf(line))
    .filter(seq => seq !== null)
}

test('messages of a channel are in one file a day, for our eyes only, and private places in none', async t => {
  const { ledger, root, files } = await setUp(t)
  const edited = said('irc:#general', 'alice', 'helo')
  await record(ledger, [
    edited,
    about(edited, { kind: 'edit', content: { segments: [{ kind: 'text', text: 'hello' }] } }),
    said('irc:#general', 'bob', 'two\nlines', { replyTo: edited.id } as never),
    said('irc:@alice', 'alice', 'my secret'),
    said('irc:../../x', 'mallory', 'out?'),
    said('irc:#general', 'bob', 'yesterday', { atMs: startMs - 86_400_000, origin: 'backfill' }),
  ])
  await files.take(await all(ledger))
  await files.close()
  assert.deepEqual(readdirSync(join(root, 'irc')).sort(), ['#general', '%2E.%2F..%2Fx'])
  const channel = join(root, 'irc', '#general')
  assert.deepEqual(readdirSync(channel).sort(), ['2026-03-31.jsonl', '2026-04-01.jsonl'])
  const lines = readFileSync(join(channel, '2026-04-01.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line))
  assert.deepEqual(
    lines.map(line => [line.seq, line.kind, line.name, line.text, line.target]),
    [
      [1, 'message', 'alice', 'helo', undefined],
      [2, 'edit', 'alice', 'hello', 1],
      [3, 'message', 'bob', 'two\nlines', undefined],
    ],
  )
  assert.equal(statSync(channel).mode & 0o777, 0o700)
  assert.equal(statSync(join(channel, '2026-04-01.jsonl')).mode & 0o777, 0o600)
})

for (const format of ['jsonl', 'csv', 'text'] as const) {
  test(`${format}: what a dead process left of a line is cut off, and nothing is written twice`, async t => {
    const config = { ...daily, format }
    const { ledger, root, files, open } = await setUp(t, () => config)
    await record(
      ledger,
      Array.from({ length: 20 }, (_, n) => said('irc:#a', 'alice', `line ${n}\r\nand "more", =1+1`)),
    )
    const batch = await all(ledger)
    await files.take(batch.slice(0, 12))
    // No sync: this process died here, in the middle of the next line, and its cursor was never saved.
    const file = join(root, 'irc', '#a', `2026-04-01.${liveFormat(format).extension}`)
    const next = await ledger.read(db => liveFormat(format).line(lineOf(db, batch[12] as Stored)))
    appendFileSync(file, next.slice(0, 25))
    rmSync(join(root, '.cursor.json'), { force: true })
    const again = await open()
    assert.equal(again.cursor, 0)
    await again.take(batch.slice(0, 5))
    await again.take(batch)
    await again.take(batch)
    await again.close()
    assert.deepEqual(
      seqsIn(dirname(file), format),
      batch.map(({ seq }) => seq),
    )
    assert.equal((await open()).cursor, 20)
  })

  test(`${format}: a file that held nothing but the beginning of a heading goes on`, async t => {
    const config = { ...daily, format }
    const { ledger, root, files } = await setUp(t, () => config)
    await record(ledger, [said('irc:#a', 'alice', 'hello')])
    const channel = join(root, 'irc', '#a')
    mkdirSync(channel, { recursive: true })
    const { extension, head } = liveFormat(format)
    writeFileSync(join(channel, `2026-04-01.${extension}`), head.slice(0, 7))
    await files.take(await all(ledger))
    await files.close()
    assert.deepEqual(seqsIn(channel, format), [1])
    assert.ok(readFileSync(join(channel, `2026-04-01.${extension}`), 'utf8').startsWith(head))
  })
}

test("somebody else's file of that name is left alone, and a link is not followed", async t => {
  const { ledger, root, files, data } = await setUp(t)
  await record(ledger, [said('irc:#a', 'alice', 'hello'), said('irc:#b', 'alice', 'hello')])
  mkdirSync(join(root, 'irc', '#a'), { recursive: true })
  mkdirSync(join(root, 'irc', '#b'), { recursive: true })
  writeFileSync(join(root, 'irc', '#a', '2026-04-01.jsonl'), 'my notes\nof today\n')
  symlinkSync(join(data, 'target'), join(root, 'irc', '#b', '2026-04-01.jsonl'))
  const batch = await all(ledger)
  await files.take(batch.slice(0, 1))
  assert.equal(readFileSync(join(root, 'irc', '#a', '2026-04-01.jsonl'), 'utf8'), 'my notes\nof today\n')
  assert.deepEqual(seqsIn(join(root, 'irc', '#a')), [1])
  await assert.rejects(files.take(batch), { code: 'ELOOP' })
  rmSync(join(root, 'irc', '#b', '2026-04-01.jsonl'))
  await files.take(batch)
  await files.close()
  assert.deepEqual(seqsIn(join(root, 'irc', '#b')), [2])
})

test('a secret that somebody typed in a channel is masked', async t => {
  const { ledger, root, files } = await setUp(t)
  const args = z.object({ name: z.string(), value: z.string().meta({ secret: true }) })
  const common = { summary: 'x', role: 'owner', reply: 'private', examples: [['x', 'x']], run: async () => '' } as const
  const command = commandsOf<null>('admin')({ ...common, name: 'secret set', args })
  await ledger.write(db => publish(db, 'admin', [command as never]))
  await record(ledger, [
    said('irc:#a', 'alice', '!secret set key hunter2'),
    said('irc:#a', 'alice', 'admin: secret set key hunter2'),
  ])
  await files.take(await all(ledger))
  const [name = ''] = readdirSync(join(root, 'irc', '#a'))
  const written = readFileSync(join(root, 'irc', '#a', name), 'utf8')
  assert.equal(written.match(/"secret set key \*\*\*"/g)?.length, 2)
  assert.ok(!written.includes('hunter2'))
})

test('while no files are wanted nothing is written, and not later either', async t => {
  let config: FilesConfig | null = null
  const { ledger, root, files } = await setUp(t, () => config)
  await record(ledger, [said('irc:#a', 'alice', 'off the record')])
  await files.take(await all(ledger))
  assert.equal(files.cursor, 1)
  config = daily
  await record(ledger, [said('irc:#a', 'alice', 'on the record')])
  await files.take(await all(ledger, files.cursor))
  await files.close()
  assert.deepEqual(seqsIn(join(root, 'irc', '#a')), [2])
})

test('a ledger of another history (a restored backup) gets files of its own, from where the two part', async t => {
  const { ledger, root, files, data } = await setUp(t)
  await record(
    ledger,
    Array.from({ length: 3 }, (_, n) => said('irc:#a', 'alice', `old ${n}`)),
  )
  await files.take(await all(ledger))
  await files.close()
  const other = Ledger.open(join(data, 'restored.db'))
  await record(
    other,
    Array.from({ length: 5 }, (_, n) => said('irc:#a', 'alice', `new ${n}`)),
  )
  const again = await LogFiles.open({ root, ledger: other, config: () => daily, nowMs, keepable })
  assert.equal(again.cursor, 0)
  await again.take(await all(other))
  await again.close()
  other.close()
  assert.deepEqual(readdirSync(join(root, 'irc', '#a')).sort(), ['2026-04-01-r1.jsonl', '2026-04-01.jsonl'])
  assert.deepEqual(seqsIn(join(root, 'irc', '#a')), [1, 2, 3, 4, 5, 1, 2, 3])
})

test('rotation by size ends a file when it is full and goes on in the next, after a start too', async t => {
  const config: FilesConfig = { ...daily, rotate: 'size', maxMegabytes: 0.001 }
  const { ledger, root, files, open } = await setUp(t, () => config)
  await record(
    ledger,
    Array.from({ length: 50 }, (_, n) => said('irc:#a', 'alice', `line ${n}`)),
  )
  const batch = await all(ledger)
  await files.take(batch.slice(0, 20))
  await files.close()
  rmSync(join(root, '.cursor.json'))
  const again = await open()
  await again.take(batch.slice(0, 30))
  await again.take(batch.slice(20))
  await again.close()
  const channel = join(root, 'irc', '#a')
  assert.deepEqual(
    seqsIn(channel),
    batch.map(({ seq }) => seq),
  )
  const names = readdirSync(channel)
  assert.ok(names.length > 5)
  for (const name of names) assert.ok(statSync(join(channel, name)).size < 1300, name)
})

test('a channel that can not be written stops the batch, says why, and loses nothing', async t => {
  const { ledger, root, files } = await setUp(t)
  await record(ledger, [said('irc:#a', 'alice', '1'), said('irc:#b', 'alice', '2'), said('irc:#a', 'alice', '3')])
  mkdirSync(join(root, 'irc'), { recursive: true })
  writeFileSync(join(root, 'irc', '#b'), 'in the way')
  const batch = await all(ledger)
  await assert.rejects(files.take(batch))
  assert.equal(files.cursor, 0)
  rmSync(join(root, 'irc', '#b'))
  await files.take(batch)
  await files.close()
  assert.deepEqual(seqsIn(join(root, 'irc', '#a')), [1, 3])
  assert.deepEqual(seqsIn(join(root, 'irc', '#b')), [2])
})

test('what is said where a file was deleted for its age is in a file again', async t => {
  const { ledger, root, files } = await setUp(t, () => ({ ...daily, rotate: 'size' }))
  const channel = join(root, 'irc', '#general')
  await record(ledger, [said('irc:#general', 'alice', 'long ago')])
  await files.take(await all(ledger))
  const [name = ''] = readdirSync(channel)
  utimesSync(join(channel, name), 0, (startMs - 366 * 86_400_000) / 1000)
  assert.equal(await files.sweep(365), 1)
  await record(ledger, [said('irc:#general', 'alice', 'now')])
  await files.take(await all(ledger, 1))
  await files.close()
  assert.deepEqual(seqsIn(channel), [2])
})

for (const rotate of ['daily', 'size'] as const) {
  test(`kill -9 while writing, rotated by ${rotate}: no line is lost and none is doubled`, async t => {
    const data = folder(t)
    const path = join(data, 'ledger.db')
    const ledger = Ledger.open(path)
    const channels = ['#a', '#b', '#c']
    await record(
      ledger,
      Array.from({ length: 1500 }, (_, n) =>
        said(`irc:${channels[n % 3]}`, person(`p${n % 7}`), `line ${n} ${'x'.repeat(n % 300)}`),
      ),
    )
    const stored = await all(ledger)
    ledger.close()
    const root = join(data, 'logs')
    const config = JSON.stringify({ ...daily, rotate, maxMegabytes: 0.02, keepDays: 100_000 })
    for (const batches of [1, 4, 9, 2, 6]) await killAfter(t, [path, root, config], batches)
    await killAfter(t, [path, root, config], Number.POSITIVE_INFINITY)
    for (const channel of channels) {
      const wanted = stored.filter(({ event }) => event.place.channel === channel).map(({ seq }) => seq)
      assert.deepEqual(seqsIn(join(root, 'irc', channel)), wanted, channel)
    }
  })
}

/** Runs the writer and kills it while it writes the batch after so many; resolves when it is gone. */
async function killAfter(t: TestContext, args: string[], batches: number): Promise<void> {
  const child = spawn(process.execPath, [fileURLToPath(import.meta.resolve('./killed.child.ts')), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    signal: AbortSignal.timeout(30_000),
  })
  t.after(() => child.kill('SIGKILL'))
  const gone = once(child, 'exit')
  let seen = 0
  let last = ''
  for await (const line of createInterface(child.stdout)) {
    last = line
    if (++seen === batches) child.kill('SIGKILL')
  }
  await gone
  if (batches === Number.POSITIVE_INFINITY) assert.equal(last, 'done')
}

test('files whose time is over are deleted, and nothing else', async t => {
  const root = folder(t)
  const channel = join(root, 'irc', '#a')
  const old = join(root, 'irc', '#old')
  mkdirSync(channel, { recursive: true })
  mkdirSync(old)
  const names = ['2026-03-01.jsonl', '2026-03-01-r1.2.csv', '2026-W09.log', '2026-02.jsonl', '000001.jsonl']
  const kept = ['2026-03-31.jsonl', '2026-03.jsonl', 'notes.txt', '2026-03-01.jsonl.bak', '000002.jsonl']
  for (const name of [...names, ...kept]) writeFileSync(join(channel, name), 'x')
  writeFileSync(join(root, 'scribe-out.log'), 'x')
  writeFileSync(join(old, '2020-01-01.jsonl'), 'x')
  for (const name of ['000001.jsonl', '000002.jsonl']) {
    const seconds = (startMs - (name === '000001.jsonl' ? 40 : 1) * 86_400_000) / 1000
    utimesSync(join(channel, name), seconds, seconds)
  }
  assert.equal(await sweep(root, 20, startMs), names.length + 1)
  assert.deepEqual(readdirSync(channel).sort(), kept.sort())
  assert.deepEqual(readdirSync(join(root, 'irc')), ['#a'])
  assert.equal(await sweep(join(root, 'nothing'), 20, startMs), 0)
})

test('what a terminal would obey is escaped in every format of a file, and a reader of JSON gets it back', async t => {
  const nasty = 'a\u202eb\u009bc\u0085d\u2066e\u200b👩\u200d🚀'
  const { ledger } = await setUp(t)
  await record(ledger, [said('irc:#general', nasty, nasty)])
  const [stored] = await all(ledger)
  assert.ok(stored)
  const line = await ledger.read(tx => lineOf(tx, stored))
  for (const name of formatNames) {
    const format = formatOf(name, nasty)
    const written = `${format.head}${format.line(line)}${format.foot}`
    assert.doesNotMatch(written, /[\u007f-\u009f\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069]/, name)
    assert.match(written, /👩\u200d?🚀/, name)
    if (name === 'csv') assert.match(written, /a\\u202eb\\u009bc/)
    if (name === 'jsonl') assert.equal((JSON.parse(written) as { text: string }).text, nasty)
  }
})
