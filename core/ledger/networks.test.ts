import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ChannelId, type NetworkId, text } from '../event.ts'
import { Ledger } from './ledger.ts'
import { enqueue, setState } from './out/deliveries.ts'
import { saveStatus, waiting } from './settings/networks.ts'

test('what goes out at this moment waits for nothing, unless its network is away', async t => {
  const ledger = Ledger.open(':memory:')
  t.after(() => ledger.close())
  const place = { network: 'irc' as NetworkId, channel: '#a' as ChannelId }
  const [, second] = await ledger.write(db => {
    saveStatus(db, 'irc', { state: 'up', sinceMs: 0, lacks: [] }, 0)
    return [1000, 5000].map(atMs => enqueue(db, { place, bot: 'admin', act: { do: 'send', content: text('x') } }, atMs))
  })
  await ledger.write(db => setState(db, [second as number], 'sending'))
  const at = (nowMs: number) => ledger.read(db => waiting(db, nowMs))
  assert.deepEqual(await at(2999), [])
  assert.deepEqual(await at(5010), [{ network: 'irc', queued: 1, oldestMs: 1000 }])
  assert.deepEqual(await at(7000), [{ network: 'irc', queued: 2, oldestMs: 1000 }])
  await ledger.write(db => saveStatus(db, 'irc', { state: 'connecting', sinceMs: 0, lacks: [] }, 0))
  assert.deepEqual(await at(1500), [{ network: 'irc', queued: 2, oldestMs: 1000 }])
})
