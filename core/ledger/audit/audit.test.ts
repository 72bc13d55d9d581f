import assert from 'node:assert/strict'
import { it } from 'node:test'
import { temporaryLedger } from '../testing.ts'
import { type AuditEntry, audit, readAudit, verifyAudit } from './audit.ts'

const entry = (over: Partial<AuditEntry> = {}): AuditEntry => ({
  atMs: 1000,
  bot: 'admin',
  event: null,
  network: 'irc',
  channel: '#ops',
  account: 'alice',
  name: 'Alice',
  role: 'owner',
  command: 'role grant',
  args: 'bob operator',
  decision: 'allowed',
  result: 'done',
  ms: 1.23,
  ...over,
})

const nasty = '\0 "quoted" \u{1F600} half of a pair \ud800 \r\n'

it('a whole chain is whole, whatever stands in it', async t => {
  const ledger = temporaryLedger(t)
  assert.deepEqual(await ledger.read(verifyAudit), { lines: 0, broken: null })
  await ledger.write(db => {
    audit(db, entry())
    audit(
      db,
      entry({ account: nasty, name: nasty, args: nasty, result: nasty, command: nasty, event: 5, ms: 0.1 + 0.2 }),
    )
    audit(db, entry({ ms: 1e-9 }))
  })
  assert.deepEqual(await ledger.read(verifyAudit), { lines: 3, broken: null })
})

it('can not be changed through SQL', async t => {
  const ledger = temporaryLedger(t)
  await ledger.write(db => audit(db, entry()))
  for (const attempt of ["UPDATE audit SET account = 'bob'", 'DELETE FROM audit']) {
    await assert.rejects(
      ledger.write(db => db.exec(attempt)),
      /append-only/,
    )
  }
})

for (const [what, harm, broken] of [
  ['an edited line', "UPDATE audit SET account = 'mallory' WHERE id = 3", 3],
  ['an edited result', "UPDATE audit SET result = '' WHERE id = 2", 2],
  ['an edited hash', "UPDATE audit SET hash = 'x' WHERE id = 5", 5],
  ['a line taken out of the middle', 'DELETE FROM audit WHERE id = 4', 5],
  ['lines taken off the end', 'DELETE FROM audit WHERE id > 4', 5],
  ['all lines taken away', 'DELETE FROM audit', 1],
  [
    'two lines swapped',
    'UPDATE audit SET id = 100 WHERE id = 2; UPDATE audit SET id = 2 WHERE id = 3; UPDATE audit SET id = 3 WHERE id = 100',
    2,
  ],
] as const) {
  it(`finds ${what}, once somebody has dropped the triggers`, async t => {
    const ledger = temporaryLedger(t)
    await ledger.write(db => {
      for (let n = 0; n < 6; n++) audit(db, entry({ args: `line ${n}` }))
    })
    await ledger.write(db => db.exec(`DROP TRIGGER audit_no_update; DROP TRIGGER audit_no_delete; ${harm}`))
    assert.equal((await ledger.read(verifyAudit)).broken, broken)
  })
}

it('finds lines that were cut off the end although others were added since', async t => {
  const ledger = temporaryLedger(t)
  await ledger.write(db => {
    for (let n = 0; n < 6; n++) audit(db, entry({ args: `line ${n}` }))
  })
  await ledger.write(db => db.exec('DROP TRIGGER audit_no_delete; DELETE FROM audit WHERE id > 4'))
  assert.equal((await ledger.read(verifyAudit)).broken, 5)
  await ledger.write(db => audit(db, entry({ command: 'audit verify' })))
  assert.equal((await ledger.read(verifyAudit)).broken, 7)
})

it('is read newest first, by account or name, command, decision and time', async t => {
  const ledger = temporaryLedger(t)
  await ledger.write(db => {
    audit(db, entry({ atMs: 1 }))
    audit(db, entry({ atMs: 2, account: 'bob', decision: 'denied' }))
    audit(db, entry({ atMs: 3, command: 'config set', account: '' }))
  })
  const times = (filter: Parameters<typeof readAudit>[1], limit = 10): Promise<number[]> =>
    ledger.read(db => readAudit(db, filter, limit).map(row => row.atMs))
  assert.deepEqual(await times({}), [3, 2, 1])
  assert.deepEqual(await times({}, 2), [3, 2])
  assert.deepEqual(await times({ account: 'bob' }), [2])
  assert.deepEqual(await times({ account: 'Alice' }), [3, 2, 1])
  for (const who of ['BOB', 'irc:bob', 'Irc:Bob']) assert.deepEqual(await times({ account: who }), [2], who)
  assert.deepEqual(await times({ account: 'other:bob' }), [])
  assert.deepEqual(await times({ command: 'role' }), [2, 1])
  assert.deepEqual(await times({ decision: 'denied' }), [2])
  assert.deepEqual(await times({ sinceMs: 2 }), [3, 2])
})
