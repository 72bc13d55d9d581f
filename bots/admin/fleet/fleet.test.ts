import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { sql } from '../../../core/ledger/sqlite.ts'
import type { House } from '../../../test/house.ts'
import { until } from '../../../test/instance.ts'
import { runAdmin } from '../admin.ts'
import { agentIn, enrol } from './testing.ts'
import { listed, openWorld, workers } from './testing-world.ts'

const deliveries = (house: House): Promise<number> =>
  house.ledger.read(db => Number(sql(db, "SELECT count(*) AS n FROM delivery WHERE bot = 'admin'").get()?.['n']))

describe('a group that is mentioned', () => {
  it('is named in one line, and counted when all have answered', async t => {
    const { house, alice } = await openWorld(t)
    const [one, two] = await workers(house, 'worker-001', 'worker-002')
    const { seq } = alice.say('#general', '@worker status')
    const woken = await alice.hears('#general', 'worker-001, worker-002: alice: status', seq)
    one?.say('#general', 'idle')
    two?.say('#general', 'busy with 3')
    const count = await alice.hears('#general', '2 of 2 answered', woken.seq)
    assert.equal(count.content.replyTo, alice.reads('#general').find(({ seq: at }) => at === seq)?.id)
  })

  it('is counted when the time is over, and the silent are named', async t => {
    const { house, alice } = await openWorld(t, 'answerSeconds: 1')
    const [one, , late] = await workers(house, 'worker-001', 'worker-002', 'worker-003')
    await alice.shouldReply('#general', '@workers: status', 'worker-001, worker-002, worker-003: alice: status')
    one?.say('#general', 'here')
    const over = await alice.hears('#general', '1 of 3 answered; silent: worker-002, worker-003')
    late?.say('#general', 'sorry, late')
    await alice.shouldReply(
      '#general',
      '!who @worker,-worker-*',
      "nobody fits '@worker,-worker-*': !agents lists who there is",
    )
    await alice.shouldStayQuiet('#general', 'thanks', '!who worker-001', /^worker-001 online/)
    assert.ok(over)
  })

  it('counts accounts, not names: a look-alike is neither named nor counted', async t => {
    const { house, alice } = await openWorld(t, 'answerSeconds: 1')
    const [one] = await workers(house, 'worker-001')
    await house.ledger.write(db => enrol(db, 'worker-002'))
    const fake = house.server('a').user('worker-002', { verified: false })
    const other = house.server('a').user('mallory')
    other.join('#general')
    other.rename('worker-001')
    fake.join('#general')
    await listed(house, 'worker-002', 'mallory')
    const woken = await alice.shouldReply('#general', '@worker status', /^worker-001: alice: status$/)
    fake.say('#general', 'me')
    other.say('#general', 'me too')
    const count = await alice.hears('#general', '0 of 1 answered; silent: worker-001', woken.seq)
    one?.say('#general', 'late')
    assert.ok(count)
  })

  it('answers by reply and reaction count, from the room alone', async t => {
    const { house, alice } = await openWorld(t)
    const [one, two] = await workers(house, 'worker-001', 'worker-002')
    const asked = alice.say('#general', '@all ping')
    const woken = await alice.hears('#general', /^worker-001, worker-002: alice: ping/, asked.seq)
    one?.react(woken.id, '👍')
    two?.say('#side', 'not in the room')
    two?.react(alice.say('#general', 'unrelated').id, '👍')
    two?.react(asked.id, '✅')
    await alice.hears('#general', '2 of 2 answered', woken.seq)
  })

  it('says so when it matches nobody here', async t => {
    const { house, alice } = await openWorld(t)
    await workers(house, 'worker-001')
    await house.ledger.write(db => enrol(db, 'scout-1', { type: 'scout' }))
    await alice.shouldReply('#general', '@claude-* hello', '@claude-*: nobody fits; !agents lists who there is')
    await alice.shouldReply('#general', '@scout hello', '@scout: none of 1 is in this room; !who @scout shows where')
    await alice.shouldStayQuiet('#general', 'hi @bob, mail a@all', '!who worker-001', /worker-001/)
  })

  it('takes who is paused, revoked or the caller out of it', async t => {
    const { house, alice } = await openWorld(t)
    await workers(house, 'worker-001')
    await agentIn(house, 'worker-002', { paused: true })
    await agentIn(house, 'worker-003', { state: 'revoked' })
    await agentIn(house, 'worker-004', { expiresMs: 5 })
    await listed(house, 'worker-002', 'worker-003', 'worker-004')
    await alice.shouldReply('#general', '@all: go', /^worker-001: alice: go$/)
  })

  it('leaves native agents out of the naming and counts them', async t => {
    const { house, alice } = await openWorld(t)
    const [one] = await workers(house, 'worker-001')
    const native = await agentIn(house, 'worker-002', { native: true })
    await listed(house, 'worker-002')
    await alice.shouldReply('#general', '@worker status', /^worker-001: alice: status$/)
    one?.say('#general', 'here')
    native.say('#general', 'here')
    await alice.hears('#general', '2 of 2 answered')
  })

  it('is called from another platform by who said it there, and answers go back', async t => {
    const { house } = await openWorld(t)
    const [one] = await workers(house, 'worker-001')
    await house.grant('other', 'bob', 'member')
    const bob = house.server('b').user('bob')
    bob.say('#general', '@worker status')
    const there = house.server('a').user('alice')
    await there.hears('#general', /^worker-001: bob: status$/)
    one?.say('#general', 'all well')
    await bob.hears('#general', '1 of 1 answered')
    assert.equal(await house.ledger.read(db => sql(db, 'SELECT count(*) AS n FROM call').get()?.['n']), 1)
  })

  it('names by the nick of the moment', async t => {
    const { house, alice } = await openWorld(t)
    const [one] = await workers(house, 'worker-001')
    one?.rename('worker-001|busy')
    await until('the rename', 5000, () =>
      house.ledger.read(db => sql(db, "SELECT 1 FROM member WHERE name = 'worker-001|busy'").get() !== undefined),
    )
    await alice.shouldReply('#general', '@worker go', /^worker-001\|busy: alice: go$/)
  })

  it('may have a name of its own, with agents and people in it', async t => {
    const { house, alice } = await openWorld(t)
    const [one] = await workers(house, 'worker-001', 'worker-002')
    const olga = house.server('a').user('olga')
    const bob = house.server('b').user('bob')
    bob.join('#general')
    await house.grant('other', 'bob', 'member')
    await listed(house, 'bob')
    await olga.shouldReply('#ops', '!group add crew worker-001, person:bob', '@crew: 2 added')
    await olga.shouldReply('#ops', '!group add empty', '@empty: made')
    await alice.shouldReply('#general', '!group join crew', 'you are in @crew')
    await alice.shouldReply('#general', '!group show crew', '@crew: person:alice, person:bob, worker-001 (3)')
    await alice.shouldReply('#general', '!group crew', '@crew: person:alice, person:bob, worker-001 (3)')
    await alice.shouldReply('#general', '!group', /^@crew: 3, @empty: 0/)
    await alice.shouldReply('#general', '!group show [crew]', 'there is no group [crew]; !group list shows them')
    await alice.shouldReply('#general', '@empty hello', '@empty: nobody fits')
    await alice.shouldReply('#general', '@crew: assemble', /^worker-001: alice: assemble$/)
    await bob.hears('#general', /^bob: alice: assemble$/)
    one?.say('#general', 'here')
    bob.say('#general', 'here')
    await alice.hears('#general', '2 of 2 answered')
    await alice.shouldReply('#general', '!group part crew', 'you left @crew')
    await olga.shouldReply('#ops', '!group del crew', '@crew is deleted')
    await alice.shouldStayQuiet('#general', '@crew: still there?', '!who worker-001', /^worker-001/)
  })

  it('splits many names over lines that each wake', async t => {
    const { house, alice } = await openWorld(t)
    const names = Array.from({ length: 80 }, (_, n) => `worker-${String(n).padStart(3, '0')}`)
    await workers(house, ...names)
    const { text } = await alice.shouldReply('#general', '@all ping', /worker-079: alice: ping$/)
    const lines = text.split('\n')
    assert.ok(lines.length > 1)
    for (const line of lines) {
      assert.ok(Buffer.byteLength(line) <= 360)
      assert.match(line, /: alice: ping$/)
    }
    const named = lines.flatMap(line => line.replace(': alice: ping', '').split(', '))
    assert.deepEqual(named, names)
  })
})

describe('who may call a group', () => {
  it('is a member, in the room where they are one', async t => {
    const { house } = await openWorld(t)
    await workers(house, 'worker-001')
    const guest = house.server('a').user('guest')
    const stranger = house.server('a').user('stranger', { verified: false })
    await guest.shouldReply('#general', '@worker go', 'to call a group you have to be member; you are guest')
    await stranger.shouldReply('#general', '@worker go', 'nobody vouches for you here: log in to your account')
    await house.grant('chat', 'guest', 'member', 'general')
    await guest.shouldReply('#general', '@worker go', /^worker-001: guest: go$/)
  })

  it('is nobody too often: fan-out is capped', async t => {
    const { house, alice } = await openWorld(t, 'perPersonPerMinute: 6, perRoomPerMinute: 12, answerSeconds: 3600')
    await workers(house, 'worker-001')
    const before = await deliveries(house)
    for (let n = 0; n < 100; n++) alice.say('#general', `@all ping ${n}`)
    await alice.shouldReply('#general', '!who worker-001', /^worker-001 online/)
    const last = await until('all read', 5000, async () => {
      const [read] = await house.ledger.read(db => sql(db, "SELECT seq FROM consumer WHERE name = 'admin.fleet'").all())
      return Number(read?.['seq']) >= house.ledger.newestSeq() - 20
    })
    assert.ok(last)
    const said = (await deliveries(house)) - before
    assert.ok(said <= 12, `${said} deliveries of 100 mentions`)
  })

  it('is no program without an engagement that says so, and agents call on only so far', async t => {
    const { house, alice } = await openWorld(t)
    const [one] = await workers(house, 'worker-001')
    const boss = await agentIn(house, 'boss', { type: 'lead', permissions: ['call'] })
    const second = await agentIn(house, 'second', { type: 'aide', permissions: ['*'] })
    const bot = house.server('a').user('relay', { bot: true })
    await listed(house, 'boss', 'second')
    one?.say('#general', '@lead help')
    await alice.hears('#general', 'worker-001 may not call groups; !agent edit worker-001 permissions=call lets it')
    bot.say('#general', '@worker from a relay')
    boss.say('#general', '@aide take over')
    await alice.hears('#general', /^second: boss: take over$/)
    second.say('#general', '@worker do it')
    await alice.hears('#general', 'second was called by an agent itself: calls of agents stop after 1')
    assert.equal(await house.ledger.read(db => sql(db, 'SELECT count(*) AS n FROM call').get()?.['n']), 1)
  })

  it('is an operator where the channel is locked', async t => {
    const { house, alice } = await openWorld(t)
    await workers(house, 'worker-001')
    await house.ledger.write(db =>
      sql(
        db,
        "INSERT INTO channel (network, channel, locked, created_ms, created_by) VALUES ('chat', '#general', 1, 1, 'olga')",
      ).run(),
    )
    await alice.shouldReply('#general', '@worker go', '#general is locked: to call agents here you have to be operator')
    house.server('a').user('olga').say('#general', '@worker go')
    await alice.hears('#general', /^worker-001: olga: go$/)
  })

  it('is nobody by what is a command, a notice, or in a private talk', async t => {
    const { house, alice } = await openWorld(t)
    await workers(house, 'worker-001')
    alice.say('#general', '@worker hello', { style: 'notice' })
    alice.say('#general', '!nonsense @worker')
    alice.dm('admin', '@worker hello')
    await alice.shouldReply('#general', '!call @worker hello', /^worker-001: alice: hello$/)
    assert.equal(await house.ledger.read(db => sql(db, 'SELECT count(*) AS n FROM call').get()?.['n']), 1)
  })
})

describe('a call over a restart', () => {
  it('goes on: answers from before, meanwhile and afterwards count', async t => {
    const world = await openWorld(t)
    const { house, alice } = world
    const [one, two, three] = await workers(house, 'worker-001', 'worker-002', 'worker-003')
    const woken = await alice.shouldReply('#general', '@worker status', /^worker-001, worker-002, worker-003: alice/)
    one?.say('#general', 'before')
    await world.stopAdmin()
    two?.say('#general', 'meanwhile')
    await house.run('admin', runAdmin)
    three?.say('#general', 'afterwards')
    await alice.hears('#general', '3 of 3 answered', woken.seq)
    const wakes = alice.reads('#general').filter(({ text }) => text.includes(': alice: status'))
    assert.equal(wakes.length, 1)
  })

  it('hears a mention that was said while admin was away', async t => {
    const world = await openWorld(t)
    await workers(world.house, 'worker-001')
    await world.stopAdmin()
    const { seq } = world.alice.say('#general', '@worker status')
    await world.house.run('admin', runAdmin)
    await world.alice.hears('#general', /^worker-001: alice: status$/, seq)
  })

  it('ends in its time although nobody was there to count', async t => {
    const world = await openWorld(t, 'answerSeconds: 1')
    const [one] = await workers(world.house, 'worker-001', 'worker-002')
    await world.alice.shouldReply('#general', '@worker status', /^worker-001, worker-002: alice/)
    await world.stopAdmin()
    one?.say('#general', 'in time')
    await world.house.run('admin', runAdmin)
    await world.alice.hears('#general', '1 of 2 answered; silent: worker-002')
  })
})
