/** A whole Chanop as `npm start` makes it: own folders, own PM2, free ports, with a second IRC server beside it. */
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { accountsFor } from '../adapters/irc/accounts/index.ts'
import { readControl } from '../adapters/irc/control.ts'
import { freePorts } from '../adapters/irc/server/ports.ts'
import { processOn, startErgo, startInspircd, type TestServer } from '../adapters/irc/server/testing.ts'
import { connect as connectLedger } from '../core/ledger/sqlite.ts'
import { compileCache } from '../core/ledger/testing.ts'
import { redisSocketPath } from '../core/paths.ts'
import { deadline, sleep } from '../core/retry.ts'
import type { Login } from './irc.ts'

export type ServerKind = 'ergo' | 'inspircd'
/** `irc`: the managed network; `ext`: the other server. */
export type Side = 'irc' | 'ext'
export const bots = ['bridge', 'admin', 'oracle', 'scribe'] as const
export type Bot = (typeof bots)[number]

const root = resolve(import.meta.dirname, '..')
const channel = '#general'
const networksMs = 30_000
const passed = ['PATH', 'HOME', 'REDIS_SERVER', 'ERGO_BIN', 'CHANOP_DEBIAN', 'XDG_CACHE_HOME']

export interface InstanceOptions {
  readonly managed: ServerKind
  /** null: no second server. */
  readonly external: ServerKind | null
  /** More lines of configuration. */
  readonly config?: string
  /** More networks, each as one line of YAML. */
  readonly networks?: Readonly<Record<string, string>>
  /** Besides `#general`: each is a room that spans both servers. */
  readonly channels?: readonly string[]
}

export class Instance {
  readonly folder: string
  readonly data: string
  readonly managed: ServerKind
  readonly external: TestServer | null
  readonly channel = channel
  readonly #env: Record<string, string> = {}
  #port = 0
  #networks = 0

  private constructor(folder: string, managed: ServerKind, external: TestServer | null) {
    this.folder = folder
    this.data = join(folder, 'd')
    this.managed = managed
    this.external = external
    for (const name of passed) if (process.env[name] !== undefined) this.#env[name] = process.env[name]
    Object.assign(this.#env, {
      PM2_HOME: join(folder, 'p'),
      CHANOP_DATA: this.data,
      CHANOP_CONFIG: join(folder, 'c.yaml'),
      NODE_COMPILE_CACHE: compileCache,
    })
  }

  /** Starts the second server and `npm start`. Everything is gone after `close`. */
  static async start(options: InstanceOptions): Promise<Instance> {
    const folder = await mkdtemp(join(tmpdir(), 'ck-'))
    const begin = options.external === 'ergo' ? startErgo : startInspircd
    const channels = [channel, ...(options.channels ?? [])]
    const external = options.external ? await begin(null, { channels }) : null
    const instance = new Instance(folder, options.managed, external)
    try {
      await instance.#shareCompiled()
      await instance.#configure(options, channels)
      await instance.run('start')
      await until('its networks', networksMs, () => instance.connected())
      return instance
    } catch (error) {
      await instance.close()
      throw error
    }
  }

  /** The bots' processes, which are killed before they could write their own, find what is compiled already. */
  async #shareCompiled(): Promise<void> {
    const run = join(this.data, 'run')
    for (const folder of [run, compileCache]) await mkdir(folder, { recursive: true, mode: 0o700 })
    await symlink(compileCache, join(run, 'compile-cache'))
  }

  async #configure({ config: more = '', networks = {} }: InstanceOptions, channels: readonly string[]): Promise<void> {
    const listed = `[${channels.map(name => `'${name}'`).join(', ')}]`
    const [plain = 0, tls = 0] = await freePorts(2)
    this.#port = plain
    const listen = `{ plain: '127.0.0.1:${plain}', tls: '127.0.0.1:${tls}' }`
    const lines = [
      `irc: { server: ${this.managed} }`,
      'networks:',
      `  irc: { kind: irc, managed: true, listen: ${listen}, channels: ${listed} }`,
    ]
    if (this.external) {
      const { host, port } = this.external
      this.#env['EXT_PASSWORD'] = await this.external.account('relay')
      lines.push(
        `  ext: { kind: irc, host: '${host}', port: ${port}, tls: false, nick: relay, sasl: { account: relay, password: 'env:EXT_PASSWORD' }, personas: false, flood: null, channels: ${listed} }`,
      )
    }
    for (const [name, yaml] of Object.entries(networks)) lines.push(`  ${name}: ${yaml}`)
    this.#networks = Object.keys(networks).length + (this.external ? 2 : 1)
    if (!/^rooms:/m.test(more)) lines.push(`rooms: { ${channels.map(name => this.#room(name)).join(', ')} }`)
    await writeFile(join(this.folder, 'c.yaml'), `${lines.join('\n')}\n${more}`)
  }

  #room(name: string): string {
    const places = [`irc:${name}`, ...(this.external ? [`ext:${name}`] : [])]
    return `${name.slice(1)}: { places: [${places.map(place => `'${place}'`).join(', ')}], open: true }`
  }

  /** Runs `npm run <what>`; rejects with what it printed. */
  run(what: 'start' | 'stop' | 'doctor'): Promise<string> {
    return new Promise((done, fail) => {
      const options = { cwd: root, env: this.#env, timeout: 120_000 }
      execFile(process.execPath, [join(root, 'scripts', `${what}.ts`)], options, (error, out, err) =>
        error ? fail(new Error(`npm run ${what}: ${error.message}\n${out}${err}`)) : done(out),
      )
    })
  }

  async close(): Promise<void> {
    try {
      await this.run('stop')
    } finally {
      await this.external?.stop()
      await rm(this.folder, { recursive: true, force: true, maxRetries: 3 })
    }
  }

  /** Makes an account on one of the servers. */
  async account(side: Side, name: string): Promise<Login> {
    if (side === 'ext') {
      if (!this.external) throw new Error('there is no second server')
      const { host, port } = this.external
      return { host, port, account: name, password: await this.external.account(name) }
    }
    const accounts = accountsFor(await readControl(this.data))
    const password = `pw-${name}-0123456789`
    await accounts.create(name, password)
    accounts.close()
    return { host: '127.0.0.1', port: this.#port, account: name, password }
  }

  /** Whether every network is up, as the bridge wrote it down. What is said before is history that is never relayed. */
  async connected(): Promise<boolean> {
    const db = connectLedger(join(this.data, 'ledger.db'), { readonly: true })
    try {
      const status = db.prepare('SELECT standing FROM standing').pluck().all() as string[]
      return status.length === this.#networks && status.every(text => text.includes('"state":"up"'))
    } finally {
      db.close()
    }
  }

  /** The login that `npm start` made for the owner. */
  async owner(): Promise<Login> {
    const text = await readFile(join(this.data, 'owner-login'), 'utf8')
    const [, account = '', password = ''] = /account=(\S+) password=(\S+)/.exec(text) ?? []
    return { host: '127.0.0.1', port: this.#port, account, password }
  }

  /** The process id of a bot as it wrote it itself, with its state; null when it wrote nothing yet. */
  async bot(name: Bot): Promise<{ pid: number; state: string; atMs: number } | null> {
    const text = await readFile(join(this.data, 'run', `${name}.json`), 'utf8').catch(() => '')
    return text.endsWith('}\n') ? (JSON.parse(text) as { pid: number; state: string; atMs: number }) : null
  }

  /** The managed IRC server's own process, not its supervisor. NaN when it does not run. */
  ircd(): number {
    return processOn(this.data, this.managed)
  }

  /** One command; rejects when Redis does not answer within a second. */
  redis(command: string): Promise<string> {
    return new Promise((done, fail) => {
      const socket = connect(redisSocketPath(this.data))
      socket.setEncoding('utf8').setTimeout(1000)
      let text = ''
      socket.on('connect', () => socket.write(`${command}\r\nQUIT\r\n`))
      socket.on('data', (part: string) => (text += part))
      socket.on('end', () => done(text)).on('error', fail)
      socket.on('timeout', () => socket.destroy(new Error('Redis does not answer')))
    })
  }

  async redisPid(): Promise<number> {
    const info = await this.redis('INFO server').catch(() => '')
    return Number(/process_id:(\d+)/.exec(info)?.[1])
  }
}

/** Polls until `look` gives something; rejects after `deadlineMs`. For states of other processes, which send no event. */
export async function until<T>(what: string, deadlineMs: number, look: () => Promise<T | null | false>): Promise<T> {
  const over = deadline(deadlineMs)
  for (;;) {
    const found = await look()
    if (found !== null && found !== false) return found
    if (over.aborted) throw new Error(`${what}: not within ${deadlineMs / 1000} s`)
    await sleep(10)
  }
}

/** Sends SIGKILL; false when the process had gone already. */
export function killNow(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 1) return false
  try {
    process.kill(pid, 'SIGKILL')
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
    throw error
  }
}
