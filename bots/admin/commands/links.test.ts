import assert from 'node:assert/strict'
import { test } from 'node:test'
import { identify } from '../../../core/access/identity.ts'
import type { NetworkId, UserId } from '../../../core/event.ts'
import { addIdentity, type Person, personByName, personFor } from '../../../core/ledger/people/people.ts'
import { temporaryLedger } from '../../../core/ledger/testing.ts'
import type { House } from '../../../test/house.ts'
import { engage, openHouse } from '../channels/testing.ts'
import { linkMs, offer, take } from '../links/codes.ts'
import { join } from '../links/join.ts'
import { accountMeant } from '../meant.ts'

const codeForm = /^[A-Z2-9]{4}-[A-Z2-9]{4}-[A-Z2-9]{4}$/

/** Asks for a code as somebody of the network behind `letter`. */
async function codeFor(house: House, letter: string, name: string): Promise<string> {
  const user = house.server(letter).user(name)
  const { seq } = user.dm('admin', 'link')
  return (await user.hears('@admin', codeForm, seq)).text
}

const roleOf = (house: House, network: string, user: string) =>
  house.ledger.read(db =>
    identify(
      db,
      network as NetworkId,
      { id: user as UserId, name: user, kind: 'person', verified: true },
      '',
      Date.now(),
    ),
  )

test('two accounts that prove each other are one person, with one role, once', async t => {
  const house = await openHouse(t)
  const olga = house.server('a').user('olga')
  const olly = house.server('b').user('olly')
  const code = await codeFor(house, 'a', 'olga')
  await olly.shouldReply(
    '@admin',
    `link ${code.toLowerCase()}`,
    /^other:olly is olga from now on, like chat:olga · owner$/,
  )
  await olga.hears('@admin', /^other:olly is your account too from now on; not yours\? !link del other:olly/)
  assert.equal((await roleOf(house, 'other', 'olly')).role, 'owner')
  await olly.shouldReply('@admin', `link ${code}`, /^that code is wrong, used or older/)
  await house
    .server('b')
    .user('mallory')
    .shouldReply('@admin', `link ${code}`, /^that code is wrong, used or older/)
  await olly.shouldReply('@admin', 'link list', 'olga: chat:olga, other:olly')
  await olly.shouldReply('@admin', 'link del chat:olga', 'chat:olga is not olga any more')
  assert.equal((await roleOf(house, 'chat', 'olga')).role, 'guest')
  await olly.shouldReply('@admin', 'link del other:olly', /is the only account of olga: it stays/)
})

test('nobody gains by somebody else’s account: one with a role does not join, and loses none', async t => {
  const house = await openHouse(t)
  const olga = house.server('a').user('olga')
  await house.grant('other', 'bob', 'member')
  const code = await codeFor(house, 'b', 'mallory')
  await olga.shouldReply(
    '@admin',
    `link ${code}`,
    /^chat:olga is olga here, owner: an owner must !role revoke that first/,
  )
  assert.equal((await roleOf(house, 'chat', 'olga')).role, 'owner')
  assert.equal((await roleOf(house, 'other', 'mallory')).person, null)
  const bobs = await codeFor(house, 'a', 'olga')
  await house
    .server('b')
    .user('bob')
    .shouldReply('@admin', `link ${bobs}`, /^other:bob is bob here, member:/)
  assert.equal((await roleOf(house, 'other', 'bob')).role, 'member')
})

test('an account leaves a person without roles; what is left of nobody goes with its places in groups', async t => {
  const house = await openHouse(t)
  const olly = house.server('b').user('olly')
  await house.grant('other', 'olly', 'member')
  await house.ledger.write(db => {
    db.prepare("DELETE FROM role WHERE person = (SELECT id FROM person WHERE name = 'olly')").run()
    db.prepare("INSERT INTO party VALUES ('ops', 'person:olly', 'olga', 0)").run()
  })
  const code = await codeFor(house, 'a', 'olga')
  await olly.shouldReply('@admin', `link ${code}`, /^other:olly is olga from now on/)
  assert.equal(await house.ledger.read(db => personByName(db, 'olly')), null)
  const groups = await house.ledger.read(db => db.prepare('SELECT * FROM party').all())
  assert.deepEqual(groups, [])
})

test('a code works only where it should: not in a room, not for strangers, agents, its own account, or later', async t => {
  const house = await openHouse(t)
  const olly = house.server('b').user('olly')
  await engage(house, 'worker-1')
  await olly.shouldReply('#general', '!link', /^a code is not said in a room/, { in: '@admin' })
  const shown = await codeFor(house, 'a', 'olga')
  await olly.shouldReply('#general', `!link ${shown}`, /^others saw that code: it counts no more/, { in: '@admin' })
  await olly.shouldReply('@admin', `link ${shown}`, /^that code is wrong, used or older/)
  const code = await codeFor(house, 'a', 'olga')
  await house
    .server('b')
    .user('stranger', { verified: false })
    .shouldReply('@admin', `link ${code}`, /nobody vouches for you/)
  await house
    .server('a')
    .user('olga')
    .shouldReply('@admin', `link ${code}`, /^that is the account the code was given to/)
  const worker = house.server('a').user('worker-1')
  await worker.shouldReply('@admin', `link ${code}`, /worker-1/)
  assert.equal((await roleOf(house, 'chat', 'worker-1')).person, null)
  const newer = await codeFor(house, 'a', 'olga')
  await olly.shouldReply('@admin', `link ${code}`, /^that code is wrong, used or older/)
  await olly.shouldReply('@admin', `link ${newer}`, /is olga from now on/)
  const account = { network: 'chat' as NetworkId, user: 'olga' as UserId, name: 'olga' }
  await house.ledger.write(db => offer(db, account, 'ABCD-EFGH-JKLM', 1000))
  await assert.rejects(
    house.ledger.write(db => take(db, 'ABCD-EFGH-JKLM', 1000 + linkMs)),
    { code: 'not-found' },
  )
})

test('guessing is slowed down, and no code is left in the record or the audit', async t => {
  const house = await openHouse(t)
  const mallory = house.server('b').user('mallory')
  const code = await codeFor(house, 'a', 'olga')
  for (let n = 0; n < 5; n++) {
    await mallory.shouldReply('@admin', `link AAAA-AAAA-AAA${n}`, /^that code is wrong/)
  }
  await mallory.shouldReply('@admin', `link ${code}`, /^too many codes were tried: go on in \d+ s$/)
  const kept = await house.ledger.read(db => ({
    events: JSON.stringify(db.prepare('SELECT body FROM event').all()),
    deliveries: JSON.stringify(db.prepare('SELECT act FROM delivery').all()),
    audit: JSON.stringify(db.prepare('SELECT * FROM audit').all()),
    claims: JSON.stringify(db.prepare('SELECT * FROM claim').all()),
  }))
  for (const [where, text] of Object.entries(kept)) assert.equal(text.includes(code), false, where)
  assert.match(kept.audit, /"link new","args":"\*\*\*","decision":"failed"/)
})

test('operators see and undo links of those they stand above; others do not', async t => {
  const house = await openHouse(t)
  const olly = house.server('b').user('olly')
  const bob = house.server('a').user('bob')
  await house.grant('chat', 'bob', 'operator')
  await olly.shouldReply('@admin', `link ${await codeFor(house, 'a', 'olga')}`, /is olga from now on/)
  await house
    .server('a')
    .user('carl')
    .shouldReply('@admin', 'link list olga', /^that is not you/)
  await house
    .server('a')
    .user('carl')
    .shouldReply('@admin', 'link del other:olly', /is not your account/)
  await bob.shouldReply('@admin', 'link list olga', 'olga: chat:olga, other:olly')
  await bob.shouldReply('@admin', 'link del other:olly', /^olga is owner: only such a one may change that/)
})

test('the last account by which somebody speaks stays, whatever keys they have', async t => {
  const house = await openHouse(t)
  await house.grant('chat', 'bob', 'operator')
  await house.ledger.write(tx => {
    tx.prepare(
      "INSERT INTO api_key (network, account, prefix, hash, scopes, forwards, created_ms, created_by) VALUES ('web', 'ci', 'a', 'a', '[]', 0, 0, 'bob')",
    ).run()
    addIdentity(tx, personByName(tx, 'bob') as Person, { network: 'web' as NetworkId, user: 'ci' as UserId })
  })
  const bob = house.server('a').user('bob')
  await bob.shouldReply('@admin', 'link del chat:bob', 'chat:bob is the only account of bob: it stays')
  assert.equal((await roleOf(house, 'chat', 'bob')).role, 'operator')
  await bob.shouldReply('@admin', 'link del web:ci', 'web:ci is a key of bob: !key revoke ends it')
  assert.equal((await roleOf(house, 'web', 'ci')).person?.name, 'bob')
})

test('who becomes a person is called as their name may be shown', async t => {
  const ledger = temporaryLedger(t)
  const account = (network: string, name: string) => ({ network: network as NetworkId, user: 'z0e' as UserId, name })
  const zoe = account('chat', 'zoe\nolga: owner\u202e')
  assert.equal((await ledger.write(tx => join(tx, zoe, account('other', 'z'), 1))).name, 'zoe olga: owner')
})

test('an id with capitals is meant as it is written, where there is one', async t => {
  const ledger = temporaryLedger(t)
  const [slack, irc] = ['slack' as NetworkId, 'irc' as NetworkId]
  await ledger.write(tx => {
    personFor(tx, slack, 'U0ABC' as UserId, 'zoe', 1)
    personFor(tx, irc, 'bob' as UserId, 'bob', 1)
  })
  const idOf = (word: string) => ledger.read(tx => accountMeant(tx, word, irc).account.user)
  assert.equal(await idOf('slack:U0ABC'), 'U0ABC')
  assert.deepEqual([await idOf('irc:BOB'), await idOf('Bob')], ['bob', 'bob'])
  await assert.rejects(idOf('slack:u0abc'), { code: 'not-found' })
})
