import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ChanopError } from '../../../core/error.ts'
import { text } from '../../../core/event.ts'
import { placeOf, Trial } from '../testing/trial.ts'

test('a limit that does not say how long it lasts is waited for longer each time', async t => {
  const trial = await Trial.open(t)
  const { adapter } = await trial.up()
  const { fake, general } = trial
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() })
  const waits = async (count: number): Promise<unknown[]> => {
    const waited: unknown[] = []
    for (let n = 0; n < count; n++) {
      const refused = await adapter
        .send(placeOf(general), { content: text('x') }, 'd1')
        .catch((error: unknown) => error)
      const afterMs = refused instanceof ChanopError ? refused.afterMs : Number.NaN
      waited.push(afterMs)
      t.mock.timers.tick(afterMs ?? 0)
    }
    return waited
  }
  fake.refusals.set('chat.postMessage', 'message_limit_exceeded')
  assert.deepEqual(await waits(8), [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000])
  fake.refusals.delete('chat.postMessage')
  await adapter.send(placeOf(general), { content: text('x') }, 'd1')
  fake.refusals.set('chat.postMessage', 'message_limit_exceeded')
  assert.deepEqual(await waits(2), [1000, 2000], 'what went well between begins it anew')
})
