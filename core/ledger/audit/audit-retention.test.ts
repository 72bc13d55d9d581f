import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { Ledger } from '../ledger.ts'
import type { Connection } from '../sqlite.ts'
import { temporaryLedger } from '../testing.ts'
import { type AuditEntry, audit, prove, readAudit, unproved, verifyAudit } from './audit.ts'
import { dropAuditReads } from './audit-retention.ts'

const entry = (atMs: number, over: Partial<AuditEntry> = {}): AuditEntry => ({
  atMs,
  bot: 'scribe',
  event: atMs,
  network: 'irc',
  channel: '#general',
  account: 'alice',
  name: 'Alice',
  role: 'guest',
  command: 'last',
  args: '',
  decision: 'allowed',
  result: 'a line',
  ms: 1,
  reads: true,
  ...over,
})

const change = { command: 'role grant', role: 'owner', reads: undefined } as unknown as Partial<AuditEntry>

/** Ten lines: 3 and 7 change something, all others read. */
async function written(t: Parameters<typeof temporaryLedger>[0]): Promise<Ledger> {
  const ledger = temporaryLedger(t)
  await ledger.write(tx => {
    for (let n = 1; n <= 10; n++) audit(tx, entry(n, n === 3 || n === 7 ? change : {}))
  })
  return ledger
}

const drop = (ledger: Ledger, beforeMs: number, limit: number): Promise<number | null> =>
  ledger.write(tx => dropAuditReads(tx, { beforeMs, limit, bot: 'admin' }, 100))

it('takes old lines of reading out and leaves a chain that is whole', async t => {
  const ledger = await written(t)
  assert.equal(await drop(ledger, 9, 4), 3)
  assert.equal(await drop(ledger, 9, 4), 3)
  assert.equal(await drop(ledger, 9, 4), null, 'no four lines are old enough')
  const ids = await ledger.read(tx => readAudit(tx, {}, 20).map(({ id }) => id))
  assert.deepEqual(ids, [12, 11, 10, 9, 7, 3])
  assert.deepEqual(await ledger.read(verifyAudit), { lines: 6, broken: null })
  for (const limit of [1, 2, 3]) {
    let proof = unproved
    const seen: number[] = []
    while (!proof.done) {
      const from = proof
      proof = await ledger.read(tx => prove(tx, from, limit, link => seen.push('first' in link ? link.first : link.id)))
    }
    assert.deepEqual([proof.lines, proof.dropped, proof.broken], [6, 6, null])
    assert.deepEqual(seen, [1, 3, 4, 5, 7, 8, 9, 10, 11, 12], 'a run stands where its lines stood')
  }
  await ledger.write(tx => audit(tx, entry(200)))
  assert.deepEqual(await ledger.read(verifyAudit), { lines: 7, broken: null })
})

it('when every line is old and reads, the vouching one is left', async t => {
  const ledger = temporaryLedger(t)
  await ledger.write(tx => [1, 2, 3].map(n => audit(tx, entry(n))))
  assert.equal(await drop(ledger, 50, 3), 3)
  assert.deepEqual(await ledger.read(verifyAudit), { lines: 1, broken: null })
})

it('SQL can delete nothing else, nor write a run for what does not only read', async t => {
  const ledger = await written(t)
  await drop(ledger, 9, 4)
  const [three, nine] = await ledger.read(tx =>
    [3, 9].map(id => readAudit(tx, {}, 20).find(row => row.id === id) ?? assert.fail(`line ${id}`)),
  )
  const previous = '(SELECT previous FROM audit WHERE id = 3)'
  for (const attempt of [
    'DELETE FROM audit WHERE id = 3',
    'DELETE FROM audit WHERE id = 9',
    'DELETE FROM audit_run',
    'UPDATE audit_run SET last = 3 WHERE first = 1',
    'UPDATE audit SET reads = 1 WHERE id = 3',
    `INSERT INTO audit_run SELECT 3, 3, ${previous}, '${three?.hash}', 11`,
    `INSERT INTO audit_run SELECT 9, 9, (SELECT previous FROM audit WHERE id = 9), '${nine?.hash}', 10`,
  ]) {
    await assert.rejects(
      ledger.write(tx => (tx as Connection).exec(attempt)),
      /append-only/,
      attempt,
    )
  }
  assert.deepEqual(await ledger.read(verifyAudit), { lines: 8, broken: null })
})

const triggers = ['audit_no_update', 'audit_no_delete', 'audit_run_fits', 'audit_run_no_update', 'audit_run_no_delete']

for (const [what, harm, broken] of [
  ['a run that is gone', 'DELETE FROM audit_run WHERE first = 1', 3],
  ['a run that ends elsewhere', 'UPDATE audit_run SET last = 1 WHERE first = 1', 3],
  ['another hash of a run', "UPDATE audit_run SET hash = 'x' WHERE first = 1", 3],
  ['another hash before a run', "UPDATE audit_run SET previous = 'x' WHERE first = 4", 4],
  ['a run for which another line vouches', 'UPDATE audit_run SET line = 10 WHERE first = 4', 5],
  [
    'a run that swallows a change, fitting on both sides',
    `INSERT INTO audit_run SELECT id, id, previous, hash, 11 FROM audit WHERE id = 7; DELETE FROM audit WHERE id = 7`,
    11,
  ],
  [
    'a run made longer over a change',
    `UPDATE audit_run SET last = 3, hash = (SELECT hash FROM audit WHERE id = 3) WHERE first = 1;
     DELETE FROM audit WHERE id = 3`,
    11,
  ],
  ['a line that came to read', 'UPDATE audit SET reads = 1 WHERE id = 7', 7],
  ['the vouching line gone', 'DELETE FROM audit WHERE id = 11', 3],
] as const) {
  it(`finds ${what}, once somebody has dropped the triggers`, async t => {
    const ledger = await written(t)
    await drop(ledger, 9, 4)
    await ledger.write(tx => audit(tx, entry(200)))
    await ledger.write(tx =>
      (tx as Connection).exec(`${triggers.map(name => `DROP TRIGGER ${name};`).join('')}${harm}`),
    )
    assert.equal((await ledger.read(verifyAudit)).broken, broken)
  })
}
