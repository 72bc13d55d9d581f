import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { NetworkId, UserId } from '../event.ts'
import { spenderOf } from './spender.ts'

const irc = 'irc' as NetworkId
const bob = { id: 'bob' as UserId, verified: true }
const nobody = { person: null, agent: null }

test('a person and an agent have one budget each, an account without one its own, strangers one together', () => {
  assert.equal(spenderOf(irc, bob, { person: { id: 3 }, agent: null }), 'person:3')
  assert.equal(spenderOf(irc, bob, { person: null, agent: { name: 'worker-1' } }), 'agent:worker-1')
  assert.equal(spenderOf(irc, bob, nobody), 'account:irc:bob')
  assert.equal(spenderOf(irc, { ...bob, verified: false }, nobody), 'strangers:irc')
  assert.equal(spenderOf(irc, { id: 'bob2' as UserId, verified: false }, nobody), 'strangers:irc')
})
