import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { MemoryPlatform } from '../../../adapters/memory/platform.ts'
import { type ChannelId, type NetworkId, text } from '../../../core/event.ts'
import { states } from '../../../core/ledger/out/deliveries.ts'
import { currentOf } from '../../../core/ledger/record/events.ts'
import { waiting } from '../../../core/ledger/settings/networks.ts'
import { amend, say } from '../../../core/say.ts'
import { plain } from '../../../core/text/text.ts'
import { House } from '../../../test/house.ts'
import { runBridge } from '../run.ts'
import { deliveries, hall, hallConfig, settled, until } from '../testing.ts'

const at = (network: string) => ({ network: network as NetworkId, channel: hall as ChannelId })
const words = (n: number): string => Array.from({ length: n }, (_, word) => `word${word}`).join(' ')

/** Two places of one room; nothing can be edited in `b`, and in a direct conversation of `a` what grows is shown. */
async function open(t: TestContext) {
  const config = hallConfig('ab')
    .replace(/(-b',)/, '$1 edits: false,')
    .replace(/(-a',)/, '$1 streams: true,')
  const house = new House(t, { config })
  const servers = [house.server('a'), house.server('b')] as const
  const stop = await house.run('bridge', runBridge)
  await Promise.all(servers.map(server => server.ready()))
  return { house, servers, stop }
}

const begin = (house: House): Promise<number | null> =>
  house.ledger.write(db =>
    say(
      db,
      {
        bot: 'oracle',
        content: text('word0'),
        in: { name: 'hall', places: [at('a'), at('b')] },
        key: 'one',
        growing: true,
      },
      Date.now(),
    ),
  )

const grow = (house: House, seq: number, to: string, growing?: 'growing'): Promise<void> =>
  house.ledger.write(db => amend(db, seq, text(to), Date.now(), growing))

const said = (server: MemoryPlatform): string[] =>
  server
    .channel(hall)
    .messages.filter(({ by, deleted }) => by === 'chanop' && !deleted)
    .map(message => message.text)

const openEdits = async (house: House): Promise<number> =>
  (await deliveries(house)).filter(({ act }) => act.includes('"edit"')).length

test('200 amendments into two places: one grows, the other hears the whole once; one edit row at a time', async t => {
  const { house, servers } = await open(t)
  const [a, b] = servers
  const seq = await begin(house)
  assert.ok(seq)
  await until(() => said(a).length === 1, 'the first part')
  for (let n = 2; n <= 200; n++) {
    await grow(house, seq, words(n), 'growing')
    assert.ok((await openEdits(house)) <= 1)
    assert.deepEqual(said(b), [], 'no part where nothing can be edited')
  }
  await until(() => said(a)[0]?.endsWith('word199'), 'the newest part')
  a.user('alice').say(hall, 'meanwhile')
  await until(() => said(b).includes('meanwhile'), 'what others say is held up by nothing')
  await grow(house, seq, `${words(200)} end`)
  await settled(house)
  assert.deepEqual(said(a), [`${words(200)} end`])
  assert.deepEqual(said(b), ['meanwhile', `${words(200)} end`])
  const shown = a.channel(hall).messages.find(({ by }) => by === 'chanop')
  assert.ok((shown?.edits.length ?? 0) > 1, 'it grew in steps')
  assert.equal(await openEdits(house), 1)
  const now = await house.ledger.read(db => currentOf(db, seq)?.content)
  assert.equal(now && plain(now), `${words(200)} end`)
})

test('edits are tried again by themselves, and hold up nothing', async t => {
  const { house, servers } = await open(t)
  const [a] = servers
  const seq = await begin(house)
  assert.ok(seq)
  await until(() => said(a).length === 1, 'the first part')
  a.faults.refuseSends(3)
  await grow(house, seq, words(5), 'growing')
  await grow(house, seq, words(9))
  await house.ledger.write(db =>
    say(db, { bot: 'admin', content: text('next'), in: { name: 'hall', places: [at('a')] }, key: 'two' }, Date.now()),
  )
  await settled(house)
  assert.deepEqual(said(a), [words(9), 'next'])
})

test('an edit that is refused for good: the reader is told that the rest is missing', async t => {
  const { house, servers } = await open(t)
  const [a] = servers
  const seq = await begin(house)
  assert.ok(seq)
  await until(() => said(a).length === 1, 'the first part')
  a.faults.refuseEdits()
  await grow(house, seq, words(5), 'growing')
  await until(async () => (await deliveries(house)).some(({ state }) => state === states.failed), 'a refusal')
  await grow(house, seq, words(9))
  await settled(house)
  assert.deepEqual(said(a), ['word0', 'this could not be said to its end here: The server takes no edits now.'])
})

test('what somebody deleted before its end was said there is missed by nobody', async t => {
  const { house, servers } = await open(t)
  const [a] = servers
  const seq = await begin(house)
  assert.ok(seq)
  await until(() => said(a).length === 1, 'the first part')
  const release = a.faults.hold()
  await grow(house, seq, words(9))
  const shown = a.channel(hall).messages.find(({ by }) => by === 'chanop')
  assert.ok(shown)
  a.user('mona').remove(shown.id)
  await until(() => house.ledger.read(db => currentOf(db, seq)?.content === null), 'its deletion')
  release()
  await settled(house)
  assert.deepEqual(said(a), [])
})

test('what is refused for good at its beginning is said once more, whole', async t => {
  for (const whole of ['early', 'late'] as const) {
    const { house, servers } = await open(t)
    const [a] = servers
    a.faults.refuseSends(1, 'send-refused')
    const release = a.faults.hold()
    const seq = await begin(house)
    assert.ok(seq)
    await until(async () => (await deliveries(house)).some(({ state }) => state === states.sending), 'its beginning')
    await grow(house, seq, words(5), 'growing')
    if (whole === 'early') await grow(house, seq, words(9))
    release()
    if (whole === 'late') {
      await until(async () => (await deliveries(house)).some(({ state }) => state === states.failed), 'a refusal')
      a.user('alice').say(hall, 'meanwhile')
      await until(() => said(servers[1]).includes('meanwhile'), 'time went by')
      assert.deepEqual(said(a), [], 'no piece of it')
      await grow(house, seq, words(9))
    }
    await settled(house)
    assert.deepEqual(said(a), [words(9)])
  }
})

test('what reads so already is not edited', async t => {
  const { house, servers } = await open(t)
  const [a] = servers
  const seq = await begin(house)
  assert.ok(seq)
  await until(() => said(a).length === 1, 'the first part')
  await grow(house, seq, 'word0', 'growing')
  await grow(house, seq, 'word0')
  await settled(house)
  assert.equal(await openEdits(house), 0)
  assert.deepEqual(said(servers[1]), ['word0'])
})

test('the bridge dies at every step: each place ends with one message that is whole', async t => {
  const { house, servers, stop } = await open(t)
  const [a, b] = servers
  const seq = await begin(house)
  assert.ok(seq)
  let end = stop
  for (let n = 2; n <= 30; n++) {
    await grow(house, seq, words(n), 'growing')
    if (n % 3 > 0) continue
    a.faults.acceptThenCrash(() => undefined, n % 2)
    await end()
    await house.ledger.write(db =>
      db
        .prepare('UPDATE delivery SET state = ? WHERE state = ?')
        .run(states.sending, n % 2 ? states.queued : states.sending),
    )
    end = await house.run('bridge', runBridge)
  }
  await grow(house, seq, `${words(30)} end`)
  await settled(house)
  assert.deepEqual(said(a), [`${words(30)} end`])
  assert.deepEqual(said(b), [`${words(30)} end`])
})

test('in a direct conversation it is shown and not said until it is whole, and keeps up nothing: the bridge may die at every step', async t => {
  const { house, servers, stop } = await open(t)
  const [a] = servers
  a.user('bob').say('@chanop', 'hello')
  const place = { ...at('a'), channel: '@bob' as ChannelId, private: true as const }
  const own = a.channel('@bob')
  const copies = (): string[] => own.messages.filter(({ by }) => by === 'chanop').map(({ text }) => text)
  const beginHere = (key: string) =>
    house.ledger.write(db =>
      say(
        db,
        { bot: 'oracle', content: text('word0'), in: { name: 'a:@bob', places: [place] }, key, growing: true },
        Date.now(),
      ),
    )
  const seq = await beginHere('one')
  assert.ok(seq)
  await until(() => own.shown === 'word0', 'the first part')
  let end = stop
  for (let n = 2; n <= 12; n++) {
    await grow(house, seq, words(n), 'growing')
    if (n % 4 === 0) {
      await end()
      end = await house.run('bridge', runBridge)
    }
    await until(() => own.shown === words(n), `${n} words`)
  }
  assert.deepEqual(await house.ledger.read(db => waiting(db, Date.now() + 60_000)), [], 'it is late for nobody')
  await house.ledger.write(db =>
    say(db, { bot: 'admin', content: text('next'), in: { name: 'a:@bob', places: [place] }, key: 'two' }, Date.now()),
  )
  await until(() => copies().length === 1, 'what is said besides')
  a.faults.acceptThenCrash(() => undefined)
  await grow(house, seq, words(13))
  await settled(house)
  assert.deepEqual([copies(), own.shown], [['next', words(13)], null])
})
