import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { type TestContext, test } from 'node:test'

const script = resolve(import.meta.dirname, 'run')

interface Checkout {
  readonly root: string
  /** What the pretended npm was asked, one line a call. */
  readonly calls: () => string[]
  readonly run: (
    args: readonly string[],
    env?: Record<string, string>,
  ) => Promise<{ code: number | null; out: string; err: string }>
}

/** A checkout in a folder with a space, with a pretended npm and an old node on the PATH. */
function checkout(t: TestContext, { system = 'v20.1.0', npm = '' } = {}): Checkout {
  const top = mkdtempSync(join(tmpdir(), 'chanop run '))
  t.after(() => rmSync(top, { recursive: true, force: true }))
  const [root, bin, log] = [join(top, 'check out'), join(top, 'bin'), join(top, 'calls')]
  for (const folder of [bin, join(top, 'home'), join(root, 'scripts'), join(root, 'tools', 'node')])
    mkdirSync(folder, { recursive: true })
  copyFileSync(script, join(root, 'scripts', 'run'))
  writeFileSync(join(root, 'package-lock.json'), '{}')
  writeFileSync(
    join(root, 'scripts', 'start.ts'),
    'console.log(JSON.stringify([process.version, process.cwd(), process.env.HOME, ...process.argv.slice(2)]))',
  )
  writeFileSync(log, '')
  const program = (name: string, text: string): void => {
    writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`)
    chmodSync(join(bin, name), 0o755)
  }
  program('node', `echo ${system}`)
  program(
    'npm',
    `echo "$(basename "$PWD") $*" >> '${log}'\n${npm}\nmkdir -p node_modules/.bin\n[ "$(basename "$PWD")" != node ] || ln -sf '${process.execPath}' node_modules/.bin/node`,
  )
  const run: Checkout['run'] = (args, env = {}) =>
    new Promise(done => {
      const child = spawn('sh', [join(root, 'scripts', 'run'), ...args], {
        cwd: '/',
        env: { PATH: `${bin}:/usr/bin:/bin`, HOME: join(top, 'home'), ...env },
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      const got = { out: '', err: '' }
      child.stdout.setEncoding('utf8').on('data', (text: string) => (got.out += text))
      child.stderr.setEncoding('utf8').on('data', (text: string) => (got.err += text))
      child.once('close', code => done({ code, ...got }))
    })
  return { root, run, calls: () => readFileSync(log, 'utf8').split('\n').filter(Boolean) }
}

test('the first run brings Node.js and packages, the second finds them', async t => {
  const { root, run, calls } = checkout(t)
  const first = await run(['start', 'a b', '--c'])
  assert.deepEqual(
    [first.code, JSON.parse(first.out).slice(0, 2), JSON.parse(first.out).slice(3)],
    [0, [process.version, root], ['a b', '--c']],
  )
  assert.equal(calls().length, 2)
  assert.match(calls()[0] ?? '', /^node ci .*--include=optional/)
  assert.match(calls()[1] ?? '', /^check out ci .*--omit=dev/)
  writeFileSync(join(root, 'scripts', 'import.ts'), '')
  assert.equal((await run(['import'])).code, 0)
  const second = await run(['start'])
  assert.deepEqual([second.code, second.err, calls().length], [0, '', 2])
})

test('another lock file, and tests after a start, install again', async t => {
  const { root, run, calls } = checkout(t)
  mkdirSync(join(root, 'test', 'kill'), { recursive: true })
  writeFileSync(join(root, 'test', 'kill', 'main.ts'), '')
  await run(['start'])
  appendFileSync(join(root, 'package-lock.json'), '\n')
  await run(['start'])
  assert.equal(calls().length, 3)
  assert.equal((await run(['test:kill'])).code, 0)
  // Bots may run on what is there: only `npm ci` takes it away first.
  assert.match(calls()[3] ?? '', /^check out install .*--no-save --include=dev/)
  await run(['start'])
  assert.equal(calls().length, 4)
})

test('bots that run keep their packages until they are stopped', { skip: !existsSync('/proc/self/cwd') }, async t => {
  const { root, run, calls } = checkout(t)
  writeFileSync(join(root, 'scripts', 'stop.ts'), '')
  await run(['start'])
  const bot = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)', 'bots/bridge/main.ts'], { cwd: root })
  t.after(() => bot.kill('SIGKILL'))
  await once(bot, 'spawn')
  assert.equal((await run(['start'])).code, 0)
  appendFileSync(join(root, 'package-lock.json'), '\n')
  const refused = await run(['start'])
  assert.deepEqual(
    [refused.code, refused.err],
    [1, "chanop: bots run here on the packages of another release: 'npm stop', then again\n"],
  )
  assert.equal((await run(['stop'])).code, 0)
  assert.equal(calls().length, 2)
  // Somebody took them away: nothing ends the bots without them.
  rmSync(join(root, 'node_modules'), { recursive: true })
  assert.equal((await run(['stop'])).code, 0)
  assert.equal(calls().length, 3)
  appendFileSync(join(root, 'package-lock.json'), '\n')
  bot.kill('SIGKILL')
  await once(bot, 'close')
  assert.equal((await run(['start'])).code, 0)
  assert.equal(calls().length, 4)
})

test('a Node.js that is new enough is used as it is', async t => {
  const { run, calls } = checkout(t, { system: 'v24.9.9' })
  const { code, out } = await run(['start'])
  assert.deepEqual([code, out], [0, 'v24.9.9\n'])
  assert.equal(calls().length, 1)
})

test('an install that fails is one line with what to do, and is tried again', async t => {
  const { run, calls } = checkout(t, { system: 'v24.9.9', npm: 'echo E404 >&2; exit 1' })
  const { code, err } = await run(['start'])
  assert.equal(code, 1)
  assert.match(err, /E404\nchanop: the packages of .* could not be installed .*check the network.*then again\n$/)
  await run(['start'])
  assert.equal(calls().length, 2)
})

test('a Node.js that npm passes over in silence is said', async t => {
  const { run } = checkout(t, { npm: 'exit 0' })
  const { code, err } = await run(['start'])
  assert.equal(code, 1)
  assert.match(err, /Node\.js 24 could not be fetched/)
})

test('two first runs at once install once', async t => {
  const { run, calls } = checkout(t, { npm: 'sleep 0.3' })
  const both = await Promise.all([run(['start']), run(['start'])])
  assert.deepEqual(
    both.map(({ code }) => code),
    [0, 0],
  )
  assert.equal(calls().length, 2)
})

test('without a HOME that can be written the data folder serves', async t => {
  const { root, run } = checkout(t)
  process.umask(0o022)
  const nowhere = await run(['start'], { HOME: '/nonexistent' })
  assert.equal(statSync(join(root, 'data')).mode & 0o777, 0o700)
  assert.equal(JSON.parse(nowhere.out)[2], join(root, 'data', 'home'))
  const relative = await run(['start'], { HOME: '/nonexistent', CHANOP_DATA: 'other' })
  assert.equal(JSON.parse(relative.out)[2], join(root, 'other', 'home'))
})

test('an unknown script is one line', async t => {
  const { run } = checkout(t)
  assert.match((await run(['nosuch'])).err, /^chanop: there is no script nosuch: see 'npm run'\n$/)
  assert.match((await run([])).err, /^chanop: say what to run/)
})
