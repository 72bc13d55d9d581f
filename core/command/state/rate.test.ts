import { strict as assert } from 'node:assert'
import { test } from 'node:test'
import { RateLimit } from './rate.ts'

const rate = { perMinute: 60, burst: 10 }

test('who asked too much is remembered among as many others as there are; whose time is over is forgotten; asks cost the same', t => {
  const limit = new RateLimit()
  for (let n = 0; n < 10; n++) limit.ask('greedy', rate, 0)
  assert.equal(limit.ask('greedy', rate, 0), 'tell')
  const walked = t.mock.method(Map.prototype, Symbol.iterator).mock
  for (let n = 0; n < 50_000; n++) limit.ask(`stranger ${n}`, rate, 1)
  assert.equal(walked.callCount(), 3, 'twice as many are waited for each time')
  assert.equal(limit.ask('greedy', rate, 1), 'silent')
  assert.equal(limit.ask('greedy', rate, 1000), 'go')

  // Each is whole again a second after it asked: ten thousand and a thousand are looked through, again and again.
  const other = new RateLimit()
  walked.resetCalls()
  for (let n = 0; n < 50_000; n++) other.ask(`stranger ${n}`, rate, n)
  assert.ok(walked.callCount() >= 5 && walked.callCount() < 10, `${walked.callCount()} times`)
})
