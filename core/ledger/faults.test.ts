import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, closeSync, mkdirSync, openSync, statSync, truncateSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { it, type TestContext } from 'node:test'
import { ChanopError } from '../error.ts'
import { Ledger } from './ledger.ts'
import { after, append } from './record/events.ts'
import { type Child, messageNumber, runChild, temporaryFolder } from './testing.ts'

const writer = join(import.meta.dirname, 'testing-writer.ts')

const refusal = (code: string) => (error: unknown) => {
  assert.ok(error instanceof ChanopError, String(error))
  assert.equal(error.code, code)
  assert.doesNotMatch(error.message, /\n/)
  return true
}

const kept = async (file: string): Promise<number[]> => {
  const ledger = Ledger.open(file, { check: true })
  const keys = await ledger.read(db => after(db, 0, 1_000_000).map(({ event }) => event.key))
  ledger.close()
  return keys.map(key => Number(key.slice('irc:m'.length)))
}

/** Waits for the first refusal, makes room, and sees that all that was offered is there in the end, in order. */
async function goesOn(t: TestContext, run: Child, file: string, many: number, makeRoom: () => void): Promise<void> {
  await run.line(/^err /)
  const before = run.lines.filter(line => line.startsWith('ok ')).length
  t.diagnostic(`refused after ${before} messages`)
  assert.ok(before > 0, 'some were taken before there was no room')
  makeRoom()
  assert.equal(await run.ended, 0)
  assert.deepEqual([...new Set(run.lines.filter(line => line.startsWith('err')))], ['err ledger-full'])
  const numbers = Array.from({ length: many }, (_, n) => n)
  assert.deepEqual(await kept(file), numbers)
}

it('full disk (a limit on the size of files): refused as ledger-full, nothing lost, goes on when there is room', async t => {
  if (spawnSync('prlimit', ['--version']).status !== 0) return t.skip('no prlimit(1) here')
  const file = join(temporaryFolder(t), 'ledger.db')
  const many = 6000
  const command = [process.execPath, writer, file, '0', String(many), '50']
  const run = runChild(t, ['sh', '-c', 'ulimit -S -f 2400 && exec "$@"', 'sh', ...command])
  const lift = (): Buffer => execFileSync('prlimit', ['--pid', String(run.process.pid), '--fsize=unlimited:unlimited'])
  await goesOn(t, run, file, many, lift)
})

it('full disk (a small file system): refused as ledger-full, nothing lost, goes on when there is room', async t => {
  let folder = ''
  t.after(() => folder && spawnSync('umount', ['-l', folder]))
  folder = temporaryFolder(t)
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'chanop-test', folder]).status !== 0) {
    return t.skip('may not mount a file system of its own: needs root')
  }
  const file = join(folder, 'ledger.db')
  const many = 4000
  const run = runChild(t, [process.execPath, writer, file, '0', String(many), '50'])
  await goesOn(t, run, file, many, () => execFileSync('mount', ['-o', 'remount,size=64m', folder]))
})

it('a full disk rejects every write of the turn and leaves the ledger usable', async t => {
  const ledger = Ledger.open(':memory:')
  t.after(() => ledger.close())
  await ledger.write(db => append(db, messageNumber(0), 'general', 0))
  const pages = await ledger.read(db => db.pragma('page_count', { simple: true }))
  await ledger.read(db => db.pragma(`max_page_count = ${Number(pages)}`))
  const results = await Promise.allSettled(
    [1, 2, 3].map(n =>
      ledger.write(db => append(db, messageNumber(n, { key: `irc:${'x'.repeat(50_000)}${n}` }), 'general', 0)),
    ),
  )
  for (const result of results) {
    assert.equal(result.status, 'rejected')
    refusal('ledger-full')(result.status === 'rejected' && result.reason)
  }
  await ledger.read(db => db.pragma('max_page_count = 1000000'))
  await ledger.write(db => append(db, messageNumber(4), 'general', 0))
  assert.equal((await ledger.read(db => after(db, 0, 10))).length, 2)
})

it('a disk that fills up after another write of the turn has thrown: what was told is what stands', async t => {
  const ledger = Ledger.open(':memory:')
  t.after(() => ledger.close())
  const add = (key: string): Promise<unknown> =>
    ledger.write(db => append(db, messageNumber(0, { key: `irc:${key}` }), 'general', 0))
  await add('first')
  const pages = await ledger.read(db => db.pragma('page_count', { simple: true }))
  await ledger.read(db => db.pragma(`max_page_count = ${Number(pages) + 2}`))
  const large = 'x'.repeat(100_000)
  const throwing = ledger.write(() => {
    throw new Error('no')
  })
  const results = await Promise.allSettled([add('small'), throwing, add(large), add('last')])
  await ledger.read(db => db.pragma('max_page_count = 1000000'))
  const keys = await ledger.read(db => after(db, 0, 10).map(({ event }) => event.key.slice('irc:'.length)))
  const told = ['small', 'throwing', large, 'last'].filter((_, i) => results[i]?.status === 'fulfilled')
  assert.deepEqual(keys, ['first', ...told])
  assert.deepEqual(
    results.map(({ status }) => status),
    ['rejected', 'rejected', 'rejected', 'rejected'],
  )
  await add('after')
  assert.equal((await ledger.read(db => after(db, 0, 10))).length, keys.length + 1)
})

it('a data folder that can not be written: ledger-readonly', async t => {
  const folder = temporaryFolder(t)
  const closed = join(folder, 'closed')
  mkdirSync(closed, { mode: 0o500 })
  const ledgerModule = JSON.stringify(join(import.meta.dirname, 'ledger.ts'))
  const program = `const { Ledger } = await import(${ledgerModule})
    try { Ledger.open(process.argv[1]).close(); console.log('opened') } catch (error) { console.log(error.code, error.message) }`
  // Root may write everywhere: an ordinary user is borrowed where there is one.
  const root = process.getuid?.() === 0
  if (root && spawnSync('setpriv', ['--version']).status !== 0) return t.skip('is root and has no setpriv(1)')
  const drop = root ? ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'] : []
  if (root) chmodSync(folder, 0o755)
  const node = [process.execPath, '--input-type=module', '-e', program]
  for (const path of [join(closed, 'ledger.db'), join(closed, 'deeper', 'ledger.db')]) {
    const args = [...drop, ...node, path]
    const said = spawnSync(args[0] as string, args.slice(1), { encoding: 'utf8' })
    if (root && /EACCES|Permission denied|Cannot find module/.test(said.stderr))
      return t.skip('an ordinary user can not read this checkout')
    assert.match(said.stdout, /^ledger-readonly the data folder can not be written/, said.stderr)
  }
})

it('a file that is no database: ledger-corrupt, at once', t => {
  const file = join(temporaryFolder(t), 'ledger.db')
  writeFileSync(file, 'this is not a database, and has never been one'.repeat(200))
  assert.throws(() => Ledger.open(file), refusal('ledger-corrupt'))
})

/** A ledger of some megabytes, closed. */
async function filled(t: TestContext): Promise<string> {
  const file = join(temporaryFolder(t), 'ledger.db')
  const ledger = Ledger.open(file)
  const numbers = Array.from({ length: 2000 }, (_, n) => n)
  await Promise.all(numbers.map(n => ledger.write(db => append(db, messageNumber(n), 'general', n))))
  ledger.close()
  return file
}

it('damage in the middle of the file is found by the check, before anything is written', async t => {
  const file = await filled(t)
  const descriptor = openSync(file, 'r+')
  for (let at = 40 * 4096; at < 60 * 4096; at += 4096) writeSync(descriptor, Buffer.alloc(2000, 0x5a), 0, 2000, at)
  closeSync(descriptor)
  assert.throws(() => Ledger.open(file, { check: true }), refusal('ledger-corrupt'))
})

it('a file that was cut short is found by the check', async t => {
  const file = await filled(t)
  truncateSync(file, Math.floor(statSync(file).size / 2 / 4096) * 4096)
  assert.throws(() => Ledger.open(file, { check: true }), refusal('ledger-corrupt'))
})

it('a whole file passes the check', async t => {
  Ledger.open(await filled(t), { check: true }).close()
})

it('the file is for its owner alone', t => {
  const file = join(temporaryFolder(t), 'made', 'ledger.db')
  const ledger = Ledger.open(file)
  t.after(() => ledger.close())
  for (const [path, mode] of [
    [file, 0o600],
    [`${file}-wal`, 0o600],
    [`${file}-shm`, 0o600],
    [join(file, '..'), 0o700],
  ] as const) {
    assert.equal(statSync(path).mode & 0o777, mode, path)
  }
})

it('the check that is due runs once a day and after a reboot, and finds damage then', async t => {
  const file = await filled(t)
  Ledger.open(file, { check: 'when-due' }).close()
  const descriptor = openSync(file, 'r+')
  // Where messages are: the pages of the tables themselves come first.
  const from = Math.floor((statSync(file).size * 0.75) / 4096) * 4096
  for (let at = from; at < from + 20 * 4096; at += 4096) writeSync(descriptor, Buffer.alloc(2000, 0x5a), 0, 2000, at)
  closeSync(descriptor)
  const ledger = Ledger.open(file, { check: 'when-due' })
  await ledger.write(db =>
    db.prepare("UPDATE meta SET value = 'another-boot ' || ? WHERE key = 'checked'").run(Date.now()),
  )
  ledger.close()
  assert.throws(() => Ledger.open(file, { check: 'when-due' }), refusal('ledger-corrupt'))
})
