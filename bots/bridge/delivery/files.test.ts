import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MemoryPlatform } from '../../../adapters/memory/platform.ts'
import type { Attachment } from '../../../core/event.ts'
import { House } from '../../../test/house.ts'
import { copies, copyOf, hall, openHall, settled, until } from '../testing.ts'

const picture = new Uint8Array(5000).fill(7)

function share(server: MemoryPlatform, who: string, words: string, bytes = picture): Attachment {
  const file = server.files.keep(bytes, { name: 'map.png', type: 'image/png', width: 9, height: 4, caption: 'the map' })
  server.user(who).say(hall, words, { attachments: [file] })
  return file
}

const filesOf = (server: MemoryPlatform, words: string): readonly Attachment[] =>
  server
    .channel(hall)
    .messages.find(({ content }) => content.segments.some(each => 'text' in each && each.text === words))?.content
    .attachments ?? []

test('a file is copied once and uploaded to every other place, with all that is known of it', async t => {
  const { house, servers } = await openHall(t, 'abc')
  const [a, b, c] = servers as [MemoryPlatform, MemoryPlatform, MemoryPlatform]
  share(a, 'alice', 'look')
  const [inB, inC] = [
    await until(() => filesOf(b, 'look')[0], 'in b'),
    await until(() => filesOf(c, 'look')[0], 'in c'),
  ]
  for (const [server, file] of [
    [b, inB],
    [c, inC],
  ] as const) {
    const { ref, ...known } = file
    assert.deepEqual(known, {
      name: 'map.png',
      type: 'image/png',
      sizeBytes: 5000,
      width: 9,
      height: 4,
      caption: 'the map',
    })
    assert.deepEqual(server.files.read(ref), picture)
  }
  const rows = await house.ledger.read(db =>
    db.prepare('SELECT network, count(*) AS n FROM media_ref GROUP BY network').all(),
  )
  assert.deepEqual(rows, [{ network: 'a', n: 1 }])
})

test('nothing overtakes a message that waits for its file, and a network that is away gets it later', async t => {
  const { house, servers } = await openHall(t, 'ab')
  const [a, b] = servers as [MemoryPlatform, MemoryPlatform]
  b.down('away')
  const file = share(a, 'alice', 'first')
  a.user('alice').say(hall, 'second')
  await until(
    async () => (await house.ledger.read(db => db.prepare('SELECT 1 FROM media').get())) !== undefined,
    'the copy',
  )
  // The platform forgets it before the other one is back.
  a.files.forget(file.ref)
  b.up()
  await until(() => copyOf(b, 'second'), 'both')
  await settled(house)
  assert.deepEqual(
    copies(b).map(said => said.split('\n')[0]),
    ['alice: first', 'alice: second'],
  )
  assert.deepEqual(b.files.read(filesOf(b, 'first')[0]?.ref ?? ''), picture)
})

test('what is gone or too large is named in words, and holds up nothing', async t => {
  const more = `media: { fileMegabytes: 1 }`
  const { house, servers } = await openHall(t, 'ab', { more })
  const [a, b] = servers as [MemoryPlatform, MemoryPlatform]
  a.user('alice').say(hall, 'gone', { attachments: [{ ref: 'none', name: 'gone.txt' }] })
  share(a, 'alice', 'large', new Uint8Array(1_000_001))
  a.user('alice').say(hall, 'after')
  await until(() => copyOf(b, 'after'), 'the last')
  await settled(house)
  assert.deepEqual(copies(b), ['alice: gone\n[gone.txt]', 'alice: large\n[map.png] the map', 'alice: after'])
})

test('a change of the words leaves the files where they are', async t => {
  const { servers } = await openHall(t, 'ab')
  const [a, b] = servers as [MemoryPlatform, MemoryPlatform]
  const file = a.files.keep(picture, { name: 'map.png' })
  const said = a.user('alice').say(hall, 'look', { attachments: [file] })
  await until(() => filesOf(b, 'look')[0], 'the copy')
  a.user('alice').edit(said.id, { segments: [{ kind: 'text', text: 'look here' }], attachments: [file] })
  const edited = await until(() => copies(b).find(line => line.includes('look here')), 'the edit')
  assert.equal(edited, 'alice: look here')
})

test('a process that died between the copy and its sending sends it when it is back', async t => {
  const house = new House(t, {
    config: `
owner: a:olga
networks:
  a: { kind: memory, server: '{server}-a', channels: ['${hall}'] }
  b: { kind: memory, server: '{server}-b', channels: ['${hall}'] }
rooms:
  hall: { places: ['a:${hall}', 'b:${hall}'] }
`,
  })
  const [a, b] = [house.server('a'), house.server('b')]
  const first = await house.run('bridge', async context => (await import('../run.ts')).runBridge(context))
  await Promise.all([a.ready(), b.ready()])
  b.down('away')
  share(a, 'alice', 'look')
  await until(
    async () => (await house.ledger.read(db => db.prepare('SELECT 1 FROM media').get())) !== undefined,
    'the copy',
  )
  await first()
  b.up()
  await house.run('bridge', async context => (await import('../run.ts')).runBridge(context))
  const file = await until(() => filesOf(b, 'look')[0], 'the file')
  assert.deepEqual(b.files.read(file.ref), picture)
})
