import assert from 'node:assert/strict'
import { it } from 'node:test'
import { until } from '../../bots/bridge/testing.ts'
import { ChanopError } from '../../core/error.ts'
import { append } from '../../core/ledger/record/events.ts'
import { messageNumber } from '../../core/ledger/testing.ts'
import { silentLog } from '../../core/log.ts'
import { House } from '../../test/house.ts'
import { adapterOf } from './testing/alone.ts'
import { config } from './testing/world.ts'

it('a ledger that can not be read keeps up nobody who writes, and is said once', async t => {
  const house = new House(t, { config: config({}) })
  const log = silentLog()
  const said = t.mock.method(log, 'error', () => undefined).mock
  const cursors = {
    newest: () => Promise.resolve(null),
    get: () => Promise.resolve(null),
    set: () => Promise.resolve(),
  }
  const adapter = await adapterOf(house, { log, cursors, changed: () => undefined })
  const stop = new AbortController()
  const running = adapter.run(() => Promise.resolve(), stop.signal)
  await until(() => adapter.status().state === 'up', 'the server')
  const { ledger } = house
  const reading = t.mock.method(ledger, 'readNow', () => {
    throw new ChanopError('ledger-full', 'the disk is full')
  }).mock
  for (const n of [1, 2]) await ledger.write(tx => append(tx, messageNumber(n), 'general', n))
  assert.deepEqual([reading.callCount() > 1, said.callCount(), ledger.newestSeq()], [true, 1, 2])
  reading.restore()
  stop.abort()
  await running
})
