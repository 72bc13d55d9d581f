import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { NetworkId, Sender, UserId } from '../event.ts'
import type { Ledger } from '../ledger/ledger.ts'
import { dropIdentity, identitiesOf, type Person, personByName, personFor } from '../ledger/people/people.ts'
import { grant, grants, owners, revoke, roleIn } from '../ledger/people/roles.ts'
import { temporaryLedger } from '../ledger/testing.ts'
import { identify } from './identity.ts'
import { includes, type Role } from './role.ts'

const irc = 'irc' as NetworkId
const nowMs = 10_000

const sender = (over: Partial<Sender> = {}): Sender => ({
  id: 'alice' as UserId,
  name: 'Alice',
  kind: 'person',
  verified: true,
  ...over,
})

const person = (ledger: Ledger, user: string, network = irc): Promise<Person> =>
  ledger.write(db => personFor(db, network, user as UserId, user, nowMs))

const give = (ledger: Ledger, to: Person, role: Role, room = '', untilMs: number | null = null): Promise<void> =>
  ledger.write(db => grant(db, { person: to, room, role, untilMs }, 'test', nowMs))

const roleOf = (ledger: Ledger, from: Sender, room = 'general', network = irc): Promise<Role> =>
  ledger.read(db => identify(db, network, from, room, nowMs).role)

it('whom the platform does not vouch for is nobody, whatever the name or the id', async t => {
  const ledger = temporaryLedger(t)
  await give(ledger, await person(ledger, 'alice'), 'owner')
  assert.equal(await roleOf(ledger, sender()), 'owner')
  assert.equal(await roleOf(ledger, sender({ verified: false })), 'guest')
  assert.equal(await roleOf(ledger, sender({ id: 'mallory' as UserId, name: 'alice' })), 'guest')
  assert.equal(await roleOf(ledger, sender(), 'general', 'other' as NetworkId), 'guest')
  for (const near of ['Alice', 'alice ', 'аlice', 'alice\u200b', '']) {
    assert.equal(await roleOf(ledger, sender({ id: near as UserId })), 'guest', JSON.stringify(near))
  }
  assert.equal(await ledger.read(db => identify(db, irc, sender({ verified: false }), '', nowMs).person), null)
})

it('the highest role that holds here and now counts', async t => {
  const ledger = temporaryLedger(t)
  const alice = await person(ledger, 'alice')
  await give(ledger, alice, 'member')
  await give(ledger, alice, 'operator', 'ops')
  assert.equal(await roleOf(ledger, sender(), 'ops'), 'operator')
  assert.equal(await roleOf(ledger, sender(), 'general'), 'member')
  await give(ledger, alice, 'owner')
  assert.equal(await roleOf(ledger, sender(), 'ops'), 'owner')
})

it('a role ends at its time', async t => {
  const ledger = temporaryLedger(t)
  const alice = await person(ledger, 'alice')
  await give(ledger, alice, 'operator', '', nowMs + 1)
  assert.equal(await roleOf(ledger, sender()), 'operator')
  await give(ledger, alice, 'operator', '', nowMs)
  assert.equal(await roleOf(ledger, sender()), 'guest')
  assert.deepEqual(await ledger.read(db => grants(db, nowMs)), [])
})

it('a role can be taken, in its room alone, at once', async t => {
  const ledger = temporaryLedger(t)
  const alice = await person(ledger, 'alice')
  await give(ledger, alice, 'operator', 'ops')
  assert.equal(await ledger.write(db => revoke(db, alice, '')), false)
  assert.equal(await ledger.write(db => revoke(db, alice, 'ops')), true)
  assert.equal(await ledger.read(db => roleIn(db, alice, 'ops', nowMs)), 'guest')
})

it('owners are those without room and without end: what the last one is counted by', async t => {
  const ledger = temporaryLedger(t)
  const [alice, bob, carol] = await Promise.all(['alice', 'bob', 'carol'].map(name => person(ledger, name)))
  await give(ledger, alice as Person, 'owner')
  await give(ledger, bob as Person, 'owner', '', nowMs + 1000)
  await give(ledger, carol as Person, 'owner', 'ops')
  assert.equal(await ledger.read(owners), 1)
  await ledger.write(db => revoke(db, alice as Person, ''))
  assert.equal(await ledger.read(owners), 0)
})

it('an identity belongs to one person; a name that is taken gets a number', async t => {
  const ledger = temporaryLedger(t)
  const alice = await person(ledger, 'alice')
  assert.deepEqual(await person(ledger, 'alice'), alice)
  const other = await person(ledger, 'alice', 'other' as NetworkId)
  assert.deepEqual([alice.name, other.name], ['alice', 'alice-2'])
  assert.notEqual(other.id, alice.id)
  assert.deepEqual(await ledger.read(db => personByName(db, 'ALICE')), alice)
  assert.deepEqual(await ledger.read(db => identitiesOf(db, alice)), [{ network: 'irc', user: 'alice' }])
  await give(ledger, alice, 'owner')
  await ledger.write(db => dropIdentity(db, irc, 'alice' as UserId))
  assert.equal(await roleOf(ledger, sender()), 'guest')
})

it('a role includes those below it and no other', () => {
  assert.ok(includes('owner', 'guest') && includes('operator', 'member') && includes('member', 'member'))
  assert.ok(!includes('guest', 'member') && !includes('operator', 'owner'))
})
