import { strict as assert } from 'node:assert'
import { test } from 'node:test'
import { ReconnectPace } from './pace.ts'

test('a session is resumed at once, however often its connection is cut', () => {
  const pace = new ReconnectPace()
  assert.equal(pace.pauseMs(true, 0), 0)
  pace.opens()
  pace.works(0)
  for (let nowMs = 100; nowMs < 5_000; nowMs += 100) {
    assert.equal(pace.pauseMs(false, nowMs), 0)
    pace.works(nowMs)
  }
})

test('connections that bring nothing come further and further apart, up to seconds', () => {
  const pace = new ReconnectPace()
  const pauses = Array.from({ length: 12 }, (_, n) => pace.pauseMs(true, n))
  assert.deepEqual(pauses.slice(0, 2), [0, 0])
  assert.ok((pauses[2] ?? 0) > 100 && (pauses[2] ?? 0) <= 250)
  assert.ok((pauses[11] ?? 0) >= 4_000 && (pauses[11] ?? 0) <= 8_000)
  pace.works(20)
  assert.equal(pace.pauseMs(true, 30), 0, 'no session was asked for')
})

test('sessions that do not last are not opened until a day’s are used up; one that lasted is followed at once', () => {
  const pace = new ReconnectPace()
  let nowMs = 0
  for (let n = 0; n < 12; n++) {
    nowMs += pace.pauseMs(true, nowMs) + 500
    pace.opens()
    pace.works(nowMs)
  }
  assert.ok(nowMs > 120_000, `12 sessions in ${nowMs} ms`)
  assert.ok(pace.pauseMs(true, nowMs + 500) >= 30_000)
  assert.equal(pace.pauseMs(false, nowMs + 600), 0, 'resuming costs nothing')
  pace.works(nowMs + 600)
  assert.equal(pace.pauseMs(true, nowMs + 40_000), 0)
})
