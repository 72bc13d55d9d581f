import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { audit } from '../../core/ledger/audit/audit.ts'
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

test('old audit lines of reading go, and the proof from chat and in the exported file steps over them', async t => {
  const house = await openHouse(t)
  const olga = house.server('a').user('olga')
  const line = { bot: 'scribe', network: 'chat', channel: general, account: 'ann', name: 'ann', role: 'guest', ms: 1 }
  const about = { event: 1, command: 'last', args: '', decision: 'allowed' as const, result: 'x' }
  await house.ledger.write(tx => {
    for (let n = 0; n < 500; n++)
      audit(tx, { ...line, ...about, atMs: Date.now(), ...(n === 100 ? {} : { reads: true }) })
  })
  const context = await house.context('admin')
  assert.equal((await dropOld(context, Date.now() + 89 * dayMs)).auditReads, 0)
  assert.equal((await dropOld(context, Date.now() + 91 * dayMs)).auditReads, 499)
  const whole = /^whole: 2 lines, each fits the one before; 499 old ones/
  await olga.shouldReply(general, '!audit verify', whole, { in: '@admin' })
  const said = await olga.shouldReply(general, '!audit export', /exports\/(audit-\S+)\.jsonl/, { in: '@admin' })
  const file = /exports\/audit-\S+\.jsonl/.exec(said.text)?.[0] as string
  const links = readFileSync(join(context.dataDir, file), 'utf8').trim().split('\n')
  const chain = links.map(each => JSON.parse(each) as { first?: number; previous: string; hash: string })
  assert.deepEqual(
    chain.slice(0, 3).map(({ first }) => first),
    [1, undefined, 102],
  )
  for (const [index, { previous }] of chain.entries()) assert.equal(previous, chain[index - 1]?.hash ?? '')
})
