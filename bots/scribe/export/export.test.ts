import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, sep } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { ChatEvent } from '../../../core/event.ts'
import type { Span } from '../../../core/ledger/record/history.ts'
import { connect } from '../../../core/ledger/sqlite.ts'
import type { FormatName } from '../record/format.ts'
import { about, folder, ledgerIn, record, said, startMs } from '../testing.ts'
import { type Exported, exportTo } from './export.ts'
import { exportPath } from './place.ts'

const rooms = { general: { places: ['irc:#general', 'memory:hall'], open: true, joins: true } }
const never = new AbortController().signal

async function exported(t: TestContext, events: readonly ChatEvent[], format: FormatName, selection: Span = {}) {
  const data = folder(t)
  const ledger = ledgerIn(t, data)
  await record(ledger, events, rooms)
  const db = connect(ledger.path, { readonly: true })
  t.after(() => db.close())
  const path = join(data, 'exports', `out.${format}`)
  const done = await exportTo(db, { selection, format, title: 'general', path }, never)
  return { done, text: readFileSync(path, 'utf8'), path, db, data }
}

function isTrue(done: Exported, text: string): void {
  assert.equal(done.sha256, createHash('sha256').update(text).digest('hex'))
  assert.equal(done.sizeBytes, Buffer.byteLength(text))
}

const nasty = [
  '=HYPERLINK("http://x")',
  '+1',
  '-1+1',
  '@SUM(A1)',
  'a "quote", and\r\na line',
  '<script>alert(1)</script>',
  'ünï 😀',
  '\tx',
]

test('jsonl: what was said comes back, as it reads now', async t => {
  const first = said('irc:#general', 'alice', 'helo')
  const gone = said('memory:hall', 'bob', 'my password is swordfish')
  const events = [
    first,
    about(first, { kind: 'edit', content: { segments: [{ kind: 'text', text: 'hello' }] } }),
    gone,
    about(gone, { kind: 'delete' }),
    said('memory:hall', 'bob', { segments: [{ kind: 'text', text: 'waves' }], style: 'action' }),
    about(first, { kind: 'reaction', emoji: '👍' }),
    said('irc:@alice', 'alice', 'private'),
    ...nasty.map(text => said('irc:#general', 'mallory', text)),
  ]
  const { done, text, path } = await exported(t, events, 'jsonl', { rooms: ['general'] })
  const lines = text
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line))
  isTrue(done, text)
  assert.equal(done.lines, lines.length)
  assert.equal(statSync(path).mode & 0o777, 0o600)
  assert.deepEqual(
    lines.slice(0, 4).map(({ seq, kind, name, text, edits, deleted }) => [seq, kind, name, text, edits, deleted]),
    [
      [1, 'message', 'alice', 'hello', 1, undefined],
      [3, 'message', 'bob', '', undefined, true],
      [5, 'message', 'bob', 'waves', undefined, undefined],
      [6, 'reaction', 'alice', '👍', undefined, undefined],
    ],
  )
  assert.deepEqual(
    lines.slice(4).map(line => line.text),
    nasty,
  )
  assert.ok(!text.includes('swordfish') && !text.includes('private'))
  assert.equal(lines[0].at, new Date(first.atMs).toISOString())
})

/** RFC 4180, straight from its grammar. */
function readCsv(text: string): string[][] {
  const records: string[][] = []
  let record: string[] = []
  for (const match of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/g)) {
    record.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? '')
    if (match[3] !== '\r\n') continue
    records.push(record)
    record = []
  }
  return records
}

test('csv: every record has all columns, and no cell is a formula', async t => {
  const { done, text } = await exported(
    t,
    nasty.map(text => said('irc:#general', '=cmd|x', text)),
    'csv',
  )
  isTrue(done, text)
  const [head = [], ...records] = readCsv(text)
  assert.equal(done.lines, nasty.length)
  assert.equal(records.length, nasty.length)
  for (const [n, record] of records.entries()) {
    assert.equal(record.length, head.length)
    for (const cell of record) assert.doesNotMatch(cell, /^[=+\-@\t\r]/)
    assert.equal(record[head.indexOf('text')]?.replace(/^'/, ''), nasty[n])
  }
})

test('text: a message is one line, whatever is in it', async t => {
  const { done, text } = await exported(
    t,
    nasty.map(text => said('irc:#general', 'a>\n<b', text)),
    'text',
  )
  isTrue(done, text)
  const lines = text.trimEnd().split('\n')
  assert.equal(lines.length, nasty.length)
  for (const line of lines) assert.match(line, /^2026-04-01 12:\d\d:\d\d #\d+ <a› ‹b> \S/)
})

test('html: nothing anybody wrote is markup, and the page asks for nothing', async t => {
  const first = said('irc:#general', '<img src=x onerror=alert(1)>', nasty.join(' '))
  const events = [
    first,
    said('irc:#general', 'bob', 'yes', { content: { segments: [{ kind: 'text', text: 'yes' }], replyTo: first.id } }),
  ]
  const { done, text } = await exported(t, events, 'html')
  isTrue(done, text)
  assert.ok(!/<(script|img|link|iframe)/i.test(text))
  assert.ok(text.includes('&lt;script&gt;'))
  assert.ok(text.includes('<a href="#m1">#1</a>'))
  assert.match(text, /default-src 'none'/)
  assert.ok(text.endsWith('</html>\n'))
})

test('room, place and times cut; nothing found is an error and leaves no file', async t => {
  const at = (day: number) => ({ atMs: startMs + day * 86_400_000 })
  const events = [
    said('irc:#general', 'alice', 'a', at(0)),
    said('memory:hall', 'alice', 'b', at(1)),
    said('irc:#ops', 'alice', 'c', at(1)),
    said('irc:#general', 'alice', 'd', at(2)),
  ]
  const texts = async (selection: Span) => {
    const { text } = await exported(t, events, 'jsonl', selection)
    return text
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line).text)
  }
  assert.deepEqual(await texts({ rooms: ['general'] }), ['a', 'b', 'd'])
  assert.deepEqual(await texts({ place: { network: 'irc', channel: '#general' } }), ['a', 'd'])
  assert.deepEqual(await texts({ sinceMs: at(1).atMs, untilMs: at(2).atMs }), ['b', 'c'])
  await assert.rejects(texts({ rooms: ['nowhere'] }), { code: 'not-found' })
})

test('a file that exists stays, and an export that was stopped leaves nothing', async t => {
  const { path, db, data } = await exported(t, [said('irc:#general', 'alice', 'a')], 'jsonl')
  const request = { selection: {}, format: 'jsonl', title: '', path } as const
  const before = readFileSync(path, 'utf8')
  await assert.rejects(exportTo(db, request, never), { code: 'conflict', message: /exists already/ })
  assert.equal(readFileSync(path, 'utf8'), before)
  await assert.rejects(exportTo(db, { ...request, path: `${path}2` }, AbortSignal.abort()))
  assert.deepEqual(readdirSync(join(data, 'exports')), ['out.jsonl'])
})

test('exports from chat are in their folder, whatever the room is called', async t => {
  const data = folder(t)
  for (const what of ['../../etc/passwd', '..', 'irc:#general', `#${'x'.repeat(900)}`, '#a\0b', '']) {
    const path = await exportPath(data, what, 'csv', startMs)
    assert.ok(path.startsWith(join(data, 'exports') + sep))
    assert.equal(path.slice(join(data, 'exports').length + 1).includes(sep), false)
    writeFileSync(path, 'x')
  }
  assert.equal(statSync(join(data, 'exports')).mode & 0o777, 0o700)
  const other = folder(t)
  mkdirSync(join(other, 'elsewhere'))
  symlinkSync(join(other, 'elsewhere'), join(other, 'exports'))
  await assert.rejects(exportPath(other, 'general', 'csv', startMs), { code: 'conflict' })
  assert.ok(existsSync(join(other, 'elsewhere')))
})
