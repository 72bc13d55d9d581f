import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MemoryPlatform } from '../../../adapters/memory/platform.ts'
import type { Content, NetworkId, UserId } from '../../../core/event.ts'
import { addIdentity, personFor } from '../../../core/ledger/people/people.ts'
import { House } from '../../../test/house.ts'
import { copies, copyOf, hall, openHall, settled, until } from '../testing.ts'

const said = (server: MemoryPlatform, text: string): Content | undefined => copyOf(server, text)?.content

test('a name that two have is shown with its network, everywhere, until it is one person’s', async t => {
  const { house, servers } = await openHall(t)
  const [a, b, c] = servers as [MemoryPlatform, MemoryPlatform, MemoryPlatform]
  a.user('alice').say(hall, 'first')
  await until(() => copyOf(c, 'first'), 'the first')
  b.user('alice').say(hall, 'second')
  await until(() => copyOf(c, 'second'), 'the second')
  a.user('Alice_').say(hall, 'third')
  a.user('carol').say(hall, 'fourth')
  await until(() => copyOf(c, 'fourth'), 'the fourth')
  assert.deepEqual(copies(c), ['alice: first', 'alice [b]: second', 'Alice_ [a]: third', 'carol: fourth'])
  await house.ledger.write(db => {
    const person = personFor(db, 'a' as NetworkId, 'dora' as UserId, 'dora', 1)
    addIdentity(db, person, { network: 'b' as NetworkId, user: 'dora' as UserId })
  })
  b.user('dora').say(hall, 'here')
  await until(() => copyOf(a, 'here'), 'dora in b')
  a.user('dora').say(hall, 'and here')
  await until(() => copyOf(b, 'and here'), 'dora in a')
  assert.equal(copies(b).at(-1), 'dora: and here', 'the same person is nobody else')
})

test('two of one name on one network are told apart by their ids', async t => {
  const { servers } = await openHall(t, 'ab')
  const [a, b] = servers as [MemoryPlatform, MemoryPlatform]
  for (const id of ['u1', '123456789012345678']) {
    a.user(id).rename('sam')
    a.user(id).join(hall)
  }
  a.user('sam2').rename('Sam')
  a.user('u1').say(hall, 'one')
  a.user('123456789012345678').say(hall, 'two')
  a.user('sam2').say(hall, 'three')
  a.user('u1').rename('samuel')
  a.user('u1').say(hall, 'four')
  await until(() => copyOf(b, 'four'), 'all of them')
  const said = copies(b).filter(line => !line.startsWith('bridge: '))
  assert.deepEqual(said, ['sam [a:u1]: one', 'sam [a:…5678]: two', 'Sam [a:sam2]: three', 'samuel: four'])
})

test('names that look like another, hide something or are ours are shown as such', async t => {
  const { servers } = await openHall(t, 'ab')
  const [a, b] = servers as [MemoryPlatform, MemoryPlatform]
  b.user('alice').say(hall, 'I am the one')
  await until(() => copyOf(a, 'I am the one'), 'alice of b')
  const names = [
    '\u0430lice',
    'a\u200blice',
    'ALICE',
    'al1ce',
    'oracle',
    '\u0430d\u043cin',
    'NickServ',
    '\u202ebob',
    'Алиса',
    'bob',
    '👩‍💻 dev',
  ]
  for (const [n, name] of names.entries()) {
    const user = a.user(`u${n}`)
    user.rename(name)
    user.say(hall, `as ${n}`)
  }
  await until(() => copyOf(b, `as ${names.length - 1}`), 'all of them')
  const shown = copies(b)
    .filter(line => / as \d+$/.test(line))
    .map(line => line.slice(0, line.lastIndexOf(': ')))
  assert.deepEqual(shown, [
    '\u0430lice [a, look-alike letters]',
    'alice [a, hidden characters]',
    'ALICE [a]',
    'al1ce [a]',
    'oracle [a]',
    '\u0430d\u043cin [a, look-alike letters]',
    'NickServ [a]',
    'bob [a, hidden characters]',
    'Алиса',
    'bob',
    '👩‍💻 dev',
  ])
})

test('who is called by name is mentioned where one alone has it, and nobody by accident', async t => {
  const { servers } = await openHall(t, 'ab')
  const [a, b] = servers as [MemoryPlatform, MemoryPlatform]
  const names = ['bob', 'eve', 'x.y']
  for (const name of names) b.user(name).say(hall, `I am ${name}`)
  b.user('e2').rename('Eve')
  b.user('e2').say(hall, 'I am too')
  await until(() => copyOf(a, 'I am too'), 'all of them')
  const segments = async (text: string, shown: string) => {
    a.user('alice').say(hall, text)
    return (await until(() => said(b, shown), shown)).segments
  }
  const mention = (id: string | null, name: string) => ({ kind: 'mention', id, name })
  const words = (value: string) => ({ kind: 'text', text: value })
  assert.deepEqual(await segments('hi @Bob, ok?', 'hi @Bob, ok?'), [
    words('hi '),
    mention('bob', 'Bob'),
    words(', ok?'),
  ])
  assert.deepEqual(await segments('bob: look', '@bob: look'), [mention('bob', 'bob'), words(': look')])
  assert.deepEqual(await segments('bob, look', '@bob, look'), [mention('bob', 'bob'), words(', look')])
  assert.deepEqual(await segments('see @x.y.', 'see @x.y.'), [words('see '), mention('x.y', 'x.y'), words('.')])
  for (const plainly of ['bobby: look', 'mail a@bob', 'note: bob', 'https://x.example/@bob', 'hi @eve', 'hi @nobody'])
    assert.deepEqual(await segments(plainly, plainly), [words(plainly)])
  const ambiguous = { segments: [mention('u9', 'eve')] } as Content
  a.user('alice').say(hall, ambiguous)
  const copy = await until(() => said(b, '@e\u2060ve'), 'the name, broken')
  assert.deepEqual(copy.segments, [mention(null, 'e\u2060ve')])
})

test('everybody is called where an operator let it, and nowhere else', async t => {
  const { house, servers } = await openHall(t, 'ab')
  const [a, b] = servers as [MemoryPlatform, MemoryPlatform]
  const first = a.user('alice').say(hall, 'hey @everyone')
  await until(() => copyOf(b, 'hey @\u200beveryone'), 'the harmless copy')
  a.user('alice').edit(first.id, 'hey @here')
  await until(() => copyOf(b, 'hey @\u200bhere'), 'the harmless edit')
  await house.ledger.write(db => {
    db.prepare("INSERT INTO setting VALUES ('rooms.hall.everyone', 'true', 'test', 1)").run()
  })
  house.bus.signal('settings', { by: 'test' })
  await until(() => {
    a.user('alice').say(hall, 'now @everyone')
    return copyOf(b, 'now @everyone')
  }, 'the call')
  await settled(house)
})

test('rules: names and texts that are left out, words that are replaced, places of one direction', async t => {
  const house = new House(t, {
    config: `
owner: a:olga
networks:
  a: { kind: memory, server: '{server}-a', channels: ['${hall}'] }
  b: { kind: memory, server: '{server}-b', channels: ['${hall}'] }
  c: { kind: memory, server: '{server}-c', channels: ['${hall}'] }
rooms:
  hall:
    places: ['a:${hall}', 'b:${hall}', 'c:${hall}']
    direction: { 'b:${hall}': in, 'c:${hall}': out }
    names: always
    ignore: { names: ['^spam', '^a:id7$'], texts: ['(a+)+$', '^!'] }
    replace: [{ find: 'colou?r', with: 'hue' }, { find: '(\\w+)@example\\.org', with: '$1 at example' }]
`,
  })
  await house.bridge()
  const [a, b, c] = [house.server('a'), house.server('b'), house.server('c')]
  await Promise.all([a.ready(), b.ready(), c.ready()])
  a.user('spammer').say(hall, 'buy')
  a.user('id7').say(hall, 'my id is ignored')
  const left = a.user('alice').say(hall, `aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa`)
  a.user('alice').edit(left.id, 'harmless now')
  a.user('alice').say(hall, '!cmd')
  a.user('alice').say(hall, 'my Color, bob@example.org')
  b.user('bob').say(hall, 'from b')
  c.user('carol').say(hall, 'stays in c')
  await Promise.all([a.quiet(), b.quiet(), c.quiet()])
  await settled(house)
  assert.deepEqual(copies(a), ['bob [b]: from b'])
  assert.deepEqual(copies(b), [])
  assert.deepEqual(copies(c).toSorted(), ['alice [a]: my hue, bob at example', 'bob [b]: from b'])
})
