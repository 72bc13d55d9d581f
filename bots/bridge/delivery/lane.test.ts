import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Adapter } from '../../../core/adapter.ts'
import { type ChannelId, type NetworkId, text } from '../../../core/event.ts'
import type { Delivery } from '../../../core/ledger/out/deliveries.ts'
import { Lane, laneLimit } from './lane.ts'

const adapter = { limits: { growEveryMs: 500 } } as Adapter

const delivery: Delivery = {
  id: 1,
  place: { network: 'a' as NetworkId, channel: '#hall' as ChannelId },
  placeId: 1,
  bot: 'bridge',
  act: { do: 'send', content: text('hi') },
  source: null,
  state: 'queued',
  attempts: 0,
  notBeforeMs: 0,
  createdMs: 0,
  amended: null,
}

test('a lane is idle once nothing waits or is under way, and an edit need not wait for the last one', () => {
  const lane = new Lane(delivery)
  assert.ok(lane.isIdle(1000))
  lane.add(delivery)
  assert.ok(!lane.isIdle(1000))
  assert.deepEqual(lane.depart(adapter, 1000).go, [delivery])
  assert.ok(!lane.isIdle(9000))
  lane.flying.clear()
  assert.ok(!lane.isIdle(1400))
  assert.ok(lane.isIdle(1500))
})

test('what an order releases while a place has more than memory holds skips nothing that was left in the ledger', () => {
  const ids = (from: number, to: number): Delivery[] =>
    Array.from({ length: to - from + 1 }, (_, at) => ({ ...delivery, id: from + at }))
  const lane = new Lane(delivery)
  for (const each of ids(1, laneLimit + 1)) lane.add(each)
  assert.equal(lane.overflowAfter, laneLimit)
  lane.release({ ...delivery, id: 3 * laneLimit })
  lane.refill(ids(laneLimit + 1, 2 * laneLimit), false)
  assert.equal(lane.overflowAfter, 2 * laneLimit)
})
