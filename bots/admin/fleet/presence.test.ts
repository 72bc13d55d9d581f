import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Presence as Known } from '../../../core/ledger/people/presence.ts'
import { sql } from '../../../core/ledger/sqlite.ts'
import type { House } from '../../../test/house.ts'
import { until } from '../../../test/instance.ts'
import { runBridge } from '../../bridge/run.ts'
import { runAdmin } from '../admin.ts'
import { alertsOf } from './outages.ts'
import type { NetworkStatus } from './presence.ts'
import { judge } from './state.ts'
import { admittedTo, listed, openWorld, workers } from './testing-world.ts'

const minute = 60_000
const limits = { idleMinutes: 10, offlineMinutes: 5 }
const seen = (state: Known['state'], sinceMs: number, seenMs: number, what = 'message'): Known => ({
  state,
  sinceMs,
  seenMs,
  what,
})
const short = (found: ReturnType<typeof judge>) => found && `${found.state} since ${found.sinceMs} next ${found.nextMs}`

describe('the state of an agent', () => {
  it('is online while it gives signs, then idle, and offline when it has left', () => {
    const online = seen('online', 0, 0)
    assert.equal(
      short(judge({ before: online, present: true, beats: false }, limits, 5)),
      `online since 0 next ${10 * minute}`,
    )
    const idle = judge({ before: online, present: true, beats: false }, limits, 10 * minute)
    assert.equal(short(idle), 'idle since 0 next null')
    const left = seen('idle', 0, 12 * minute, 'leave')
    assert.equal(
      short(judge({ before: left, present: false, beats: false }, limits, 13 * minute)),
      `offline since ${12 * minute} next null`,
    )
  })

  it('never becomes offline by silence alone, unless it promised heartbeats', () => {
    const before = seen('online', 0, 0)
    assert.equal(judge({ before, present: true, beats: false }, limits, 500 * minute)?.state, 'idle')
    assert.equal(judge({ before, present: true, beats: true }, limits, 5 * minute)?.state, 'offline')
    assert.equal(
      short(judge({ before, present: true, beats: true }, limits, 4 * minute)),
      `online since 0 next ${5 * minute}`,
    )
  })

  it('stays offline while it hangs, and is back with the next sign', () => {
    const hangs = seen('offline', 0, 0, 'heartbeat')
    assert.equal(judge({ before: hangs, present: true, beats: true }, limits, 9 * minute)?.state, 'offline')
    const again = seen('offline', 0, 9 * minute, 'heartbeat')
    assert.equal(
      short(judge({ before: again, present: true, beats: true }, limits, 9 * minute)),
      `online since ${9 * minute} next ${14 * minute}`,
    )
  })

  it('follows the list of members where no join or leave was heard', () => {
    const vanished = judge({ before: seen('online', 0, 0), present: false, beats: false }, limits, 7)
    assert.equal(short(vanished), 'offline since 7 next null')
    const back = judge({ before: vanished, present: true, beats: false }, limits, 20 * minute)
    assert.equal(short(back), `online since ${20 * minute} next ${30 * minute}`)
    assert.equal(judge({ before: null, present: false, beats: false }, limits, 7), null)
    assert.equal(judge({ before: null, present: true, beats: false }, limits, 7)?.state, 'online')
  })
})

const status = (name: string, state: Known['state'], sinceMs: number, split = false): NetworkStatus => ({
  ...seen(state, sinceMs, sinceMs),
  network: 'irc',
  name,
  channel: '#general',
  split,
})
const rule = { alertSeconds: 30, upSinceMs: () => 0 }
const look = (...agents: NetworkStatus[]) => ({ agents, engaged: new Set(agents.map(({ name }) => `irc:${name}`)) })

describe('alerts', () => {
  it('are told once for each outage, with how long, and once when it is over', () => {
    const down = look(status('a', 'offline', 0))
    assert.deepEqual(alertsOf(down, {}, rule, 29_999), { lines: [], told: {}, nextMs: 30_000 })
    const first = alertsOf(down, {}, rule, 30_000)
    assert.deepEqual(first.lines, ['a is down for 30s; last seen in #general'])
    assert.deepEqual(alertsOf(down, first.told, rule, 90_000).lines, [])
    const over = alertsOf(look(status('a', 'online', 100_000)), first.told, rule, 125_000)
    assert.deepEqual(over, { lines: ['a is back after 2m 5s'], told: {}, nextMs: null })
  })

  it('wait for those who come back when their network does, and longer after a netsplit', () => {
    const down = look(status('a', 'offline', 0), status('b', 'offline', 0, true))
    const lately = { ...rule, upSinceMs: () => 50_000 }
    assert.deepEqual(alertsOf(down, {}, lately, 79_000).lines, [])
    assert.deepEqual(alertsOf(down, {}, lately, 80_000).told, { 'irc:a': 0 })
    assert.deepEqual(alertsOf(down, { 'irc:a': 0 }, lately, 350_000).told, { 'irc:a': 0, 'irc:b': 0 })
  })

  it('name many in one line, and forget whom nobody engages any more', () => {
    const many = Array.from({ length: 50 }, (_, n) => status(`w${n}`, 'offline', 0))
    assert.match(
      alertsOf(look(...many), {}, rule, 60_000).lines.join('|'),
      /^50 agents are down: w0, w1, .* and 30 more$/,
    )
    assert.deepEqual(alertsOf(look(), { 'irc:gone': 1 }, rule, 60_000), { lines: [], told: {}, nextMs: null })
  })
})

const left = (house: House, name: string): Promise<unknown> =>
  until(`${name} left`, 5000, () =>
    house.ledger.read(db => sql(db, 'SELECT 1 FROM member WHERE user = ?').get(name) === undefined),
  )

const rewind = (house: House, name: string, minutes: number): Promise<unknown> =>
  house.ledger.write(db =>
    sql(db, 'UPDATE presence SET seen_ms = seen_ms - ?, since_ms = since_ms - ? WHERE user = ?').run(
      minutes * minute,
      minutes * minute,
      name,
    ),
  )

describe('who and seen', () => {
  it('tell who is online, idle, offline and never seen', async t => {
    const { house, alice } = await openWorld(t)
    const [one, two] = await workers(house, 'worker-001', 'worker-002')
    one?.say('#general', 'at work')
    await alice.shouldReply('#general', '!who worker-001', /^worker-001 online \d+\w+ · last in #general$/)
    two?.leave('#general')
    await left(house, 'worker-002')
    await alice.shouldReply('#general', '!who', '1 online, 1 offline\nonline: worker-001\noffline: worker-002')
    await rewind(house, 'worker-001', 11)
    await alice.shouldReply('#general', '!who @all', /^worker-001 idle 11m/)
    one?.sign('#general', 'typing')
    await until('typing', 5000, async () => {
      const { text } = await alice.shouldReply('#general', '!who worker-001', /^worker-001/)
      return text.startsWith('worker-001 online')
    })
    await alice.shouldReply('#general', '!seen worker-001', /^worker-001 is here · was typing \d+m?s ago in #general$/)
    await alice.shouldReply('#general', '!seen worker-002', /^worker-002 left \d+m?s ago in #general$/)
    await alice.shouldReply('#general', '!seen alice', /^alice is here · said something/)
    await alice.shouldReply('#general', '!seen nobody', 'nobody called nobody was seen here')
  })

  it('say of a closed room only to those who are in it where somebody was', async t => {
    const { house, alice } = await openWorld(t)
    const olga = house.server('a').user('olga')
    const bob = house.server('a').user('bob')
    await house.grant('chat', 'bob', 'member')
    await admittedTo(house, '#ops', 'bob')
    bob.say('#ops', 'secret talk')
    await listed(house, 'bob', 'olga')
    await alice.shouldReply('#general', '!seen bob', /^bob is here · said something \d+m?s ago$/)
    await olga.shouldReply('#ops', '!seen bob', /^bob is here · said something \d+m?s ago in #ops$/)
    bob.dm('admin', 'psst')
    await alice.shouldReply('#general', '!seen bob', /^bob is here · said something \d+m?s ago$/)
  })
})

describe('an agent that is down', () => {
  it('is told to the alert room once, and again when it is back', async t => {
    const { house } = await openWorld(t, 'alertSeconds: 1')
    const olga = house.server('a').user('olga')
    const [one] = await workers(house, 'worker-001')
    await olga.shouldReply('#ops', '!who worker-001', /^worker-001 online/)
    one?.leave('#general')
    await olga.hears('#ops', /^worker-001 is down for \d+s; last seen in #general$/, 0, 8000)
    one?.join('#general')
    await olga.hears('#ops', /^worker-001 is back after \d+s$/, 0, 8000)
    assert.equal(olga.reads('#ops').filter(({ text }) => text.includes('is down')).length, 1)
  })

  it('was never down when only the bridge was restarted; who went meanwhile is told', async t => {
    const world = await openWorld(t, 'alertSeconds: 1')
    const { house } = world
    const olga = house.server('a').user('olga')
    const [, two] = await workers(house, 'worker-001', 'worker-002')
    await olga.shouldReply('#ops', '!who', /^2 online/)
    await world.stopBridge()
    two?.leave('#general')
    await house.run('bridge', runBridge)
    await olga.hears('#ops', /^worker-002 is down/, 0, 8000)
    assert.equal(olga.reads('#ops').filter(({ text }) => /worker-001.*down/.test(text)).length, 0)
  })

  it('is told once although admin is restarted', async t => {
    const world = await openWorld(t, 'alertSeconds: 1')
    const { house } = world
    const olga = house.server('a').user('olga')
    const [one] = await workers(house, 'worker-001')
    await olga.shouldReply('#ops', '!who', /^1 online/)
    one?.leave('#general')
    await olga.hears('#ops', /^worker-001 is down/, 0, 8000)
    await world.stopAdmin()
    await house.run('admin', runAdmin)
    one?.join('#general')
    await olga.hears('#ops', /^worker-001 is back/, 0, 8000)
    assert.equal(olga.reads('#ops').filter(({ text }) => text.includes('is down')).length, 1)
  })
})
