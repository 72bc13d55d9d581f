import assert from 'node:assert/strict'
import { it } from 'node:test'
import { stopwatch } from '../contract/stopwatch.ts'
import { distance, nearest } from './nearest.ts'

it('counts edits and swaps of neighbours', () => {
  for (const [a, b, edits] of [
    ['', '', 0],
    ['abc', '', 3],
    ['config', 'conifg', 1],
    ['status', 'statsu', 1],
    ['kitten', 'sitting', 3],
    ['ca', 'abc', 3],
  ] as const) {
    assert.equal(distance(a, b), edits, `${a} ${b}`)
    assert.equal(distance(b, a), edits)
  }
})

it('finds the nearest within reach, the first of equals, whatever the case', () => {
  assert.equal(nearest('statsu', ['start', 'status', 'states']), 'status')
  assert.equal(nearest('STATUS', ['status']), 'status')
  assert.equal(nearest('sya', ['say', 'yes']), 'say')
  assert.equal(nearest('xyz', ['say', 'yes']), null)
  assert.equal(nearest('', ['a', 'b']), null)
  assert.equal(nearest('aa', ['ab', 'ac']), 'ab')
})

it('is quick whatever is typed', () => {
  const tookMs = stopwatch()
  for (let n = 0; n < 1000; n++) nearest('x'.repeat(100_000), ['status', 'search', 'x'.repeat(63)])
  assert.ok(tookMs() < 2000)
})
