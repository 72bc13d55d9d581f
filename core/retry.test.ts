import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { it } from 'node:test'
import { stopwatch } from './contract/stopwatch.ts'
import { backoffMs, deadline, longestLimitMs, persist, retryAfterMs, sleep } from './retry.ts'

it('backoff doubles up to its top, with half of it left to chance', () => {
  const backoff = { firstMs: 100, maxMs: 1000 }
  assert.deepEqual(
    [0, 1, 2, 3, 4, 1000].map(attempt => backoffMs(backoff, attempt, () => 1)),
    [100, 200, 400, 800, 1000, 1000],
  )
  assert.equal(
    backoffMs(backoff, 2, () => 0),
    200,
  )
  for (let n = 0; n < 100; n++) {
    const waitMs = backoffMs(backoff, 1)
    assert.ok(waitMs >= 100 && waitMs <= 200)
  }
})

it('sleep ends at its time, or at once with its signal, and leaves no listener behind', async () => {
  const stop = new AbortController()
  await sleep(1, stop.signal)
  const tookMs = stopwatch()
  const sleeping = sleep(60_000, stop.signal)
  stop.abort()
  await sleeping
  await sleep(60_000, stop.signal)
  assert.ok(tookMs() < 1000)
  assert.equal(getEventListeners(stop.signal, 'abort').length, 0)
})

it('a wait of any length is no short one', async () => {
  const stop = new AbortController()
  let over = false
  const sleeping = sleep(1e15, stop.signal).then(() => {
    over = true
  })
  await sleep(20)
  assert.equal(over, false)
  stop.abort()
  await sleeping
})

it('a Retry-After is a number or a date, and is believed up to a limit', () => {
  const nowMs = Date.parse('2026-01-01T00:00:00Z')
  const read = (written: string | null) => retryAfterMs(written, nowMs, longestLimitMs)
  const written = ['5', ' 1.5 ', '0', '999999999', 'Thu, 01 Jan 2026 00:00:09 GMT', 'Thu, 01 Jan 2015 00:00:00 GMT']
  assert.deepEqual(written.map(read), [5000, 1500, 0, longestLimitMs, 9000, 0])
  assert.deepEqual(['', 'soon', '1e9', 'Infinity', null].map(read), [null, null, null, null, null])
})

it('a deadline aborts by time or with its signal', async () => {
  const stop = new AbortController()
  const late = deadline(5, stop.signal)
  await new Promise(resolve => late.addEventListener('abort', resolve))
  assert.equal(stop.signal.aborted, false)
  const long = deadline(60_000, stop.signal)
  stop.abort()
  assert.equal(long.aborted, true)
})

it('persists until it is done, no sooner than it may, and ends with its signal or with what is final', async () => {
  const stop = new AbortController()
  const backoff = { firstMs: 1, maxMs: 1 }
  const failures: string[] = []
  const failed = (error: unknown): number | undefined => {
    failures.push((error as Error).message)
    if (failures.includes('final')) throw error
    return 20
  }
  const said = ['later', null, 'final', 'unheard']
  const work = async (): Promise<string> => {
    const next = said.shift()
    if (next === 'unheard') stop.abort()
    if (next) throw new Error(next)
    return 'done'
  }
  const startedMs = performance.now()
  assert.equal(await persist(work, { signal: stop.signal, backoff, failed }), 'done')
  assert.ok(performance.now() - startedMs >= 19)
  await assert.rejects(persist(work, { signal: stop.signal, backoff, failed }), /final/)
  assert.equal(await persist(work, { signal: stop.signal, backoff, failed }), null)
  assert.deepEqual(failures, ['later', 'final'])
})
