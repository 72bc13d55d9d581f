import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { MemoryUser } from '../../../adapters/memory/person.ts'
import type { NetworkId, UserId } from '../../../core/event.ts'
import { endTurn, queueTurn, takeTurn, turnById } from '../../../core/ledger/oracle/turns.ts'
import { messageOf } from '../../../core/ledger/record/events.ts'
import { sql } from '../../../core/ledger/sqlite.ts'
import { placeNamed } from '../../../core/ledger/testing.ts'
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
    one?.dm('admin', 'stopped')
    await alice.hears('#general', 'stop: 1 of 2 obeyed; silent: worker-002')
  })

  it('is obeyed by who says so: other words are answers, and no more', async t => {
    const { house, alice } = await openWorld(t, 'stopSeconds: 1')
    const [one, two] = await workers(house, 'worker-001', 'worker-002')
    const told = await alice.shouldReply('#general', '!stop @worker', /^worker-001, worker-002: stop$/)
    one?.say('#general', 'pong')
    two?.say('#general', 'I stopped')
    await alice.hears('#general', 'stop: 1 of 2 obeyed; answered something else: worker-001', told.seq)
    const paused = await alice.shouldReply('#general', '!pause @worker', /^worker-001, worker-002: pause$/)
    one?.say('#general', 'pong')
    two?.say('#general', 'I will not pause')
    await alice.hears('#general', 'pause: 2 of 2 answered, none says that it obeyed', paused.seq)
  })

  it('of all needs an operator, and reaches other rooms', async t => {
    const { house, alice } = await openWorld(t)
    await workers(house, 'worker-001')
    const side = await agentIn(house, 'side-1', { type: 'aide', channels: ['#side'] }, '#side')
    await listed(house, 'side-1')
    await alice.shouldReply('#general', '!stop @all', 'stop @all needs operator; you are member')
    await alice.shouldReply('#general', '!stop @*', 'stop @all needs operator; you are member')
    const olga = house.server('a').user('olga')
    olga.say('#general', '!stop @all')
    await alice.hears('#general', /^worker-001: stop$/)
    await side.hears('#side', /^side-1: stop$/)
  })

  it('alone means whom one replied to, else spoke to last', async t => {
    const { house, alice } = await openWorld(t)
    const [one] = await workers(house, 'worker-001', 'worker-002', 'worker-003')
    await alice.shouldReply('#general', '!stop', 'nothing of yours runs here')
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
  })

  it('tells who is not there, and who nobody is', async t => {
    const { house, alice } = await openWorld(t)
    const [one, two] = await workers(house, 'worker-001', 'worker-002')
    two?.leave('#general')
    await until('worker-002 left', 5000, () =>
      house.ledger.read(db => sql(db, "SELECT 1 FROM member WHERE user = 'worker-002'").get() === undefined),
    )
    await alice.shouldReply('#general', '!stop worker-001,worker-002', 'not here: worker-002')
    await alice.shouldReply('#general', '!stop worker-9', "nobody fits 'worker-9': !agents lists who there is")
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

/** Somebody's question, and the turn that it became; taken up when `running`. */
async function ask(house: House, who: MemoryUser, words: string, running?: 'running'): Promise<number> {
  const { id } = who.say('#general', `oracle: ${words}`)
  const asked = await until('the question is in the ledger', 5000, () =>
    house.ledger.read(db => messageOf(db, placeNamed('#general', 'chat'), id)),
  )
  assert.ok(asked)
  return house.ledger.write(db => {
    const by = { network: 'chat' as NetworkId, user: who.id as UserId, person: null, name: who.name }
    const turn = queueTurn(db, { asked: asked.seq, place: asked.event.place, lane: who.id, by }, Date.now()) ?? 0
    if (running) takeTurn(db, turn, 'somebody', Date.now() + 60_000, Date.now())
    return turn
  })
}

const stateOf = (house: House, turn: number): Promise<string | undefined> =>
  house.ledger.read(db => turnById(db, turn)?.state)

describe('stop of the oracle', () => {
  it('alone means my answer here, before the agent I spoke to last; one that waits is stopped with it', async t => {
    const { house, alice } = await openWorld(t)
    await workers(house, 'worker-001')
    alice.say('#general', 'worker-001: count')
    const bob = house.server('a').user('bob')
    const [mine, waiting, theirs] = [
      await ask(house, alice, 'what is up?', 'running'),
      await ask(house, house.server('a').user('carl'), 'and I?'),
      await ask(house, bob, 'hello', 'running'),
    ]
    await alice.shouldReply('#general', '!stop', /^stopping the answer “oracle: what is up\?” \(\d+m?s\)$/)
    assert.equal(await stateOf(house, mine), 'stopping')
    await house
      .server('a')
      .user('carl')
      .shouldReply('#general', '/stop', 'stopped before it began: the answer “oracle: and I?”')
    assert.equal(await stateOf(house, waiting), 'stopped')
    assert.equal(await stateOf(house, theirs), 'running')
    await house.ledger.write(db => endTurn(db, mine, 'somebody', { state: 'stopped' }, Date.now()))
    await alice.shouldReply('#general', '!stop', /^worker-001: stop$/)
    await alice.shouldReply('#general', '!stop oracle', 'nothing of yours runs here')
  })

  it('as a reply means the one that is replied to: somebody else’s for members alone', async t => {
    const { house, alice } = await openWorld(t)
    const [bob, carl] = [house.server('a').user('bob'), house.server('a').user('carl')]
    const turn = await ask(house, bob, 'tell me all', 'running')
    const question = bob.reads('#general').find(({ text }) => text.includes('tell me all'))
    assert.ok(question)
    const reply = { replyTo: question.id }
    const refused = carl.say('#general', '!stop', reply)
    await carl.hears('#general', "to stop somebody else's answer needs member; you are guest", refused.seq)
    assert.equal(await stateOf(house, turn), 'running')
    const { seq } = alice.say('#general', '!stop', reply)
    await alice.hears('#general', /^stopping the answer to bob “oracle: tell me all”/, seq)
    assert.equal(await stateOf(house, turn), 'stopping')
    const again = alice.say('#general', '!stop', reply)
    await alice.hears('#general', 'it is being stopped already', again.seq)
  })

  it('all is for operators, and so it is with agents', async t => {
    const { house, alice } = await openWorld(t)
    await workers(house, 'worker-001')
    const [one, two] = [
      await ask(house, alice, 'one', 'running'),
      await ask(house, house.server('a').user('bob'), 'two'),
    ]
    await alice.shouldReply('#general', '!stop all', 'stop all needs operator; you are member')
    const olga = house.server('a').user('olga')
    await olga.shouldReply(
      '#general',
      '!stop @all',
      /stopping the answer to alice “oracle: one”.*\nstopped before it began: the answer to bob “oracle: two”/s,
    )
    assert.deepEqual([await stateOf(house, one), await stateOf(house, two)], ['stopping', 'stopped'])
    await olga.shouldReply('#general', '!stop all', 'it is being stopped already')
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
    await alice.shouldReply('#general', '@worker go', '@worker: all 2 are paused; !resume @worker wakes them')
    await alice.shouldReply('#general', '!resume @worker', /^worker-001, worker-002: resume$/)
    assert.equal(await paused(house), '')
    await alice.shouldReply('#general', '@worker go', /^worker-001, worker-002: alice: go$/)
  })
})
