import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, existsSync, lstatSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { type TestContext, test } from 'node:test'
import { temporaryFolder } from '../core/ledger/testing.ts'

function setUp(t: TestContext) {
  const folder = temporaryFolder(t)
  const [data, config, cache] = [join(folder, 'data'), join(folder, 'c.yaml'), join(folder, 'cache', 'chanop')]
  for (const path of [join(data, 'run', 'x'), join(data, 'ledger.db'), join(cache, 'bin', 'x'), config]) {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    writeFileSync(path, 'x')
  }
  const own = { CHANOP_DATA: data, CHANOP_CONFIG: config, PM2_HOME: join(folder, 'p'), XDG_CACHE_HOME: dirname(cache) }
  const run = (args: readonly string[] = [], more: Record<string, string> = {}) =>
    spawnSync(process.execPath, [join(import.meta.dirname, 'uninstall.ts'), ...args], {
      env: { ...process.env, ...own, ...more },
      encoding: 'utf8',
    })
  const left = (): string[] => [data, config, cache].filter(path => existsSync(path))
  return { folder, data, config, cache, own, run, left }
}

test('it names what it would remove, and removes nothing unasked', t => {
  const { data, config, cache, run, left } = setUp(t)
  for (const wish of [[], ['--cache']]) {
    const { status, stdout } = run(wish)
    assert.equal(status, 1)
    const paths = [data, config, ...(wish.length > 0 ? [cache] : [])]
    for (const path of [data, config, cache])
      assert.equal(stdout.includes(`  ${path}`), paths.includes(path), `${path} in ${stdout}`)
    assert.match(stdout, /Say --yes to remove it[^]*Nothing was removed\.\n$/)
    assert.deepEqual(left(), [data, config, cache])
  }
})

test('what all instances share stays, and is said to', t => {
  const { cache, run, left } = setUp(t)
  assert.ok(run(['--yes']).stdout.includes(`The programs in ${cache} stay for other instances of yours`))
  assert.deepEqual(left(), [cache])
})

test('it ends what runs, removes all of it, and finds nothing the next time', async t => {
  const { data, own, run, left } = setUp(t)
  const program = ['-e', 'console.log(1); setInterval(() => {}, 1000)']
  const env = { ...process.env, ...own, pm_id: '3', name: 'scribe' }
  const child = spawn(process.execPath, program, { env, stdio: ['ignore', 'pipe', 'ignore'] })
  t.after(() => child.kill('SIGKILL'))
  const exit = once(child, 'exit')
  await once(child.stdout, 'data')
  const { status, stdout, stderr } = run(['--yes', '--cache'])
  assert.deepEqual([status, stderr], [0, ''])
  assert.ok(stdout.includes(`processes  ${child.pid}`), stdout)
  assert.ok(stdout.includes(`removed ${data}`), stdout)
  assert.deepEqual(await exit, [null, 'SIGTERM'])
  assert.deepEqual(left(), [])
  assert.match(run(['--yes']).stdout, /^There is nothing of this instance; The checkout/)
})

test('programs that another instance runs stay', async t => {
  const { cache, run, left } = setUp(t)
  const program = join(cache, 'bin', 'sleeper')
  copyFileSync(process.execPath, program)
  const child = spawn(program, ['-e', 'console.log(1); setInterval(() => {}, 1000)'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  t.after(() => child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  assert.match(run(['--yes', '--cache']).stdout, /kept \S+: another instance runs programs of it/)
  assert.deepEqual(left(), [cache])
})

test('a folder that is more than data is not touched', t => {
  const { folder, data, run, left } = setUp(t)
  const before = left()
  const other = join(folder, 'photos')
  mkdirSync(other)
  writeFileSync(join(other, 'a.jpg'), '')
  for (const [chosen, error] of [
    [other, /does not look like data of Chanop: nothing was removed/],
    [resolve(import.meta.dirname, '..'), /that is more than data, nothing was removed/],
    ['/', /that is more than data, nothing was removed/],
  ] as const) {
    const { status, stderr } = run([], { CHANOP_DATA: chosen })
    assert.equal(status, 1)
    assert.match(stderr, error)
  }
  assert.match(run([], { HOME: join(data, 'home') }).stderr, /more than data/)
  assert.ok(existsSync(join(other, 'a.jpg')))
  assert.deepEqual(left(), before)
})

test('data that a link leads to goes with the link; of a configuration the link alone', t => {
  const { folder, data, config, run, left } = setUp(t)
  const [disk, own] = [join(folder, 'disk'), join(folder, 'own.yaml')]
  for (const [path, real] of [
    [data, disk],
    [config, own],
  ] as const) {
    renameSync(path, real)
    symlinkSync(real, path)
  }
  assert.ok(run().stdout.includes(`  ${data}  (it is in ${disk}; all that was said`))
  const { stdout, stderr } = run(['--yes', '--cache'])
  assert.equal(stderr, '')
  assert.ok(stdout.includes(`removed ${disk} and the link ${data}\n`), stdout)
  assert.ok(stdout.includes(`removed the link ${config}; ${own} stays\n`), stdout)
  assert.deepEqual(left(), [])
  assert.deepEqual(
    [disk, data, config].filter(path => lstatSync(path, { throwIfNoEntry: false })),
    [],
  )
  assert.ok(existsSync(own))
})

test('many a folder has a run, and a folder is no configuration', t => {
  const { folder, config, run } = setUp(t)
  const system = join(folder, 'var')
  for (const name of ['run', 'ircd', 'log']) mkdirSync(join(system, name), { recursive: true })
  assert.match(run(['--yes'], { CHANOP_DATA: system }).stderr, /does not look like data of Chanop: nothing was removed/)
  assert.match(run(['--yes'], { CHANOP_CONFIG: system }).stderr, /var is no file: nothing was removed/)
  assert.ok(existsSync(join(system, 'run')) && existsSync(config))
})

test('what a start left that got no further goes, and what a killed restore left', t => {
  const { folder, data, config, run } = setUp(t)
  const [other, half] = [join(folder, 'other'), `${data}.restoring-4194305`]
  for (const path of [join(other, 'run'), join(other, 'logs'), half]) mkdirSync(path, { recursive: true })
  assert.match(run(['--yes'], { CHANOP_DATA: other, CHANOP_CONFIG: join(folder, 'none') }).stdout, /removed \S+other\n/)
  assert.ok(run(['--yes']).stdout.includes(`removed ${half}\n`))
  assert.deepEqual(
    [data, half, other, config].filter(path => existsSync(path)),
    [],
  )
})

test('a link to what is more than data is not followed', t => {
  const { folder, run } = setUp(t)
  const [link, home] = [join(folder, 'link'), join(folder, 'disk', 'home')]
  mkdirSync(join(folder, 'disk', 'run'), { recursive: true })
  mkdirSync(home)
  symlinkSync(join(folder, 'disk'), link)
  const { status, stderr } = run(['--yes'], { CHANOP_DATA: link, HOME: home })
  assert.equal(status, 1)
  assert.match(stderr, /more than data, nothing was removed/)
  assert.ok(existsSync(home))
})
