import assert from 'node:assert/strict'
import { test } from 'node:test'
import { apiKeyHash, newApiKey, prefixOf } from '../../../core/access/api-keys.ts'
import type { NetworkId, UserId } from '../../../core/event.ts'
import { Ledger } from '../../../core/ledger/ledger.ts'
import { type ApiKey, insertKey } from '../../../core/ledger/settings/api-keys.ts'
import { holderOf } from './access.ts'

const rounds = 10_000
/** What lies below is a row that is read or not: a network, and the request itself, spread a hundred times as much. */
const leastMs = 0.001
const median = (values: Float64Array): number => values.toSorted()[values.length >> 1] ?? Number.NaN

/** The spread of most of them: who measures over a network sees more. */
function sigma(values: Float64Array): number {
  const most = values.toSorted().subarray(0, Math.floor(values.length * 0.98))
  const mean = most.reduce((sum, value) => sum + value, 0) / most.length
  return Math.sqrt(most.reduce((sum, value) => sum + (value - mean) ** 2, 0) / most.length)
}

test('a key that opens nothing is refused in a time that says nothing of why', async t => {
  const ledger = Ledger.open(':memory:')
  t.after(() => ledger.close())
  const key = newApiKey()
  const row: ApiKey = {
    network: 'http' as NetworkId,
    account: 'k1' as UserId,
    prefix: prefixOf(key) ?? '',
    hash: apiKeyHash(key),
    agent: null,
    scopes: ['read'],
    rooms: null,
    perMinute: null,
    budgetUsd: null,
    forwards: false,
    createdMs: 1,
    createdBy: 'owner',
    untilMs: null,
    usedMs: null,
    revokedMs: null,
  }
  await ledger.write(tx => insertKey(tx, row))
  const other = key.endsWith('a') ? 'b' : 'a'
  const kinds = {
    missing: '',
    short: key.slice(0, 20),
    unknown: newApiKey(),
    'wrong from the first letter': `${key.slice(0, 16)}${newApiKey().slice(16)}`,
    'wrong in the last letter': `${key.slice(0, -1)}${other}`,
  }
  const times = Object.entries(kinds).map(([name, written]) => ({ name, written, took: new Float64Array(rounds) }))
  for (let round = -1000; round < rounds; round++) {
    for (const { written, took } of times) {
      const fromMs = performance.now()
      const holder = ledger.readNow(tx => holderOf(tx, 'http', written, 2))
      if (round >= 0) took[round] = performance.now() - fromMs
      assert.equal(holder, null)
    }
  }
  const [first, ...others] = times
  for (const { name, took } of others) {
    const apartMs = Math.abs(median(took) - median(first?.took ?? took))
    const mostMs = Math.max(sigma(took), leastMs)
    assert.ok(apartMs < mostMs, `${name}: ${apartMs} ms from ${first?.name}, sigma ${sigma(took)}`)
  }
})
