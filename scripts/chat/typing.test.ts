import assert from 'node:assert/strict'
import { test } from 'node:test'
import { complete } from './complete.ts'
import { afterSending, type Edit, type Editor, edits, emptyEditor, insert, setText } from './editor.ts'
import { ownWords, readInput } from './input.ts'
import { press } from './keys.ts'
import { KnownCommands, namesIn } from './known.ts'

const run = (editor: Editor, ...names: Edit[]): Editor => names.reduce((state, name) => edits[name](state), editor)
const typed = (text: string): Editor => insert(emptyEditor, text)
/** The text with `|` at the cursor. */
const shown = ({ text, cursor }: Editor): string => `${text.slice(0, cursor)}|${text.slice(cursor)}`

test('moving and deleting go by what a person sees as one character', () => {
  const family = typed('a👩‍👩‍👧e\u0301')
  assert.equal(shown(run(family, 'left')), 'a👩‍👩‍👧|e\u0301')
  assert.equal(shown(run(family, 'left', 'left')), 'a|👩‍👩‍👧e\u0301')
  assert.equal(shown(run(family, 'left', 'backspace')), 'a|e\u0301')
  assert.equal(shown(run(family, 'home', 'right', 'delete')), 'a|e\u0301')
  assert.equal(shown(run(emptyEditor, 'backspace', 'delete', 'left', 'right', 'cutWord')), '|')
})

test('words and ends, cutting and putting back', () => {
  const words = typed('one two  three')
  assert.equal(shown(run(words, 'wordLeft')), 'one two  |three')
  assert.equal(shown(run(words, 'wordLeft', 'wordLeft')), 'one |two  three')
  assert.equal(shown(run(words, 'home', 'wordRight', 'wordRight')), 'one two|  three')
  assert.equal(shown(run(words, 'cutWord')), 'one two  |')
  assert.equal(shown(run(words, 'cutWord', 'home', 'yank')), 'three|one two  ')
  assert.equal(shown(run(words, 'wordLeft', 'cutBefore')), '|three')
  assert.equal(shown(run(words, 'wordLeft', 'cutAfter')), 'one two  |')
})

test('what was sent comes back, and the line being written is kept', () => {
  let editor = afterSending(typed('first'))
  editor = afterSending(insert(editor, 'second'))
  editor = afterSending(insert(editor, 'second'))
  editor = insert(editor, 'draft')
  assert.deepEqual(editor.sent, ['first', 'second'])
  assert.equal(run(editor, 'older').text, 'second')
  assert.equal(run(editor, 'older', 'older', 'older').text, 'first')
  assert.equal(run(editor, 'older', 'older', 'newer', 'newer', 'newer').text, 'draft')
})

test('controls never enter the line; newlines of pasted text do', () => {
  assert.equal(insert(emptyEditor, 'a\x1b[2J\x00\tb\r\nc\rd').text, 'a[2J b\nc\nd')
  assert.equal(insert(setText(emptyEditor, 'x'.repeat(20_000)), 'y').text.length, 20_000)
})

test('typed lines: our words, the bots’ words, text', () => {
  const cases: [string, unknown][] = [
    ['hello', { kind: 'say', text: 'hello' }],
    ['!help role', { kind: 'say', text: '!help role' }],
    ['/stop', { kind: 'say', text: '!stop' }],
    ['/stop all now', { kind: 'say', text: '!stop all now' }],
    ['/STATUS', { kind: 'say', text: '!STATUS' }],
    ['//stop', { kind: 'say', text: '/stop' }],
    ['/ /stop', { kind: 'say', text: '/stop' }],
    ['/', { kind: 'say', text: '/' }],
    ['   ', null],
    ['/join ops', { kind: 'join', channel: '#ops' }],
    ['/JOIN #ops', { kind: 'join', channel: '#ops' }],
    ['/part', { kind: 'part', name: null }],
    ['/msg oracle what is new?', { kind: 'message', to: 'oracle', text: 'what is new?' }],
    ['/me waves', { kind: 'me', text: 'waves' }],
    ['/win 3', { kind: 'window', number: 3 }],
    ['/window 3', { kind: 'window', number: 3 }],
    ['/window scribe', { kind: 'show', name: 'scribe' }],
    ['/help', { kind: 'help' }],
    ['/exit', { kind: 'quit' }],
    ['/query admin', { kind: 'query', to: 'admin' }],
    ['/quit', { kind: 'quit' }],
    ['/constructor', { kind: 'say', text: '!constructor' }],
  ]
  for (const [said, expected] of cases) assert.deepEqual(readInput(said, '!'), expected, said)
  for (const said of [
    '/join',
    '/join #a,#b',
    '/msg oracle',
    '/msg',
    '/win a b',
    '/me',
    '/query',
    '/nick bob',
    '/msg a,b hi',
  ]) {
    assert.equal(readInput(said, '!')?.kind, 'wrong', said)
  }
})

test('our own words mistyped are said to be so, the bots’ words are theirs', () => {
  const wrong = (said: string, commands?: readonly string[]): string => {
    const action = readInput(said, '!', commands)
    return action?.kind === 'wrong' ? action.message : ''
  }
  assert.equal(wrong('/qiut'), 'there is no /qiut: /quit? !qiut says it to the bots')
  assert.match(wrong('/jion #ops'), /\/join\?/)
  assert.match(wrong('/widnow 2'), /\/window\?/)
  assert.equal(wrong('/who', ['who']), '')
  assert.equal(wrong('/mes', ['mes show']), '')
  assert.equal(wrong('/status'), '')
})

const sources = {
  prefix: '!',
  settings: ['commands.prefix', 'commands.confirmSeconds', 'networks.irc.kind'],
  groups: ['all', 'workers'],
  commands: ['help', 'config get', 'config set', 'role list', 'role grant', 'room add', 'rooms', 'status'],
  nicks: ['oracle', 'Olaf', 'ann'],
  channels: ['#general', '#ops'],
}
const choices = (text: string, cursor = text.length): readonly string[] =>
  complete(text, cursor, sources)?.choices ?? []

test('Tab completes commands, their words, nicks and channels', () => {
  assert.deepEqual(choices('!he'), ['!help '])
  assert.deepEqual(choices('!ro'), ['!role ', '!room ', '!rooms '])
  assert.deepEqual(choices('!role '), ['grant ', 'list '])
  assert.deepEqual(choices('!role g'), ['grant '])
  assert.deepEqual(choices('/jo'), ['/join '])
  assert.deepEqual(choices('/st'), ['/status '])
  assert.deepEqual(choices('o'), ['Olaf: ', 'oracle: '])
  assert.deepEqual(choices('hi o'), ['Olaf ', 'oracle '])
  assert.deepEqual(choices('!role grant an'), ['ann '])
  assert.deepEqual(choices('hi @or'), ['@oracle '])
  assert.deepEqual(choices('hi @wo'), ['@workers '])
  assert.deepEqual(choices('!config get commands.c'), ['commands.confirmSeconds '])
  assert.deepEqual(choices('!config set commands.prefix co'), [])
  assert.deepEqual(choices('see #g'), ['#general '])
  assert.deepEqual(choices('zz'), [])
  assert.deepEqual(choices(''), [])
  assert.equal(complete('say !he', 7, sources), null)
  assert.deepEqual(complete('an rest', 2, sources), { from: 0, choices: ['ann: '] })
  assert.ok(ownWords.includes('quit'))
})

test('commands are learnt from a list and from what bots say', async () => {
  const known = new KnownCommands('!')
  known.learn('try \x02!digest\x02 or `!agent add|del`, see !help.')
  assert.ok(known.names.includes('digest'))
  assert.ok(known.names.includes('agent add') && known.names.includes('agent del'))
  assert.equal(known.names.filter(name => name === 'help').length, 1)
  assert.deepEqual(namesIn(['help', 'role grant', 7, 'Bad\x1b', { name: 'stop' }]), ['help', 'role grant', 'stop'])
  assert.deepEqual(namesIn({ commands: [{ name: 'help' }] }), ['help'])
  assert.deepEqual(namesIn(null), [])
  await known.load('/nowhere/commands.json')
  assert.ok(known.names.includes('help'))
})

test('keys as node:readline reports them', () => {
  assert.deepEqual(press('a', { name: 'a', sequence: 'a' }), { kind: 'text', text: 'a' })
  assert.deepEqual(press('日', { sequence: '日' }), { kind: 'text', text: '日' })
  assert.deepEqual(press('\x1b3', { name: '3', meta: true, sequence: '\x1b3' }), { kind: 'window', number: 3 })
  assert.deepEqual(press('\x03', { name: 'c', ctrl: true, sequence: '\x03' }), { kind: 'quit' })
  assert.deepEqual(press(undefined, { name: 'pageup', sequence: '\x1b[5~' }), { kind: 'page', by: 1 })
  assert.equal(press('\x1b[31~', { name: 'f17', sequence: '\x1b[31~' }), null)
  assert.equal(press('\x00', { name: '`', ctrl: true, sequence: '\x00' }), null)
})
