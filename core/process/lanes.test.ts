import assert from 'node:assert/strict'
import { it } from 'node:test'
import { Lanes } from './lanes.ts'

it('one after the other in a lane, whatever becomes of it, and lanes beside each other', async () => {
  const lanes = new Lanes<string>()
  const done: string[] = []
  const gate = Promise.withResolvers<void>()
  const first = lanes.run('a', async () => {
    await gate.promise
    done.push('a1')
    throw new Error('a1 failed')
  })
  const second = lanes.run('a', async () => void done.push('a2'))
  await lanes.run('b', async () => void done.push('b1'))
  assert.deepEqual(done, ['b1'])
  gate.resolve()
  await assert.rejects(first, /a1 failed/)
  await second
  assert.deepEqual(done, ['b1', 'a1', 'a2'])
  await lanes.settled()
  assert.equal(lanes.size, 0)
})
