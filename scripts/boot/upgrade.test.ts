import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
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

/** An instance that the release before left, with an IRC server that is not up. */
function releasedBefore(t: TestContext) {
  const folder = temporaryFolder(t)
  const paths = dataPaths(join(folder, 'data'))
  mkdirSync(join(folder, 'data', 'ircd'), { recursive: true, mode: 0o700 })
  const root = join(import.meta.dirname, '..', '..')
  copyFileSync(join(root, 'core', 'ledger', 'fixtures', 'release-0.1.db'), paths.ledger)
  writeFileSync(join(folder, 'c.yaml'), 'networks: { memory: { kind: memory } }\n')
  const nowhere = { host: '127.0.0.1', port: 1 }
  const tls = { ...nowhere, fingerprint: '' }
  const api = { url: 'http://127.0.0.1:1', token: 'x' }
  const oper = { name: 'x', password: 'x' }
  const control = { server: 'ergo', version: '2', plain: nowhere, tls, oper, accounts: {}, api }
  writeFileSync(join(folder, 'data', 'ircd', 'control.json'), JSON.stringify(control))
  writeFileSync(join(folder, 'm.toml'), '')
  const env = { ...process.env, CHANOP_DATA: join(folder, 'data'), CHANOP_CONFIG: join(folder, 'c.yaml') }
  const run = (script: string, ...args: string[]) =>
    spawnSync(process.execPath, [join(root, 'scripts', script), ...args], {
      cwd: folder,
      env: { ...env, PM2_HOME: join(folder, 'p') },
      encoding: 'utf8',
    })
  const schema = (): unknown => {
    const db = new Database(paths.ledger, { readonly: true })
    const version = db.pragma('user_version', { simple: true })
    db.close()
    return version
  }
  return { paths, run, schema }
}

for (const [script, ...args] of [
  ['export.ts', '--all'],
  ['claim.ts', 'no-code'],
  ['passwd.ts', 'bob'],
  ['import.ts', 'matterbridge', 'm.toml'],
] as const)
  test(`${script} that comes before the first start of a release keeps the copy too`, t => {
    const { paths, run, schema } = releasedBefore(t)
    const { stderr } = run(script, ...args)
    assert.match(stderr, /the ledger is migrated; as it was it is kept in \S+ledger-schema-2-\S+\.db\n/)
    assert.equal(schema(), migrations.length)
    assert.equal(readdirSync(paths.backups).filter(name => name.startsWith('ledger-schema-2-')).length, 1)
  })

test('npm run doctor says that a ledger is of an older release, and leaves it as it is', t => {
  const { paths, run, schema } = releasedBefore(t)
  const { status, stdout } = run('doctor.ts')
  assert.equal(status, 1)
  const words = 'of an older release: npm start keeps a copy and migrates it'
  assert.match(stdout, new RegExp(`✗ ledger +it is ${words}\n`))
  for (const name of ['references', 'models']) assert.match(stdout, new RegExp(`✗ ${name} +the ledger is ${words}\n`))
  assert.equal(schema(), 2)
  assert.ok(!existsSync(paths.backups))
})
