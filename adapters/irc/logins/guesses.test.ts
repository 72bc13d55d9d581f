import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Door } from './door.ts'
import { accountRule, addressRule, Guesses, lockMs, pairRule, slowMs } from './guesses.ts'

const minuteMs = 60_000
const alice = { account: 'alice', address: '192.0.2.1' }

function guess(guesses: Guesses, who: typeof alice, times: number, nowMs: number): void {
  for (let n = 0; n < times; n += 1) guesses.wrong(who, nowMs)
}

test('a pair is locked after a few, for a while, and nobody else is', () => {
  const guesses = new Guesses()
  guess(guesses, alice, pairRule.most - 1, 0)
  assert.deepEqual(guesses.judge(alice, 0), { is: 'open', delayMs: 0 })
  assert.equal(guesses.wrong({ ...alice, account: 'ALICE' }, 1), true)
  assert.equal(guesses.judge(alice, 2).is, 'locked')
  assert.equal(guesses.judge({ ...alice, address: '192.0.2.2' }, 2).is, 'open')
  assert.equal(guesses.judge({ ...alice, account: 'bob' }, 2).is, 'open')
  assert.deepEqual(guesses.locks(2), [{ ...alice, wrong: pairRule.most, sinceMs: 1, untilMs: 1 + lockMs }])
  assert.equal(guesses.judge(alice, lockMs + 2).is, 'open')
  assert.deepEqual(guesses.locks(lockMs + 2), [])
})

test('slips of a day lock nobody; patient guessing is locked again and again', () => {
  const guesses = new Guesses()
  for (let hour = 0; hour < 24; hour += 1) guess(guesses, alice, 3, hour * 60 * minuteMs)
  assert.deepEqual(guesses.locks(24 * 60 * minuteMs), [])
  const patient = new Guesses()
  let tried = 0
  for (let nowMs = 0; nowMs < 24 * 60 * minuteMs; nowMs += minuteMs) {
    if (patient.judge(alice, nowMs).is === 'locked') continue
    patient.wrong(alice, nowMs)
    tried += 1
  }
  assert.ok(tried < 400, `${tried} guesses in a day`)
})

test('the right password forgets the wrong ones of its pair alone', () => {
  const guesses = new Guesses()
  guess(guesses, alice, pairRule.most - 1, 0)
  guesses.right(alice)
  guess(guesses, alice, pairRule.most - 1, 0)
  assert.equal(guesses.judge(alice, 0).is, 'open')
  guess(guesses, { ...alice, account: 'bob' }, pairRule.most, 0)
  guesses.right(alice)
  assert.equal(guesses.judge({ ...alice, account: 'bob' }, 0).is, 'locked')
})

test('an account guessed at from everywhere is slowed down, but not where it is known', () => {
  const guesses = new Guesses()
  const home = { ...alice, address: '198.51.100.7' }
  guesses.right(home)
  for (let host = 1; host <= accountRule.most; host += 1) guesses.wrong({ ...alice, address: `203.0.113.${host}` }, 0)
  assert.deepEqual(guesses.judge(home, 1), { is: 'open', delayMs: 0 })
  const elsewhere = [1, 2, 3, 4, 5, 6].map(host => guesses.judge({ ...alice, address: `192.0.2.${host}` }, 1))
  assert.deepEqual(
    elsewhere.slice(0, 3).map(verdict => (verdict.is === 'open' ? verdict.delayMs : -1)),
    [slowMs, 2 * slowMs, 3 * slowMs],
  )
  assert.equal(elsewhere.at(-1)?.is, 'locked')
  assert.equal(guesses.lift('alice', 2), 1)
  assert.deepEqual(guesses.judge({ ...alice, address: '192.0.2.9' }, 2), { is: 'open', delayMs: 0 })
})

test('an address that tries many accounts is slowed down, never locked', () => {
  const guesses = new Guesses()
  for (let n = 0; n < addressRule.most; n += 1) guesses.wrong({ ...alice, account: `name${n}` }, 0)
  for (let n = 0; n < 500; n += 1)
    assert.deepEqual(guesses.judge({ ...alice, account: `agent${n}` }, 1), { is: 'open', delayMs: slowMs })
  assert.equal(guesses.lift(alice.address, 2), 1)
  assert.deepEqual(guesses.judge(alice, 3), { is: 'open', delayMs: 0 })
})

test('addresses of one IPv6 network are one; an IPv4 address is the same in both notations', () => {
  const guesses = new Guesses()
  for (let n = 1; n <= pairRule.most; n += 1) guesses.wrong({ ...alice, address: `2001:db8:1:2::${n}` }, 0)
  assert.equal(guesses.judge({ ...alice, address: '2001:db8:1:2:a:b:c:d' }, 1).is, 'locked')
  assert.equal(guesses.judge({ ...alice, address: '2001:db8:1:3::1' }, 1).is, 'open')
  assert.equal(guesses.judge({ ...alice, address: '::1' }, 1).is, 'open')
  for (let n = 0; n < pairRule.most; n += 1) guesses.wrong(alice, 0)
  assert.equal(guesses.judge({ ...alice, address: '::ffff:192.0.2.1' }, 1).is, 'locked')
})

test('a flood of names costs bounded memory and makes no room for guesses at one', () => {
  const guesses = new Guesses()
  guess(guesses, alice, pairRule.most, 0)
  for (let n = 0; n < 9000; n += 1) guesses.wrong({ account: `x${n}`, address: `203.0.113.${n % 250}` }, 1)
  assert.equal(guesses.judge(alice, 2).is, 'locked')
})

test('many at once from many addresses of one network are no more than its guesses', async () => {
  const door = new Door()
  let inside = 0
  for (let n = 1; n <= 20; n += 1)
    void door.enter({ ...alice, address: `2001:db8:1:2::${n}` }).then(attempt => (inside += attempt ? 1 : 0))
  await new Promise(resolve => setImmediate(resolve))
  assert.equal(inside, pairRule.most)
})
