/** Real IRC servers for tests: each on free loopback ports, in a fresh folder, gone with the test. */
import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLog } from '../../../core/log.ts'
import { deadline, sleep } from '../../../core/retry.ts'
import { accountsFor } from '../accounts/index.ts'
import { type Control, readControl } from '../control.ts'
import { openGuard } from '../logins/guard.ts'
import { launches, start } from './launch.ts'
import { ownerLoginPath } from './owner-login.ts'
import { freePorts } from './ports.ts'
import { prepareServer } from './prepare.ts'
import { debianTrees, findPrograms, libraryEnv, libraryFolders, runnable, type ServerProgram } from './programs.ts'
import { provision } from './provision.ts'
import { capabilities, serving } from './ready.ts'
import { folders, readSettings } from './settings.ts'

export interface ServerOptions {
  readonly channels?: readonly string[]
  readonly bots?: readonly string[]
  /** false: as a server that we run, whose channels our bots alone make. */
  readonly freeChannels?: boolean
  /** How the data folder's name begins. */
  readonly prefix?: string
}

interface TestContext {
  after(done: () => Promise<void>): void
}

export interface TestServer {
  readonly kind: 'ergo' | 'inspircd' | 'ngircd'
  /** Where plain connections go. */
  readonly host: string
  readonly port: number
  /** How to administer it; ngIRCd has nothing of the kind, and any nick may enter it. */
  readonly control: Control | null
  readonly dataDir: string
  readonly owner: { readonly account: string; readonly password: string } | null
  /** Sends a signal to the server, and to its services unless `part` names one, and waits until they are gone. */
  kill(signal: NodeJS.Signals, part?: 'inspircd' | 'anope'): Promise<void>
  /** Starts what does not run, and waits until logins are served. */
  restart(): Promise<void>
  /** Makes an account and returns its password. */
  account(name: string): Promise<string>
  stop(): Promise<void>
}

export interface Available {
  readonly kind: 'ergo' | 'inspircd' | 'ngircd'
  /** null: it can run here. */
  readonly reason: string | null
}

const nowhere = join(tmpdir(), 'chanop-no-data')

/** Which servers can run here, and why the others can't: for `{ skip: reason ?? false }`. */
export async function availableServers(dataDir: string = defaultData()): Promise<readonly Available[]> {
  const { found, refused } = await findPrograms(dataDir)
  const of = (kind: 'ergo' | 'inspircd'): Available => ({
    kind,
    reason: found.some(({ server }) => server === kind)
      ? null
      : refused
          .filter(({ server }) => server === kind)
          .map(({ reason }) => reason)
          .join('; ') || 'not found',
  })
  const ngircd = await findNgircd(dataDir)
  return [
    of('ergo'),
    of('inspircd'),
    { kind: 'ngircd', reason: ngircd ? null : 'no ngircd in CHANOP_DEBIAN, data/debian or installed' },
  ]
}

function defaultData(): string {
  return process.env['CHANOP_DATA'] ?? (process.env['CHANOP_DEBIAN'] ? nowhere : 'data')
}

export const startErgo = (t: TestContext | null, options: ServerOptions = {}): Promise<TestServer> =>
  startManaged(t, 'ergo', options)
export const startInspircd = (t: TestContext | null, options: ServerOptions = {}): Promise<TestServer> =>
  startManaged(t, 'inspircd', options)

async function programOf(kind: 'ergo' | 'inspircd'): Promise<ServerProgram> {
  const { found, refused } = await findPrograms(defaultData())
  const program = found.find(({ server }) => server === kind)
  if (!program) throw new Error(refused.map(({ reason }) => reason).join('; '))
  return program
}

async function startManaged(
  t: TestContext | null,
  kind: 'ergo' | 'inspircd',
  options: ServerOptions,
): Promise<TestServer> {
  const program = await programOf(kind)
  const dataDir = await mkdtemp(join(tmpdir(), options.prefix ?? `chanop-${kind}-`))
  const [plain = 0, tls = 0] = await freePorts(2)
  const running = new Map<string, ChildProcess>()
  const guarding = new AbortController()
  const config = {
    listen: { plain: `127.0.0.1:${plain}`, tls: `127.0.0.1:${tls}` },
    channels: options.channels ?? ['#general', '#ops'],
    owner: 'owner',
    bots: options.bots ?? ['bridge', 'admin', 'oracle', 'scribe'],
    freeChannels: options.freeChannels ?? true,
  }
  const stop = async (): Promise<void> => {
    await stopAll(running, 'SIGKILL')
    guarding.abort()
    await guard?.close()
    await rm(dataDir, { recursive: true, force: true })
  }
  t?.after(stop)
  let guard: Awaited<ReturnType<typeof openGuard>> = null
  const begin = async (): Promise<Control> => {
    const control = await prepareServer({ dataDir, program, config })
    guard = await openGuard(dataDir, silentLog(), guarding.signal)
    await startAll(dataDir, running)
    await provision(dataDir)
    return control
  }
  const control = await begin().catch(async (error: unknown) => {
    await stop()
    throw error
  })
  const password = /password=(\S+)/.exec(await readFile(ownerLoginPath(dataDir), 'utf8'))?.[1] ?? ''
  return {
    kind,
    control,
    dataDir,
    stop,
    host: '127.0.0.1',
    port: plain,
    owner: { account: 'owner', password },
    kill: (signal, part) => stopAll(running, signal, part),
    restart: () => startAll(dataDir, running),
    account: name => makeAccount(control, name),
  }
}

async function makeAccount(control: Control, name: string): Promise<string> {
  const accounts = accountsFor(control)
  const password = `pw-${name}-0123456789`
  await accounts.create(name, password)
  accounts.close()
  return password
}

const servingMs = 60_000

async function startAll(dataDir: string, running: Map<string, ChildProcess>): Promise<void> {
  const settings = await readSettings(dataDir)
  for (const launch of launches(settings, folders(dataDir))) {
    if (running.has(launch.name)) continue
    const child = await start(launch)
    running.set(launch.name, child)
    child.once('exit', () => running.delete(launch.name))
    child.stdout?.resume()
    child.stderr?.resume()
  }
  const { plain } = await readControl(dataDir)
  if (!(await serving(plain, deadline(servingMs))))
    throw new Error(`${settings.program.server} serves no logins after ${servingMs / 1000} s`)
}

async function stopAll(running: Map<string, ChildProcess>, signal: NodeJS.Signals, part?: string): Promise<void> {
  const chosen = [...running].filter(([name]) => part === undefined || name === part)
  await Promise.all(
    chosen.map(async ([, child]) => {
      const gone = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : null
      child.kill(signal)
      await gone
    }),
  )
}

/** The process of this name that works on this folder (Linux), NaN when there is none. */
export function processOn(dataDir: string, name: string): number {
  for (const pid of readdirSync('/proc').filter(entry => /^\d+$/.test(entry))) {
    try {
      const [comm, line] = [readFileSync(`/proc/${pid}/comm`, 'utf8'), readFileSync(`/proc/${pid}/cmdline`, 'utf8')]
      if (comm.trim() === name && line.includes(dataDir)) return Number(pid)
    } catch (error) {
      // It ended while we looked.
      if (!['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
    }
  }
  return Number.NaN
}

async function findNgircd(dataDir: string): Promise<{ path: string; libraries: string[] } | null> {
  for (const tree of debianTrees(dataDir, process.env)) {
    const path = join(tree, 'usr', 'sbin', 'ngircd')
    if (await runnable(path)) return { path, libraries: tree === '/' ? [] : libraryFolders(tree) }
  }
  return null
}

/** A server without tags, accounts and history: what the IRC adapter must also bear. */
export async function startNgircd(t: TestContext | null, { channels = [] }: ServerOptions = {}): Promise<TestServer> {
  const found = await findNgircd(defaultData())
  if (!found) throw new Error('no ngircd here')
  const dataDir = await mkdtemp(join(tmpdir(), 'chanop-ngircd-'))
  const [port = 0] = await freePorts(1)
  await writeFile(join(dataDir, 'ngircd.conf'), ngircdConfig(port, channels))
  const running = new Map<string, ChildProcess>()
  const stop = async (): Promise<void> => {
    await stopAll(running, 'SIGKILL')
    await rm(dataDir, { recursive: true, force: true })
  }
  t?.after(stop)
  const restart = async (): Promise<void> => {
    if (running.size > 0) return
    const wrapper = (await runnable('/usr/bin/setpriv')) ? ['/usr/bin/setpriv', '--pdeathsig', 'TERM', '--'] : []
    const line = [...wrapper, found.path, '--nodaemon', '--config', join(dataDir, 'ngircd.conf')]
    const child = spawn(line[0] as string, line.slice(1), { env: libraryEnv(found.libraries), stdio: 'ignore' })
    running.set('ngircd', child)
    child.once('exit', () => running.delete('ngircd'))
    const until = deadline(10_000)
    while ((await capabilities({ host: '127.0.0.1', port }, 500, until)) === null) {
      if (until.aborted || running.size === 0) throw new Error('ngircd does not answer')
      await sleep(15, until)
    }
  }
  await restart()
  const account = (): Promise<string> => Promise.reject(new Error('ngIRCd has no accounts'))
  return {
    kind: 'ngircd',
    control: null,
    dataDir,
    stop,
    host: '127.0.0.1',
    port,
    owner: null,
    restart,
    account,
    kill: signal => stopAll(running, signal),
  }
}

const ngircdConfig = (port: number, channels: readonly string[]): string => `[Global]
Name = ngircd.chanop.local
Info = test
Listen = 127.0.0.1
Ports = ${port}
ServerUID = 65534
ServerGID = 65534
MotdPhrase = test
[Limits]
MaxConnections = 0
MaxConnectionsIP = 0
MaxJoins = 0
MaxNickLength = 32
ConnectRetry = 60
[Options]
DNS = no
Ident = no
PAM = no
${channels.map(name => `[Channel]\nName = ${name}\nModes = nt\n`).join('')}`
