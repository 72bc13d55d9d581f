import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Slots } from './slots.ts'

test('no more than so many are under way, in their order, whatever becomes of those before', async () => {
  const slots = new Slots(2)
  const begun: number[] = []
  const ends = [1, 2, 3, 4].map(() => Promise.withResolvers<void>())
  const runs = ends.map(({ promise }, n) =>
    slots.run(() => {
      begun.push(n)
      return promise
    }),
  )
  assert.deepEqual(begun, [0, 1])
  ends[1]?.reject(new Error('no'))
  await assert.rejects(runs[1] as Promise<void>, /no/)
  assert.deepEqual(begun, [0, 1, 2])
  for (const end of ends) end.resolve()
  await Promise.all(runs.toSpliced(1, 1))
  assert.deepEqual(begun, [0, 1, 2, 3])
})
