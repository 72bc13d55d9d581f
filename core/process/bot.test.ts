import assert from 'node:assert/strict'
import { once } from 'node:events'
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { type Child, runChild, temporaryFolder } from '../ledger/testing.ts'
import { locations } from '../paths.ts'

const program = join(import.meta.dirname, 'testing-bot.ts')

interface World {
  readonly data: string
  readonly config: string
  readonly start: (manner?: string) => Child
  /** What the bot has left for `npm start`. */
  readonly state: () => { state: string; message: string; pid: number }
}

function world(t: TestContext, config = 'name: first\n'): World {
  const folder = temporaryFolder(t)
  const [data, file] = [join(folder, 'data'), join(folder, 'chanop.yaml')]
  writeFileSync(file, config)
  const env = { CHANOP_DATA: data, CHANOP_CONFIG: file, CHANOP_LOG: '' }
  return {
    data,
    config: file,
    start: manner => runChild(t, [process.execPath, program, ...(manner ? [manner] : [])], { env, ipc: true }),
    state: () => JSON.parse(readFileSync(join(data, 'run', 'tester.json'), 'utf8')) as ReturnType<World['state']>,
  }
}

/** Log lines at error or fatal. */
const complaints = (child: Child): string[] =>
  child.lines
    .filter(line => line.startsWith('{'))
    .map(line => JSON.parse(line) as { level: number; msg: string })
    .filter(({ level }) => level >= 50)
    .map(({ msg }) => msg)

describe('the life of a bot', { concurrency: 2 }, () => {
  it('says ready to the process manager, in its state file and its log; its files are its own', async t => {
    const { data, start, state } = world(t)
    const child = start()
    const [message] = (await once(child.process, 'message')) as [unknown]
    assert.equal(message, 'ready')
    await child.line(/"ready"/)
    assert.equal(state().state, 'ready')
    assert.equal(state().pid, child.process.pid)
    assert.ok(child.lines.includes(`at ${data}`))
    for (const path of ['ledger.db', 'ledger.db-wal', 'keys/vault.key', 'run/tester.json']) {
      assert.equal(statSync(join(data, path)).mode & 0o077, 0, path)
    }
  })

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`${signal}: drains and leaves with 0`, async t => {
      const child = world(t).start()
      await child.line(/"ready"/)
      child.process.kill(signal)
      assert.equal(await child.ended, 0)
      assert.ok(child.lines.includes('drained'))
      assert.deepEqual(complaints(child), [])
    })
  }

  it('a second one waits until the first has ended, however that came', async t => {
    const { start, state } = world(t)
    const first = start()
    await first.line(/"ready"/)
    const second = start()
    await second.line(/tester runs already, as process \d+/)
    const third = start()
    await third.line(/tester runs already, as process \d+/)
    third.process.kill('SIGTERM')
    assert.equal(await third.ended, 0)
    assert.equal(state().pid, first.process.pid)
    first.process.kill('SIGKILL')
    await second.line(/"ready"/)
    assert.equal(state().pid, second.process.pid)
  })

  it('leaves when the process manager is gone', async t => {
    const child = world(t).start()
    await child.line(/"ready"/)
    child.process.disconnect()
    assert.equal(await child.ended, 0)
    assert.ok(child.lines.includes('drained'))
  })

  it('what does not drain is left after 6 s', async t => {
    const child = world(t).start('hang')
    await child.line(/"ready"/)
    const startedMs = Date.now()
    child.process.kill('SIGTERM')
    assert.equal(await child.ended, 0)
    assert.ok(Date.now() - startedMs < 9000)
    assert.ok(!child.lines.includes('drained'))
  })

  it('a broken configuration: stays, says one line, and goes on once it is fixed', async t => {
    const { config, start, state } = world(t, 'nam: first\n')
    const child = start()
    await child.line(/did you mean 'name'/)
    assert.equal(state().state, 'failed')
    assert.match(state().message, /chanop\.yaml:1: unknown key 'nam'; did you mean 'name'\?$/)
    // Time for another try: it must find the same and keep silent.
    await new Promise(resolve => setTimeout(resolve, 2500))
    assert.equal(complaints(child).length, 1)
    writeFileSync(config, 'name: fixed\n')
    await child.line(/"ready"/)
    assert.equal(state().state, 'ready')
    assert.equal(complaints(child).length, 1)
    child.process.kill('SIGTERM')
    assert.equal(await child.ended, 0)
  })

  it('asked to stop while it waits for a better configuration: stops at once', async t => {
    const child = world(t, 'nam: first\n').start()
    await child.line(/did you mean 'name'/)
    child.process.kill('SIGTERM')
    assert.equal(await child.ended, 0)
  })

  it('a damaged ledger, a damaged file of variables: one line each', async t => {
    const damaged = world(t)
    mkdirSync(damaged.data)
    writeFileSync(join(damaged.data, 'ledger.db'), 'no database at all '.repeat(1000))
    const first = damaged.start()
    await first.line(/the ledger is damaged: restore a backup/)
    assert.equal(complaints(first).length, 1)
    const torn = world(t)
    mkdirSync(join(torn.data, 'run'), { recursive: true })
    writeFileSync(join(torn.data, 'run', 'env'), '{"A":')
    const second = torn.start()
    await second.line(/run\/env can not be read: run npm start again/)
    assert.equal(complaints(second).length, 1)
  })

  it('a data folder that can not be written: one line, and on once it can', async t => {
    if (process.getuid?.() === 0) return t.skip('root may write everywhere')
    const { data, start } = world(t)
    mkdirSync(data, { mode: 0o500 })
    const child = start()
    await child.line(/the data folder can not be written/)
    chmodSync(data, 0o700)
    await child.line(/"ready"/)
  })

  it('a main that rejects, or a rejection nobody handles, ends the process for a restart, with one line', async t => {
    const { start, state } = world(t)
    for (const [manner, message] of [
      ['crash', 'it broke'],
      ['reject', 'nobody listens'],
    ] as const) {
      const child = start(manner)
      assert.equal(await child.ended, 1)
      assert.deepEqual(complaints(child), [message])
      assert.deepEqual([state().state, state().message], ['failed', message])
    }
  })

  it('a server that hangs up while its answer is read slowly ends nothing', async t => {
    const child = world(t).start('slow')
    await child.line(/"ready"/)
    assert.equal(child.lines.includes('read'), true)
    assert.deepEqual(complaints(child), [])
    assert.deepEqual(
      child.lines.filter(line => /^\d+ of \d/.test(line)),
      [],
    )
  })

  it('a setting that another process stores reaches it although no bus rings', async t => {
    const { start } = world(t)
    const [a, b] = [start(), start('another')]
    await Promise.all([a.line(/"ready"/), b.line(/"ready"/)])
    a.process.stdin?.write('second\n')
    await b.line(/^name second$/)
    await a.line(/^name second$/)
  })

  it('variables that npm start left are secrets for it, and do not stand in its environment', async t => {
    const { data, start } = world(t)
    mkdirSync(join(data, 'run'), { recursive: true })
    writeFileSync(join(data, 'run', 'env'), JSON.stringify({ CHANOP_TEST_SECRET: 'kept' }))
    const first = start()
    await first.line(/^secret kept$/)
    first.process.kill('SIGKILL')
    writeFileSync(join(data, 'run', 'env'), '{}')
    await start().line(/^secret CHANOP_TEST_SECRET is not set: export/)
  })
})

it('locations are absolute, and what is set empty is as if it were not', () => {
  assert.deepEqual(locations({ CHANOP_CONFIG: '/x/y.yaml', CHANOP_DATA: '' }), {
    config: '/x/y.yaml',
    dataDir: join(process.cwd(), 'data'),
  })
})
