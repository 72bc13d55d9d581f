import assert from 'node:assert/strict'
import { test } from 'node:test'
import { apiKeyHash, newApiKey, opens, prefixOf } from './api-keys.ts'

const other = (letter: string): string => (letter === 'a' ? 'b' : 'a')
const median = (times: readonly number[]): number => times.toSorted((a, b) => a - b)[times.length >> 1] ?? 0

test('a key is found by its prefix and opens its own hash alone', () => {
  const key = newApiKey()
  assert.equal(prefixOf(key), key.slice(7, 15))
  assert.equal(opens(key, apiKeyHash(key)), true)
  assert.equal(opens(key.slice(0, -1) + other(key.slice(-1)), apiKeyHash(key)), false)
  for (const wrong of ['', key.slice(0, -1), `${key}a`, ` ${key}`, key.replace('_', '-')])
    assert.equal(prefixOf(wrong), null, wrong)
})

test('how near a wrong key is does not show in the time that it takes', () => {
  const key = newApiKey()
  const hash = apiKeyHash(key)
  const at = (place: number): string => key.slice(0, place) + other(key[place] ?? '') + key.slice(place + 1)
  const [early, late] = [at(16), at(key.length - 1)]
  const times = { early: [] as number[], late: [] as number[] }
  const time = (kept: number[], guess: string): void => {
    const since = performance.now()
    for (let i = 0; i < 20; i++) assert.equal(opens(guess, hash), false)
    kept.push(performance.now() - since)
  }
  // In turn, so that what else the machine does falls on both.
  for (let i = 0; i < 1500; i++) {
    time(times.early, early)
    time(times.late, late)
  }
  const ratio = median(times.early) / median(times.late)
  assert.ok(ratio > 0.8 && ratio < 1.25, `a ratio of ${ratio.toFixed(2)}`)
})
