/** Backups of real data folders: taken while somebody writes, brought back, refused. */
import assert from 'node:assert/strict'
import { execFile, spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, lstatSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { cp, mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { generateIdentity, identityToRecipient } from 'age-encryption'
import Database from 'better-sqlite3'
import type { UserId } from '../core/event.ts'
import { Ledger } from '../core/ledger/ledger.ts'
import { rebooted } from '../core/ledger/meta.ts'
import { completionAt, openCompletion } from '../core/ledger/oracle/completions.ts'
import { queueTurn, stopTurns, takeTurn, turnById } from '../core/ledger/oracle/turns.ts'
import { append } from '../core/ledger/record/events.ts'
import { storeSetting } from '../core/ledger/settings/settings.ts'
import { messageNumber, placeNamed, runChild, temporaryFolder } from '../core/ledger/testing.ts'
import { resolveSecret, storeSecret, Vault } from '../core/vault/secrets.ts'
import { filesToSave } from './backup/rules.ts'

const writer = join(import.meta.dirname, '..', 'core', 'ledger', 'testing-writer.ts')

interface Ended {
  readonly code: number
  readonly out: string
  readonly error: string
}

/** A data folder with some of everything, and the scripts run on it. `data` may be another one. */
async function setUp(t: TestContext) {
  const folder = temporaryFolder(t)
  const [data, config] = [join(folder, 'data'), join(folder, 'chanop.yaml')]
  const run = (script: string, args: readonly string[], env: Record<string, string> = {}): Promise<Ended> =>
    new Promise(done => {
      const own = { CHANOP_DATA: data, CHANOP_CONFIG: config, PM2_HOME: join(folder, 'pm2'), ...env }
      const child = execFile(
        process.execPath,
        [join(import.meta.dirname, `${script}.ts`), ...args],
        { env: { ...process.env, ...own } },
        (_, out, error) => done({ code: child.exitCode ?? -1, out, error }),
      )
      child.stdin?.end()
    })
  await writeFile(config, 'networks:\n  irc: { kind: memory }\n')
  const files = { 'ircd/server.json': '{}', 'agents/worker.pub': 'a key', 'run/env': '{"KEY":"k"}', 'search.db': 'x' }
  const passing = { 'media/incoming/x': 'half', 'logs/admin.log': 'a line', 'run/programs.json': '{}', 'bin/ergo': 'x' }
  for (const [name, text] of Object.entries({ ...files, ...passing, [media]: 'a picture' })) {
    await mkdir(join(data, name, '..'), { recursive: true, mode: 0o700 })
    await writeFile(join(data, name), text, { mode: 0o600 })
  }
  await fill(data)
  const identity = await generateIdentity()
  await writeFile(join(folder, 'identity'), `# a comment\n${identity}\n`)
  return { folder, data, config, run, recipient: await identityToRecipient(identity), key: join(folder, 'identity') }
}

const media = `media/aa/${'aa'.repeat(32)}`

async function fill(data: string): Promise<void> {
  const ledger = Ledger.open(join(data, 'ledger.db'))
  const vault = await Vault.open(join(data, 'keys', 'vault.key'), ledger)
  await ledger.write(db => {
    for (let n = 0; n < 20; n++) append(db, messageNumber(n), 'general', n)
    storeSecret(db, vault, 'words', 'four words nobody knows', 'olga', 1)
    rebooted(db)
  })
  ledger.close()
  const history = new Database(join(data, 'ircd', 'history.db'))
  history.exec('PRAGMA journal_mode = WAL; CREATE TABLE line (text); INSERT INTO line VALUES (1), (2)')
  history.close()
}

const factsIn = (file: string): number => {
  const db = new Database(file, { readonly: true })
  try {
    return Number(db.prepare('SELECT count(*) FROM event').pluck().get())
  } finally {
    db.close()
  }
}

const backupsIn = (data: string): string[] =>
  readdirSync(join(data, 'backups')).filter(name => !name.startsWith('lock'))

test('a backup of a ledger that is written to all the time is whole, and comes back', async t => {
  const { folder, data, run, recipient, key } = await setUp(t)
  const busy = runChild(t, [process.execPath, writer, join(data, 'ledger.db'), '1000', '1000000', '50'])
  await busy.line(/^open$/)
  await busy.line(/^ok 1049$/)
  const before = factsIn(join(data, 'ledger.db'))
  const out = join(folder, 'b.age')
  const saved = await run('backup', ['--out', out, '--recipient', recipient])
  assert.equal(saved.error, '')
  assert.ok(busy.process.exitCode === null, 'the writer went on')
  const after = factsIn(join(data, 'ledger.db'))
  const [where, sizes, holds, last] = saved.out.trimEnd().split('\n')
  assert.equal(where, `saved and opened again: ${out}`)
  assert.ok(sizes?.endsWith(`SHA-256 ${createHash('sha256').update(readFileSync(out)).digest('hex')}`), sizes)
  assert.match(
    holds ?? '',
    /ledger \([\d,]+ facts, .*1 secrets.*\), the vault's key, the IRC server's accounts, agents' keys, 1 media files \(9 B\), the configuration$/,
  )
  assert.match(last ?? '', /^only the secret key of age1.* opens it/)
  const facts = Number(/\(([\d,]+) facts/.exec(saved.out)?.[1]?.replaceAll(',', ''))
  assert.ok(facts >= before && facts <= after, `${before} <= ${facts} <= ${after}`)
  assert.equal(statSync(out).mode & 0o777, 0o600)
  assert.ok(!readFileSync(out).includes('vault.key'))
  assert.deepEqual(backupsIn(data), [])

  const target = join(folder, 'second', 'data')
  const env = { CHANOP_DATA: target, CHANOP_CONFIG: join(folder, 'second', 'c.yaml') }
  const restored = await run('restore', [out, '--identity', key], env)
  assert.equal(restored.error, '')
  assert.ok(restored.out.includes(`${facts.toLocaleString('en-US')} facts`), restored.out)
  assert.equal(factsIn(join(target, 'ledger.db')), facts)
  assert.equal(readFileSync(env.CHANOP_CONFIG, 'utf8'), 'networks:\n  irc: { kind: memory }\n')
  const there = ['agents', 'ircd', 'keys', 'ledger.db', 'media', 'run']
  assert.deepEqual(
    readdirSync(target).filter(name => !/-(wal|shm)$/.test(name)),
    there,
  )
  assert.deepEqual(readdirSync(join(target, 'run')), ['env'])
  assert.equal(readFileSync(join(target, media), 'utf8'), 'a picture')
  assert.ok(!existsSync(join(target, 'media', 'incoming')))
  for (const path of ['ledger.db', 'keys/vault.key', 'agents/worker.pub', 'run/env'])
    assert.equal(statSync(join(target, path)).mode & 0o777, 0o600, path)
  assert.equal(statSync(target).mode & 0o777, 0o700)
  assert.deepEqual(readdirSync(join(folder, 'second')).sort(), ['c.yaml', 'data'])
  const ledger = Ledger.open(join(target, 'ledger.db'))
  t.after(() => ledger.close())
  const vault = await Vault.open(join(target, 'keys', 'vault.key'), ledger)
  assert.equal(await ledger.read(tx => resolveSecret(tx, vault, 'secret:words', {})), 'four words nobody knows')
  assert.equal(await ledger.write(rebooted), true, 'what stood as queued may have been sent')
})

test('the ends of the audit are copied before the ledger, the ledger before all else', async t => {
  const { data } = await setUp(t)
  const paths = await filesToSave(data)
  assert.deepEqual(paths, ['audit-heads.txt', 'ledger.db', ...paths.slice(2).sort()])
  assert.ok(paths.includes('agents/worker.pub'))
})

test('what was being answered when a backup was taken is not answered again once it is back', async t => {
  const { folder, data, run, recipient, key } = await setUp(t)
  const live = Ledger.open(join(data, 'ledger.db'))
  const place = placeNamed('#general')
  const by = { network: place.network, user: 'alice' as UserId, person: 1, name: 'Alice' }
  const asked = { network: place.network, account: by.user, person: 'person:1', room: 'irc:@alice', model: 'oracle' }
  await live.write(tx => {
    for (const n of [1, 2, 3]) queueTurn(tx, { asked: n, place, lane: `lane ${n}`, by }, n)
    for (const id of [2, 3]) takeTurn(tx, id, 'who answers', Date.now() + 1e6, Date.now())
    stopTurns(tx, { fact: 3 }, 'alice', Date.now())
    openCompletion(tx, { ...asked, key: 'k', body: '{}', turn: false }, 1)
  })
  live.close()
  const out = join(folder, 'b.age')
  assert.equal((await run('backup', ['--out', out, '--recipient', recipient])).error, '')
  const target = join(folder, 'second')
  assert.equal((await run('restore', [out, '--identity', key], { CHANOP_DATA: target })).error, '')
  const ledger = Ledger.open(join(target, 'ledger.db'))
  t.after(() => ledger.close())
  const failed = ['failed', 'it was interrupted by a restore: ask again']
  const turns = ledger.readNow(tx => [1, 2, 3].map(id => turnById(tx, id)))
  assert.deepEqual(
    turns.map(turn => [turn?.state, turn?.error]),
    [failed, failed, ['stopped', null]],
  )
  const { state, ending } = ledger.readNow(tx => completionAt(tx, 'k')) ?? {}
  assert.deepEqual([state, ending?.error?.message], failed)
})

test('a passphrase of the settings locks it, and another one opens nothing', async t => {
  const { folder, data, run } = await setUp(t)
  const ledger = Ledger.open(join(data, 'ledger.db'))
  await ledger.write(db => storeSetting(db, 'backup.passphrase', 'secret:words', 'olga', 1))
  ledger.close()
  const saved = await run('backup', [])
  assert.equal(saved.error, '')
  assert.match(saved.out, /^only its passphrase opens it/m)
  const [name = ''] = backupsIn(data)
  assert.match(name, /^chanop-\d{4}-\d\d-\d\dT\d{6}Z\.tar\.gz\.age$/)
  const [file, words] = [join(data, 'backups', name), join(folder, 'words')]
  const env = { CHANOP_DATA: join(folder, 'new') }
  const restore = async (passphrase: string): Promise<Ended> => {
    await writeFile(words, `${passphrase}\n`)
    return run('restore', [file, '--passphrase-file', words], env)
  }
  const wrong = await restore('four words somebody knows')
  assert.equal(wrong.code, 1)
  assert.match(wrong.error, /^chanop: \S+ is locked with another passphrase, or for a key.*nothing was changed\n$/)
  assert.ok(!existsSync(env.CHANOP_DATA))
  assert.equal((await restore('four words nobody knows')).error, '')
  assert.equal(factsIn(join(env.CHANOP_DATA, 'ledger.db')), 20)
})

test('nothing is made or changed where something is wrong, and it is said in a line', async t => {
  const { folder, data, config, run, recipient, key } = await setUp(t)
  const out = join(folder, 'b.age')
  await writeFile(join(folder, 'short'), 'short\n')
  for (const [args, error] of [
    [[], /^chanop: a backup is encrypted, and nothing says how: set backup\.recipient/],
    [['--recipient', 'age1wrong'], /^chanop: age1wrong is no public key of age/],
    [['--passphrase-file', join(folder, 'short')], /^chanop: the passphrase is too short: take 12/],
    [['--passphrase-file', join(folder, 'none')], /^chanop: \S+none can not be read/],
    [['--out', config, '--recipient', recipient], /^chanop: \S+ exists already: choose another name\n$/],
    [['--out', join(folder, 'none', 'b'), '--recipient', recipient], /^chanop: there is no folder \S+none: make it/],
    [['--output', out], /^chanop: Unknown option '--output'\nusage: npm run backup/],
  ] as const) {
    const ended = await run('backup', args)
    assert.deepEqual([ended.code, ended.out], [1, ''])
    assert.match(ended.error, error)
  }
  assert.deepEqual(backupsIn(data), [])
  assert.equal((await run('backup', ['--out', out, '--recipient', recipient])).error, '')
  const whole = readFileSync(out)
  const target = { CHANOP_DATA: join(folder, 'new') }
  const other = join(folder, 'other')
  await writeFile(other, await generateIdentity())
  const changed = Buffer.from(whole)
  changed[whole.length - 400] = (changed[whole.length - 400] as number) ^ 1
  const cases: readonly (readonly [Buffer | null, readonly string[], RegExp])[] = [
    [whole.subarray(0, -1), ['--identity', key], /is damaged or was cut off/],
    [whole.subarray(0, whole.length >> 1), ['--identity', key], /is damaged or was cut off/],
    [whole.subarray(0, 60), ['--identity', key], /is damaged or was cut off/],
    [changed, ['--identity', key], /is damaged or was cut off/],
    [Buffer.alloc(0), ['--identity', key], /is no backup|is damaged or was cut off/],
    [Buffer.from('SQLite format 3\0 or so'), ['--identity', key], /is no backup: it is not encrypted with age/],
    [null, ['--identity', key], /^chanop: there is no file/],
    [whole, ['--identity', other], /is locked with another key, or by a passphrase/],
    [whole, ['--identity', config], /that is no key of age/],
    [whole, [], /^chanop: say how to open it: --identity FILE/],
  ]
  for (const [bytes, how, error] of cases) {
    const file = join(folder, 'try.age')
    if (bytes) writeFileSync(file, bytes)
    else await rm(file)
    const ended = await run('restore', [file, ...how], target)
    assert.deepEqual([ended.code, ended.out], [1, ''], String(error))
    assert.match(ended.error, error)
    assert.equal(ended.error.split('\n').length, 2, ended.error)
    assert.deepEqual(
      readdirSync(folder).filter(name => name.startsWith('new')),
      [],
    )
  }
})

test('a restore writes over nothing, and not below a process that runs', async t => {
  const { folder, data, config, run, recipient, key } = await setUp(t)
  const out = join(folder, 'b.age')
  assert.equal((await run('backup', ['--out', out, '--recipient', recipient])).error, '')
  const restore = (...more: string[]): Promise<Ended> => run('restore', [out, '--identity', key, ...more])
  const kept = readFileSync(join(data, 'ledger.db'))
  assert.match((await restore()).error, /^chanop: \S+ holds data, and that is not written over: move it away/)
  assert.deepEqual(readFileSync(join(data, 'ledger.db')), kept)
  await rename(data, `${data}.old`)
  const env = { ...process.env, CHANOP_DATA: data, pm_id: '7', name: 'admin' }
  const child = spawn(process.execPath, ['-e', 'console.log(1); setInterval(() => {}, 1000)'], {
    env,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  t.after(() => child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  assert.match((await restore()).error, /^chanop: this instance is running \(process \d+\): npm stop first/)
  child.kill('SIGKILL')
  await once(child, 'exit')
  await writeFile(config, 'networks:\n  other: { kind: memory }\n')
  assert.match((await restore()).error, /chanop\.yaml is there and is another one than in the backup: .*--keep-config/)
  assert.ok(!existsSync(data))
  // What a restore left that was killed.
  await cp(`${data}.old`, `${data}.restoring-4194305`, { recursive: true })
  assert.equal((await restore('--keep-config')).error, '')
  assert.match(readFileSync(config, 'utf8'), /other/)
  assert.equal(factsIn(join(data, 'ledger.db')), 20)
  assert.deepEqual(
    readdirSync(folder).filter(name => name.includes('restoring')),
    [],
  )
})

test('a restore leaves a link in its place, and refuses the root of a disk before it unpacks anything', async t => {
  const { folder, run, recipient, key, config } = await setUp(t)
  const out = join(folder, 'b.age')
  assert.equal((await run('backup', ['--out', out, '--recipient', recipient])).error, '')
  const [link, disk] = [join(folder, 'link'), join(folder, 'disk')]
  await symlink('disk/data', link)
  assert.equal((await run('restore', [out, '--identity', key], { CHANOP_DATA: link })).error, '')
  assert.equal(factsIn(join(disk, 'data', 'ledger.db')), 20)
  assert.ok(lstatSync(link).isSymbolicLink())
  await rm(join(disk, 'data'), { recursive: true })
  await mkdir(join(disk, 'data'))
  assert.equal((await run('restore', [out, '--identity', key], { CHANOP_DATA: link })).error, '')
  assert.equal(factsIn(join(disk, 'data', 'ledger.db')), 20)
  await rm(config)
  const root = join(folder, 'root')
  await mkdir(root)
  if (spawnSync('mount', ['-t', 'tmpfs', 'chanop-test', root]).status !== 0)
    return t.skip('nothing can be mounted here')
  const { error } = await run('restore', [out, '--identity', key], { CHANOP_DATA: root })
  spawnSync('umount', ['-l', root])
  assert.match(error, /root is a disk of its own, .*export CHANOP_DATA='\S+root\/data' and try again/)
  assert.ok(!existsSync(config))
})
