import assert from 'node:assert/strict'
import { test } from 'node:test'
import { copyOf, deliveries, settled, until } from '../bridge/testing.ts'
import { openHouse } from './channels/testing.ts'
import { dropOld } from './retention.ts'

const dayMs = 86_400_000
const general = '#general'

test('an old message is edited, answered, reacted to and deleted in every place, though no record of its way is left', async t => {
  const house = await openHouse(t)
  const [a, b] = [house.server('a'), house.server('b')]
  const said = a.user('ann').say(general, 'long ago')
  const copy = await until(() => copyOf(b, 'long ago', general), 'the copy')
  await settled(house)
  const context = await house.context('admin')
  assert.equal((await dropOld(context, Date.now() + 29 * dayMs)).deliveries, 0)
  assert.ok((await deliveries(house)).length > 0)
  assert.ok((await dropOld(context, Date.now() + 31 * dayMs)).deliveries > 0)
  assert.deepEqual(await deliveries(house), [])

  b.user('bob').say(general, 'an answer', { replyTo: copy.id })
  const answer = await until(() => copyOf(a, 'an answer', general), 'the answer')
  assert.equal(answer.content.replyTo, said.id)
  b.user('bob').react(copy.id, '👍')
  await until(() => said.reactions.length === 1, 'the reaction')
  a.user('ann').edit(said.id, 'long ago, really')
  await until(() => copy.text === 'long ago, really', 'the edit')
  a.user('ann').remove(said.id)
  await until(() => copy.deleted, 'the deletion')
})
