/** A real Redis for tests: on a unix socket in a folder of its own, with what is needed to do it harm. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { createInterface } from 'node:readline'
import type { TestContext } from 'node:test'

interface Program {
  readonly path: string
  readonly libraries?: string
}

/** REDIS_SERVER, PATH, or a tree of unpacked Debian packages that CHANOP_DEBIAN names. */
function findProgram(env: NodeJS.ProcessEnv): Program | null {
  const named = env['REDIS_SERVER']
  if (named) return { path: named }
  for (const folder of (env['PATH'] ?? '').split(delimiter)) {
    const path = join(folder, 'redis-server')
    if (folder && existsSync(path)) return { path }
  }
  for (const tree of (env['CHANOP_DEBIAN'] ?? '').split(delimiter)) {
    const path = join(tree, 'usr', 'bin', 'redis-check-rdb')
    if (!tree || !existsSync(path)) continue
    const arch = spawnSync('uname', ['-m'], { encoding: 'utf8' }).stdout.trim()
    const libraries = [join(tree, 'usr', 'lib', `${arch}-linux-gnu`), join(tree, 'lib', `${arch}-linux-gnu`)]
    return { path, libraries: libraries.join(delimiter) }
  }
  return null
}

const program = findProgram(process.env)

/** Why tests with a real Redis are left out here; false when they are not. For the option `skip` of a test. */
export const noRedis: string | false = program
  ? false
  : 'no redis-server: put it on PATH, name it with REDIS_SERVER, or name unpacked Debian packages with CHANOP_DEBIAN'

const startDeadlineMs = 15_000

/** One Redis server, with an append-only file as in operation. */
export class RedisServer {
  readonly folder: string
  readonly address: { readonly path: string }
  #child: ChildProcess | null = null

  private constructor(folder: string) {
    this.folder = folder
    this.address = { path: join(folder, 'redis.sock') }
  }

  /** Starts one for a test, which ends with it. Look at `noRedis` first. */
  static async start(t: Pick<TestContext, 'after'>): Promise<RedisServer> {
    const server = await RedisServer.open()
    t.after(() => server.close())
    return server
  }

  /** As `start`; whoever calls it calls `close`. */
  static async open(): Promise<RedisServer> {
    const server = new RedisServer(mkdtempSync(join(tmpdir(), 'chanop-redis-')))
    await server.start()
    return server
  }

  get pid(): number | undefined {
    return this.#child?.pid
  }

  /** Resolves once connections are taken. What the append-only file holds is there again. */
  async start(): Promise<void> {
    if (!program) throw new Error(String(noRedis))
    // The program is several in one and goes by the name it is run under.
    const path = join(this.folder, 'redis-server')
    if (!existsSync(path)) symlinkSync(program.path, path)
    const options = [
      '--port 0',
      `--unixsocket ${this.address.path}`,
      `--dir ${this.folder}`,
      '--appendonly yes',
      '--save',
    ]
    const child = spawn(
      path,
      [...options.flatMap(option => option.split(' ')), '', '--maxmemory-policy', 'noeviction'],
      {
        stdio: ['ignore', 'pipe', 'ignore'],
        env: { ...process.env, ...(program.libraries ? { LD_LIBRARY_PATH: program.libraries } : {}) },
      },
    )
    this.#child = child
    const said: string[] = []
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    createInterface(child.stdout).on('line', line => {
      said.push(line)
      if (/ready to accept connections/i.test(line)) resolve()
    })
    const fail = (why: string) => (): void => reject(new Error(`redis-server ${why}: ${said.slice(-3).join(' | ')}`))
    child.once('exit', fail('ended'))
    child.once('error', fail('can not be run'))
    const timer = setTimeout(fail('is not ready in time'), startDeadlineMs)
    await promise.finally(() => clearTimeout(timer))
  }

  /** Ends it in order: everything is on the disk. */
  async stop(): Promise<void> {
    await this.#end('SIGTERM')
  }

  /** Ends it at once, with whatever that leaves behind. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL')
  }

  /** Ends it, removes all that it knew, and starts it anew: what a deleted data folder does. */
  async lose(): Promise<void> {
    await this.kill()
    rmSync(this.folder, { recursive: true, force: true })
    mkdirSync(this.folder, { mode: 0o700 })
    await this.start()
  }

  /** Freezes it: connections stay open and nothing answers. */
  freeze(): void {
    this.#child?.kill('SIGSTOP')
  }

  thaw(): void {
    this.#child?.kill('SIGCONT')
  }

  /** Empties it while everyone stays connected. */
  async flushAll(): Promise<void> {
    await this.command('FLUSHALL')
  }

  /** Sends one command, words without spaces, and resolves with the first line of its answer. */
  async command(line: string): Promise<string> {
    const socket = connect(this.address.path)
    try {
      socket.write(`${line}\r\n`)
      const [answer] = (await once(socket, 'data')) as [Buffer]
      return answer.toString().split('\r\n')[0] as string
    } finally {
      socket.destroy()
    }
  }

  async close(): Promise<void> {
    await this.kill()
    rmSync(this.folder, { recursive: true, force: true })
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill(signal)
    if (signal !== 'SIGKILL') child.kill('SIGCONT')
    await gone
  }
}
