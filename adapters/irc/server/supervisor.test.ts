import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, type TestContext, test } from 'node:test'
import { compileCache } from '../../../core/ledger/testing.ts'
import { accountsFor } from '../accounts/index.ts'
import { readControl } from '../control.ts'
import { Guest } from '../testing/trial.ts'
import { freePorts } from './ports.ts'
import { prepareServer } from './prepare.ts'
import { findPrograms, type ServerProgram } from './programs.ts'
import { serving } from './ready.ts'
import { folders, readSettings } from './settings.ts'
import { processOn } from './testing.ts'

const { found, refused } = await findPrograms(process.env['CHANOP_DATA'] ?? 'data')
const main = join(import.meta.dirname, 'main.ts')

/** The supervisor as PM2 starts it, with its log as events. */
class Supervisor extends EventEmitter {
  readonly lines: string[] = []
  readonly child: ChildProcess

  constructor(dataDir: string) {
    super()
    this.child = spawn(process.execPath, [main], {
      env: {
        PATH: process.env['PATH'] ?? '',
        CHANOP_DATA: dataDir,
        CHANOP_LOG: 'debug',
        NODE_COMPILE_CACHE: compileCache,
      },
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    })
    this.child.on('message', (message: string) => this.emit(message))
    if (this.child.stdout)
      createInterface({ input: this.child.stdout }).on('line', line => {
        this.lines.push(line)
        this.emit('line', line)
      })
  }

  ready(): Promise<unknown> {
    return once(this, 'ready', { signal: AbortSignal.timeout(15_000) })
  }

  says(pattern: RegExp): Promise<string> {
    return new Promise((resolve, reject) => {
      const late = setTimeout(
        () => reject(new Error(`never said ${pattern}: ${this.lines.slice(-20).join('\n')}`)),
        15_000,
      )
      const look = (line: string): void => {
        if (!pattern.test(line)) return
        clearTimeout(late)
        this.off('line', look)
        resolve(line)
      }
      this.on('line', look)
      this.lines.forEach(look)
    })
  }

  async stop(signal: NodeJS.Signals = 'SIGINT'): Promise<number | null> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return this.child.exitCode
    const gone = once(this.child, 'exit')
    this.child.kill(signal)
    await gone
    return this.child.exitCode
  }
}

interface Home {
  readonly dataDir: string
  readonly plain: { readonly host: string; readonly port: number }
  start(): Supervisor
  pid(name: string): number
}

async function home(t: TestContext, program: ServerProgram): Promise<Home> {
  const dataDir = await mkdtemp(join(tmpdir(), 'chanop-home-'))
  const [plain = 0, tls = 0] = await freePorts(2)
  const started: Supervisor[] = []
  t.after(async () => {
    for (const supervisor of started) await supervisor.stop('SIGTERM')
    await rm(dataDir, { recursive: true, force: true })
  })
  await prepareServer({
    dataDir,
    program,
    config: {
      listen: { plain: `127.0.0.1:${plain}`, tls: `127.0.0.1:${tls}` },
      channels: ['#general'],
      owner: 'owner',
      bots: ['bridge', 'oracle'],
    },
  })
  const start = (): Supervisor => {
    const supervisor = new Supervisor(dataDir)
    started.push(supervisor)
    return supervisor
  }
  return { dataDir, plain: { host: '127.0.0.1', port: plain }, start, pid: name => processOn(dataDir, name) }
}

/** Another program that has the port; resolves with how to end it. */
async function occupy(t: TestContext, port: number): Promise<() => void> {
  const server = createServer(socket => socket.destroy()).listen(port, '127.0.0.1')
  t.after(() => server.close())
  await once(server, 'listening')
  return () => server.close()
}

const programOf = (server: string): ServerProgram => found.find(one => one.server === server) as ServerProgram

for (const server of ['ergo', 'inspircd'] as const) {
  const reason = found.some(one => one.server === server) ? false : refused.map(one => one.reason).join('; ')
  const parts = server === 'ergo' ? ['ergo'] : ['inspircd', 'anope']

  describe(`supervisor of ${server}`, { skip: reason, concurrency: 6 }, () => {
    test('makes accounts and channels once, keeps them, and leaves nothing behind', async t => {
      const at = await home(t, programOf(server))
      const first = at.start()
      await first.ready()
      const login = await readFile(join(at.dataDir, 'owner-login'), 'utf8')
      assert.match(login, /^account=owner password=\w[\w-]{31}\n$/)
      assert.equal(await first.stop('SIGINT'), 0)
      for (const part of parts) assert.ok(Number.isNaN(at.pid(part)), `${part} is gone`)

      const second = at.start()
      await second.ready()
      assert.equal(await readFile(join(at.dataDir, 'owner-login'), 'utf8'), login)
      const accounts = accountsFor(await readControl(at.dataDir))
      for (const name of ['bridge', 'oracle', 'chanop-control', 'owner']) assert.ok(await accounts.get(name), name)
      assert.ok((await accounts.command(['TOPIC #general :kept'])).length > 0)
      await accounts.setPassword('owner', 'a-password-of-their-own')
      accounts.close()
      await second.stop()
      const third = at.start()
      await third.ready()
      await assert.rejects(readFile(join(at.dataDir, 'owner-login')), { code: 'ENOENT' })
    })

    test('kill -9 of each part, and of the supervisor: logins are served again', async t => {
      const at = await home(t, programOf(server))
      let supervisor = at.start()
      await supervisor.ready()
      for (const part of parts) {
        const before = at.pid(part)
        const again = supervisor.ready()
        process.kill(before, 'SIGKILL')
        await again
        assert.notEqual(at.pid(part), before)
        assert.ok(await serving(at.plain, AbortSignal.timeout(5000)))
      }
      const orphans = parts.map(part => at.pid(part))
      await supervisor.stop('SIGKILL')
      supervisor = at.start()
      await supervisor.ready()
      for (const [index, part] of parts.entries()) assert.notEqual(at.pid(part), orphans[index])
      const accounts = accountsFor(await readControl(at.dataDir))
      assert.ok(await accounts.get('oracle'))
      accounts.close()
    })

    test('a taken port is one line, without a storm, and is cured by itself', async t => {
      const at = await home(t, programOf(server))
      const release = await occupy(t, at.plain.port)
      const supervisor = at.start()
      const said = await supervisor.says(/is taken by another program/)
      assert.ok(said.includes(`127.0.0.1:${at.plain.port}`), said)
      release()
      await supervisor.ready()
      assert.equal(supervisor.lines.filter(line => JSON.parse(line).level >= 50).length, 1)
    })

    test('a taken port between our own parts is replaced', async t => {
      const at = await home(t, programOf(server))
      const before = await readSettings(at.dataDir)
      const release = await occupy(t, server === 'ergo' ? before.httpPort : before.linkPort)
      await at.start().ready()
      release()
      const now = await readSettings(at.dataDir)
      assert.notDeepEqual([now.httpPort, now.linkPort], [before.httpPort, before.linkPort])
      assert.deepEqual(now.secrets, before.secrets)
    })

    test('a second copy on one folder says so and touches nothing', async t => {
      const at = await home(t, programOf(server))
      await at.start().ready()
      const pid = at.pid(server)
      const second = at.start()
      await second.says(/another copy works on this data folder/)
      await second.stop()
      assert.equal(at.pid(server), pid)
    })

    test('the end of PM2 ends the servers in order', async t => {
      const at = await home(t, programOf(server))
      const supervisor = at.start()
      await supervisor.ready()
      const gone = once(supervisor.child, 'exit')
      supervisor.child.disconnect()
      assert.deepEqual(await gone, [0, null])
      for (const part of parts) assert.ok(Number.isNaN(at.pid(part)), `${part} is gone`)
    })

    test('what a person is called ends no service', { skip: server !== 'inspircd' }, async t => {
      const at = await home(t, programOf('inspircd'))
      const supervisor = at.start()
      await supervisor.ready()
      const before = at.pid('anope')
      const [, password = ''] = /password=(\S+)/.exec(await readFile(join(at.dataDir, 'owner-login'), 'utf8')) ?? []
      const realname = '127.0.0.1:1: Address already in use'
      const owner = await Guest.join({ ...at.plain, nick: 'owner', account: { account: 'owner', password }, realname })
      await supervisor.says(/Address already in use.* connected to the network/)
      owner.say('PRIVMSG NickServ :\x01PING there\x01')
      await owner.wait(({ command, params }) => command === 'NOTICE' && /there/.test(params[1] ?? ''), 'the services')
      owner.leave()
      assert.equal(at.pid('anope'), before)
      process.kill(before, 'SIGABRT')
      await supervisor.says(/anope ended \(SIGABRT\); starting it again/)
    })

    test('Anope never starts without accounts where there were some', { skip: server !== 'inspircd' }, async t => {
      const at = await home(t, programOf('inspircd'))
      const supervisor = at.start()
      await supervisor.ready()
      await supervisor.stop()
      const db = join(folders(at.dataDir).anope, 'db')

      // What a kill -9 in the moment of the day's first save leaves behind.
      await rm(join(db, 'backups'), { recursive: true })
      await mkdir(join(db, 'backups'))
      await rename(join(db, 'anope.db'), join(db, 'backups', 'anope.db-2026-01-01'))
      const restored = at.start()
      await restored.says(/taken from the backup anope\.db-2026-01-01/)
      await restored.ready()
      await restored.stop()

      await rm(db, { recursive: true })
      const refusing = at.start()
      await refusing.says(/is gone and no backup of it is left/)
      assert.deepEqual(await readdir(db), ['backups'])
    })
  })
}
