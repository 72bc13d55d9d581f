import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MessageId } from '../../core/event.ts'
import { Trial, words } from './testing/trial.ts'

test('of two reactions that are ours the one that stays is shown, over restarts', async t => {
  const trial = await Trial.open(t)
  const first = await trial.start(t)
  const [id] = (await trial.send(first.adapter, words('look'))) as readonly [MessageId]
  const shown = () => trial.seen[0]?.reactions
  await first.adapter.react?.(trial.place, id, { emoji: '👍' }, 'r-1')
  await first.adapter.react?.(trial.place, id, { emoji: '🔥' }, 'r-2')
  await first.stop()
  const second = await trial.start(t)
  await second.adapter.react?.(trial.place, id, { emoji: '👍', removed: true }, 'r-3')
  assert.deepEqual(shown(), ['🔥'])
  await second.adapter.react?.(trial.place, id, { emoji: '🎉' }, 'r-4')
  await second.stop()
  const third = await trial.start(t)
  await third.adapter.react?.(trial.place, id, { emoji: '🎉', removed: true }, 'r-5')
  assert.deepEqual(shown(), ['🔥'])
  await third.adapter.react?.(trial.place, id, { emoji: '🔥', removed: true }, 'r-6')
  assert.deepEqual(shown(), [])
})
