import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { sql } from '../../../core/ledger/sqlite.ts'
import type { House } from '../../../test/house.ts'
import { until } from '../../../test/instance.ts'
import { agentIn } from './testing.ts'
import { listed, openWorld, workers } from './testing-world.ts'

const paused = (house: House): Promise<string> =>
  house.ledger.read(db =>
    sql(db, 'SELECT name FROM agent WHERE paused = 1 ORDER BY name')
      .all()
      .map(row => row['name'])
      .join(),
  )

describe('stop', () => {
  it('reaches one agent by a member, and counts', async t => {
    const { house, alice } = await openWorld(t)
    const [one] = await workers(house, 'worker-001')
    const told = await alice.shouldReply('#general', '!stop worker-001', /^worker-001: stop$/)
    one?.say('#general', 'stopped')
    await alice.hears('#general', /^stop: 1 of 1 obeyed in \d+m?s$/, told.seq)
  })

  it('names who did not obey in time, wherever the others answered', async t => {
    const { house, alice } = await openWorld(t, 'stopSeconds: 1')
    const [one] = await workers(house, 'worker-001', 'worker-002')
    await alice.shouldReply('#general', '!stop @worker', /^worker-001, worker-002: stop$/)
    one?.dm('admin', 'ok')
    await alice.hears('#general', 'stop: 1 of 2 obeyed; silent: worker-002')
  })

  it('of all needs an operator, and reaches other rooms', async t => {
    const { house, alice } = await openWorld(t)
    await workers(house, 'worker-001')
    const side = await agentIn(house, 'side-1', { type: 'aide' }, '#side')
    await listed(house, 'side-1')
    await alice.shouldReply('#general', '!stop @all', 'stop @all needs operator; you are member')
    await alice.shouldReply('#general', '!stop @*', 'stop @all needs operator; you are member')
    const olga = house.server('a').user('olga')
    olga.say('#general', '!stop @all')
    await alice.hears('#general', /^worker-001: stop$/)
    await side.hears('#side', /^side-1: stop$/)
  })

  it('alone means whom one replied to, else spoke to last, else the oracle', async t => {
    const { house, alice } = await openWorld(t)
    const [one] = await workers(house, 'worker-001', 'worker-002', 'worker-003')
    const cancelled: unknown[] = []
    house.bus.onSignal('cancel', payload => cancelled.push(payload))
    await alice.shouldReply('#general', '!stop', 'you spoke to no agent here: the oracle is told to stop')
    assert.deepEqual(cancelled, [{ turn: null, reason: 'alice said stop' }])
    alice.say('#general', 'worker-002: count to a million')
    const said = one?.say('#general', 'I am working')
    alice.say('#general', 'good work, worker-003')
    await alice.shouldReply('#general', '!stop', /^worker-002: stop$/)
    const { seq } = alice.say('#general', '!stop', said ? { replyTo: said.id } : {})
    await alice.hears('#general', /^worker-001: stop$/, seq)
    const woken = await alice.shouldReply('#general', '@worker go', /^worker-001, worker-002, worker-003: alice: go$/)
    await alice.shouldReply('#general', '!stop', /^worker-001, worker-002, worker-003: stop$/)
    alice.say('#general', '@worker-002 hello')
    const last = alice.say('#general', '!stop', { replyTo: woken.id })
    await alice.hears('#general', /^worker-001, worker-002, worker-003: stop$/, last.seq)
    assert.equal(cancelled.length, 1)
  })

  it('tells who is not there, and who nobody is', async t => {
    const { house, alice } = await openWorld(t)
    const [one, two] = await workers(house, 'worker-001', 'worker-002')
    two?.leave('#general')
    await until('worker-002 left', 5000, () =>
      house.ledger.read(db => sql(db, "SELECT 1 FROM member WHERE user = 'worker-002'").get() === undefined),
    )
    await alice.shouldReply('#general', '!stop worker-001,worker-002', 'not here: worker-002')
    await alice.shouldReply('#general', '!stop worker-9', "nobody fits 'worker-9': agents lists who there is")
    await alice.shouldReply('#general', '!stop worker-002', 'not here: worker-002')
    assert.ok(one)
  })

  it('is refused to guests, and is not limited', async t => {
    const { house, alice } = await openWorld(t, '', 'commands: { perMinute: 1, burst: 1 }')
    await workers(house, 'worker-001')
    const guest = house.server('a').user('guest')
    await guest.shouldReply('#general', '!stop worker-001', 'stop needs member; you are guest')
    for (let n = 0; n < 5; n++) await alice.shouldReply('#general', '!stop worker-001', /^worker-001: stop$/)
  })
})

describe('pause and resume', () => {
  it('are recorded: who is paused is woken by no mention', async t => {
    const { house, alice } = await openWorld(t)
    const [one] = await workers(house, 'worker-001', 'worker-002')
    await alice.shouldReply('#general', '!pause worker-001', /^worker-001: pause$/)
    one?.say('#general', 'paused')
    await alice.hears('#general', /^pause: 1 of 1 obeyed/)
    assert.equal(await paused(house), 'worker-001')
    await alice.shouldReply('#general', '@worker go', /^worker-002: alice: go$/)
    await alice.shouldReply('#general', '!who worker-001', /^worker-001 online .* · paused$/)
    await alice.shouldReply('#general', '!pause worker-002', /^worker-002: pause$/)
    await alice.shouldReply('#general', '@worker go', '@worker: all 2 are paused; resume @worker wakes them')
    await alice.shouldReply('#general', '!resume @worker', /^worker-001, worker-002: resume$/)
    assert.equal(await paused(house), '')
    await alice.shouldReply('#general', '@worker go', /^worker-001, worker-002: alice: go$/)
  })
})
