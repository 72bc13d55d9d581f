import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LoginLock } from '../../core/adapter.ts'
import type { StoredStatus } from '../../core/ledger/settings/networks.ts'
import { sql } from '../../core/ledger/sqlite.ts'
import { House } from '../../test/house.ts'
import { runAdmin } from './admin.ts'
import { loginNews } from './logins.ts'

const minuteMs = 60_000
const lock = (account: string, address: string, untilMs = 10 * minuteMs): LoginLock => ({
  account,
  address,
  wrong: 5,
  sinceMs: 0,
  untilMs,
})
const status = (locks: readonly LoginLock[], gone: readonly string[] = []): StoredStatus => ({
  network: 'irc',
  toldMs: 0,
  state: 'up',
  sinceMs: 0,
  lacks: [],
  locks,
  gone,
})

test('a lock is said once, with account, address, number and what lifts it; again when it comes again', () => {
  const first = loginNews([status([lock('alice', '192.0.2.1')])], {}, '!', 0)
  assert.deepEqual(first.lines, [
    '5 wrong passwords for alice from 192.0.2.1: logins to it from there are refused for 10m · !unlock alice',
  ])
  assert.deepEqual(loginNews([status([lock('alice', '192.0.2.1')])], first.told, '!', minuteMs).lines, [])
  const over = loginNews([status([])], first.told, '!', 11 * minuteMs)
  assert.deepEqual(over.told, {})
  const again = loginNews([status([lock('alice', '192.0.2.1', 22 * minuteMs)])], over.told, '!', 12 * minuteMs)
  assert.equal(again.lines.length, 1)
})

test('what is slowed down is said as that', () => {
  const { lines } = loginNews([status([lock('alice', ''), lock('', '192.0.2.1')])], {}, '!', 0)
  assert.match(lines[0] ?? '', /for alice from several addresses: its logins are slowed down/)
  assert.match(lines[1] ?? '', /from 192\.0\.2\.1: logins from there are slowed down .* !unlock 192\.0\.2\.1/)
})

test('many at once are counted, and a name that is none stays within its line', () => {
  const many = Array.from({ length: 200 }, (_, n) => lock(`name${n}`, '192.0.2.1'))
  const { lines } = loginNews([status(many)], {}, '!', 0)
  assert.equal(lines.length, 4)
  assert.equal(lines[3], '197 more logins were locked')
  const odd = loginNews([status([lock(`a\u202e\r\n${'b'.repeat(300)}`, '192.0.2.1')])], {}, '!', 0).lines.join()
  assert.doesNotMatch(odd, /[\r\n\u202e]/)
  assert.ok(odd.length < 200)
})

test('an account that vanished from its network is said once, and gone again when it is back', async t => {
  const house = new House(t)
  await house.bridge({ accountsMs: 20 })
  await house.run('admin', runAdmin)
  const olga = house.server('a').user('olga')
  olga.join('#ops')
  const { accounts } = house.server('a')
  await accounts.create('carol', 'a-password')
  await house.grant('chat', 'carol', 'member')
  await olga.shouldReply('#ops', '!version', /chanop/)
  await accounts.drop('carol')
  await olga.hears('#ops', /the account carol is gone from chat, deleted by nobody here: !rotate or !person passwd/)
  olga.say('#ops', '!person passwd carol')
  await olga.hears('@olga', /carol has a new password/)
  assert.ok((await accounts.list()).includes('carol'))
  const said = await house.ledger.read(db =>
    sql(db, "SELECT count(*) AS n FROM delivery WHERE act LIKE '%account carol is gone%'").get(),
  )
  assert.equal(said?.['n'], 1)
})
