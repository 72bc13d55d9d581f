import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { NetworkId, UserId } from '../../../core/event.ts'
import { spenderOf } from './spender.ts'

const irc = 'irc' as NetworkId
const bob = { id: 'bob' as UserId, verified: true }

test('a person has one budget, an account without one its own, strangers one together', () => {
  assert.equal(spenderOf(irc, bob, { id: 3, name: 'bob' }), 'person:3')
  assert.equal(spenderOf(irc, bob, null), 'account:irc:bob')
  assert.equal(spenderOf(irc, { ...bob, verified: false }, null), 'strangers:irc')
  assert.equal(spenderOf(irc, { id: 'bob2' as UserId, verified: false }, null), 'strangers:irc')
})
