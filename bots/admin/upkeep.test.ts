import assert from 'node:assert/strict'
import { test } from 'node:test'
import { identify } from '../../core/access/identity.ts'
import type { NetworkId, UserId } from '../../core/event.ts'
import { verifyAudit } from '../../core/ledger/audit/audit.ts'
import { owners } from '../../core/ledger/people/roles.ts'
import { openHouse } from './channels/testing.ts'
import { endTimedRoles } from './upkeep.ts'

const hourMs = 3_600_000
const bob = { id: 'bob' as UserId, name: 'bob', kind: 'person', verified: true } as const

test('a role for a time ends aloud, once, and gives back what was held before', async t => {
  const house = await openHouse(t)
  const olga = house.server('a').user('olga')
  house.server('a').user('bob').join('#general')
  await olga.shouldReply('#general', '!role grant bob member', 'chat:bob is member')
  await olga.shouldReply('#general', '!role grant bob operator for=1h', 'chat:bob is operator for 1h')
  await olga.shouldReply('#general', '!role grant bob operator in=ops for=1h', 'chat:bob is operator in ops for 1h')
  const contexts = [await house.context('admin'), await house.context('admin')]
  for (const context of contexts) await endTimedRoles(context, Date.now() + hourMs / 2)
  for (const context of contexts) await endTimedRoles(context, Date.now() + hourMs)
  await olga.hears('#ops', 'bob is not operator any more: the time that olga gave is over, member again')
  await olga.hears('#ops', /^bob is not operator in ops any more: the time that olga gave is over$/)
  assert.equal(olga.reads('#ops').length, 2)
  const roleIn = (room: string) =>
    house.ledger.read(db => identify(db, 'chat' as NetworkId, bob, room, Date.now() + hourMs).role)
  assert.deepEqual([await roleIn(''), await roleIn('ops')], ['member', 'member'])
  await olga.shouldReply('#general', '!audit cmd=role', /role revoke bob in=ops → allowed/, { in: '@admin' })
  assert.equal((await house.ledger.read(verifyAudit)).broken, null)
})

test('what was taken away or given for good meanwhile does not come back', async t => {
  const house = await openHouse(t)
  const olga = house.server('a').user('olga')
  house.server('a').user('bob').join('#general')
  await olga.shouldReply('#general', '!role grant bob operator', 'chat:bob is operator')
  await olga.shouldReply('#general', '!role grant bob member for=1h', /^bob is operator for good/)
  await olga.shouldReply('#general', '!role revoke bob', /no role any more/)
  await olga.shouldReply('#general', '!role grant bob member for=1h', 'chat:bob is member for 1h')
  await endTimedRoles(await house.context('admin'), Date.now() + hourMs)
  const held = await house.ledger.read(db => identify(db, 'chat' as NetworkId, bob, '', Date.now()).role)
  assert.equal(held, 'guest')
})

test('the last owner stays whatever is tried', async t => {
  const house = await openHouse(t)
  const olga = house.server('a').user('olga')
  house.server('a').user('bob').join('#general')
  const sure = async (who: typeof olga, said: string, answer: string | RegExp): Promise<void> => {
    const asked = await who.shouldReply('#general', said, /!yes (\w+)/)
    await who.shouldReply('#general', `!yes ${/!yes (\w+)/.exec(asked.text)?.[1]}`, answer)
  }
  await sure(olga, '!role grant olga owner for=1h', /^olga is owner for good/)
  await olga.shouldReply('#general', '!role grant olga member', /that is the last owner/)
  await olga.shouldReply('#general', '!role revoke olga', /that is the last owner/)
  await olga.shouldReply('#general', '!ignore chat:olga', /that is you/)
  await olga.shouldReply('#general', '!config set ignore.chat:olga null', /^chat:olga is owner and is not ignored/)
  await olga.shouldReply('#general', '!config set ignore {"chat:bob": null, "chat:olga": null}', /^chat:olga is owner/)
  await olga.shouldReply('#general', '!link del chat:olga', /it stays/, { in: '@admin' })
  await sure(olga, '!role grant bob owner for=1h', 'chat:bob is owner for 1h')
  const timed = house.server('a').user('bob')
  await timed.shouldReply('#general', '!role revoke olga', /^you are owner for a time/)
  await timed.shouldReply('#general', '!role grant olga member', /^olga is owner for good/)
  await timed.shouldReply('#general', '!ignore chat:olga', /not ignored|last owner|is owner/)
  await timed.shouldReply('#general', '!person del olga', /^you are owner for a time/)
  assert.equal(await house.ledger.read(owners), 1)
  await olga.shouldReply('#general', '!config set ignore {"chat:zed": null}', /^ignore = /)
  await house.grant('chat', 'zed', 'owner')
  await olga.shouldReply('#general', '!config set ignore {"chat:zed": null, "chat:bo": null}', /^ignore = /)
})

test('who has the higher role for a time alone touches nobody’s for good, and gives nothing that lasts', async t => {
  const house = await openHouse(t)
  const [olga, otto] = [house.server('a').user('olga'), house.server('a').user('otto')]
  for (const name of ['otto', 'bob', 'mary']) house.server('a').user(name).join('#general')
  for (const name of ['otto', 'mary']) await house.grant('chat', name, 'operator')
  await house.grant('chat', 'carol', 'owner')
  const asked = await olga.shouldReply('#general', '!role grant otto owner for=1h', /!yes (\w+)/)
  await olga.shouldReply('#general', `!yes ${/!yes (\w+)/.exec(asked.text)?.[1]}`, 'chat:otto is owner for 1h')
  const no = /^you are owner for a time: ask somebody who is so for good/
  await otto.shouldReply('#general', '!role revoke carol', no)
  await otto.shouldReply('#general', '!role grant carol member', no)
  await otto.shouldReply('#general', '!person del carol', no)
  await otto.shouldReply('#general', '!person passwd carol', no, { in: '@admin' })
  await otto.shouldReply('#general', '!role revoke mary', 'chat:mary has no role any more')

  await house.grant('chat', 'bob', 'member')
  await house.grant('chat', 'mary', 'operator')
  await olga.shouldReply('#general', '!role grant bob operator for=1h', 'chat:bob is operator for 1h')
  const bob = house.server('a').user('bob')
  await bob.shouldReply('#general', '!role grant mary guest', /^mary is operator for good/)
  house.server('a').user('dan').join('#general')
  await bob.shouldReply('#general', '!role grant dan member', /^chat:dan is member for 59m.*, as long as you are$/)
  assert.equal(await house.ledger.read(owners), 2)
})
