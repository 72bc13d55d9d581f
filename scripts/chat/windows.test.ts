import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseLine } from '../../adapters/irc/text/line.ts'
import { emptyEditor, setText } from './editor.ts'
import { type Entry, remark } from './entry.ts'
import { follow } from './follow.ts'
import { clock, entryRows, RowCache } from './render.ts'
import { bodyRows, frame, inputRow, type View } from './screen.ts'
import { paint } from './style.ts'
import { Windows } from './windows.ts'
import { columns } from './wrap.ts'

function take(windows: Windows, ...raws: string[]): void {
  for (const raw of raws) {
    const line = parseLine(raw)
    assert.ok(line)
    follow(line, false, windows)
  }
}

function joined(): Windows {
  const windows = new Windows()
  take(
    windows,
    ':s 001 owner :hi',
    ':s 005 owner CASEMAPPING=ascii :are supported',
    ':owner!u@h JOIN #general',
    ':s 353 owner = #general :@owner +admin ann',
  )
  windows.select(1)
  return windows
}

const said = (windows: Windows, name: string): string[] =>
  (windows.find(name)?.entries ?? []).map(entry => `${entry.kind} ${entry.from}: ${entry.text}`)

test('words go to the window they belong to', () => {
  const windows = joined()
  take(
    windows,
    ':ann!u@h PRIVMSG #general :hello',
    ':ann!u@h PRIVMSG owner :psst',
    ':owner!u@h PRIVMSG ann :what?',
    ':admin!u@h NOTICE owner :private answer',
    '@+channel-context=#general :admin!u@h NOTICE owner :answer in the channel',
    '@+channel-context=#general :stranger!u@h NOTICE owner :not from a member',
    '@+channel-context=#other :admin!u@h NOTICE owner :not open here',
    ':NickServ!s@s NOTICE owner :you are known',
    ':irc.example NOTICE owner :from the server',
    ':ann!u@h PRIVMSG @#general :for operators',
    ':ann!u@h PRIVMSG #general :\x01ACTION waves\x01',
    ':ann!u@h PRIVMSG owner :\x01VERSION\x01',
  )
  assert.deepEqual(said(windows, '#general'), [
    'message ann: hello', 'notice admin: answer in the channel', 'message ann: for operators', 'action ann: waves',
  ]) // biome-ignore format: short lines
  assert.deepEqual(said(windows, 'ann'), ['message ann: psst', 'message owner: what?'])
  assert.deepEqual(said(windows, 'admin'), ['notice admin: private answer', 'notice admin: not open here'])
  assert.deepEqual(said(windows, 'stranger'), ['notice stranger: not from a member'])
  assert.deepEqual(said(windows, ''), ['notice NickServ: you are known', 'notice irc.example: from the server'])
})

test('history and live lines are one conversation: by time, each once', () => {
  const windows = joined()
  const line = (id: string, at: string, text: string): string =>
    `@msgid=${id};time=2026-01-01T00:00:${at}Z :ann!u@h PRIVMSG #general :${text}`
  take(
    windows,
    line('3', '03.000', 'three'),
    line('1', '01.000', 'one'),
    line('3', '03.000', 'three'),
    line('2', '02.000', 'two'),
  )
  assert.deepEqual(
    said(windows, '#general').map(text => text.slice(13)),
    ['one', 'two', 'three'],
  )
})

test('older lines come before those they precede, also within one millisecond', () => {
  const windows = joined()
  const at = '@time=2026-01-01T00:00:00.000Z;msgid'
  take(windows, `${at}=3 :ann!u@h PRIVMSG #general :three`, `${at}=4 :ann!u@h PRIVMSG #general :four`)
  windows.active.olderThan = '3'
  for (const [id, text] of [
    ['1', 'one'],
    ['2', 'two'],
  ]) {
    const line = parseLine(`${at}=${id} :ann!u@h PRIVMSG #general :${text}`)
    assert.ok(line)
    follow(line, true, windows)
  }
  take(windows, `${at}=5 :ann!u@h PRIVMSG #general :five`)
  assert.deepEqual(
    said(windows, '#general').map(text => text.slice(13)),
    ['one', 'two', 'three', 'four', 'five'],
  )
})

test('comings and goings, refusals and deletions', () => {
  const windows = joined()
  take(
    windows,
    ':bob!u@h JOIN #general', ':bob!u@h NICK bobby', ':bobby!u@h PART #general :bye', ':ann!u@h QUIT :gone',
    ':admin!u@h AWAY :restarting', ':admin!u@h TOPIC #general :news', ':s 404 owner #general :Cannot send', ':s 422 owner :No MOTD',
    'FAIL CHATHISTORY INVALID_TARGET #x :no such target',
  ) // biome-ignore format: short lines
  assert.deepEqual(said(windows, '#general').map(text => text.replace(' : ', ' ')), [
    'info bob joins', 'info bob is now bobby', 'info bobby leaves (bye)', 'info ann leaves IRC (gone)', 'info admin is away (restarting)',
    'info admin sets the topic: news', 'error #general: Cannot send', 'error no such target',
  ]) // biome-ignore format: short lines
  assert.deepEqual([...(windows.find('#general')?.members.values() ?? [])], ['owner', 'admin'])
  take(windows, '@msgid=9 :admin!u@h PRIVMSG #general :secret', ':admin!u@h REDACT #general 9 :leaked')
  assert.equal(said(windows, '#general').at(-1), 'message admin: (deleted: leaked)')
})

test('unread counts; our nick and private words are marked', () => {
  const windows = joined()
  take(
    windows,
    ':owner!u@h JOIN #ops',
    ':ann!u@h PRIVMSG #ops :coowner is not me',
    ':ann!u@h PRIVMSG #general :read at once',
  )
  const ops = windows.find('#ops')
  assert.deepEqual([ops?.unread, ops?.mention, windows.active.unread], [1, false, 0])
  take(windows, ':ann!u@h PRIVMSG #ops :ownership: Owner, look')
  assert.deepEqual([ops?.unread, ops?.mention], [2, true])
  assert.ok(windows.select(2))
  assert.deepEqual([ops?.unread, ops?.mention], [0, false])
  assert.equal(windows.select(9), false)
})

test('closing a window leaves a neighbour in sight', () => {
  const windows = joined()
  windows.show(windows.open('ann'))
  windows.close(windows.active)
  assert.equal(windows.active.name, '#general')
  windows.close(windows.server)
  assert.equal(windows.server.name, '')
})

test('a window keeps what is newest', () => {
  const windows = joined()
  for (let at = 0; at < 5100; at++) windows.add(windows.active, remark(String(at)))
  assert.equal(windows.active.entries.length, 5000)
  assert.equal(windows.active.entries[0]?.text, '100')
})

const nowMs = new Date(2026, 3, 1, 13, 5).getTime()
const entry = (text: string, more: Partial<Entry> = {}): Entry => ({
  id: null, atMs: nowMs, kind: 'message', from: 'ann', text, own: false, past: false, ...more,
}) // biome-ignore format: a record
const texts = (rows: readonly (readonly { text: string }[])[]): string[] =>
  rows.map(row => row.map(run => run.text).join(''))

test('entries as rows', () => {
  assert.deepEqual(texts(entryRows(entry('hi\nyou'), 40, nowMs)), ['13:05 <ann> hi', '    you'])
  assert.deepEqual(texts(entryRows(entry('waves', { kind: 'action' }), 40, nowMs)), ['13:05 * ann waves'])
  assert.deepEqual(texts(entryRows(entry('psst', { kind: 'notice' }), 40, nowMs)), ['13:05 -ann- psst'])
  assert.equal(clock(nowMs - 86_400_000, nowMs), 'Mar 31 13:05')
})

function view(windows: Windows, width: number, height: number): View {
  return { windows, editor: setText(emptyEditor, 'typed'), width, height, state: 'owner', hint: '', nowMs }
}

test('a frame fills any size and never more', () => {
  const windows = joined()
  for (let at = 0; at < 30; at++) windows.add(windows.active, entry(`line ${at} 日本語 ${'x'.repeat(at)}`))
  for (const [width, height] of [
    [80, 24],
    [20, 5],
    [7, 4],
    [10, 3],
    [1, 1],
  ] as const) {
    const { rows, cursor } = frame(view(windows, width, height), new RowCache())
    assert.equal(rows.length, height)
    for (const row of rows) assert.ok(columns(texts([row])[0] ?? '') <= width, `${width}x${height}`)
    assert.ok(cursor < Math.max(width, 1))
  }
})

test('scrolling stops at both ends', () => {
  const windows = joined()
  for (let at = 0; at < 30; at++) windows.add(windows.active, entry(`line ${at}`))
  const cache = new RowCache()
  windows.active.scroll = 5
  const up = bodyRows(view(windows, 80, 13), cache)
  assert.deepEqual([texts(up.rows).at(-1), up.scroll, up.atTop], ['13:05 <ann> line 24', 5, false])
  windows.active.scroll = 500
  const top = bodyRows(view(windows, 80, 13), cache)
  assert.deepEqual([texts(top.rows)[0], top.scroll, top.atTop], ['13:05 <ann> line 0', 20, true])
})

test('the cursor stays in sight of a long line', () => {
  const long = setText(emptyEditor, `${'a'.repeat(100)}日本`)
  const { row, cursor } = inputRow(long, '[#x] ', 20)
  assert.ok(cursor <= 19)
  assert.ok(texts([row])[0]?.endsWith('日本'))
  assert.equal(texts([inputRow(setText(emptyEditor, 'a\nb'), '', 20).row])[0], 'a⏎b')
})

test('names from the wire are cleaned like text', () => {
  const windows = joined()
  take(windows, ':\x1b[2Jx!u@h PRIVMSG owner :hi', ':s 332 owner #general :\x1b]0;t\x07topic')
  const { rows } = frame(view(windows, 80, 10), new RowCache())
  for (const row of rows) assert.doesNotMatch(paint(row).replace(/\x1b\[[0-9;]*m/g, ''), /[\x00-\x1f\x7f-\x9f]/)
})
