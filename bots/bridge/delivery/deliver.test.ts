import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MemoryPlatform } from '../../../adapters/memory/platform.ts'
import { stopwatch } from '../../../core/contract/stopwatch.ts'
import { ChanopError } from '../../../core/error.ts'
import {
  type Act,
  type ChannelId,
  type MessageEvent,
  type MessageId,
  type NetworkId,
  text,
  type UserId,
} from '../../../core/event.ts'
import { byIds, enqueue, states } from '../../../core/ledger/out/deliveries.ts'
import { append } from '../../../core/ledger/record/events.ts'
import { slowDisk } from '../../../core/ledger/testing.ts'
import { silentLog } from '../../../core/log.ts'
import { steadyMs } from '../../../core/retry.ts'
import { House } from '../../../test/house.ts'
import { copies, copyOf, deliveries, hall, hallConfig, openHall, settled, until } from '../testing.ts'
import { Deliverer } from './deliver.ts'
import { Files } from './files.ts'
import { LinkServer } from './link-server.ts'

const at = (network: string, channel: string = hall) => ({
  network: network as NetworkId,
  channel: channel as ChannelId,
})
const words = (said: string, more: object = {}): Act => ({
  do: 'send',
  content: text(said),
  as: { name: 'admin' },
  ...more,
})

/** What a bot says is a fact of its own: its copies are found by it. */
const spoken = (said: string): MessageEvent => ({
  kind: 'message',
  key: `a:${said}`,
  place: at('a', 'elsewhere'),
  sender: { id: 'admin' as UserId, name: 'admin', kind: 'self', verified: true },
  atMs: 0,
  origin: 'live',
  id: said as MessageId,
  content: text(said),
})

const queue = (house: House, network: string, acts: readonly Act[]): Promise<number[]> =>
  house.ledger.write(db => acts.map(act => enqueue(db, { place: at(network), bot: 'admin', act }, Date.now())))

const texts = (server: MemoryPlatform): string[] => copies(server).map(said => said.replace('admin: ', ''))
const numbered = (count: number): string[] => Array.from({ length: count }, (_, n) => `n${n}`)

test('a login that is refused in the middle is no fault of what was said: it waits', async t => {
  const { house, servers } = await openHall(t, 'a')
  const [a] = servers as [MemoryPlatform]
  a.faults.refuseSends(2, 'network-refused')
  await queue(house, 'a', [words('one'), words('two')])
  await until(() => texts(a).length === 2, 'both')
  await settled(house)
  assert.deepEqual(texts(a), ['one', 'two'])
})

test('a platform that asks to wait gets all of it later, in order, and one refusal is no long silence', async t => {
  const { house, servers } = await openHall(t, 'a')
  const [a] = servers as [MemoryPlatform]
  a.faults.refuseSends(3)
  const tookMs = stopwatch()
  await queue(
    house,
    'a',
    numbered(40).map(said => words(said)),
  )
  await settled(house)
  assert.deepEqual(texts(a), numbered(40))
  assert.ok(tookMs() < 5000, 'sixteen that were sent back together count as one refusal')
  a.faults.refuseSends(1, 'send-later', 400)
  const againMs = Date.now()
  await queue(house, 'a', [words('late')])
  await settled(house)
  assert.ok(Date.now() - againMs >= 400, 'the platform said when')
  assert.equal(texts(a).at(-1), 'late')
})

test('what is refused for good is given up with its reason, and the next goes out', async t => {
  const { house, servers } = await openHall(t, 'a')
  const [a] = servers as [MemoryPlatform]
  a.faults.refuseSends(1, 'send-refused')
  await queue(house, 'a', [words('bad'), words('good')])
  await settled(house)
  assert.deepEqual(texts(a), ['good'])
  const [bad] = await deliveries(house)
  assert.equal(bad?.state, states.failed)
  assert.match(bad?.error ?? '', /does not take this message/)
})

test('who waits for a secret that can not be said hears so', async t => {
  const { house, servers, bridge } = await openHall(t, 'a')
  const [a] = servers as [MemoryPlatform]
  const adapter = bridge.connections.adapters.get('a' as NetworkId)
  assert.ok(adapter)
  adapter.secure = async () => false
  a.user('olga').dm('admin', 'hi')
  await house.ledger.write(db =>
    enqueue(
      db,
      { place: { ...at('a', '@olga'), private: true }, bot: 'admin', act: words('hunter2', { secret: true }) },
      0,
    ),
  )
  const told = await a.user('olga').hears('@admin', 'could not be said')
  assert.match(told.text, /unencrypted connection: connect with TLS and ask again/)
  await settled(house)
  assert.equal(
    (await deliveries(house)).some(({ act }) => act.includes('hunter2')),
    false,
  )
})

for (const how of ['cut', 'silence'] as const) {
  test(`an answer lost by ${how}: what is out is found, and nothing is said twice`, async t => {
    const house = new House(t, { config: hallConfig('a').replace('kind: memory,', 'kind: memory, answerMs: 150,') })
    const bridge = await house.bridge()
    const a = house.server('a')
    await a.ready()
    a.faults.loseAnswer(how, 5)
    await queue(
      house,
      'a',
      numbered(30).map(said => words(said)),
    )
    await settled(house)
    assert.deepEqual(texts(a), numbered(30))
    assert.ok(bridge.connections.adapters.size > 0)
    assert.ok((await deliveries(house)).every(({ state }) => state === states.sent))
  })
}

test('a platform that can not tell gets it again, labelled', async t => {
  const { house, servers, bridge } = await openHall(t, 'a')
  const [a] = servers as [MemoryPlatform]
  const adapter = bridge.connections.adapters.get('a' as NetworkId)
  assert.ok(adapter)
  adapter.find = async () => 'cannot-tell'
  a.faults.loseAnswer('cut')
  await queue(house, 'a', [words('once?')])
  await settled(house)
  await queue(house, 'a', [words('then')])
  await settled(house)
  assert.deepEqual(texts(a), ['once?', '(perhaps said before) once?', 'then'])
})

test('what is lost on the way each time is tried again with growing pauses', async t => {
  const { house, bridge } = await openHall(t, 'a')
  const adapter = bridge.connections.adapters.get('a' as NetworkId)
  assert.ok(adapter)
  const triedMs: number[] = []
  const send = adapter.send.bind(adapter)
  adapter.send = async (...asked) => {
    if (triedMs.push(performance.now()) < 4) throw new ChanopError('network-down', 'Bad Gateway')
    return send(...asked)
  }
  adapter.find = async () => 'not-sent'
  await queue(house, 'a', [words('one')])
  await settled(house)
  const [, second = 0, third = 0, fourth = 0] = triedMs
  assert.ok(third - second > 120 && fourth - third > 240, triedMs.join(' '))
})

test('a platform that does not answer the question is asked again', async t => {
  const { house, servers } = await openHall(t, 'a')
  const [a] = servers as [MemoryPlatform]
  // The first is the answer to what was said, the second that to the question.
  for (let n = 0; n < 2; n++) a.faults.loseAnswer('cut')
  await queue(house, 'a', [words('one'), words('two')])
  await settled(house)
  assert.deepEqual(texts(a), ['one', 'two'])
})

test('where edits are not possible the new text is said once, also when its answer is lost', async t => {
  const { house, servers, bridge } = await openHall(t, 'ab')
  const [a, b] = servers as [MemoryPlatform, MemoryPlatform]
  const adapter = bridge.connections.adapters.get('b' as NetworkId)
  assert.ok(adapter)
  Object.defineProperty(adapter, 'edit', { value: undefined })
  const said = a.user('alice').say(hall, 'frist')
  await until(() => copyOf(b, 'frist'), 'the copy')
  await settled(house)
  b.faults.loseAnswer('cut')
  a.user('alice').edit(said.id, 'first')
  await until(() => copyOf(b, '(edited) first'), 'the edit')
  await settled(house)
  assert.deepEqual(copies(b), ['alice: frist', 'alice: (edited) first'])
  a.user('alice').remove(said.id)
  await until(() => copies(b).length === 0, 'both are gone')
})

test('acts on a message that has no copy here say so and hold up nothing', async t => {
  const { house, servers } = await openHall(t, 'ab')
  const [a, b] = servers as [MemoryPlatform, MemoryPlatform]
  b.faults.refuseSends(1, 'send-refused')
  const said = a.user('alice').say(hall, 'refused there')
  await until(async () => (await deliveries(house))[0]?.state === states.failed, 'the refusal')
  a.user('bob').react(said.id, '👍')
  a.user('alice').edit(said.id, 'said anew')
  a.user('bob').react(said.id, '🎉')
  a.user('alice').say(hall, 'next')
  await until(() => copyOf(b, 'next'), 'the next')
  await settled(house)
  assert.deepEqual(copies(b).toSorted(), ['alice: (edited) said anew', 'alice: next'])
  const failed = (await deliveries(house)).filter(({ state }) => state === states.failed)
  assert.equal(failed.length, 2)
  assert.match(failed[1]?.error ?? '', /has no copy here/)
  assert.deepEqual(
    copyOf(b, '(edited) said anew')?.reactions.map(({ emoji }) => emoji),
    ['🎉'],
  )
})

test('a clock that is set back keeps nothing waiting', async t => {
  const { house, servers } = await openHall(t, 'a')
  const [a] = servers as [MemoryPlatform]
  a.faults.refuseSends(1, 'send-later', 1000)
  await queue(house, 'a', [words('late')])
  await until(async () => (await deliveries(house))[0]?.attempts === 1, 'the refusal')
  const now = Date.now.bind(Date)
  t.mock.method(Date, 'now', () => now() - 3_600_000)
  await until(() => texts(a).length === 1, 'it', 20_000)
  t.mock.restoreAll()
  await settled(house)
})

test('a wait that was noted before the clock was set back is none of years for the next process', async t => {
  const house = new House(t, { config: hallConfig('a') })
  await queue(house, 'a', [words('soon'), words('late')])
  const waits = [1000, 365 * 86_400_000].map(ms => Date.now() + ms)
  await house.ledger.write(db =>
    waits.forEach((ms, n) => db.prepare('UPDATE delivery SET not_before_ms = ? WHERE id = ?').run(ms, n + 1)),
  )
  await house.bridge()
  const [soon, late] = await house.ledger.read(db => byIds(db, [1, 2]))
  assert.equal(soon?.notBeforeMs, waits[0])
  assert.ok(late && late.notBeforeMs <= steadyMs() + 3_600_000)
})

test('more than memory holds waits in the ledger, in order, and nothing comes twice', async t => {
  const { house, servers } = await openHall(t, 'ab')
  const [a, b] = servers as [MemoryPlatform, MemoryPlatform]
  const release = a.faults.hold()
  const lines = numbered(12_000)
  await queue(
    house,
    'a',
    lines.slice(0, 6000).map(said => words(said)),
  )
  await queue(house, 'b', [words('elsewhere')])
  await until(() => texts(b).length === 1, 'a place that is not slow')
  assert.equal(texts(a).length, 0)
  release()
  for (let from = 6000; from < 12_000; from += 100) {
    await queue(
      house,
      'a',
      lines.slice(from, from + 100).map(said => words(said)),
    )
  }
  await until(() => texts(a).length >= 12_000, 'all of them', 200_000)
  await settled(house)
  assert.deepEqual(texts(a), lines)
})

test('what a crash left open goes on where it stood, above what memory holds as well', async t => {
  const house = new House(t, { config: hallConfig('a') })
  const a = house.server('a')
  const lines = numbered(5600)
  const ids = await queue(
    house,
    'a',
    lines.map(said => words(said)),
  )
  // A reboot: what stands as queued may be out. The first ones are.
  await house.ledger.write(db => db.prepare('UPDATE delivery SET state = ?').run(states.unknown))
  const account = { id: 'chanop', name: 'chanop', verified: true, bot: true }
  for (const [n, id] of ids.slice(0, 20).entries()) {
    const more = { name: 'admin', deliveryId: id.toString(36), part: 0, parts: 1 }
    a.post(account, hall, { content: text(`n${n}`), ...more })
  }
  await house.bridge()
  await until(() => texts(a).length >= lines.length, 'all of them', 200_000)
  await settled(house)
  assert.deepEqual(texts(a), lines)
})

test('a crash behind the platform’s yes, before ours: the next process finds it', async t => {
  const { house, servers, bridge } = await openHall(t, 'a')
  const [a] = servers as [MemoryPlatform]
  const adapter = bridge.connections.adapters.get('a' as NetworkId)
  assert.ok(adapter)
  const stop = new AbortController()
  const options = {
    vault: (await house.context('x')).vault,
    log: silentLog(),
    adapters: new Map([[adapter.network, adapter]]),
  }
  const links = new LinkServer({ store: bridge.store, ledger: house.ledger, log: silentLog() })
  const places = { store: bridge.store, links, rooms: bridge.context.rooms }
  await house.ledger.write(db => db.prepare('DELETE FROM delivery').run())
  const other = (ledger = house.ledger, signal = stop.signal): Deliverer =>
    new Deliverer({
      ...options,
      isConfigured: () => true,
      gaveUp: () => undefined,
      takeBack: () => false,
      landed: () => undefined,
      lateMs: 60_000,
      ledger,
      signal,
      files: new Files({
        ...options,
        ...places,
        refuse: () => [],
        draw: () => Promise.reject(new Error('no chart')),
        ledger,
        signal,
      }),
    })
  // The bridge's own deliverer does not see these: they are marked as being sent by a process that died.
  const [id] = await house.ledger.write(db => {
    const said = append(db, spoken('half done'), undefined, 0)
    const made = [enqueue(db, { place: at('a'), bot: 'admin', act: words('half done'), source: said?.seq ?? 0 }, 0)]
    db.prepare('UPDATE delivery SET state = ?').run(states.sending)
    return made
  })
  await adapter.send(at('a'), { content: text('half done'), as: { name: 'admin' } }, (id as number).toString(36))
  const next = other()
  await next.start()
  await settled(house)
  stop.abort()
  assert.deepEqual(texts(a), ['half done'])
  const found = await house.ledger.read(db => db.prepare('SELECT native FROM copy').all() as { native: MessageId }[])
  assert.deepEqual(
    found.map(({ native }) => native),
    [a.channel(hall).messages[0]?.id],
  )
})

test('a full disk stops what goes out, not the process; afterwards nothing is lost or doubled', async t => {
  const { house, servers } = await openHall(t, 'a')
  const [a] = servers as [MemoryPlatform]
  const mark = house.ledger.mark.bind(house.ledger)
  let full = false
  house.ledger.mark = work => {
    if (full) throw new Error('the disk is full')
    return mark(work)
  }
  await queue(
    house,
    'a',
    numbered(5).map(said => words(said)),
  )
  await settled(house)
  full = true
  await queue(
    house,
    'a',
    ['x', 'y', 'z'].map(said => words(said)),
  )
  await assert.rejects(until(() => texts(a).length > 5, 'nothing', 300))
  full = false
  await settled(house)
  assert.deepEqual(texts(a), [...numbered(5), 'x', 'y', 'z'])
})

test('a copy is ready while its fact is put on the disk, and leaves when it is there', async t => {
  const { house, servers } = await openHall(t, 'ab')
  const [a, b] = servers as [MemoryPlatform, MemoryPlatform]
  await settled(house)
  const { waiting } = slowDisk(t)
  a.user('ann').say(hall, 'hello')
  await until(async () => (await deliveries(house)).at(-1)?.state === states.sending, 'the copy to be ready')
  assert.deepEqual(copies(b), [])
  await until(() => waiting.length > 0, 'the disk to be asked')
  const letting = setInterval(() => waiting.shift()?.(), 1)
  t.after(() => clearInterval(letting))
  await until(() => copies(b).length === 1, 'the copy')
})
