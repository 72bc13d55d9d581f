import { strict as assert } from 'node:assert'
import { type TestContext, test } from 'node:test'
import { RateLimit } from './rate.ts'

const rate = { perMinute: 60, burst: 10 }

/** How often Maps are gone through from now on. By hand: what the mocks of node:test leave behind, others in this process trip over. */
function walks(t: TestContext): { count: number } {
  const walked = { count: 0 }
  const iterate = Map.prototype[Symbol.iterator]
  Map.prototype[Symbol.iterator] = function () {
    walked.count++
    return iterate.call(this)
  }
  t.after(() => {
    Map.prototype[Symbol.iterator] = iterate
  })
  return walked
}

test('who asked too much is remembered among as many others as there are; whose time is over is forgotten; asks cost the same', t => {
  const limit = new RateLimit()
  for (let n = 0; n < 10; n++) limit.ask('greedy', rate, 0)
  assert.equal(limit.ask('greedy', rate, 0), 'tell')
  const walked = walks(t)
  for (let n = 0; n < 50_000; n++) limit.ask(`stranger ${n}`, rate, 1)
  assert.equal(walked.count, 3, 'twice as many are waited for each time')
  assert.equal(limit.ask('greedy', rate, 1), 'silent')
  assert.equal(limit.ask('greedy', rate, 1000), 'go')

  // Each is whole again a second after it asked: ten thousand and a thousand are looked through, again and again.
  const other = new RateLimit()
  walked.count = 0
  for (let n = 0; n < 50_000; n++) other.ask(`stranger ${n}`, rate, n)
  assert.ok(walked.count >= 5 && walked.count < 10, `${walked.count} times`)
})
