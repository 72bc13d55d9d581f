import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MemoryPlatform } from '../../../adapters/memory/platform.ts'
import type { Attachment, NetworkId } from '../../../core/event.ts'
import { House } from '../../../test/house.ts'
import { copies, copyOf, hall, hallConfig, openHall, settled, until } from '../testing.ts'

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

test('of many files a network gives four at once', async t => {
  const { house, servers, bridge } = await openHall(t, 'ab')
  const [a, b] = servers as [MemoryPlatform, MemoryPlatform]
  const adapter = bridge.connections.adapters.get('a' as NetworkId)
  const open = adapter?.open?.bind(adapter)
  assert.ok(adapter && open)
  const { promise, resolve: go } = Promise.withResolvers<void>()
  let asked = 0
  adapter.open = async (...file) => {
    asked++
    await promise
    return open(...file)
  }
  for (let n = 0; n < 12; n++) share(a, 'alice', `file ${n}`)
  await a.quiet()
  await until(() => asked >= 4, 'the first')
  assert.equal(asked, 4)
  go()
  await until(() => filesOf(b, 'file 11')[0], 'the last')
  await settled(house)
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

test('a file that a platform does not take is named, and its words are not lost', async t => {
  const { house, servers } = await openHall(t, 'ab')
  const [a, b] = servers as [MemoryPlatform, MemoryPlatform]
  b.faults.refuseSends(1, 'send-refused')
  share(a, 'alice', 'look')
  a.user('alice').say(hall, 'after')
  await until(() => copyOf(b, 'after'), 'the last')
  await settled(house)
  assert.deepEqual(copies(b), ['alice: look\n[map.png] the map', 'alice: after'])
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

const linked = (more = '') => `media: { links: { listen: '127.0.0.1:0'${more} } }`

/** The words of the copy of a file in a place, once there is a link in them. */
const linkIn = async (server: MemoryPlatform): Promise<string> => {
  const line = await until(() => copies(server).find(said => said.includes('http://')), 'a link')
  return /http:\S+/.exec(line)?.[0] ?? ''
}

test('where no file can be uploaded there is a link to it, which nobody guesses and which ends', async t => {
  const config = hallConfig('ab', linked()).replace("{server}-b',", "{server}-b', fileBytes: 100,")
  const house = new House(t, { config })
  await house.bridge()
  const [a, b] = [house.server('a'), house.server('b')]
  await Promise.all([a.ready(), b.ready()])
  share(a, 'alice', 'look')
  const url = await linkIn(b)
  assert.match(url, /^http:\/\/127\.0\.0\.1:\d+\/[\w-]{24}\/map\.png$/)
  const answer = await fetch(url)
  assert.deepEqual(new Uint8Array(await answer.arrayBuffer()), picture)
  const header = (name: string): string | null => answer.headers.get(name)
  assert.deepEqual(['content-type', 'x-content-type-options', 'content-security-policy'].map(header), [
    'image/png',
    'nosniff',
    "default-src 'none'; sandbox",
  ])
  assert.equal((await fetch(url, { method: 'HEAD' })).headers.get('content-length'), '5000')
  assert.equal((await fetch(url, { method: 'POST' })).status, 405)
  const part = async (range: string) => {
    const { status, headers, ...rest } = await fetch(url, { headers: { range } }).then(async given => ({
      status: given.status,
      headers: given.headers,
      length: (await given.arrayBuffer()).byteLength,
    }))
    return [status, rest.length, headers.get('content-range')]
  }
  assert.deepEqual(await part('bytes=10-19'), [206, 10, 'bytes 10-19/5000'])
  assert.deepEqual(await part('bytes=4990-'), [206, 10, 'bytes 4990-4999/5000'])
  assert.deepEqual(await part('bytes=-5'), [206, 5, 'bytes 4995-4999/5000'])
  assert.deepEqual(await part('bytes=0-999999'), [206, 5000, 'bytes 0-4999/5000'])
  assert.deepEqual(await part('bytes=5000-'), [416, 0, 'bytes */5000'])
  for (const all of ['bytes=0-1,3-4', 'bytes=-', 'lines=1-2', 'bytes=5-2x', 'bytes=9-3'])
    assert.deepEqual(await part(all), [200, 5000, null], all)
  const { origin, pathname } = new URL(url)
  const token = pathname.split('/')[1] ?? ''
  for (const guess of [
    '/',
    `/${token.slice(1)}`,
    `/${token.slice(0, -1)}_`,
    '/..%2f..%2fledger.db',
    `/x/${token}`,
    `//${token}`,
  ])
    assert.equal((await fetch(`${origin}${guess}`)).status, 404, guess)
  const kept = await house.ledger.read(db => JSON.stringify(db.prepare('SELECT * FROM media_link').all()))
  assert.equal(kept.includes(token), false, 'who reads the ledger opens nothing')
  await house.ledger.write(db => db.prepare('UPDATE media_link SET until_ms = ?').run(Date.now()))
  assert.equal((await fetch(url)).status, 404)
})

test('what a browser could run is saved, not shown; a room may ask for links alone, or for names alone', async t => {
  const config = hallConfig('ab', linked(", url: 'http://files.example/x/'")).replace(
    'joins: true',
    'joins: true, files: link',
  )
  const house = new House(t, { config })
  await house.bridge()
  const [a, b] = [house.server('a'), house.server('b')]
  await Promise.all([a.ready(), b.ready()])
  const page = a.files.keep(Buffer.from('<script>alert(1)</script>'), { name: 'a/../b"\u202e.html', type: 'text/html' })
  a.user('alice').say(hall, 'page', { attachments: [page] })
  const url = await linkIn(b)
  assert.match(url, /^http:\/\/files\.example\/x\/[\w-]{24}\/b_\.html$/)
  await house.ledger.write(db =>
    db.prepare("INSERT INTO setting VALUES ('rooms.hall.files', '\"off\"', 'test', 1)").run(),
  )
  house.bus.signal('settings', { by: 'test' })
  await until(() => {
    a.user('alice').say(hall, 'off', { attachments: [page] })
    return copies(b).includes('alice: off\n[b_.html]')
  }, 'a name alone')
})

test('programs are named and not passed on, whatever they are called', async t => {
  const { house, servers } = await openHall(t, 'ab')
  const [a, b] = servers as [MemoryPlatform, MemoryPlatform]
  const file = (name: string, bytes: string | Buffer) => a.files.keep(Buffer.from(bytes as string), { name })
  const files = [file('run.exe', 'x'), file('photo.jpg', 'MZ...'), file('a.EXE. ', 'x'), file('ok.txt', 'fine')]
  a.user('alice').say(hall, 'files', { attachments: files })
  await until(() => copyOf(b, 'files\n[run.exe]\n[photo.jpg]\n[a.EXE.]\n[ok.txt]'), 'the copy')
  await settled(house)
  assert.equal(Buffer.from(b.files.read('file1')).toString(), 'fine')
  assert.throws(() => b.files.read('file2'), 'one alone came')
})

test('a picture comes without what it says of where it was taken', async t => {
  const { servers } = await openHall(t, 'ab')
  const [a, b] = servers as [MemoryPlatform, MemoryPlatform]
  const said = Buffer.from('\xff\xd8\xff\xe1\0\x10Exif\0\0SECRET\0\0\xff\xdb\0\x06tabs\xff\xd9', 'latin1')
  const photo = a.files.keep(said, { name: 'p.jpg', type: 'image/jpeg' })
  a.user('alice').say(hall, 'photo', { attachments: [photo] })
  const copy = await until(() => filesOf(b, 'photo')[0], 'the photo')
  const bytes = Buffer.from(b.files.read(copy.ref))
  assert.equal(bytes.includes('SECRET'), false)
  assert.ok(bytes.includes('tabs'))
})
