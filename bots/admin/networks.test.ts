import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { networkLine, withoutLogins } from './networks.ts'

const irc = { network: 'irc', state: 'up' as const, sinceMs: 0, server: 'Ergo', lacks: [], toldMs: 0 }

describe('the line of a network', () => {
  it('says how far its clock is off', () => {
    const line = (aheadMs?: number): string =>
      networkLine({ ...irc, ...(aheadMs === undefined ? {} : { aheadMs }) }, 5_000, false)
    assert.equal(line(-61_000), 'irc up 5s · Ergo · clock 61 s behind')
    assert.equal(line(3_600_000), 'irc up 5s · Ergo · clock 1h ahead')
    assert.equal(line(), 'irc up 5s · Ergo')
  })
})

it('what programs of whomever are told of a network names no login', () => {
  const lock = { account: 'alice', address: '192.0.2.1', wrong: 5, sinceMs: 0, untilMs: 10 }
  assert.deepEqual(withoutLogins({ ...irc, locks: [lock], gone: ['carol'] }), irc)
})
