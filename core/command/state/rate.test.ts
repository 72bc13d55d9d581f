import { strict as assert } from 'node:assert'
import { type TestContext, test } from 'node:test'
import { RateLimit } from './rate.ts'

const rate = { perMinute: 60, burst: 10 }

/** How often a map is looked through, or something taken out of one, until the test ends. */
function counted(t: TestContext): { walks: number; forgotten: number } {
  const { [Symbol.iterator]: walk, delete: drop } = Map.prototype
  const counts = { walks: 0, forgotten: 0 }
  t.after(() => Object.assign(Map.prototype, { [Symbol.iterator]: walk, delete: drop }))
  Object.assign(Map.prototype, {
    [Symbol.iterator](this: Map<unknown, unknown>) {
      counts.walks++
      return walk.call(this)
    },
    delete(this: Map<unknown, unknown>, key: unknown) {
      counts.forgotten++
      return drop.call(this, key)
    },
  })
  return counts
}

test('who asked too much is remembered among as many others as there are, and asks cost the same', t => {
  const limit = new RateLimit()
  for (let n = 0; n < 10; n++) limit.ask('greedy', rate, 0)
  assert.equal(limit.ask('greedy', rate, 0), 'tell')
  const counts = counted(t)
  for (let n = 0; n < 50_000; n++) limit.ask(`stranger ${n}`, rate, 1)
  assert.ok(counts.walks > 0 && counts.walks < 10, `all were looked through ${counts.walks} times`)
  assert.equal(limit.ask('greedy', rate, 1), 'silent')
  assert.equal(limit.ask('greedy', rate, 1000), 'go')
})

test('whose time is over is forgotten', t => {
  const limit = new RateLimit()
  const counts = counted(t)
  // Each is whole again a second after it asked.
  for (let n = 0; n < 50_000; n++) limit.ask(`stranger ${n}`, rate, n)
  assert.ok(counts.forgotten >= 30_000, `${counts.forgotten} of them`)
})
