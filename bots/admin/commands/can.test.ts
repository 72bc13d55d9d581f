import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { NetworkId, UserId } from '../../../core/event.ts'
import { personFor } from '../../../core/ledger/people/people.ts'
import { grant } from '../../../core/ledger/people/roles.ts'
import { engage, openHouse } from '../channels/testing.ts'

test('who may do what, and why; nothing is run', async t => {
  const house = await openHouse(t)
  const olga = house.server('a').user('olga')
  await house.grant('chat', 'bob', 'member')
  await house.ledger.write(db => {
    const person = personFor(db, 'chat' as NetworkId, 'bob' as UserId, 'bob', Date.now())
    grant(db, { person, room: 'ops', role: 'operator', untilMs: Date.now() + 7_200_000 }, 'olga', Date.now())
  })
  const asks = async (words: string, answer: RegExp): Promise<void> => {
    await olga.shouldReply('#general', `!can ${words}`, answer, { in: '@admin' })
  }
  await asks(
    'bob in=ops restart oracle',
    /^no: restart needs operator everywhere; bob is member everywhere \(by test\); operator in ops for (2h|1h 59m) more \(by olga\)$/,
  )
  await asks('bob status', /^yes: status is for everybody; bob is member/)
  await asks('chat:bob !role grant olga guest', /^no: role grant needs operator everywhere/)
  await asks('olga role revoke bob', /^yes: role revoke/)
  await asks('chat:nobody status', /^yes: .* chat:nobody is guest: no role/)
  await asks('nobody status', /^nobody is called nobody; !person list/)
  await asks('bob staus', /^no command staus; did you mean status\?/)
  await asks('olga secret set', /in a direct message to admin; olga is owner/)
  await olga.shouldReply('#general', '!role list', /bob: member/, { in: '@admin' })
  await house
    .server('a')
    .user('carl')
    .shouldReply('#general', '!can olga status', /can needs member; you are guest/)
})

test('of agents it tells the engagement, of the ignored that they are', async t => {
  const house = await openHouse(t)
  const olga = house.server('a').user('olga')
  await engage(house, 'worker-1', { permissions: ['status'] })
  await olga.shouldReply(
    '#general',
    '!can worker-1 role list',
    /^no: role list .* worker-1 is agent, active, permissions: status$/,
    { in: '@admin' },
  )
  await olga.shouldReply('#general', '!can @worker-1 status', /^yes: status/, { in: '@admin' })
  await olga.shouldReply('#general', '!ignore chat:mallory for=30m', /is ignored/)
  await olga.shouldReply('#general', '!can chat:mallory status', /^no: chat:mallory is ignored/, { in: '@admin' })
  const audit = await house.ledger.read(db =>
    db.prepare("SELECT count(*) AS n FROM audit WHERE command = 'status'").get(),
  )
  assert.deepEqual({ ...(audit as object) }, { n: 0 })
})
