import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import Database from 'better-sqlite3'
import { Ledger } from '../../core/ledger/ledger.ts'
import { append } from '../../core/ledger/record/events.ts'
import { migrations } from '../../core/ledger/schema.ts'
import { messageNumber, temporaryFolder } from '../../core/ledger/testing.ts'
import { dataPaths } from '../../core/paths.ts'
import { keepBeforeMigration } from './upgrade.ts'

/** As a release knew it that had one migration less, and with the bots at work on it. */
function older(file: string, t: { after(work: () => void): void }): void {
  const db = new Database(file)
  db.pragma('journal_mode = WAL')
  for (const step of migrations.slice(0, -1)) db.exec(step)
  db.pragma(`user_version = ${migrations.length - 1}`)
  db.exec("INSERT INTO meta VALUES ('mark', 'of then')")
  t.after(() => db.close())
}

test('the ledger is copied before it is migrated, for us alone, and three copies are kept', async t => {
  const paths = dataPaths(temporaryFolder(t))
  assert.equal(await keepBeforeMigration(paths), null)
  assert.ok(!existsSync(paths.backups))
  older(paths.ledger, t)
  const kept: string[] = []
  for (const day of [9, 10, 11, 12]) kept.push((await keepBeforeMigration(paths, Date.UTC(2026, 0, day))) ?? '')
  mkdirSync(join(paths.backups, 'other'))
  writeFileSync(join(paths.backups, 'chanop-2026-01-01T000000Z.tar.gz.age'), '')
  kept.push((await keepBeforeMigration(paths, Date.UTC(2026, 0, 13))) ?? '')
  const names = readdirSync(paths.backups).filter(name => name.startsWith('ledger'))
  assert.deepEqual(
    names.map(name => join(paths.backups, name)),
    kept.slice(-3),
  )
  assert.equal(readdirSync(paths.backups).length, 5)
  const copy = kept.at(-1) as string
  assert.match(copy, new RegExp(`ledger-schema-${migrations.length - 1}-2026-01-13T000000Z\\.db$`))
  assert.equal(statSync(copy).mode & 0o777, 0o600)
  const db = new Database(copy, { readonly: true })
  assert.equal(db.prepare('SELECT value FROM meta').pluck().get(), 'of then')
  assert.equal(db.pragma('user_version', { simple: true }), migrations.length - 1)
  db.close()
  const ledger = Ledger.open(paths.ledger)
  await ledger.write(tx => append(tx, messageNumber(1), 'general', 1))
  ledger.close()
  assert.equal(await keepBeforeMigration(paths), null)
})

test('a damaged ledger is named and not copied', async t => {
  const paths = dataPaths(temporaryFolder(t))
  writeFileSync(paths.ledger, 'no database at all'.repeat(500))
  await assert.rejects(keepBeforeMigration(paths), /the ledger is damaged: restore a backup/)
})
