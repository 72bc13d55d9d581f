import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sql } from '../../../core/ledger/sqlite.ts'
import { House } from '../../../test/house.ts'
import { runAdmin } from '../../admin/admin.ts'
import { runBridge } from '../run.ts'
import { copies, until } from '../testing.ts'

test('a ledger that takes nothing: said once in every place without it, and all goes on when it does again', async t => {
  const house = new House(t)
  await house.run('bridge', runBridge)
  await house.run('admin', runAdmin)
  const [here, there] = [house.server('a'), house.server('b')]
  await Promise.all([here.ready(), there.ready()])
  const bob = here.user('bob')
  bob.say('#general', 'before')
  await until(() => copies(there, '#general').includes('bob: before'), 'the first line')
  // Admin has taken up its work: what it writes at its start is behind it.
  await bob.shouldReply('#general', '!version', /^chanop/)
  const set = (on: boolean): Promise<unknown> =>
    house.ledger.read(db => sql(db, `PRAGMA query_only = ${on ? 1 : 0}`).run())
  await set(true)
  bob.say('#general', '!version')
  const told = (server: typeof here, channel: string): string[] =>
    copies(server, channel).filter(line => /can not be written.*commands wait/.test(line))
  await until(() => told(here, '#general').length > 0 && told(there, '#general').length > 0, 'the alert')
  bob.say('#general', 'meanwhile')
  await set(false)
  await until(() => copies(there, '#general').includes('bob: meanwhile'), 'what was said meanwhile')
  await until(() => copies(here, '#general').filter(line => /^admin: chanop \d/.test(line)).length === 2, 'the answer')
  for (const [server, channel] of [
    [here, '#general'],
    [there, '#general'],
    [here, '#ops'],
  ] as const) {
    assert.equal(told(server, channel).length, 1)
  }
})

test('a bot that starts again writes nothing as long as nothing has changed', async t => {
  const house = new House(t)
  await house.run('bridge', runBridge)
  const stop = await house.run('admin', runAdmin)
  await stop()
  const changes = (): Promise<number> =>
    house.ledger.read(db => Number(sql(db, 'SELECT total_changes() AS changes').get()?.['changes']))
  const before = await changes()
  const again = await house.run('admin', runAdmin)
  await again()
  assert.equal(await changes(), before)
})
