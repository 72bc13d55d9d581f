import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { NativeMessage } from '../../../adapters/memory/native.ts'
import type { MemoryPlatform } from '../../../adapters/memory/platform.ts'
import type { NetworkId, UserId } from '../../../core/event.ts'
import { insertAgent } from '../../../core/ledger/agents/agents.ts'
import { addIdentity, personFor } from '../../../core/ledger/people/people.ts'
import { after } from '../../../core/ledger/record/events.ts'
import { House } from '../../../test/house.ts'
import { copies, copyOf, hall, hallConfig, openHall, settled, until } from '../testing.ts'

const others = (servers: readonly MemoryPlatform[], own: MemoryPlatform) => servers.filter(server => server !== own)

test('what is said in one of three places stands in the other two, whatever its kind', async t => {
  const { house, servers } = await openHall(t)
  for (const [at, server] of servers.entries()) {
    const alice = server.user(`alice${at}`)
    alice.say(hall, `hello ${at}`)
    alice.say(hall, { segments: [{ kind: 'text', text: `waves ${at}`, marks: ['bold'] }], style: 'action' })
    alice.say(hall, { segments: [{ kind: 'text', text: `psst ${at}` }], style: 'notice' })
    const attachments = [
      { ref: 'p1', name: 'plan.pdf', url: 'https://files.example/plan.pdf', type: 'application/pdf', sizeBytes: 9 },
    ]
    alice.say(hall, { segments: [{ kind: 'text', text: `see ${at}` }], attachments })
    await server.quiet()
    await settled(house)
    for (const other of others(servers, server)) {
      const said = copies(other).slice(-4)
      assert.deepEqual(
        said,
        ['hello', 'waves', 'psst', 'see'].map(
          word => `alice${at}: ${word} ${at}${word === 'see' ? '\nplan.pdf https://files.example/plan.pdf' : ''}`,
        ),
      )
      assert.deepEqual(copyOf(other, `waves ${at}`)?.content.segments, [
        { kind: 'text', text: `waves ${at}`, marks: ['bold'] },
      ])
      assert.equal(copyOf(other, `waves ${at}`)?.content.style, 'action')
      assert.equal(copyOf(other, `psst ${at}`)?.content.style, 'notice')
      assert.deepEqual(other.channel(hall).messages.at(-1)?.content.attachments, attachments)
      assert.equal(copyOf(other, `hello ${at}`)?.relayed, true)
    }
    assert.equal(
      server.channel(hall).messages.filter(({ text, by }) => text.endsWith(` ${at}`) && by === 'chanop').length,
      0,
    )
  }
})

test('replies, threads, edits, reactions and deletes find every copy, from any of the places', async t => {
  const { house, servers } = await openHall(t)
  const [a, b, c] = servers as [MemoryPlatform, MemoryPlatform, MemoryPlatform]
  const first = a.user('alice').say(hall, 'first')
  await settled(house)
  await until(() => copyOf(c, 'first'), 'the copy')
  const inB = copyOf(b, 'first')
  const inC = copyOf(c, 'first')
  assert.ok(inB && inC)

  b.user('bob').say(hall, 'an answer', { replyTo: inB.id })
  c.user('carol').say(hall, 'in a thread', { thread: inC.id })
  await until(() => copyOf(a, 'in a thread') && copyOf(a, 'an answer') && copyOf(c, 'an answer'), 'both')
  assert.equal(copyOf(a, 'an answer')?.content.replyTo, first.id)
  assert.equal(copyOf(c, 'an answer')?.content.replyTo, inC.id)
  assert.equal(copyOf(a, 'in a thread')?.thread, first.id, 'a thread is one in every place that has such')
  assert.equal(copyOf(a, 'in a thread')?.content.replyTo, undefined, 'and no reply')

  c.user('carol').react(inC.id, '👍')
  await until(() => first.reactions.length === 1 && inB.reactions.length === 1, 'reactions')
  c.user('carol').unreact(inC.id, '👍')
  await until(() => first.reactions.length === 0 && inB.reactions.length === 0, 'no reactions')

  a.user('alice').edit(first.id, 'first, really')
  await until(() => inB.text === 'first, really' && inC.text === 'first, really', 'edits')
  a.user('alice').remove(first.id)
  await until(() => inB.deleted && inC.deleted, 'deletes')
  await settled(house)
})

test('a thread and a reply are two things: where there are no threads, one answers what opened it', async t => {
  const { servers } = await openHall(t, 'abc', { plain: 'c' })
  const [a, b, c] = servers as [MemoryPlatform, MemoryPlatform, MemoryPlatform]
  const root = a.user('alice').say(hall, 'root')
  const [inB, inC] = [await until(() => copyOf(b, 'root'), 'b'), await until(() => copyOf(c, 'root'), 'c')]
  const inThread = a.user('alice').say(hall, 'in its thread', { thread: root.id })
  const threadB = await until(() => copyOf(b, 'in its thread'), 'the thread in b')
  const threadC = await until(() => copyOf(c, 'in its thread'), 'the thread in c')
  assert.deepEqual([threadB.thread, threadB.content.replyTo], [inB.id, undefined])
  assert.deepEqual([threadC.thread, threadC.content.replyTo], [undefined, inC.id])

  // A reply, a reaction, an edit and a deletion about what stands in a thread find it there, from places without one.
  c.user('carol').say(hall, 'a reply to it', { replyTo: threadC.id })
  const reply = await until(() => copyOf(a, 'a reply to it'), 'the reply')
  assert.deepEqual([reply.thread, reply.content.replyTo], [root.id, inThread.id])
  c.user('carol').react(threadC.id, '👀')
  await until(() => inThread.reactions.length === 1 && threadB.reactions.length === 1, 'the reaction')
  b.user('bob').say(hall, 'further in the thread', { thread: inB.id })
  const further = await until(() => copyOf(a, 'further in the thread'), 'the next of the thread')
  assert.equal(further.thread, root.id)
  a.user('alice').edit(inThread.id, 'in its thread, edited')
  await until(() => threadB.text.endsWith('edited') && threadC.text.endsWith('edited'), 'edits')
})

test('one person taking a reaction back leaves those of others', async t => {
  const { house, servers } = await openHall(t, 'abc')
  const [a, b, c] = servers as [MemoryPlatform, MemoryPlatform, MemoryPlatform]
  const said = a.user('alice').say(hall, 'do you like it?')
  const [inB, inC] = [
    await until(() => copyOf(b, 'do you like it?'), 'b'),
    await until(() => copyOf(c, 'do you like it?'), 'c'),
  ]
  const [bob, ben, carol] = [b.user('bob'), b.user('ben'), c.user('carol')]
  bob.react(inB.id, '👍')
  ben.react(inB.id, '👍')
  carol.react(inC.id, '👍')
  await b.quiet()
  await c.quiet()
  await settled(house)
  const ours = (message: NativeMessage): number => message.reactions.filter(({ by }) => by === 'chanop').length
  assert.deepEqual([said, inB, inC].map(ours), [1, 1, 1])
  bob.unreact(inB.id, '👍')
  await b.quiet()
  await settled(house)
  assert.deepEqual([said, inB, inC].map(ours), [1, 1, 1], 'ben and carol still like it')
  carol.unreact(inC.id, '👍')
  await c.quiet()
  await settled(house)
  assert.deepEqual([said, inB, inC].map(ours), [1, 0, 1], 'in b nobody from elsewhere does')
  ben.unreact(inB.id, '👍')
  await b.quiet()
  await settled(house)
  assert.deepEqual([said, inB, inC].map(ours), [0, 0, 0])
})

test('a mention leaves its network as the person who is linked there, or as a name', async t => {
  const { house, servers } = await openHall(t, 'ab')
  const [a, b] = servers as [MemoryPlatform, MemoryPlatform]
  await house.ledger.write(db => {
    const person = personFor(db, 'a' as NetworkId, 'u1' as UserId, 'uma', Date.now())
    addIdentity(db, person, { network: 'b' as NetworkId, user: 'uma-b' as UserId })
  })
  const mention = (id: string, name: string, self?: true) => ({
    kind: 'mention' as const,
    id: id as UserId,
    name,
    ...(self ? { self } : {}),
  })
  a.user('alice').say(hall, {
    segments: [mention('u1', 'uma'), mention('u2', 'unlinked'), mention('chanop', 'Chanop', true)],
  })
  const copy = await until(() => copyOf(b, '@uma@unlinked@Chanop'), 'the copy')
  assert.deepEqual(copy.content.segments, [
    { kind: 'mention', id: 'uma-b', name: 'uma' },
    { kind: 'mention', id: null, name: 'unlinked' },
    { kind: 'mention', id: null, name: 'Chanop' },
  ])
})

test('nobody edits what somebody else wrote, here or on another network', async t => {
  const { house, servers } = await openHall(t, 'ab')
  const [a, b] = servers as [MemoryPlatform, MemoryPlatform]
  const said = a.user('alice').say(hall, 'mine')
  await until(() => copyOf(b, 'mine'), 'the copy')
  a.user('mallory').edit(said.id, 'not mine')
  b.user('alice').edit(copyOf(b, 'mine')?.id as never, 'not mine either')
  a.user('alice').say(hall, 'mark')
  b.user('alice').say(hall, 'mark')
  await until(() => copyOf(b, 'mark') && copyOf(a, 'mark'), 'marks')
  await settled(house)
  assert.equal(copies(b).includes('alice: not mine'), false)
  assert.equal(said.text, 'not mine', 'the platform allowed it; we did not follow')
  const current = await house.ledger.read(db => db.prepare('SELECT count(*) AS n FROM revision').get())
  assert.deepEqual({ ...(current as object) }, { n: 0 })
})

test('an edit behind its message finds the copy, however fast it comes, and edits of many parts keep all of them', async t => {
  const { house, servers } = await openHall(t, 'ab')
  const [a, b] = servers as [MemoryPlatform, MemoryPlatform]
  const alice = a.user('alice')
  for (let n = 0; n < 30; n++) {
    const said = alice.say(hall, `draft ${n}`)
    alice.edit(said.id, `final ${n}`)
  }
  await until(() => copies(b).filter(text => text.includes('final')).length === 30, 'all edits')
  assert.deepEqual(
    copies(b),
    Array.from({ length: 30 }, (_, n) => `alice: final ${n}`),
  )

  const long = alice.say(hall, 'x'.repeat(9000))
  await until(() => copies(b).filter(text => text.includes('xxx')).length === 3, 'three parts')
  alice.edit(long.id, 'short')
  await until(() => copies(b).at(-1) === 'alice: short', 'one part')
  alice.edit(long.id, 'y'.repeat(9000))
  await until(() => copies(b).filter(text => text.includes('yyy')).length === 3, 'three parts again')
  alice.remove(long.id)
  await until(() => copies(b).length === 30, 'all parts are gone')
  await settled(house)
})

test('what comes in the wrong order ends as it would have in the right one', async t => {
  const { house, servers } = await openHall(t, 'ab')
  const [a, b] = servers as [MemoryPlatform, MemoryPlatform]
  const alice = a.user('alice')
  a.faults.reorder(1)
  const edited = alice.say(hall, 'draft')
  alice.edit(edited.id, 'final')
  await a.quiet()
  a.faults.reorder(1)
  const deleted = alice.say(hall, 'oops')
  alice.remove(deleted.id)
  alice.say(hall, 'mark')
  await until(() => copyOf(b, 'mark') && copyOf(b, 'final'), 'the end')
  await settled(house)
  assert.deepEqual(copies(b), ['alice: final', 'alice: mark'])
  const current = await house.ledger.read(db => db.prepare('SELECT content FROM revision ORDER BY seq').all())
  assert.deepEqual(
    current.map(row => (row as { content: string | null }).content),
    ['{"segments":[{"kind":"text","text":"final"}]}', null],
  )
})

test('order is kept while many are under way, and while edits stand between', async t => {
  const { house, servers } = await openHall(t)
  const [a, b, c] = servers as [MemoryPlatform, MemoryPlatform, MemoryPlatform]
  const wanted: string[] = []
  for (let n = 0; n < 300; n++) {
    const alice = a.user('alice')
    const said = alice.say(hall, `line ${n}`)
    if (n % 50 === 0) alice.edit(said.id, `line ${n} edited`)
    wanted.push(`alice: line ${n}${n % 50 === 0 ? ' edited' : ''}`)
  }
  await until(() => copies(b).at(-1) === wanted.at(-1) && copies(c).at(-1) === wanted.at(-1), 'the last one')
  await settled(house)
  assert.deepEqual(copies(b), wanted)
  assert.deepEqual(copies(c), wanted)
})

test('a name or text made to look like somebody else stays what it is', async t => {
  const { house, servers } = await openHall(t, 'ab')
  const [a, b] = servers as [MemoryPlatform, MemoryPlatform]
  a.user('eve').say(hall, 'hi')
  a.user('eve').rename('admin\r\n<olga> hi')
  a.user('eve').say(hall, 'hi\n<olga> !restart oracle\u0000')
  await until(() => copies(b).length === 3, 'both copies, and the new name')
  await settled(house)
  const [, renamed, message] = b.channel(hall).messages
  assert.equal(b.channel(hall).messages.length, 3)
  assert.equal(renamed?.text.includes('\n'), false)
  assert.equal(message?.name.includes('\n'), false)
  assert.equal(message?.relayed, true)
})

test('what another relay brought is recorded and goes no further: two of us on one pair of channels do not circle', async t => {
  const { house, servers } = await openHall(t, 'ab')
  const [a, b] = servers as [MemoryPlatform, MemoryPlatform]
  const second = new House(t, {
    config: `
owner: a:olga
networks:
  a: { kind: memory, server: '${a.name}', account: rival, channels: ['${hall}'] }
  b: { kind: memory, server: '${b.name}', account: rival, channels: ['${hall}'] }
rooms:
  hall: { places: ['a:${hall}', 'b:${hall}'] }
`,
  })
  await second.bridge()
  await Promise.all([a.ready('rival'), b.ready('rival')])
  for (let n = 0; n < 10; n++) a.user('alice').say(hall, `hello ${n}`)
  await until(() => b.channel(hall).messages.length >= 20, 'copies of both')
  a.user('alice').say(hall, 'mark')
  await until(() => b.channel(hall).messages.filter(({ text }) => text === 'mark').length === 2, 'marks of both')
  await Promise.all([a.quiet(), b.quiet()])
  await settled(house)
  await settled(second)
  const said = (server: MemoryPlatform) => server.channel(hall).messages.filter(({ name }) => name === 'alice')
  assert.equal(said(a).length, 11)
  assert.equal(said(b).length, 22)
  const known = await house.ledger.read(db => after(db, 0, 1000))
  const brought = known.filter(
    ({ event }) => event.kind === 'message' && event.hops === 1 && event.sender.name === 'alice',
  )
  assert.equal(brought.length, 11)
})

test('one channel under two network names: no circle either', async t => {
  const house = new House(t, {
    config: `
owner: a:olga
networks:
  a: { kind: memory, server: '{server}-a', account: one, channels: ['${hall}'] }
  b: { kind: memory, server: '{server}-a', account: two, channels: ['${hall}'] }
rooms:
  hall: { places: ['a:${hall}', 'b:${hall}'] }
`,
  })
  await house.bridge()
  const server = house.server('a')
  await Promise.all([server.ready('one'), server.ready('two')])
  server.user('alice').say(hall, 'once')
  await until(() => server.channel(hall).messages.length === 3, 'a copy by each')
  await server.quiet()
  await settled(house)
  assert.equal(server.channel(hall).messages.length, 3)
})

test('a program that speaks is relayed like anybody; the ignored are not, until they are heard again', async t => {
  const { house, servers } = await openHall(t, 'ab', { more: `ignore: { 'a:mallory': null, 'a:late': 1000 }` })
  const [a, b] = servers as [MemoryPlatform, MemoryPlatform]
  a.user('mallory').say(hall, 'spam')
  a.user('late').say(hall, 'back again')
  a.user('relay', { bot: true }).say(hall, '<someone> hello')
  await until(() => copies(b).length === 2, 'two copies')
  await settled(house)
  assert.deepEqual(copies(b), ['late: back again', 'relay: <someone> hello'])
})

test('what an agent says where its engagement does not let it stays there', async t => {
  const { house, servers } = await openHall(t, 'ab')
  const [a, b] = servers as [MemoryPlatform, MemoryPlatform]
  await house.ledger.write(db => {
    for (const [name, channel] of [
      ['stray', '#elsewhere'],
      ['tame', hall],
    ] as const) {
      const times = { createdMs: 1, changedMs: 1, expiresMs: null }
      const limits = { channels: [channel], permissions: [], skills: [], rate: { count: 100, perMs: 1000 } }
      const states = { state: 'active' as const, native: false, engagement: null, reason: null, paused: false }
      const whose = { network: 'a' as NetworkId, owner: 'a:olga', createdBy: 'test' }
      insertAgent(db, { name, type: 'worker', ...whose, ...limits, ...states, ...times })
    }
  })
  const said = a.user('stray').say(hall, 'let me out')
  a.user('stray').edit(said.id, 'let me out, edited')
  a.user('tame').say(hall, 'I belong here')
  await until(() => copies(b).length === 1, 'one copy')
  await settled(house)
  assert.deepEqual(copies(b), ['tame: I belong here'])
})

test('what was missed is relayed once and in order; what was said before we came is not', async t => {
  const house = new House(t, { config: hallConfig('ab') })
  const [a, b] = [house.server('a'), house.server('b')]
  a.user('alice').say(hall, 'long ago')
  await house.bridge()
  await Promise.all([a.ready(), b.ready()])
  a.user('alice').say(hall, 'live')
  await until(() => copyOf(b, 'live'), 'live')
  a.down()
  for (let n = 0; n < 20; n++) a.user('alice').say(hall, `missed ${n}`)
  a.up()
  await until(() => copyOf(b, 'missed 19'), 'what was missed')
  a.cut()
  await a.ready()
  a.user('alice').say(hall, 'live again')
  await until(() => copyOf(b, 'live again'), 'live again')
  await settled(house)
  const wanted = ['live', ...Array.from({ length: 20 }, (_, n) => `missed ${n}`), 'live again']
  assert.deepEqual(
    copies(b),
    wanted.map(text => `alice: ${text}`),
  )
})

test('facts that come twice are one', async t => {
  const { house, servers } = await openHall(t, 'ab')
  const [a, b] = servers as [MemoryPlatform, MemoryPlatform]
  a.faults.duplicate(5)
  for (let n = 0; n < 5; n++) a.user('alice').say(hall, `twice ${n}`)
  await until(() => copyOf(b, 'twice 4'), 'the last')
  await settled(house)
  assert.equal(copies(b).length, 5)
})

test('a full ledger keeps facts waiting at the platform; they are taken once there is room', async t => {
  const { house, servers } = await openHall(t, 'ab')
  const [a, b] = servers as [MemoryPlatform, MemoryPlatform]
  const size = await house.ledger.read(db => Number(db.pragma('page_count', { simple: true })))
  await house.ledger.read(db => db.pragma(`max_page_count = ${size}`))
  for (let n = 0; n < 200; n++) a.user('alice').say(hall, `${'full '.repeat(100)}${n}`)
  await assert.rejects(a.quiet(300), 'nothing may be acknowledged that is not in the ledger')
  await house.ledger.read(db => db.pragma('max_page_count = 1000000'))
  // What bridge says of the full disk is none of them.
  const came = (): string[] => copies(b).filter(line => line.startsWith('alice: '))
  await until(() => came().length === 200, 'all of them', 20_000)
  await settled(house)
  assert.deepEqual(
    came().map(text => Number(/\d+$/.exec(text)?.[0])),
    Array.from({ length: 200 }, (_, n) => n),
  )
})
