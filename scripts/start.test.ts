/** The whole life of an instance in a checkout of its own, under a PM2 of its own, with small bots. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { createServer as createHttpServer, type Server } from 'node:http'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, before, test } from 'node:test'
import { freePorts } from '../adapters/irc/server/ports.ts'
import { findPrograms } from '../adapters/irc/server/programs.ts'
import { sleep } from '../core/retry.ts'

const project = resolve(import.meta.dirname, '..')
const bots = ['bridge', 'admin', 'oracle', 'scribe']
let [top, root, data, config] = ['', '', '', '']
let ports: readonly number[] = []
let server: string | null = null
let modelServer = ''
let offering: Server | null = null
const env: Record<string, string | undefined> = {}

interface Result {
  readonly code: number
  readonly out: string
  readonly err: string
}

function run(what: string, more: Record<string, string> = {}): Promise<Result> {
  return new Promise(done => {
    const options = { cwd: root, env: { ...env, ...more }, timeout: 90_000 }
    const child = execFile(process.execPath, [join(root, 'scripts', `${what}.ts`)], options, (_, out, err) =>
      done({ code: child.exitCode ?? -1, out, err }),
    )
  })
}

const write = (ircPorts: readonly number[], more = ''): Promise<void> => {
  const listen = `{ plain: '127.0.0.1:${ircPorts[0]}', tls: '127.0.0.1:${ircPorts[1]}' }`
  const network = server ? `{ kind: irc, managed: true, listen: ${listen}, channels: ['#a'] }` : '{ kind: memory }'
  return writeFile(config, `networks:\n  irc: ${network}\n${more}`)
}

interface Listed {
  readonly name: string
  readonly pid: number
}

/** Our processes by their environment: what PM2 says is not asked. */
async function alive(): Promise<Listed[]> {
  const found: Listed[] = []
  for (const pid of (await readdir('/proc')).filter(name => /^\d+$/.test(name))) {
    const environment = (await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '')).split('\0')
    if (!environment.includes(`CHANOP_DATA=${data}`) || Number(pid) === process.pid) continue
    const name = environment.find(text => text.startsWith('name='))?.slice('name='.length) ?? 'PM2'
    found.push({ name, pid: Number(pid) })
  }
  return found.sort((one, other) => one.name.localeCompare(other.name))
}

const names = async (): Promise<string[]> => (await alive()).map(({ name }) => name)
const expected = (): string[] =>
  ['PM2', 'redis', ...bots, ...(server ? ['ircd'] : [])].sort((a, b) => a.localeCompare(b))

/** Offers one model to who has the key. */
async function offerModel(): Promise<string> {
  offering = createHttpServer((request, response) => {
    const known = request.headers.authorization === 'Bearer sesame-5501'
    response.writeHead(known ? 200 : 401, { 'content-type': 'application/json' })
    response.end(JSON.stringify(known ? { object: 'list', data: [{ id: 'm', object: 'model' }] } : { error: {} }))
  }).listen(0, '127.0.0.1')
  await once(offering, 'listening')
  return `http://127.0.0.1:${(offering.address() as { port: number }).port}/v1`
}

before(async () => {
  modelServer = await offerModel()
  top = await mkdtemp(join(tmpdir(), 'chp-'))
  root = join(top, 'check out')
  data = join(top, 'data')
  config = join(top, 'c.yaml')
  for (const part of ['core', 'adapters', 'bots', 'config', 'scripts', 'package.json', 'ecosystem.config.cjs'])
    await cp(join(project, part), join(root, part), { recursive: true })
  await symlink(join(project, 'node_modules'), join(root, 'node_modules'))
  for (const bot of bots) {
    await mkdir(join(root, 'bots', bot), { recursive: true })
    const main =
      'async ({ ready, signal }) => { ready(); await new Promise(done => signal.addEventListener("abort", done)) }'
    const text = `import { configSchema as schema } from '../../config/schema.ts'\nimport { runBot } from '../../core/process/bot.ts'\nawait runBot({ name: '${bot}', schema, main: ${main} })\n`
    await writeFile(join(root, 'bots', bot, 'main.ts'), text)
  }
  const { PATH, HOME, REDIS_SERVER, ERGO_BIN, CHANOP_DEBIAN, XDG_CACHE_HOME } = process.env
  Object.assign(env, { PATH, HOME, REDIS_SERVER, ERGO_BIN, CHANOP_DEBIAN, XDG_CACHE_HOME })
  Object.assign(env, {
    PM2_HOME: join(top, 'p'),
    CHANOP_DATA: data,
    CHANOP_CONFIG: config,
    CHANOP_ERGO_URL: 'http://127.0.0.1:1',
    NODE_COMPILE_CACHE: join(top, 'compiled'),
  })
  server = (await findPrograms(data)).found[0]?.server ?? null
  ports = await freePorts(3)
})

after(async () => {
  offering?.close()
  await run('stop')
  await rm(top, { recursive: true, force: true })
})

test('a broken configuration is one line with file, line and nearest key', async () => {
  await write(ports, 'rooms:\n  x: { places: ["irc:#a"], placez: [] }\n')
  const { code, err } = await run('start')
  assert.equal(code, 1)
  assert.match(err, /^chanop: .*c\.yaml:4: unknown key 'rooms\.x\.placez'; did you mean 'places'\?\n$/)
})

test('a taken port is named with its key', async t => {
  await write(ports)
  if (server === null) return t.skip('no IRC server here')
  const squatter = createServer().listen(ports[1], '127.0.0.1')
  await once(squatter, 'listening')
  const { code, err } = await run('start')
  squatter.close()
  assert.equal(code, 1)
  assert.match(err, new RegExp(`^chanop: port ${ports[1]} on 127.0.0.1 is taken: .*networks.irc.listen.tls in .*\n$`))
})

test('a path that is too long for PM2 is refused before anything starts', async () => {
  const { code, err } = await run('start', { PM2_HOME: join(top, 'p'.repeat(98)) })
  assert.equal(code, 1)
  assert.match(err, /98 are possible: set PM2_HOME to a shorter path/)
})

test('a start brings up everything, keeps its files to itself and says where to go', async () => {
  await write(
    ports,
    `models:\n  main: { provider: openai, baseUrl: '${modelServer}', model: m, apiKey: env:CHANOP_TEST_KEY, price: { inputPerMillion: 0, outputPerMillion: 0 }, contextTokens: 4096 }\n`,
  )
  const { code, out, err } = await run('start', { CHANOP_TEST_KEY: 'sesame-5501' })
  assert.equal(err, '')
  assert.equal(code, 0)
  assert.deepEqual(await names(), expected())
  for (const said of [...bots, 'npm run chat', 'npx pm2 ls', '!help', '!status']) assert.ok(out.includes(said), said)
  if (server) {
    const login = (await readFile(join(data, 'owner-login'), 'utf8')).trim()
    assert.ok(out.includes(login))
  }
  const doctor = await run('doctor')
  assert.equal(doctor.code, 0, doctor.out)
})

test('no process and no file of PM2 knows a secret', async () => {
  assert.match(await readFile(join(data, 'run', 'env'), 'utf8'), /sesame-5501/)
  for (const { pid } of await alive()) {
    assert.doesNotMatch(await readFile(`/proc/${pid}/environ`, 'utf8'), /sesame-5501/)
  }
})

test('a second start is harmless', async () => {
  const first = await alive()
  const { code, out } = await run('start')
  assert.equal(code, 0)
  assert.match(out, /already running/)
  assert.deepEqual(await alive(), first)
  if (server) assert.match(out, /the login is in/)
})

test('what is down comes back, and a changed configuration restarts the bots alone', async () => {
  const first = await alive()
  await write(ports, 'commands: { prefix: "?" }\n')
  const { code, out } = await run('start')
  assert.equal(code, 0)
  assert.match(out, /\?help/)
  const second = await alive()
  const kept = second.filter(({ pid }) => first.some(listed => listed.pid === pid)).map(({ name }) => name)
  assert.deepEqual(
    kept,
    expected().filter(name => !bots.includes(name)),
  )
  assert.deepEqual(await names(), expected())
})

test('another instance must have a PM2 of its own', async () => {
  const { code, err } = await run('start', { CHANOP_DATA: join(top, 'other') })
  assert.equal(code, 1)
  assert.match(
    err,
    /already runs an app '\w+' of Chanop's data folder .*: set PM2_HOME to a folder for this instance\n$/,
  )
})

test('under another PM2 than the one that runs it nothing is started or ended', {
  skip: process.platform !== 'linux',
}, async () => {
  const first = await alive()
  const wrong = { PM2_HOME: join(top, 'p2') }
  const [started, stopped, doctor] = [await run('start', wrong), await run('stop', wrong), await run('doctor', wrong)]
  const words = `the PM2 of another folder runs this instance: export PM2_HOME='${join(top, 'p')}' and try again`
  for (const { code, err } of [started, stopped]) assert.deepEqual([code, err], [1, `chanop: ${words}\n`])
  assert.ok(doctor.out.includes(words), doctor.out)
  assert.deepEqual(await alive(), first)
})

test('a start after the death of PM2 makes no doubles', { skip: process.platform !== 'linux' }, async () => {
  const daemon = (await alive()).find(({ name }) => name === 'PM2')
  process.kill(daemon?.pid ?? 0, 'SIGKILL')
  const { code, err } = await run('start')
  assert.deepEqual([code, err], [0, ''])
  assert.deepEqual(await names(), expected())
})

test('of two at once the second says who is at work', async () => {
  const both = await Promise.all([run('stop'), run('stop')])
  const [done, refused] = both.sort((one, other) => one.code - other.code)
  assert.equal(done.code, 0)
  assert.equal(refused.code, 1)
  assert.match(refused.err, /^chanop: npm stop is at work already \(process \d+, since \S+\): wait for it to end\n$/)
})

test('a stop leaves nothing, and a second one is harmless', async () => {
  await run('stop')
  const untilMs = Date.now() + 5000
  while ((await alive()).length > 0 && Date.now() < untilMs) await sleep(50)
  assert.deepEqual(await names(), [])
  assert.match((await run('stop')).out, /Nothing of Chanop was running/)
})

test('a damaged ledger and a bot that can not start are one line', async () => {
  const main = join(root, 'bots', 'oracle', 'main.ts')
  const sound = await readFile(main, 'utf8')
  await writeFile(main, `import './missing.ts'\n`)
  const broken = await run('start')
  assert.equal(broken.code, 1)
  assert.match(broken.err, /^chanop: oracle: it ends as soon as it starts: .*missing\.ts.*\n$/)
  await run('stop')
  await writeFile(main, sound)
  await rm(join(data, 'ledger.db-wal'), { force: true })
  await truncate(join(data, 'ledger.db'), 5000)
  const damaged = await run('start')
  assert.equal(damaged.code, 1)
  assert.match(damaged.err, /^chanop: the ledger is damaged.*: restore a backup.*\n$/)
  assert.deepEqual(await names(), [])
})

test('a data folder that can not be written is one line', {
  skip: process.getuid?.() === 0 && 'root may write anywhere',
}, async () => {
  const closed = join(top, 'closed')
  await mkdir(closed)
  await chmod(closed, 0o500)
  const { code, err } = await run('start', { CHANOP_DATA: join(closed, 'data') })
  assert.equal(code, 1)
  assert.match(err, /can not be made or written \(EACCES\): give the folder to the user who runs this/)
})
