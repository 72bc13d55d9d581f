import assert from 'node:assert/strict'
import { test } from 'node:test'
import { heapBytes, Rest } from './rest.ts'

const mib = 2 ** 20

/** How often it collects, of seconds in each of which so much CPU time is used while V8 has so many MiB. */
function collectedIn(seconds: readonly (readonly [usedMs: number, has: number])[], after = 20): number {
  let times = 0
  let freed = false
  const rest = new Rest(() => {
    times++
    freed = true
  })
  let usedMs = 0
  for (const [spentMs, has] of seconds) {
    if (spentMs > 100) freed = false
    rest.look((usedMs += spentMs), () => (freed ? after : has) * mib)
  }
  return times
}

const flood = Array.from({ length: 10 }, () => [900, 120] as const)
const quiet = (has: number) => Array.from({ length: 20 }, () => [5, has] as const)

test('memory is given back once after each flood, when that is over, and never by who had none', () => {
  assert.equal(collectedIn([...flood, ...quiet(120)]), 1)
  assert.equal(collectedIn([...flood, ...quiet(120), ...flood, ...quiet(120)]), 2)
  assert.equal(collectedIn(flood), 0)
  assert.equal(collectedIn([...flood, [5, 120], [5, 120], [5, 120], [5, 120]]), 0)
  assert.equal(collectedIn([[900, 30], ...quiet(30), ...quiet(30)]), 0)
})

test('who needs much of it for good is not stopped again and again', () => {
  assert.equal(collectedIn([...flood, ...quiet(120), ...flood, ...quiet(120), ...flood, ...quiet(120)], 100), 1)
})

test('what a flood left is given back for real', () => {
  const rest = new Rest()
  let kept: unknown[] | null = Array.from({ length: 400_000 }, (_, n) => ({ n, text: `message ${n}` }))
  const fullBytes = heapBytes()
  assert.ok(kept.length > 0)
  kept = null
  for (let second = 0; second < 5; second++) rest.look(1)
  assert.ok(heapBytes() < fullBytes - 10 * mib, `${fullBytes / mib} MiB, then ${heapBytes() / mib}`)
})
