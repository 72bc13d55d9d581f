import assert from 'node:assert/strict'
import { test } from 'node:test'
import { House } from '../../test/house.ts'
import { setTimeout as wait } from 'node:timers/promises'

test('two places in a room hear each other', async t => {
  const house = new House(t)
  await house.bridge()
  const alice = house.server('a').user('alice')
  const bob = house.server('b').user('bob')
  bob.join('#general')
  alice.join('#general')
  const said = alice.say('#general', 'hello there')
  await wait(500)
  console.log(house.server('b').transcript())
  bob.say('#general', 'hi', { replyTo: house.server('b').channel('#general').messages[0]!.id })
  await wait(300)
  alice.edit(said.id, 'hello where')
  await wait(300)
  alice.remove(said.id)
  await wait(300)
  console.log(house.server('a').transcript())
  console.log(house.server('b').transcript())
})
