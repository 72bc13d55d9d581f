import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sql } from '../../../core/ledger/sqlite.ts'
import { House } from '../../../test/house.ts'
import { until } from '../../../test/instance.ts'
import { runBridge } from '../run.ts'

const membersOf = (house: House): Promise<string[]> =>
  house.ledger.read(db =>
    sql(
      db,
      `SELECT m.user, m.name FROM member m JOIN place p ON p.id = m.place
       WHERE p.network = 'chat' AND p.channel = '#general' ORDER BY m.user`,
    )
      .all()
      .map(row => `${String(row['user'])} as ${String(row['name'])}`),
  )

const seen = (house: House, user: string) =>
  house.ledger.read(db => sql(db, 'SELECT what, channel, seen_ms FROM presence WHERE user = ?').get(user) ?? null)

const members = (house: House, expected: readonly string[]): Promise<unknown> =>
  until(`members to be ${expected.join()}`, 5000, async () => {
    const found = await membersOf(house)
    return found.join() === expected.join()
  })

test('the list of members is right after a restart: who left meanwhile is gone, who came is there', async t => {
  const house = new House(t)
  const server = house.server('a')
  const [worker, scout, late] = ['worker', 'scout', 'late'].map(name => server.user(name))
  worker?.join('#general')
  const stop = await house.run('bridge', runBridge)
  scout?.join('#general')
  await members(house, ['scout as scout', 'worker as worker'])
  scout?.rename('scout|busy')
  await members(house, ['scout as scout|busy', 'worker as worker'])
  await stop()
  worker?.leave('#general')
  late?.join('#general')
  await house.run('bridge', runBridge)
  await members(house, ['late as late', 'scout as scout|busy'])
})

test('signs of life are noted without a fact for each', async t => {
  const house = new House(t)
  await house.run('bridge', runBridge)
  const worker = house.server('a').user('worker')
  worker.join('#general')
  await members(house, ['worker as worker'])
  const facts = house.ledger.newestSeq()
  for (let n = 0; n < 50; n++) worker.sign('#general', 'typing')
  worker.sign('#general', 'heartbeat')
  const row = await until('a sign to be noted', 5000, () => seen(house, 'worker'))
  assert.deepEqual([row['what'], row['channel']], ['heartbeat', '#general'])
  assert.equal(house.ledger.newestSeq(), facts)
})
